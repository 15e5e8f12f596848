"""Neighbouring element-wise calls of one shape, joined into one kernel.

Whoever runs a kernel, value by value or block by block, keeps what lies between its loads
and its stores out of main memory. It is a list of operations, each one function of earlier
values, and every back end writes the same list out in its own way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .formula import Literal
from .recording import Call, Recorded, overlap


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
    """Fused element-wise calls whose results all have one shape.

    Args:
        calls: in order.
        inner: ids of results that only these calls read.

    Attributes:
        shape: of every result.
        loads: recorded arrays that are read, broadcast to the shape.
        operations: in order.
    """

    def __init__(self, calls: Sequence[Call], inner: set[int]) -> None:
        self.calls = list(calls)
        self.shape: tuple[int, ...] = calls[0].output.shape
        self.loads: list[Any] = []
        self.operations: list[Operation] = []
        self._values: dict[int, Any] = {}
        for call in calls:
            self._add(call, None if id(call.output) in inner else call.output)

    def _operand(self, x: Any) -> Any:
        if isinstance(x, float | int):
            return x
        if id(x) not in self._values:
            self._values[id(x)] = Load(len(self.loads))
            self.loads.append(x)
        return self._values[id(x)]

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
    """The calls ``numbers`` in order, neighbouring element-wise ones of one shape joined into kernels."""
    cuts: list[list[int]] = []
    for n in numbers:
        if cuts and _joins(recorded, cuts[-1], recorded.calls[n]):
            cuts[-1].append(n)
        else:
            cuts.append([n])
    return [_kernel(recorded, cut) if recorded.calls[cut[0]].formula else recorded.calls[cut[0]] for cut in cuts]


def _joins(recorded: Recorded, numbers: Sequence[int], call: Call) -> bool:
    """Whether a call may run as one with those before it."""
    before = [recorded.calls[n] for n in numbers]
    if not (call.formula and before[0].formula and call.output.shape == before[0].output.shape):
        return False
    # A kernel runs piece by piece. What is made or assigned in it may not be read in it at
    # other places than those that are written: not through a view, other than whole.
    made = {id(c.output) for c in before}
    if any(id(x) in recorded.views and recorded.root(x) in made for x in call.arrays):
        return False
    written = [recorded.placed[id(c.output)] for c in before if id(c.output) in recorded.placed]
    if any(overlap(x, target) for x in call.arrays for target in written):
        return False
    target = recorded.placed.get(id(call.output))
    loads = [x for c in before for x in c.arrays if target is not None and x is not target]
    return not any(overlap(x, target) for x in loads)


def _kernel(recorded: Recorded, numbers: list[int]) -> Kernel:
    outside = recorded.roots(recorded.outputs) | set(recorded.placed)
    for n in {*recorded.main, *recorded.late} - set(numbers):
        outside |= recorded.roots(recorded.calls[n].arrays)
    calls = [recorded.calls[n] for n in numbers]
    return Kernel(calls, {id(call.output) for call in calls} - outside)
