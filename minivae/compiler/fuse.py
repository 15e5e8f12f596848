"""Neighbouring element-wise calls of one shape, joined into one kernel.

Whoever runs a kernel, value by value or block by block, keeps what lies between its loads
and its stores out of main memory. It is a list of operations, each one function of earlier
values, and every back end writes the same list out in its own way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..autodiff.formula import Literal
from .analysis import Call, Recorded, overlap


class Load(NamedTuple):
    """An operand read from memory: the number of an array among the kernel's loads."""

    number: int


class Result(NamedTuple):
    """An operand that an earlier operation made: that operation's number."""

    number: int


class Operation(NamedTuple):
    """One function call for each element.

    Attributes:
        function: NumPy's name, or "cast".
        operands: each a :class:`Load`, a :class:`Result` or a number.
        dtype: of the result.
        store: the recorded array that the result is; None if only the kernel reads it.
    """

    function: str
    operands: tuple[Any, ...]
    dtype: np.dtype
    store: Any


class Kernel:
    """Fused element-wise calls whose results all have one shape, but for axes of length 1 in front.

    Args:
        calls: in order.
        inner: ids of results that only these calls read.
        views: for the ids of views of results that are read here, the ids of the results.

    Attributes:
        shape: of every result, with all those axes.
        loads: recorded arrays that are read, broadcast to the shape.
        operations: in order.
    """

    def __init__(self, calls: Sequence[Call], inner: set[int], views: Mapping[int, int]) -> None:
        self.calls = list(calls)
        self.shape: tuple[int, ...] = max((call.output.shape for call in calls), key=len)
        self.loads: list[Any] = []
        self.operations: list[Operation] = []
        self._values: dict[int, Any] = {}
        self._views = views
        for call in calls:
            self._add(call, None if id(call.output) in inner else call.output)

    def _operand(self, x: Any) -> Any:
        if isinstance(x, float | int):
            return x
        key = self._views.get(id(x), id(x))
        if key not in self._values:
            self._values[key] = Load(len(self.loads))
            self.loads.append(x)
        return self._values[key]

    def _add(self, call: Call, store: Any) -> None:
        values = [self._operand(x) for x in call.inputs]
        dtype, formula = call.output.dtype, call.formula
        if not formula.steps:
            self.operations.append(Operation("cast", (values[0],), dtype, store))
        for i, (function, operands) in enumerate(formula.steps):
            given = tuple(o.resolve(call.arrays[0].dtype) if isinstance(o, Literal) else values[o] for o in operands)
            final = i == len(formula.steps) - 1
            values.append(Result(len(self.operations)))
            self.operations.append(Operation(function, given, dtype, store if final else None))
        self._values[id(call.output)] = Result(len(self.operations) - 1)

    def last_uses(self) -> dict[int, int]:
        """For each operation's number, that of the last operation that reads its result."""
        return {
            operand.number: n
            for n, operation in enumerate(self.operations)
            for operand in operation.operands
            if isinstance(operand, Result)
        }


def group_calls(recorded: Recorded, numbers: Sequence[int]) -> list[Kernel | Call]:
    """The calls ``numbers``, element-wise ones of one shape joined into kernels.

    A call joins those after it, or later ones if it may as well run after what lies
    between. Otherwise the order stays.
    """
    cuts: list[list[int]] = []  # from the last to the first
    for n in reversed(numbers):
        cut = _cut_to_join(recorded, cuts, recorded.calls[n])
        if cut is None:
            cuts.append([n])
        else:  # just before what needs it, so that little lies between
            later = (i for i, m in enumerate(cut) if not _commute(recorded, recorded.calls[n], recorded.calls[m]))
            cut.insert(next(later, len(cut)), n)
    return [
        _kernel(recorded, cut) if recorded.calls[cut[0]].formula else recorded.calls[cut[0]] for cut in reversed(cuts)
    ]


def _cut_to_join(recorded: Recorded, cuts: Sequence[list[int]], call: Call) -> list[int] | None:
    """The nearest of the later cuts that a call may run in."""
    for cut in reversed(cuts) if call.formula else ():
        calls = [recorded.calls[n] for n in cut]
        if all(_fuse(recorded, call, later) for later in calls):
            return cut
        if not all(_commute(recorded, call, later) for later in calls):
            return None
    return None


def _fuse(recorded: Recorded, call: Call, later: Call) -> bool:
    """Whether two calls may run piece by piece together."""
    if not (later.formula and _core(later.output) == _core(call.output)):
        return False
    # What is made or assigned may not be read at other places than those that are written.
    views = [x for x in later.arrays if x is not call.output and recorded.root(x) == id(call.output)]
    if not all(_is_whole(x, call.output) for x in views):
        return False
    written, target = (recorded.placed.get(id(c.output)) for c in (call, later))
    if written is not None and any(overlap(x, written) for x in later.arrays):
        return False
    return target is None or not any(overlap(x, target) for x in call.arrays if x is not target)


def _commute(recorded: Recorded, call: Call, later: Call) -> bool:
    """Whether two calls may change places: neither reads what the other makes or changes."""
    if recorded.roots(later.arrays) & recorded.roots([call.output]):
        return False
    written, target = _changed(recorded, call), _changed(recorded, later)
    reads_written = written is not None and any(overlap(x, written) for x in later.arrays)
    reads_target = target is not None and any(overlap(x, target) for x in call.arrays)
    both = written is not None and target is not None and overlap(written, target)
    return not (reads_written or reads_target or both)


def _changed(recorded: Recorded, call: Call) -> Any:
    """The array from outside that a call writes, if any."""
    return call.inputs[0] if call.primitive.kind == "assignment" else recorded.placed.get(id(call.output))


def _core(array: Any) -> tuple[int, ...]:
    """The shape without axes of length 1 in front."""
    return array.shape[next((i for i, n in enumerate(array.shape) if n != 1), array.ndim) :]


def _is_whole(view: Any, array: Any) -> bool:
    """Whether a view has the same elements at the same indices, but for axes of length 1 in front."""
    axes = len(_core(array))
    return _core(view) == _core(array) and view.strides[view.ndim - axes :] == array.strides[array.ndim - axes :]


def _kernel(recorded: Recorded, numbers: list[int]) -> Kernel:
    outside = recorded.roots(recorded.outputs) | set(recorded.placed)
    for n in {*recorded.main, *recorded.late} - set(numbers):
        outside |= recorded.roots(recorded.calls[n].arrays)
    calls = [recorded.calls[n] for n in numbers]
    made = {id(call.output) for call in calls}
    views = {id(x): recorded.root(x) for call in calls for x in call.arrays if recorded.root(x) in made}
    return Kernel(calls, made - outside, views)
