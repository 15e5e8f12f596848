"""Memory for the values of a program: planned once, shared by values that do not live together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import backend
from .analysis import Call, Recorded
from .fuse import Kernel

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
        recorded: the calls.
        items: the program: kernels and single calls, in the order in which they run.

    Attributes:
        lives: for each dtype and the id of each made array, when and where it lives.
    """

    def __init__(self, recorded: Recorded, items: Sequence[Kernel | Call]) -> None:
        self._recorded = recorded
        self._places: dict[int, Any] = dict(recorded.placed)
        self.lives: dict[np.dtype, dict[int, Life]] = {}
        last_reads = self._last_reads(items)
        arrays: list[Any] = []
        for position, item in enumerate(items):
            for array in _stored(item):
                if id(array) in recorded.made and id(array) not in recorded.placed:
                    self._give_place(array, position, last_reads.get(id(array), position))
                    arrays.append(array)
        memory = {
            dtype: backend.namespace(arrays[0]).empty(max(life.stop for life in lives.values()), dtype=dtype)
            for dtype, lives in self.lives.items()
        }
        for array in arrays:
            start = self.lives[array.dtype][id(array)].start
            self._places[id(array)] = _like(array, memory[array.dtype][start : start + array.size])
        self.nbytes = sum(array.nbytes for array in memory.values())

    def _last_reads(self, items: Sequence[Kernel | Call]) -> dict[int, int]:
        last = {root: n for n, item in enumerate(items) for root in self._recorded.roots(_read(item))}
        # What is returned lives until the next run.
        return last | dict.fromkeys(self._recorded.roots(self._recorded.outputs), len(items))

    def _give_place(self, array: Any, first: int, last: int) -> None:
        unit = _ALIGN // array.dtype.itemsize
        size = max(1, -(-array.size // unit)) * unit
        lives = self.lives.setdefault(array.dtype, {})
        start = 0
        for life in sorted((life for life in lives.values() if life.last >= first), key=lambda life: life.start):
            if start + size <= life.start:
                break
            start = max(start, life.stop)
        lives[id(array)] = Life(first, last, start, start + size)

    def place(self, array: Any) -> Any:
        """The array that stands for a recorded one in the program: itself, if it comes from outside."""
        key = id(array)
        if key in self._recorded.views and key not in self._places:
            call = self._recorded.calls[self._recorded.views[key]]
            base = self.place(call.arrays[0])
            self._places[key] = call.primitive.value(backend.namespace(base), base, **call.attributes)
        return self._places.get(key, array)

    def place_with(self, array: Any, ndim: int) -> Any:
        """The place of an array, with axes of length 1 in front to make so many."""
        place = self.place(array)
        return place if place.ndim == ndim else place.reshape((1,) * (ndim - place.ndim) + place.shape)

    def root(self, array: Any) -> int | None:
        """The id of the computed array that ``array`` is or views, if any."""
        return self._recorded.root(array)

    def where(self, array: Any) -> str:
        """Where a value lies, in words."""
        life = self.lives.get(array.dtype, {}).get(id(array))
        if life is not None:
            return f"at {life.start} to {life.stop}"
        return "in place of what is assigned" if id(array) in self._recorded.placed else "in the cache"


def _stored(item: Kernel | Call) -> list[Any]:
    """The arrays that an item of the program makes."""
    if isinstance(item, Kernel):
        return [operation.store for operation in item.operations if operation.store is not None]
    return [] if item.primitive.kind == "assignment" else [item.output]


def _read(item: Kernel | Call) -> list[Any]:
    """The arrays that an item of the program reads."""
    return item.loads if isinstance(item, Kernel) else item.arrays


def _like(array: Any, memory: Any) -> Any:
    """``memory`` with the shape of ``array`` and its order of axes in memory.

    Sums depend on the order of the elements in memory, so a replay keeps it.
    """
    order = sorted(range(array.ndim), key=lambda axis: (-array.strides[axis], axis))
    shaped = memory.reshape([array.shape[axis] for axis in order])
    return shaped.transpose([order.index(axis) for axis in range(array.ndim)])
