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

from ..backend import backend_of
from .analysis import Call, Trace
from .cuda.blas import layout, suits
from .regions import geometry_of, meet


def place(trace: Trace) -> None:
    """Place what may be placed, and drop those assignments from the calls to run."""
    _Placement(trace).run()


class _Placement:
    """``_reads`` and ``_writes`` hold for each cell of assigned memory the calls that do so, in order."""

    def __init__(self, trace: Trace) -> None:
        self._trace, self._late = trace, set(trace.late)
        self._reads: dict[int, list[int]] = defaultdict(list)
        self._writes: dict[int, list[int]] = defaultdict(list)
        self._named: dict[int, list[int]] = defaultdict(list)  # for an array's id, the calls that read it by that name
        for number in trace.main:
            for x in trace.calls[number].read:
                self._named[id(x)].append(number)
                for cell in trace.cells(x):
                    self._reads[cell].append(number)
            for cell in trace.written(number)[1]:
                self._writes[cell].append(number)

    def run(self) -> None:
        trace, dropped = self._trace, set()
        for number in trace.main:
            if not trace.calls[number].assigns:
                continue
            target, value = trace.calls[number].inputs
            following = self._next_write(trace.cells(target), number)
            if self._suits(target, value) and self._may_be_placed(number, following):
                trace.placed[id(value)] = target
                dropped.add(number)
                self._move(number, following)
        trace.main = [n for n in trace.main if n not in dropped]

    def _suits(self, target: Any, value: Any) -> bool:
        """Whether the value is computed, in memory that nobody assigns, and laid out as the target, from outside."""
        trace = self._trace
        if id(value) not in trace.made or id(value) in trace.placed or trace.cells(value):
            return False
        kind = trace.calls[trace.made[id(value)]].primitive.kind
        if kind == "draw" or not trace.is_outside(target) or not _same_kind(target, value):
            return False
        return target.strides == value.strides or (kind == "product" and self._written_anyhow(target, value))

    def _written_anyhow(self, target: Any, value: Any) -> bool:
        """Whether a product is written in the target's layout instead of its own: on CUDA, if nobody reads it.

        (cuBLAS asks for no layout; NumPy's products have other last bits in another one.)
        """
        by = self._trace.readers[id(value)]
        return backend_of(target).cuda and suits(value, value, target) and layout(target) is not None and len(by) == 1

    def _may_be_placed(self, number: int, following: float) -> bool:
        trace, (target, value) = self._trace, self._trace.calls[number].inputs
        maker = trace.made[id(value)]
        # The maker may read the target where it writes it, element by element; nobody may touch it from then on.
        if not all(self._reads_in_place(trace.calls[maker], x, target) for x in trace.calls[maker].arrays):
            return False
        if any(self._is_touched(cell, maker, number) for cell in trace.cells(target)):
            return False
        # What is returned, or computed late, is read when others may have changed the target.
        readers = trace.readers[id(value)]
        return id(value) not in trace.returned and all(n < following and n not in self._late for n in readers)

    def _reads_in_place(self, maker: Call, x: Any, target: Any) -> bool:
        if not meet(self._trace.cells(x), self._trace.cells(target)):
            return True
        return maker.formula is not None and self._trace.geometry(x) == geometry_of(target)

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
        trace, (target, value) = self._trace, self._trace.calls[number].inputs
        for n in list(self._named[id(target)]):
            if number < n <= following:
                self._read_value(n, target, value)
        for cell in trace.cells(target):
            self._writes[cell].remove(number)
            insort(self._writes[cell], trace.made[id(value)])
            for n in trace.readers[id(value)]:
                if n != number:
                    insort(self._reads[cell], n)

    def _read_value(self, n: int, target: Any, value: Any) -> None:
        """Let a call read the value where it reads the target."""
        trace = self._trace
        call = trace.calls[n]
        kept = call.inputs[: call.assigns]  # an assignment still writes to the target
        read = (value if x is target else x for x in call.inputs[len(kept) :])
        trace.calls[n] = call._replace(inputs=(*kept, *read))
        insort(trace.readers[id(value)], n)
        self._named[id(value)].append(n)


def _same_kind(a: Any, b: Any) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype
