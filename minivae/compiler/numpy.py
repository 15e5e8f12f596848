"""Kernels on any backend: one function call after the other, block by block, in place.

A block is as much of the arrays as stays in the processor's cache together. Every call is
prepared once: a replay is a loop over ready-made calls, and allocates nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from .. import backend
from ..autodiff.formula import run
from .fuse import Kernel, Load, Result
from .memory import Arena


class Prepared(NamedTuple):
    """An operation on arrays, of one block of a kernel.

    Attributes:
        number: of the kernel's operation.
        operands: arrays and numbers.
        place: the array where the result goes.
    """

    number: int
    operands: list[Any]
    place: Any


def prepare(kernel: Kernel, arena: Arena) -> list[Callable[[], Any]]:
    """The calls that run the kernel once."""
    where = backend.backend_of(kernel.calls[0].output)
    functions = [operation.function for operation in kernel.operations]
    return [
        call_of(where.xp, functions[n], operands, place)
        for block in prepare_blocks(kernel, arena, where.cache_block)
        for n, operands, place in block
    ]


def prepare_blocks(kernel: Kernel, arena: Arena, size: int | None) -> Iterator[list[Prepared]]:
    """The operations of each block, of about ``size`` elements; of the whole arrays for None."""
    axes = len(kernel.shape)
    loads = [arena.place_with(x, axes) if x.ndim else arena.place(x) for x in kernel.loads]
    stores = [None if o.store is None else arena.place_with(o.store, axes) for o in kernel.operations]
    order = _memory_order(kernel.shape, [*loads, *(x for x in stores if x is not None)])
    loads, stores = ([x.transpose(order) if x is not None and x.ndim else x for x in xs] for xs in (loads, stores))
    shape = tuple(kernel.shape[axis] for axis in order)
    blocks = list(_blocks(shape, size))
    registers = _Registers(kernel, backend.xp_of(kernel.calls[0].output), shape, blocks[0])
    for block in blocks:
        cut = partial(_cut, block=block)
        places = [registers.of(n, block) if x is None else cut(x) for n, x in enumerate(stores)]
        yield list(_prepare_block(kernel, [cut(x) for x in loads], places))


def _memory_order(shape: tuple[int, ...], arrays: list[Any]) -> tuple[int, ...]:
    """The axes, from the one of the largest steps in memory down, of most of the arrays of that shape."""
    orders = [
        tuple(sorted(range(x.ndim), key=lambda axis: -x.strides[axis] if shape[axis] != 1 else -math.inf))
        for x in arrays
        if x.shape == shape
    ]
    return Counter(orders).most_common(1)[0][0] if orders else tuple(range(len(shape)))


def _prepare_block(kernel: Kernel, loads: list[Any], places: list[Any]) -> Iterator[Prepared]:
    results: list[Any] = []
    for n, operation in enumerate(kernel.operations):
        operands = [
            loads[o.number] if isinstance(o, Load) else results[o.number] if isinstance(o, Result) else o
            for o in operation.operands
        ]
        results.append(places[n])
        yield Prepared(n, operands, results[-1])


def call_of(xp: Any, function: str, operands: list[Any], place: Any) -> Callable[[], Any]:
    """A call of a backend's function, ready to be made again and again."""
    if function == "cast":
        return partial(xp.copyto, place, *operands, casting="unsafe")
    if function == "where":
        return partial(run, xp, function, operands, place)
    operands = _as_arrays(xp, operands)
    if function == "negative" and place.dtype.kind == "f":
        # NumPy's negative (2.4) is wrong from every 4th or 8th element to ones that are apart as well.
        return partial(xp.multiply, *_as_arrays(xp, [*operands, -1.0]), place)
    if function in {"maximum", "minimum"}:  # NumPy is about to refuse it by place
        return partial(getattr(xp, function), *operands, out=place)
    return partial(getattr(xp, function), *operands, place)


def _as_arrays(xp: Any, operands: list[Any]) -> list[Any]:
    """Numbers beside floating-point arrays as 0-d arrays, which halves the cost of a call."""
    dtype = next((x.dtype for x in operands if hasattr(x, "dtype") and x.dtype.kind == "f"), None)
    if dtype is None:
        return operands
    return [x if hasattr(x, "dtype") else xp.full((), x, dtype) for x in operands]


class _Registers:
    """Scratch blocks for results that are not stored, used again as soon as they are not needed."""

    def __init__(self, kernel: Kernel, xp: Any, shape: tuple[int, ...], block: tuple) -> None:
        axis, part = block
        shape = tuple(part.stop - part.start if i == axis else n for i, n in enumerate(shape))
        last_uses = kernel.last_uses()
        self._arrays: dict[int, Any] = {}
        free: list[Any] = []
        for n, operation in enumerate(kernel.operations):
            dead = [o.number for o in operation.operands if isinstance(o, Result) and last_uses[o.number] == n]
            free += [self._arrays[d] for d in dict.fromkeys(dead) if d in self._arrays]
            if operation.store is None:  # may take the place of what it is computed from
                fitting = next((i for i, array in enumerate(free) if array.dtype == operation.dtype), None)
                self._arrays[n] = xp.empty(shape, operation.dtype) if fitting is None else free.pop(fitting)

    def of(self, number: int, block: tuple) -> Any:
        """The scratch block of an operation's result; the last block of the arrays may be smaller."""
        axis, part = block
        array = self._arrays[number]
        if not array.ndim or array.shape[axis] == part.stop - part.start:
            return array
        return array[(slice(None),) * axis + (slice(part.stop - part.start),)]


def _blocks(shape: tuple[int, ...], size: int | None) -> Iterator[tuple[int, slice]]:
    """``(axis, slice)`` of the pieces of an array of that shape, cut along its first axis that is not 1."""
    axis = next((i for i, n in enumerate(shape) if n != 1), 0)
    length = shape[axis] if shape else 1
    row = math.prod(shape) // max(length, 1)
    rows = length if size is None else size // max(row, 1)
    for start in range(0, max(length, 1), max(rows, 1)):
        yield axis, slice(start, min(start + max(rows, 1), length))


def _cut(array: Any, block: tuple) -> Any:
    """The part of an array that a block needs; of what is broadcast along the axis, all."""
    axis, part = block
    if not array.ndim or array.shape[axis] == 1:
        return array
    return array[(slice(None),) * axis + (part,)]
