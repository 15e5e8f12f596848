"""Learning-rate schedules: the factor on the step size, by step."""

from __future__ import annotations

import math
from collections.abc import Callable

from ..checks import one_of


def constant(step: int, total: int) -> float:
    """1: the step size as it was given."""
    return 1.0


def cosine(step: int, total: int) -> float:
    """Half a cosine from 1 at the first step towards 0 after the last (Loshchilov & Hutter 2017)."""
    return (1 + math.cos(math.pi * step / total)) / 2


def exponential(step: int, total: int) -> float:
    """Decays by a constant factor each step, from 1 to 1/100 over the run."""
    return 0.01 ** (step / total)


def warmup(step: int, total: int) -> float:
    """Rises linearly over the first 5% of the run, then stays at 1."""
    return min(1.0, (step + 1) / max(1, math.ceil(0.05 * total)))


SCHEDULES: dict[str, Callable[[int, int], float]] = {
    "constant": constant,
    "cosine": cosine,
    "exponential": exponential,
    "warmup": warmup,
}


def lr_factor(schedule: str, step: int, total: int, warmup: float = 0.0) -> float:
    """The factor on the step size: a linear rise to 1 over so many first steps, then the schedule over the others.

    Raises:
        InputError: there is no schedule of that name.
    """
    factor = SCHEDULES[one_of("schedule", schedule, SCHEDULES)]
    if step < warmup:
        return min(1.0, (step + 1) / warmup)
    begun = math.ceil(warmup)
    return factor(step - begun, total - begun)
