"""Part "growth": how the time of a step and the memory of its process grow with the sizes of the model.

From the MNIST model, 784-500-20 on minibatches of 100, one size at a time is changed. Memory
is the peak of the whole process: interpreter, libraries, data set and step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .cases import CASES, Case
from .contenders import CONTENDERS
from .harness import QUICK, Plan, measure

GROWING = ("minivae-compiled", "minivae-fast", "torch-fused", "jax")
PLAN = Plan(warm_up=0.4, rounds=5, turn=0.1, samples=3, steps=3)
BASE = replace(CASES["mnist-100"], rows=10_000)
SWEEPS: dict[str, dict[int, Case]] = {
    "batch size": {n: replace(BASE, batch_size=n) for n in (10, 30, 100, 300, 1000)},
    "hidden units": {n: replace(BASE, hidden=(n,)) for n in (125, 250, 500, 1000, 2000)},
    "hidden layers": {n: replace(BASE, hidden=(500,) * n) for n in (1, 2, 4)},
}


def run(quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """For each sweep and size what :func:`benchmarks.harness.measure` returns; with ``quick`` of one, and ours only."""
    names, plan = (GROWING[:2], QUICK) if quick else (GROWING, PLAN)
    sweeps = {"batch size": {100: BASE}} if quick else SWEEPS
    measured: dict[Case, dict[str, Any]] = {}  # the sweeps have one case in common
    for case in (case for cases in sweeps.values() for case in cases.values()):
        if case not in measured:
            measured[case] = measure(case, {name: CONTENDERS[name] for name in names}, plan)
            _tell(case, measured[case], say)
    return {sweep: {str(size): measured[case] for size, case in cases.items()} for sweep, cases in sweeps.items()}


def _tell(case: Case, result: dict[str, Any], say: Callable[[str], None]) -> None:
    for name, found in result["contenders"].items():
        say(f"  {case!s:44} {name:17} {found['median'] * 1e3:8.2f} ms a step, {found['peak_memory_mib']:5.0f} MiB")
