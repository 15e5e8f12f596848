"""Check 5: minivae on the CPU against minivae on the GPU, 100 steps from equal weights, with equal noise."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import cycle
from typing import Any

import numpy as np

from ..cases import CASES, Case
from ..contenders import Entry, make
from ..worker import Remote, WorkerError
from .found import Context, unless
from .sizes import case

# CPU against GPU after 100 steps in float32. Both round each sum in their own order, by about
# 1e-6 of its size; on the CPU alone, starting weights that are changed by 1e-6 of their size move
# the losses by 3e-7 of theirs, single parameters by 3e-5 and all but one in a thousand by 1e-6
# (Adam turns the rounding of a gradient near 0 into a step).
STEPS = 100
TOLERANCES = {"loss": 1e-5, "parameters": 1e-3, "parameters_but_a_thousandth": 5e-5}


def items(context: Context) -> dict[str, Callable[[], dict[str, Any]]]:
    """Its items, a case each, all in the same two processes; what is quick comes first."""
    pair = Pair("numpy", "cupy")
    return {name: partial(compare, case(name, context), pair) for name in CASES}


def compare(of: Case, pair: Pair) -> dict[str, Any]:
    """What :func:`agreement` finds.

    Raises:
        Failure: they differ by more than rounding, or no graph was captured.
    """
    found = agreement(of, pair)
    failures = [] if found["agrees"] else ["CPU and GPU differ by more than rounding"]
    return unless([*found["log"], *failures], {"title": str(of), **found})


def agreement(of: Case, pair: Pair, steps: int = STEPS) -> dict[str, Any]:
    """How far the two backends come apart in so many steps, and whether that is rounding."""
    (losses, parameters, _), (others, twins, log) = pair.run(of, steps)
    off = np.concatenate([np.abs(parameters[name] - twins[name]).ravel() for name in parameters])
    differences = {
        "loss": float(np.max(np.abs(np.divide(others, losses) - 1))),
        "parameters": float(off.max()),
        "parameters_but_a_thousandth": float(np.quantile(off, 0.999)),
    }
    agrees = all(differences[what] <= most for what, most in TOLERANCES.items())  # (False where one is NaN)
    return {"steps": steps, "differences": differences, "tolerances": TOLERANCES, "agrees": agrees, "log": log}


class Pair:
    """Two processes that train the same on a backend each, side by side; they start when they are needed."""

    def __init__(self, *backends: str) -> None:
        self._backends, self._remotes = backends, []

    def run(self, of: Case, steps: int) -> list[Any]:
        """What :meth:`Training.run` returns in each.

        Raises:
            WorkerError: one broke. The next run has new processes.
        """
        self._remotes = self._remotes or [Remote(Training, backend) for backend in self._backends]
        try:
            with ThreadPoolExecutor(len(self._remotes)) as pool:
                return list(pool.map(lambda remote: remote.call("run", of, steps), self._remotes))
        except WorkerError:
            self.close()
            raise

    def close(self) -> None:
        """End the processes."""
        for remote in self._remotes:
            remote.close()
        self._remotes = []


class Training:
    """100 steps of minivae from given weights, with given noise; lives in a worker."""

    def __init__(self, backend: str) -> None:
        self.entry = Entry("minivae", "gpu_minivae", {"mode": "compiled", "backend": backend})

    def run(self, of: Case, steps: int) -> tuple[list[float], dict[str, np.ndarray], list[str]]:
        """The loss of each step, the parameters afterwards, and what was logged."""
        contender, losses = make(self.entry, of), []
        for rows, noise in zip(cycle(of.minibatches()), of.noise(steps), strict=False):
            contender.step(contender.array(rows), contender.array(noise))
            losses.append(contender.loss())
        return losses, contender.state(), contender.log
