"""How contenders are timed: by turns, each in its process, all through the same minutes.

All contenders of a case are started and warmed up. Then come rounds; in a round each has one
turn, while the others sleep. A turn starts with untimed steps, until the caches are its
own and the threads of the one before have stopped spinning, and goes on with samples: a sample is
the time of several steps, to the end of the last one's work, divided by their number. What
is reported are the median and the quartiles of all samples of all rounds, so that a slow
minute of the machine counts for every contender alike.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle
from statistics import fmean, quantiles
from typing import Any

from .cases import Case
from .contenders import FLOOR, Entry, make, missing
from .machine import peak_memory
from .worker import Remote, WorkerError


@dataclass(frozen=True)
class Plan:
    """How long to measure.

    Attributes:
        warm_up: seconds of steps before anything is timed.
        rounds: turns of each contender.
        lead_in: seconds of untimed steps at the start of a turn.
        turn: seconds that a turn shall have at least, beside its lead-in.
        sample: seconds that a sample shall have at least.
        samples: at least so many in a turn.
        steps: at least so many in a sample.
    """

    warm_up: float = 0.5
    rounds: int = 10
    lead_in: float = 0.06
    turn: float = 0.15
    sample: float = 0.01
    samples: int = 4
    steps: int = 5

    def sizes(self, step_seconds: float) -> tuple[int, int]:
        """Samples in a turn, and steps in a sample, for steps that take so long."""
        steps = max(self.steps, math.ceil(self.sample / step_seconds))
        return max(self.samples, math.ceil(self.turn / (steps * step_seconds))), steps


FULL = Plan()  # at least 10 * 4 * 5 = 200 timed steps
QUICK = Plan(warm_up=0.1, rounds=3, lead_in=0.02, turn=0.03, samples=2, steps=2)
CHECKED_STEPS = 20  # whose losses, from the same weights on, must be the same but for the noise
LOSS_TOLERANCE = 0.05  # the noise alone makes 0.01 on the Gaussian case


class Session:
    """A contender at work; lives in a worker.

    Args:
        entry: which contender.
        case: what it computes.
    """

    def __init__(self, entry: Entry, case: Case) -> None:
        self.contender = make(entry, case)
        self.minibatches = cycle([self.contender.array(rows) for rows in case.minibatches()])

    def warm_up(self, seconds: float) -> tuple[float, float]:
        """The mean loss of the first steps, and about how many seconds a step takes afterwards."""
        losses = []
        for _ in range(CHECKED_STEPS):
            self._run(1)
            losses.append(self.contender.loss())
        times, end = [], time.perf_counter() + seconds
        while len(times) < 3 or time.perf_counter() < end:
            times.append(self.sample(1))
        return fmean(losses), sorted(times)[len(times) // 2]

    def turn(self, lead_in: float, samples: int, steps: int) -> list[float]:
        """Seconds a step of each sample."""
        end = time.perf_counter() + lead_in
        while time.perf_counter() < end:
            self.sample(1)
        return [self.sample(steps) for _ in range(samples)]

    def sample(self, steps: int) -> float:
        """Seconds a step of so many steps, to the end of their work."""
        start = time.perf_counter()
        self._run(steps)
        self.contender.loss()
        return (time.perf_counter() - start) / steps

    def _run(self, steps: int) -> None:
        for _, rows in zip(range(steps), self.minibatches, strict=False):
            self.contender.step(rows)

    def describe(self) -> dict[str, Any]:
        """Versions, threads, and the process's peak memory."""
        return {**self.contender.describe(), "peak_memory_mib": peak_memory()}


def measure(case: Case, entries: Mapping[str, Entry], plan: Plan) -> dict[str, Any]:
    """Time a step of ``case`` by each of the contenders ``entries``.

    Returns:
        ``contenders``: for each its median and quartiles (seconds a step), the number of timed
        steps, the loss it started with, versions, threads and peak memory (MiB);
        ``left_out``: those that could not run, and why.

    Raises:
        WorkerError: minivae itself, or the floor, cannot run.
    """
    with ExitStack() as stack:
        running, found, left_out = _start(case, entries, plan, stack)
        require_agreement(case, {name: result["first_loss"] for name, result in found.items()})
        sizes = {name: plan.sizes(found[name].pop("seconds")) for name in running}
        for name, samples in rounds(running, sizes, plan).items():
            steps = len(samples) * sizes[name][1]
            found[name] |= statistics(samples) | {"steps": steps} | running[name].call("describe")
    return {"contenders": found, "left_out": left_out}


def _start(case: Case, entries: Mapping[str, Entry], plan: Plan, stack: ExitStack) -> tuple[dict, dict, dict]:
    """Workers, warmed up; first loss and about how many seconds a step takes; who is left out, and why."""
    running, found, left_out = {}, {}, missing(entries)
    for name, entry in entries.items():
        if name in left_out:
            continue
        remote = stack.enter_context(Remote(Session, entry, case))
        try:
            loss, seconds = remote.call("warm_up", plan.warm_up)
        except WorkerError as error:
            if entry.module in ("ours", "floor"):
                raise
            remote.close()
            left_out[name] = error.args[0]
        else:
            running[name], found[name] = remote, {"first_loss": loss, "seconds": seconds}
    return running, found, left_out


def rounds(running: dict[str, Remote], sizes: dict[str, tuple[int, int]], plan: Plan) -> dict[str, list[float]]:
    """Seconds a step of each sample of everyone, who take turns.

    Args:
        running: workers with a :class:`Session`, warmed up.
        sizes: for each, samples in a turn and steps in a sample.
        plan: how many rounds.
    """
    samples: dict[str, list[float]] = {name: [] for name in running}
    for number in range(plan.rounds):
        # There and back again, so that nobody always comes after the same neighbour.
        for name in list(running)[:: -1 if number % 2 else 1]:
            samples[name] += running[name].call("turn", plan.lead_in, *sizes[name])
    return samples


def require_agreement(case: Case, losses: dict[str, float]) -> None:
    """Check that all contenders that have a loss have the same one.

    Raises:
        WorkerError: one has not, so that it computes something else, and must not be compared.
    """
    losses = {name: loss for name, loss in losses.items() if name != FLOOR}
    reference = next(iter(losses.values()), 0.0)
    # "all ... <=" and not "any ... >": a NaN must be caught, too.
    if not all(abs(loss - reference) <= LOSS_TOLERANCE * abs(reference) for loss in losses.values()):
        values = ", ".join(f"{name} {loss:.4g}" for name, loss in losses.items())
        raise WorkerError(f"{case.name}: the contenders do not do the same work; their mean first losses: {values}")


def statistics(samples: Sequence[float]) -> dict[str, float]:
    """Median and quartiles, in the samples' unit, and how many samples there are."""
    lower, median, upper = quantiles(samples, n=4, method="inclusive")
    return {"median": median, "lower": lower, "upper": upper, "samples": len(samples)}
