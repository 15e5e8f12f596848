"""Check 6: seconds a step of minivae, PyTorch in all its ways, and JAX, by turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

from .. import harness
from ..cases import Case
from ..contenders import Entry, missing
from ..worker import Remote, WorkerError
from .found import Context, unless
from .sizes import case

OURS = "minivae-graph"
CONTENDERS = {
    "minivae-eager": Entry("minivae on CuPy, eager", "gpu_minivae", {"mode": "eager"}, "cupy"),
    OURS: Entry("minivae on CuPy, compiled: one CUDA graph", "gpu_minivae", {"mode": "compiled"}, "cupy"),
    "torch-eager": Entry("PyTorch, eager, default Adam", "gpu_pytorch", {"mode": "eager"}, "torch"),
    "torch-fused": Entry("PyTorch, eager, fused Adam", "gpu_pytorch", {"mode": "fused"}, "torch"),
    "torch-compile": Entry(
        "PyTorch, torch.compile with CUDA graphs, its inputs static", "gpu_pytorch", {"mode": "compile"}, "torch"
    ),
    "torch-graph": Entry("PyTorch, the step in one CUDA graph", "gpu_pytorch", {"mode": "graph"}, "torch"),
    "torch-compiled-graph": Entry(
        "PyTorch, a compiled model, its step in one CUDA graph", "gpu_pytorch", {"mode": "compiled graph"}, "torch"
    ),
    "jax": Entry("JAX, jit of the whole step", "gpu_jax", {}, "jax"),
}
TORCH = [name for name in CONTENDERS if name.startswith("torch")]
TIMED = ("mnist-100", "mnist-1000", "wide")
# (case, against, at most): ratios of medians, below 1 where minivae is ahead.
TARGETS = (
    *((name, tuple(TORCH), 1.0) for name in TIMED),
    *((name, ("jax",), 1.0) for name in TIMED),
    ("mnist-100", ("torch-eager",), 0.3),
)
PLAN = replace(harness.FULL, warm_up=0.3, rounds=6)  # 120 steps or more of each, in half a minute a case
PATIENCE = 120.0  # seconds until all contenders are ready
TURNS = 20.0  # seconds that the turns of a case take
BRIEF = harness.Plan(warm_up=0.0, rounds=1, lead_in=0.0, turn=0.0, sample=0.0, samples=2, steps=1)


def items(context: Context) -> dict[str, Callable[[], dict[str, Any]]]:
    """Its items, a case each."""
    plan = BRIEF if context.emulated else PLAN

    def patience() -> float:  # of half of what is left (a case may take 0.6), so that the turns have the rest
        left = (context.deadline - time.monotonic()) / 2
        return max(left - TURNS, left / 2)

    return {name: partial(timed, case(name, context), plan, patience) for name in TIMED}


def timed(of: Case, plan: harness.Plan, patience: Callable[[], float] = lambda: PATIENCE) -> dict[str, Any]:
    """What :func:`measure` finds, and the targets.

    Raises:
        Failure: a contender that is installed failed, or minivae's graph was not captured.
    """
    found = measure(of, CONTENDERS, plan, patience())
    failures = [f"{who}: {line}" for who, result in found["contenders"].items() for line in result.get("log", ())]
    failures += [f"{who}: {why}" for who, why in found["failed"].items()]
    # (by other names, as an item of a check is itself failed or left out)
    others = {"not_installed": found.pop("left_out"), "broken": found.pop("failed")}
    return unless(failures, {"title": str(of), **found, **others, "targets": list(verdicts(of.name, found))})


def measure(of: Case, entries: dict[str, Entry], plan: harness.Plan, patience: float = PATIENCE) -> dict[str, Any]:
    """Time a step of a case by each contender, by turns. See :func:`benchmarks.harness.measure`.

    Args:
        patience: seconds in which all have to be ready, side by side; whoever is not is ended and has failed.

    Returns:
        ``contenders``: what was measured; ``left_out``: what is not installed; ``failed``: what broke,
        and why; ``ratios``: the time of minivae's graph over that of each.
    """
    left_out, found, failed = missing(entries), {}, {}
    with ExitStack() as stack:
        present = {name: entry for name, entry in entries.items() if name not in left_out}
        remotes = {name: stack.enter_context(Remote(harness.Session, entry, of)) for name, entry in present.items()}
        for name, ready in _ready(remotes, plan.warm_up, patience).items():
            if isinstance(ready, str):
                absent = ready.startswith(("ImportError", "ModuleNotFoundError"))
                (left_out if absent else failed)[name] = ready
            else:
                found[name] = dict(zip(("first_loss", "seconds"), ready, strict=True))
        try:
            harness.require_agreement(of, {name: result["first_loss"] for name, result in found.items()})
        except WorkerError as error:
            failed["all together"] = error.args[0]
        running = {name: remotes[name] for name in found}
        sizes = {name: plan.sizes(found[name].pop("seconds")) for name in running}
        for name, samples in harness.rounds(running, sizes, plan).items():
            found[name] |= harness.statistics(samples) | running[name].call("describe")
    ratios = {name: found[OURS]["median"] / result["median"] for name, result in found.items() if OURS in found}
    return {"contenders": found, "left_out": left_out, "failed": failed, "ratios": ratios}


def _ready(remotes: dict[str, Remote], warm_up: float, patience: float) -> dict[str, tuple[float, float] | str]:
    """Warm all up side by side, as compiling takes long: first loss and seconds a step of each, or why not."""
    with ThreadPoolExecutor(len(remotes)) as pool:
        waited = {name: pool.submit(remote.call, "warm_up", warm_up) for name, remote in remotes.items()}
        wait(waited.values(), patience)
        late = {name for name, future in waited.items() if not future.done()}
        for name in late:
            remotes[name].kill()
    ready: dict[str, tuple[float, float] | str] = {}
    for name, future in waited.items():
        try:
            ready[name] = future.result()
        except WorkerError as error:
            ready[name] = f"it was not ready after {patience:.0f} s" if name in late else error.args[0]
    return ready


def verdicts(name: str, found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Each target of a case with what was measured; the ratio is None where something is missing."""
    for of, others, at_most in TARGETS:
        if of == name:
            measured = [found["ratios"][who] for who in others if who in found["ratios"]]
            ratio = max(measured) if measured else None
            met = None if ratio is None else ratio <= at_most
            yield {"against": others, "at_most": at_most, "ratio": ratio, "met": met}
