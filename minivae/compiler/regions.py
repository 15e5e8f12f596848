"""Which recorded arrays may share memory that the step assigns to.

Only memory that is assigned can hold two values in turn, so only that is looked at: the
bounds of all targets cut the addresses into *cells*, each of which lies wholly inside or
outside of every target. An array is then a range of cells, two arrays overlap where their
ranges do, and a step of 20,000 calls is gone through without comparing each with each.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import Any, NamedTuple

from .. import backend

NOWHERE = range(0)


class Geometry(NamedTuple):
    """Where an array lies, and how: two of the same geometry are the same elements at the same indices."""

    start: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: Any


class Regions:
    """The cells of the assigned memory.

    Args:
        targets: arrays that are assigned. (All arrays that are asked about must be alive meanwhile,
            so that none has the memory of another.)
    """

    def __init__(self, targets: Iterable[Any]) -> None:
        bounds = {bounds_of(x) for x in targets if x.size}
        self._ends = sorted({end for pair in bounds for end in pair})
        changes = [0] * len(self._ends)  # by how many targets more a cell is covered than the one before
        for start, stop in bounds:
            changes[bisect_left(self._ends, start)] += 1
            changes[bisect_left(self._ends, stop)] -= 1
        covered = [depth > 0 for depth in accumulate(changes)]
        self._before = [0, *accumulate(covered)]  # how many covered cells come before each
        self._known: dict[int, range] = {}

    def cells(self, array: Any) -> range:
        """The assigned cells that an array touches; none for memory that is never assigned."""
        key = id(array)
        if key not in self._known:
            self._known[key] = self._find(array) if self._ends and array.size else NOWHERE
        return self._known[key]

    def _find(self, array: Any) -> range:
        start, stop = bounds_of(array)
        first = max(bisect_right(self._ends, start) - 1, 0)
        last = bisect_left(self._ends, stop)
        # Counted among the covered cells alone, where gaps between targets do not count.
        return range(self._before[first], self._before[last]) if first < last else NOWHERE


def meet(a: range, b: range) -> bool:
    """Whether two ranges of cells have one in common."""
    return a.start < b.stop and b.start < a.stop and bool(a) and bool(b)


def bounds_of(array: Any) -> tuple[int, int]:
    """The addresses of an array's first byte and of the one after its last."""
    return backend.backend_of(array).bounds(array)


def geometry_of(array: Any, shift: int = 0) -> Geometry:
    """How an array lies, ``shift`` bytes further on; axes of length 1 do not count."""
    axes = [(n, stride) for n, stride in zip(array.shape, array.strides, strict=True) if n != 1]
    shape, strides = zip(*axes, strict=True) if axes else ((), ())
    return Geometry(backend.backend_of(array).address(array) + shift, shape, strides, array.dtype)
