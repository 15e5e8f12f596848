"""Which values are computed in the memory of what they are assigned to.

``p <- f(p)`` needs no memory for f(p), if f is element-wise. In general a value may be written where
its maker stands, instead of where its assignment does, if nobody reads or writes the target's
memory in between, and if nobody reads the value any more once the next version is there. From then
on whoever reads the value reads the target, which counts when the next version is looked at.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from typing import Any

from .analysis import Call, Recorded
from .regions import geometry_of, meet


def place(recorded: Recorded) -> None:
    """Place what may be placed, and drop those assignments from the calls to run."""
    _Placement(recorded).run()


class _Placement:
    """``_reads`` and ``_writes`` hold for each cell of assigned memory the calls that do so, in order."""

    def __init__(self, recorded: Recorded) -> None:
        self._recorded, self._late = recorded, set(recorded.late)
        self._reads: dict[int, list[int]] = defaultdict(list)
        self._writes: dict[int, list[int]] = defaultdict(list)
        self._named: dict[int, list[int]] = defaultdict(list)  # for an array's id, the calls that read it by that name
        for number in recorded.main:
            for x in recorded.calls[number].read:
                self._named[id(x)].append(number)
                for cell in recorded.cells(x):
                    self._reads[cell].append(number)
            for cell in recorded.written(number)[1]:
                self._writes[cell].append(number)

    def run(self) -> None:
        recorded, dropped = self._recorded, set()
        for number in recorded.main:
            if not recorded.calls[number].assigns:
                continue
            target, value = recorded.calls[number].inputs
            following = self._next_write(recorded.cells(target), number)
            if self._suits(target, value) and self._may_be_placed(number, following):
                recorded.placed[id(value)] = target
                dropped.add(number)
                self._move(number, following)
        recorded.main = [n for n in recorded.main if n not in dropped]

    def _suits(self, target: Any, value: Any) -> bool:
        """Whether the value is computed, in memory that nobody assigns, and laid out as the target, from outside."""
        recorded = self._recorded
        if id(value) not in recorded.made or id(value) in recorded.placed or recorded.cells(value):
            return False
        drawn = recorded.calls[recorded.made[id(value)]].primitive.kind == "draw"
        return not drawn and recorded.is_outside(target) and _same_layout(target, value)

    def _may_be_placed(self, number: int, following: float) -> bool:
        recorded, (target, value) = self._recorded, self._recorded.calls[number].inputs
        maker = recorded.made[id(value)]
        # The maker may read the target where it writes it, element by element; nobody may touch it from then on.
        if not all(self._reads_in_place(recorded.calls[maker], x, target) for x in recorded.calls[maker].arrays):
            return False
        if any(self._is_touched(cell, maker, number) for cell in recorded.cells(target)):
            return False
        # What is returned, or computed late, is read when others may have changed the target.
        readers = recorded.readers[id(value)]
        return id(value) not in recorded.returned and all(n < following and n not in self._late for n in readers)

    def _reads_in_place(self, maker: Call, x: Any, target: Any) -> bool:
        if not meet(self._recorded.cells(x), self._recorded.cells(target)):
            return True
        return maker.formula is not None and self._recorded.geometry(x) == geometry_of(target)

    def _is_touched(self, cell: int, first: int, last: int) -> bool:
        """Whether a call after ``first`` and before ``last`` reads or writes a cell."""
        return any(
            bisect_right(events, first) < bisect_left(events, last)
            for events in (self._reads[cell], self._writes[cell])
        )

    def _next_write(self, cells: range, number: int) -> float:
        """The first call after ``number`` that writes one of the cells; infinity if there is none."""
        later = (self._writes[cell][bisect_right(self._writes[cell], number) :][:1] for cell in cells)
        return min((n for found in later for n in found), default=math.inf)

    def _move(self, number: int, following: float) -> None:
        """Note that the value is written by its maker, and who reads it in the target's memory."""
        recorded, (target, value) = self._recorded, self._recorded.calls[number].inputs
        for n in list(self._named[id(target)]):
            if number < n <= following:
                self._read_value(n, target, value)
        for cell in recorded.cells(target):
            self._writes[cell].remove(number)
            insort(self._writes[cell], recorded.made[id(value)])
            for n in recorded.readers[id(value)]:
                if n != number:
                    insort(self._reads[cell], n)

    def _read_value(self, n: int, target: Any, value: Any) -> None:
        """Let a call read the value where it reads the target."""
        recorded = self._recorded
        call = recorded.calls[n]
        kept = call.inputs[: call.assigns]  # an assignment still writes to the target
        read = (value if x is target else x for x in call.inputs[len(kept) :])
        recorded.calls[n] = call._replace(inputs=(*kept, *read))
        insort(recorded.readers[id(value)], n)
        self._named[id(value)].append(n)


def _same_layout(a: Any, b: Any) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and a.strides == b.strides
