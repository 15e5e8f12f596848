"""Neighbouring element-wise calls of one shape, joined into one kernel.

Whoever runs a kernel, value by value or block by block, keeps what lies between its loads
and its stores out of main memory. It is a list of operations, each one function of earlier
values, and every back end writes the same list out in its own way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..autodiff.formula import Literal
from .analysis import Call, Trace
from .regions import meet

TRIES = 16  # kernels of a shape that a call may join are looked at before it begins one of its own


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

    @property
    def arrays(self) -> list[Any]:
        """The arrays that it reads."""
        return self.loads

    @property
    def makes(self) -> list[Any]:
        """The arrays that it stores."""
        return [operation.store for operation in self.operations if operation.store is not None]

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
        dtype, formula = call.output.dtype, call.primitive.formula
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


def group_calls(trace: Trace, numbers: Sequence[int]) -> list[Kernel | Call]:
    """The calls ``numbers``, element-wise ones of one shape joined into kernels.

    From the last to the first, a call joins the nearest kernel of its shape that comes no later than
    all that depends on it. Otherwise the order stays.
    """
    cuts: list[list[int]] = []  # from the last to the first
    cut_of: dict[int, int] = {}
    of_shape: dict[tuple[int, ...], list[int]] = defaultdict(list)  # the cuts that are kernels
    later = _Later(trace)
    for n in reversed(numbers):
        call, dependents = trace.calls[n], later.dependents(n)
        nearest = max((cut_of[m] for m in dependents), default=-1)
        kernels = of_shape[_core(call.output)] if call.formula else []
        among = {m for m in dependents if cut_of[m] == nearest}
        near_to_far = reversed(kernels[-TRIES:])
        at = next((i for i in near_to_far if _joins(trace, n, i, nearest, among)), None)
        if at is None:
            at = len(cuts)
            cuts.append([])
            kernels.append(at)
        cut_of[n] = at
        _insert(cuts[at], n, dependents)
        later.add(n)
    return [_kernel(trace, cut) if trace.calls[cut[0]].formula else trace.calls[cut[0]] for cut in reversed(cuts)]


def _joins(trace: Trace, n: int, cut: int, nearest: int, among: set[int]) -> bool:
    """Whether a call may run in a cut: before all that depends on it, or piece by piece together with it."""
    return cut > nearest or (cut == nearest and all(_fuse(trace, n, m) for m in among))


def _insert(cut: list[int], n: int, dependents: set[int]) -> None:
    """Put a call just before what needs it, so that little lies between."""
    cut.insert(next((i for i, m in enumerate(cut) if m in dependents), len(cut)), n)


class _Later:
    """What of the later calls has to wait for a call, found from the last call to the first."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._consumers: dict[int, list[int]] = defaultdict(list)
        self._writer: dict[int, int] = {}  # for each cell of assigned memory, who writes it next
        self._readers: dict[int, list[int]] = defaultdict(list)  # and who reads it until then

    def dependents(self, n: int) -> set[int]:
        """The later calls that read what the call makes or writes, or write what it reads or writes."""
        call, (_, written) = self._trace.calls[n], self._trace.written(n)
        found = set() if call.assigns else set(self._consumers[id(call.output)])
        for cell in written:
            found.update(self._readers[cell])
        cells = (written, *map(self._trace.cells, call.read))
        found.update(self._writer[cell] for some in cells for cell in some if cell in self._writer)
        return found

    def add(self, n: int) -> None:
        """Count a call among the later ones."""
        trace = self._trace
        for root in trace.roots(trace.calls[n].read):
            self._consumers[root].append(n)
        for cell in trace.written(n)[1]:
            self._writer[cell], self._readers[cell] = n, []
        for x in trace.calls[n].read:
            for cell in trace.cells(x):
                self._readers[cell].append(n)


def _fuse(trace: Trace, n: int, m: int) -> bool:
    """Whether call m, which has to wait for n, may run piece by piece together with it.

    What is made or assigned may not be read, or written again, at other places than where it is written.
    """
    call, later = trace.calls[n], trace.calls[m]
    written, (target, assigned) = trace.written(n)[1], trace.written(m)
    for x in later.arrays:
        if trace.root(x) == id(call.output):
            if x is not call.output and not _is_whole(x, call.output):
                return False
        elif meet(trace.cells(x), written):
            return False
    touched = [x for x in (*call.arrays, call.output) if meet(trace.cells(x), assigned)]
    return all(trace.geometry(x) == trace.geometry(target) for x in touched)


def _core(array: Any) -> tuple[int, ...]:
    """The shape without axes of length 1 in front."""
    return array.shape[next((i for i, n in enumerate(array.shape) if n != 1), array.ndim) :]


def _is_whole(view: Any, array: Any) -> bool:
    """Whether a view has the same elements at the same indices, but for axes of length 1 in front."""
    axes = len(_core(array))
    return _core(view) == _core(array) and view.strides[view.ndim - axes :] == array.strides[array.ndim - axes :]


def _kernel(trace: Trace, numbers: list[int]) -> Kernel:
    calls, mine = [trace.calls[n] for n in numbers], set(numbers)
    made = {id(call.output) for call in calls}
    inner = {id(call.output) for call in calls if _is_inner(trace, call.output, mine)}
    views = {id(x): trace.root(x) for call in calls for x in call.arrays if trace.root(x) in made}
    return Kernel(calls, inner, views)


def _is_inner(trace: Trace, array: Any, numbers: set[int]) -> bool:
    """Whether only the calls ``numbers`` ever look at an array."""
    key = id(array)
    outside = key in trace.returned or key in trace.placed or trace.cells(array)
    return not outside and all(n in numbers for n in trace.readers[key])
