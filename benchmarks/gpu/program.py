"""Check 7: how long each item of a recorded step takes on the device, by events, and the step as a whole.

An item is captured many times over in a graph of its own, so that what is timed is the device and not the host
that starts it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import Any

from minivae.compiler.cuda.blas import current_blas
from minivae.compiler.cuda.replay import Device

from ..cases import Case
from ..contenders import Entry, make
from .capture import Graph
from .found import Context, Failure, unless
from .sizes import case

TIMED = ("mnist-100", "mnist-1000", "wide")
STEPS = 4  # until the step is captured
TIMES, LAUNCHES = 20, 5  # an item in its graph; launches of that, of which the median counts
STEPS_TIMED = 50


def items(context: Context) -> dict[str, Callable[[], dict[str, Any]]]:
    """Its items, a case each."""
    return {name: partial(timed, case(name, context)) for name in TIMED}


def timed(of: Case) -> dict[str, Any]:
    """Microseconds of each item, of all together, and of a whole step.

    Raises:
        Failure: the step was not captured, or an item is not finite in time.
    """
    with _prepared() as prepared:
        contender = make(Entry("minivae", "gpu_minivae", {"mode": "compiled"}), of)
        rows = [contender.array(rows) for rows in of.minibatches()[: STEPS + 1]]
        for one in rows[:STEPS]:
            contender.step(one)
        loss = contender.loss()
    if contender.log or not prepared:
        raise Failure("; ".join(contender.log) or "nothing was prepared", {"title": str(of)})
    step = _microseconds_of_steps(lambda: contender.step(rows[-1]))
    found = [{"item": name, "us": round(_microseconds(calls), 3)} for name, calls in prepared]
    total = round(sum(row["us"] for row in found), 3)
    slow = [row["item"] for row in found if not row["us"] >= 0]
    return unless(
        slow, {"title": str(of), "loss": loss, "us_of_a_step": step, "us_of_all_items": total, "program": found}
    )


@contextmanager
def _prepared() -> Iterator[list[tuple[str, list[Callable[[], Any]]]]]:
    """The items that are prepared meanwhile: a name, and the calls."""
    found, prepare = [], Device._prepare

    def noting(device: Device, item: Any) -> list[Callable[[], Any]]:
        calls = prepare(device, item)
        found.append((described(item), calls))
        return calls

    Device._prepare = noting  # type: ignore[method-assign]
    try:
        yield found
    finally:
        Device._prepare = prepare  # type: ignore[method-assign]


def described(item: Any) -> str:
    """What an item does, and the shapes of what it reads and makes."""
    calls = getattr(item, "calls", None) or [item]
    names = "+".join(call.primitive.name for call in calls)
    reads = [x for x in calls[0].inputs if hasattr(x, "shape")]
    shapes = ", ".join("x".join(map(str, x.shape)) or "1" for x in reads)
    return f"{names[:80]} ({shapes} -> {'x'.join(map(str, calls[-1].output.shape)) or '1'})"


def _microseconds(calls: list[Callable[[], Any]]) -> float:
    """Of an item on the device."""
    import cupy as xp

    def often() -> None:
        for _ in range(TIMES):
            for call in calls:
                call()

    graph = Graph(often, current_blas(xp).use)
    times = []
    for _ in range(LAUNCHES + 1):
        start, end = xp.cuda.Event(), xp.cuda.Event()
        start.record(graph.stream)
        graph.graph.launch(graph.stream)
        end.record(graph.stream)
        end.synchronize()
        times.append(xp.cuda.get_elapsed_time(start, end))
    return 1e3 * median(times[1:]) / TIMES


def _microseconds_of_steps(step: Callable[[], None]) -> float:
    """Of a step, from the start of the first to the end of the last of many."""
    import cupy as xp

    step()
    start, end = xp.cuda.Event(), xp.cuda.Event()
    start.record()
    for _ in range(STEPS_TIMED):
        step()
    end.record()
    end.synchronize()
    return round(1e3 * xp.cuda.get_elapsed_time(start, end) / STEPS_TIMED, 3)
