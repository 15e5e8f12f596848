"""Calls captured once in a CUDA graph and launched as one from then on.

At a batch of 100 a training step is some sixty short kernels, and starting them one by one
from Python takes longer than they run. While a stream is captured nothing runs: what would
have run becomes a graph, which one launch runs in order. It uses the same memory each time,
so everything that it reads and writes must stay where it is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import get_ident
from typing import Any

logger = logging.getLogger("minivae")


class Recorder:
    """Captures lists of calls, until one of them cannot be captured.

    Args:
        xp: CuPy.
        use: called with the stream that the next calls go to.
    """

    def __init__(self, xp: Any, use: Callable[[Any], None]) -> None:
        self._xp, self._use = xp, use
        self._gave_up = False

    def run(self, calls: Sequence[Callable[[], Any]]) -> None:
        """Make the calls on the current stream."""
        self._use(self._xp.cuda.get_current_stream())
        for call in calls:
            call()

    def capture(self, calls: Sequence[Callable[[], Any]]) -> Callable[[], Any] | None:
        """The calls as one, to be made on the current stream; None, and one line in the log, if that fails."""
        if self._gave_up:
            return None
        cuda = self._xp.cuda
        stream = cuda.Stream(non_blocking=True)  # the null stream cannot be captured
        # The graph writes to the calls' temporaries at each launch. From a pool of its own,
        # their memory is nobody else's as long as the pool lives.
        pool = cuda.MemoryPool()
        try:
            with stream, cuda.using_allocator(pool.malloc), _without_copies_from_the_host(self._xp):
                self._use(stream)
                stream.begin_capture()
                for call in calls:
                    call()
                return Launch(stream.end_capture(), pool)
        except Exception as error:  # of CuPy, CUDA, cuBLAS: the step runs without a graph as well
            with suppress(Exception):  # the capture may be invalid by now; leave it
                stream.end_capture()
            self.give_up(error)
            return None

    def give_up(self, error: Exception) -> None:
        """Capture nothing from now on, and say why, once."""
        if self._gave_up:
            return
        self._gave_up = True
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        logger.warning("a compiled step cannot be captured in a CUDA graph and runs call by call (%s)", reason)


@contextmanager
def _without_copies_from_the_host(xp: Any) -> Iterator[None]:
    """Refuse this thread the pinned memory through which CuPy sends small arrays to the device.

    A graph would send them anew at each launch, from memory that others have by then.
    """
    thread, pool = get_ident(), xp.get_default_pinned_memory_pool()

    def allocate(size: int) -> Any:
        if get_ident() == thread:
            raise RuntimeError("it sends an array from the host to the device")
        return pool.malloc(size)

    xp.cuda.set_pinned_memory_allocator(allocate)
    try:
        yield
    finally:
        xp.cuda.set_pinned_memory_allocator(pool.malloc)


class Replay:
    """A list of calls that is run many times: as they are at first, as one captured graph later.

    Args:
        recorder: captures them.
        calls: to make in order.
    """

    # Kernels are compiled and loaded when they first run, which capture does not allow.
    WARM_UP = 1

    def __init__(self, recorder: Recorder, calls: Sequence[Callable[[], Any]]) -> None:
        self._recorder, self._calls = recorder, list(calls)
        self._runs, self._graph = 0, None

    def __len__(self) -> int:
        """How many calls."""
        return len(self._calls)

    def __call__(self) -> None:
        """Run the calls once, on the current stream."""
        if self._runs == self.WARM_UP and self._calls:
            self._graph = self._recorder.capture(self._calls)
        self._runs += 1
        if self._graph is not None:
            self._graph()
        else:
            self._recorder.run(self._calls)


class Launch:
    """A captured graph with the memory that it works in."""

    def __init__(self, graph: Any, pool: Any) -> None:
        self._pool, self._graph = pool, graph

    def __call__(self) -> None:
        """Launch the graph on the current stream."""
        self._graph.launch()
