"""Check 5: minivae on the CPU against minivae on the GPU, 100 steps from equal weights, with equal noise."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import cycle
from typing import Any

import numpy as np

from ..cases import CASES, Case
from ..contenders import Entry, make
from ..worker import Remote
from .found import Context, unless
from .sizes import case

# CPU against GPU after 100 steps in float32. Both round each sum in their own order, by about
# 1e-6 of its size; on the CPU alone, starting weights that are changed by 1e-6 of their size move
# the losses by 3e-7 of theirs, single parameters by 3e-5 and all but one in a thousand by 1e-6
# (Adam turns the rounding of a gradient near 0 into a step).
STEPS = 100
TOLERANCES = {"loss": 1e-5, "parameters": 1e-3, "parameters_but_a_thousandth": 5e-5}


def items(context: Context) -> dict[str, Callable[[], dict[str, Any]]]:
    """Its items, a case each."""
    return {name: partial(compare, case(name, context)) for name in CASES}


def compare(of: Case) -> dict[str, Any]:
    """What :func:`agreement` finds.

    Raises:
        Failure: they differ by more than rounding, or no graph was captured.
    """
    found = agreement(of, "numpy", "cupy")
    failures = [] if found["agrees"] else ["CPU and GPU differ by more than rounding"]
    return unless([*found["log"], *failures], {"title": str(of), **found})


def agreement(of: Case, first: str, second: str, steps: int = STEPS) -> dict[str, Any]:
    """How far the two backends come apart in so many steps, and whether that is rounding."""
    with Remote(Training, of, first) as a, Remote(Training, of, second) as b:
        (losses, parameters, _), (others, twins, log) = a.call("run", steps), b.call("run", steps)
    off = np.concatenate([np.abs(parameters[name] - twins[name]).ravel() for name in parameters])
    differences = {
        "loss": float(np.max(np.abs(np.divide(others, losses) - 1))),
        "parameters": float(off.max()),
        "parameters_but_a_thousandth": float(np.quantile(off, 0.999)),
    }
    agrees = all(differences[what] <= most for what, most in TOLERANCES.items())  # (False where one is NaN)
    return {"steps": steps, "differences": differences, "tolerances": TOLERANCES, "agrees": agrees, "log": log}


class Training:
    """100 steps of minivae from given weights, with given noise; lives in a worker."""

    def __init__(self, of: Case, backend: str) -> None:
        self.case = of
        self.contender = make(Entry("minivae", "gpu_minivae", {"mode": "compiled", "backend": backend}), of)

    def run(self, steps: int) -> tuple[list[float], dict[str, np.ndarray], list[str]]:
        """The loss of each step, the parameters afterwards, and what was logged."""
        contender, losses = self.contender, []
        for rows, noise in zip(cycle(self.case.minibatches()), self.case.noise(steps), strict=False):
            contender.step(contender.array(rows), contender.array(noise))
            losses.append(contender.loss())
        return losses, contender.state(), contender.log
