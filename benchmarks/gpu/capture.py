"""Capture by CuPy alone, and what a captured call gives at each of three launches beside NumPy in float64."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from .found import unless

REPLAYS = 3
TOLERANCE = {"float32": 2e-5, "float64": 1e-12}  # beside the largest of the result: sums of a thousand roundings


class Graph:
    """A call captured in a graph, with the memory that it works in.

    Args:
        call: makes its arrays, or writes to arrays that are there; runs once before it is captured.
        use: called with the stream, before the call; for a handle that has to be told.

    Attributes:
        result: what the call returned while it was captured: arrays that each launch writes to.
    """

    def __init__(self, call: Callable[[], Any], use: Callable[[Any], None] = lambda stream: None) -> None:
        import cupy as xp

        self.stream, self.pool = xp.cuda.Stream(non_blocking=True), xp.cuda.MemoryPool()
        xp.cuda.Device().synchronize()  # what it reads is there
        with self.stream, xp.cuda.using_allocator(self.pool.malloc):
            use(self.stream)
            call()  # compiles and loads what it needs, which capture does not allow
            self.stream.synchronize()
            self.stream.begin_capture()
            try:
                self.result = call()
            except BaseException:
                with suppress(Exception):  # the capture may be invalid by now; leave it
                    self.stream.end_capture()
                raise
            self.graph = self.stream.end_capture()

    def launch(self) -> None:
        """Run it, and wait."""
        import cupy as xp

        xp.cuda.Device().synchronize()
        self.graph.launch(self.stream)
        self.stream.synchronize()


class Row:
    """A call and what it shall give.

    Args:
        call: a result of arrays on the device.
        reference: the same of arrays in host memory, floats in float64.
        inputs: for a seed, arrays in host memory.
    """

    def __init__(self, call: Callable, reference: Callable, inputs: Callable[[np.random.Generator], Sequence]) -> None:
        self.call, self.reference, self.inputs = call, reference, inputs

    def error(self, use: Callable[[Any], None] = lambda stream: None) -> float:
        """The largest difference over all launches, each with inputs of its own, over what rounding makes.

        Above 1 it is wrong; not a number where a result is none.
        """
        import cupy as xp

        places = [xp.asarray(x) for x in self.inputs(np.random.default_rng(0))]
        graph, worst = Graph(lambda: self.call(*places), use), 0.0
        for seed in range(1, REPLAYS + 1):
            hosts = self.inputs(np.random.default_rng(seed))
            for place, host in zip(places, hosts, strict=True):
                place[...] = xp.asarray(host)
            graph.launch()
            wanted = self.reference(*(x.astype("float64") if x.dtype.kind == "f" else x for x in hosts))
            worst = max(worst, beside(graph.result.get(), wanted), key=lambda value: (value != value, value))
        return worst


def beside(result: np.ndarray, wanted: Any) -> float:
    """The largest difference, beside the result's size and what rounding makes of it; more than 1 is wrong."""
    if result.shape != np.shape(wanted):
        return float("nan")
    kind = result.dtype.name if result.dtype.kind == "f" else "float64"
    size = max(1.0, float(np.max(np.abs(wanted), initial=0)))
    return float(np.max(np.abs(result - np.asarray(wanted, "float64")), initial=0)) / size / TOLERANCE[kind]


def errors(rows: dict[str, Row], use: Callable[[Any], None] = lambda stream: None) -> dict[str, Any]:
    """The error of each row; one that raises does not stop the others.

    Raises:
        Failure: one is wrong, or raised.
    """
    found, failures = {}, []
    for name, row in rows.items():
        try:
            found[name] = round(row.error(use), 3)
        except Exception as error:
            failures.append(f"{name}: {type(error).__name__}: {' '.join(str(error).split())[:200]}")
        else:
            failures += [] if found[name] <= 1 else [f"{name}: wrong, {found[name]:.3g} of what rounding makes"]
    return unless(failures, {"launches": REPLAYS, "errors_over_tolerance": found})


def normal(*shapes: tuple[int, ...], dtype: str = "float32") -> Callable[[np.random.Generator], list[np.ndarray]]:
    """Inputs for a row: draws from N(0, 1) in these shapes."""
    return lambda rng: [rng.standard_normal(shape).astype(dtype) for shape in shapes]
