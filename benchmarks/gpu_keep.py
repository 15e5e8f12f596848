"""Runs on a GPU: minivae there against minivae on the CPU, and the time of a step against others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle
from typing import Any

import numpy as np

from . import harness
from .cases import Case
from .contenders import Entry, make, missing
from .worker import Remote, WorkerError

OURS = "minivae-graph"
CONTENDERS = {
    "minivae-eager": Entry("minivae on CuPy, eager", "gpu_minivae", {"mode": "eager"}, "cupy"),
    OURS: Entry("minivae on CuPy, compiled: one CUDA graph", "gpu_minivae", {"mode": "compiled"}, "cupy"),
    "torch-eager": Entry("PyTorch, eager, default Adam", "gpu_pytorch", {"mode": "eager"}, "torch"),
    "torch-fused": Entry("PyTorch, eager, fused Adam", "gpu_pytorch", {"mode": "fused"}, "torch"),
    "torch-compile": Entry("PyTorch, torch.compile with CUDA graphs", "gpu_pytorch", {"mode": "compile"}, "torch"),
    "torch-graph": Entry("PyTorch, the step in one CUDA graph", "gpu_pytorch", {"mode": "graph"}, "torch"),
    "jax": Entry("JAX, jit of the whole step", "gpu_jax", {}, "jax"),
}
# (case, against, at most): ratios of medians, below 1 where minivae is ahead.
TARGETS = (("mnist-100", ("torch-compile", "torch-graph"), 1.0), ("mnist-100", ("torch-eager",), 0.3))

# CPU against GPU after 100 steps in float32. Both round each sum in their own order, by about
# 1e-6 of its size; on the CPU alone, starting weights that are changed by 1e-6 of their size move
# the losses by 3e-7 of theirs, single parameters by 3e-5 and all but one in a thousand by 1e-6
# (Adam turns the rounding of a gradient near 0 into a step).
STEPS = 100
TOLERANCES = {"loss": 1e-5, "parameters": 1e-3, "parameters_but_a_thousandth": 5e-5}


# ------------------------------------------------------- CPU against GPU


class Training:
    """100 steps of minivae from given weights, with given noise; lives in a worker."""

    def __init__(self, case: Case, backend: str) -> None:
        entry = CONTENDERS[OURS]
        self.case, self.contender = case, make(entry._replace(options={**entry.options, "backend": backend}), case)

    def run(self, steps: int) -> tuple[list[float], dict[str, np.ndarray], list[str]]:
        """The loss of each step, the parameters afterwards, and what was logged."""
        contender, losses = self.contender, []
        for rows, noise in zip(cycle(self.case.minibatches()), self.case.noise(steps), strict=False):
            contender.step(contender.array(rows), contender.array(noise))
            losses.append(contender.loss())
        return losses, contender.state(), contender.log


def agreement(case: Case, first: str, second: str, steps: int = STEPS) -> dict[str, Any]:
    """How far the two libraries come apart in so many steps, and whether that is rounding."""
    with Remote(Training, case, first) as a, Remote(Training, case, second) as b:
        (losses, parameters, _), (others, twins, log) = a.call("run", steps), b.call("run", steps)
    off = np.concatenate([np.abs(parameters[name] - twins[name]).ravel() for name in parameters])
    differences = {
        "loss": float(np.max(np.abs(np.divide(others, losses) - 1))),
        "parameters": float(off.max()),
        "parameters_but_a_thousandth": float(np.quantile(off, 0.999)),
    }
    agrees = all(differences[what] <= most for what, most in TOLERANCES.items())  # (False where one is NaN)
    return {"steps": steps, "differences": differences, "tolerances": TOLERANCES, "agrees": agrees, "log": log}


# -------------------------------------------------------- time of a step


def measure(case: Case, entries: dict[str, Entry], plan: harness.Plan) -> dict[str, Any]:
    """Time a step of a case by each contender, by turns. See :func:`benchmarks.harness.measure`.

    Returns:
        ``contenders``: what was measured; ``left_out``: what is not installed; ``failed``: what broke,
        and why; ``ratios``: the time of minivae's graph over that of each.
    """
    left_out, found, failed, running = missing(entries), {}, {}, {}
    with ExitStack() as stack:
        for name, entry in entries.items():
            if name not in left_out:
                try:
                    remote = stack.enter_context(Remote(harness.Session, entry, case))
                    loss, seconds = remote.call("warm_up", plan.warm_up)
                    found[name], running[name] = {"first_loss": loss, "seconds": seconds}, remote
                except WorkerError as error:
                    absent = error.args[0].startswith(("ImportError", "ModuleNotFoundError"))
                    (left_out if absent else failed)[name] = error.args[0]
        try:
            harness.require_agreement(case, {name: result["first_loss"] for name, result in found.items()})
        except WorkerError as error:
            failed["all together"] = error.args[0]
        sizes = {name: plan.sizes(found[name].pop("seconds")) for name in running}
        for name, samples in harness.rounds(running, sizes, plan).items():
            found[name] |= harness.statistics(samples) | running[name].call("describe")
    ratios = {name: found[OURS]["median"] / result["median"] for name, result in found.items() if OURS in found}
    return {"contenders": found, "left_out": left_out, "failed": failed, "ratios": ratios}


def verdicts(cases: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Each target with what was measured; the ratio is None where something is missing."""
    for case, others, at_most in TARGETS:
        ratios = cases.get(case, {}).get("ratios", {})
        measured = [ratios[name] for name in others if name in ratios]
        ratio = max(measured) if measured else None
        met = None if ratio is None else ratio <= at_most
        yield {"case": case, "against": others, "at_most": at_most, "ratio": ratio, "met": met}
