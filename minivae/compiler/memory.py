"""Memory for the values of a program: planned once, shared by values that do not live together."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Any, NamedTuple

import numpy as np

from .. import backend
from .analysis import Trace

_ALIGN = 64  # bytes: a cache line, and the width of the widest vector registers


class Life(NamedTuple):
    """When a value lives, as positions in the program, and where, in elements of its arena."""

    first: int
    last: int
    start: int
    stop: int


class Arena:
    """One array for each dtype, and in it a place for every value that needs one.

    A value lives from the item of the program that makes it to the last that reads it.
    Places are given in order of birth, each the lowest that no living value overlaps.

    Args:
        trace: the calls.
        items: the program: kernels and single calls, in the order in which they run; each with the
            ``arrays`` that it reads (or assigns), and those that it ``makes``.

    Attributes:
        lives: for each dtype and the id of each made array, when and where it lives.
        nbytes: of memory.
    """

    def __init__(self, trace: Trace, items: Sequence[Any]) -> None:
        self._trace = trace
        self._places: dict[int, Any] = dict(trace.placed)
        self.lives: dict[np.dtype, dict[int, Life]] = {}
        rooms: dict[np.dtype, _Room] = {}
        last_reads = self._last_reads(items)
        arrays: list[Any] = []
        for position, item in enumerate(items):
            for array in item.makes:
                if id(array) in trace.made and id(array) not in trace.placed:
                    room = rooms.setdefault(array.dtype, _Room())
                    life = room.take(array, position, last_reads.get(id(array), position))
                    self.lives.setdefault(array.dtype, {})[id(array)] = life
                    arrays.append(array)
        memory = {dtype: backend.xp_of(arrays[0]).empty(room.stop, dtype=dtype) for dtype, room in rooms.items()}
        for array in arrays:
            start = self.lives[array.dtype][id(array)].start
            self._places[id(array)] = _like(array, memory[array.dtype][start : start + array.size])
        self.nbytes = sum(array.nbytes for array in memory.values())

    def _last_reads(self, items: Sequence[Any]) -> dict[int, int]:
        last = {root: n for n, item in enumerate(items) for root in self._trace.roots(item.arrays)}
        # What is returned lives until the next run.
        return last | dict.fromkeys(self._trace.returned, len(items))

    def place(self, array: Any) -> Any:
        """The array that stands for a recorded one in the program: itself, if it comes from outside."""
        views = []
        while id(array) in self._trace.views and id(array) not in self._places:
            views.append(array)
            array = self._trace.calls[self._trace.views[id(array)]].arrays[0]
        found = self._places.get(id(array), array)
        for view in reversed(views):
            call = self._trace.calls[self._trace.views[id(view)]]
            found = self._places[id(view)] = call.primitive.value(backend.xp_of(found), found, **call.attributes)
        return found

    def place_with(self, array: Any, ndim: int) -> Any:
        """The place of an array, with axes of length 1 in front to make so many, or without them."""
        place = self.place(array)
        if place.ndim == ndim:
            return place
        return place.reshape((1,) * (ndim - place.ndim) + place.shape[max(0, place.ndim - ndim) :])

    def root(self, array: Any) -> int:
        """The id of the computed array that ``array`` is or views; 0 if it comes from outside."""
        return self._trace.root(array)

    def where(self, array: Any) -> str:
        """Where a value lies, in words."""
        life = self.lives.get(array.dtype, {}).get(id(array))
        if life is not None:
            return f"at {life.start} to {life.stop}"
        return "in place of what is assigned" if id(array) in self._trace.placed else "in the cache"


class _Room:
    """The memory of one dtype, in elements: what is free of it as values come and go."""

    def __init__(self) -> None:
        self.stop = 0  # so much is needed
        self._gaps: list[tuple[int, int]] = []  # in order, with something living between any two
        self._living: list[tuple[int, int, int]] = []  # a heap: last use, start, stop

    def take(self, array: Any, first: int, last: int) -> Life:
        """The lowest place that is free from ``first`` on, until after ``last``."""
        unit = _ALIGN // array.dtype.itemsize
        size = max(1, -(-array.size // unit)) * unit
        while self._living and self._living[0][0] < first:
            self._free(*heappop(self._living)[1:])
        start = self._cut(size)
        heappush(self._living, (last, start, start + size))
        return Life(first, last, start, start + size)

    def _cut(self, size: int) -> int:
        for i, (start, stop) in enumerate(self._gaps):
            if stop - start >= size or stop == self.stop:  # the last one may grow
                rest = (start + size, stop)
                self._gaps[i : i + 1] = [rest] if rest[0] < rest[1] else []
                self.stop = max(self.stop, start + size)
                return start
        self.stop += size
        return self.stop - size

    def _free(self, start: int, stop: int) -> None:
        at = next((i for i, gap in enumerate(self._gaps) if gap[0] > start), len(self._gaps))
        if at < len(self._gaps) and self._gaps[at][0] == stop:
            stop = self._gaps.pop(at)[1]
        if at and self._gaps[at - 1][1] == start:
            at -= 1
            start = self._gaps.pop(at)[0]
        self._gaps.insert(at, (start, stop))


def _like(array: Any, memory: Any) -> Any:
    """``memory`` with the shape of ``array`` and its order of axes in memory.

    Sums depend on the order of the elements in memory, so a replay keeps it.
    """
    order = sorted(range(array.ndim), key=lambda axis: (-array.strides[axis], axis))
    shaped = memory.reshape([array.shape[axis] for axis in order])
    return shaped.transpose([order.index(axis) for axis in range(array.ndim)])
