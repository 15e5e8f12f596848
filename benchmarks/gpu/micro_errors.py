"""The rest of check 2: what goes wrong inside a capture, and the next capture after it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np

from minivae.compiler.cuda.graph import Recorder

from .capture import Graph
from .found import Failure, unless

HUGE = 1 << 46  # bytes: more than any device has


def _next_capture() -> list[str]:
    """What is wrong with a capture after one that failed."""
    import cupy as xp

    x = xp.arange(1000, dtype="float32")
    graph, failures = Graph(lambda: xp.sqrt(x) + 1), []
    for scale in (1, 2, 3):
        x[...] = xp.arange(1000, dtype="float32") * scale
        graph.launch()
        right = np.allclose(graph.result.get(), np.sqrt(np.arange(1000.0) * scale) + 1, rtol=1e-6)
        failures += [] if right else [f"launch {scale} of the next capture is wrong"]
    return failures


def _fails(call: Callable[[], Any]) -> dict[str, Any]:
    """Capture what cannot be captured, by CuPy alone: it has to raise, and the next capture to be right.

    Raises:
        Failure: it does not, or is not.
    """
    try:
        Graph(call)
    except Exception as error:
        said = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        return unless(_next_capture(), {"raised": said})
    raise Failure("nothing was raised")


class _Second:
    """A call that does what it shall from the second time on: the first is the warm-up."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self.call, self.times = call, 0

    def __call__(self) -> Any:
        self.times += 1
        return self.call() if self.times > 1 else None


def waiting() -> dict[str, Any]:
    """The device is waited for inside a capture."""
    import cupy as xp

    return _fails(lambda: float(xp.ones(10, "float32").sum()))


def waiting_for_all() -> dict[str, Any]:
    """The same by CUDA's own call, which CuPy does not look at: it ends the capture."""
    import cupy as xp

    stream = xp.cuda.get_current_stream
    return _fails(_Second(lambda: (xp.ones(10, "float32") * 2, stream().synchronize())))


def raising() -> dict[str, Any]:
    """Python raises inside a capture, after kernels were sent."""
    import cupy as xp

    x = xp.ones(10, "float32")

    def call() -> None:
        y = x * 2
        raise ZeroDivisionError(f"on purpose, {y.shape}")

    return _fails(_Second(call))


def out_of_memory() -> dict[str, Any]:
    """Memory for an array is asked for inside a capture, and there is none: CuPy frees what it can and raises."""
    import cupy as xp

    return _fails(_Second(lambda: xp.empty(HUGE, "uint8")))


def out_of_memory_by_limit() -> dict[str, Any]:
    """The same where the pool has a limit, so that the device is not asked."""
    import cupy as xp

    def call() -> Any:
        pool = xp.cuda.MemoryPool()
        pool.set_limit(size=1 << 20)
        return pool.malloc(1 << 21)

    return _fails(_Second(call))


def from_the_host() -> dict[str, Any]:
    """An array is sent from the host inside a capture of minivae's, which refuses it; the step runs without a graph."""
    import cupy as xp

    x = xp.ones(4, "float32")
    return _given_up([lambda: xp.add(x, xp.asarray(np.ones(4, "float32")), out=x)])


def minivae_waiting() -> dict[str, Any]:
    """minivae's capture gives up where the device is waited for, says why, and the next one works."""
    import cupy as xp

    x = xp.ones(4, "float32")
    return _given_up([lambda: float(x.sum())])


def minivae_out_of_memory() -> dict[str, Any]:
    """minivae's capture gives up where memory ends."""
    import cupy as xp

    return _given_up([_Second(lambda: xp.empty(HUGE, "uint8"))])


def _given_up(calls: list[Callable[[], Any]]) -> dict[str, Any]:
    log: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: log.append(record.getMessage())
    logger = logging.getLogger("minivae")
    logger.addHandler(handler)
    try:
        recorder = _recorder()
        recorder.run(calls)
        launch = recorder.capture(calls)
    finally:
        logger.removeHandler(handler)
    failures = ["it was captured"] if launch is not None else []
    failures += [] if len(log) == 1 else [f"{len(log)} lines in the log; expected 1"]
    return unless(failures + _next_capture() + _next_of_minivae(), {"log": log})


def _next_of_minivae() -> list[str]:
    import cupy as xp

    x = xp.zeros(4, "float32")
    calls, recorder = [lambda: xp.add(x, 1, out=x)], _recorder()
    recorder.run(calls)
    launch = recorder.capture(calls)
    if launch is None:
        return ["minivae captures nothing afterwards"]
    for _ in range(3):
        launch()
    return [] if (x.get() == 4).all() else ["minivae's next graph is wrong"]


def _recorder() -> Recorder:
    import cupy as xp

    return Recorder(xp, lambda stream: None)


ITEMS: dict[str, Callable[[], dict[str, Any]]] = {
    "a copy from the host inside capture": from_the_host,
    "a wait inside capture": waiting,
    "a wait for the stream inside capture": waiting_for_all,
    "a wait inside minivae's capture": minivae_waiting,
    "an error inside capture": raising,
    "out of memory inside capture, by a limit": out_of_memory_by_limit,
    "out of memory inside capture": out_of_memory,
    "out of memory inside minivae's capture": minivae_out_of_memory,
}
