"""Primitives that move elements about: reshape, transpose, broadcast, index, join."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from operator import index as index_of
from typing import Any

import numpy as np

from ..backend import number_dtype
from ..errors import InputError, lengths, shown
from .axes import axes_of, axis_of
from .formula import Formula
from .primitives import operation
from .tape import apply, as_tensor, primitive
from .tensor import Axis, Tensor

# ------------------------------------------------------- same elements

_reshape = primitive(
    "reshape",
    "the same elements in another shape",
    lambda xp, x, shape, out=None: xp.reshape(x, shape),
    lambda g, y, x, shape: reshape(g, x.shape),
    kind="view",
)
_transpose = primitive(
    "transpose",
    "the axes in another order",
    lambda xp, x, axes, out=None: xp.transpose(x, axes),
    lambda g, y, x, axes: transpose(g, tuple(int(a) for a in np.argsort(axes))),
    kind="view",
)


def shorter_axis_last(xp: Any, shape: Sequence[int], dtype: Any) -> Any:
    """An empty matrix; NumPy's is stored along its shorter axis: OpenBLAS is then up to a third faster."""
    if xp is np and shape[0] < shape[1]:
        return np.empty(shape[::-1], dtype).T
    return xp.empty(shape, dtype=dtype)


def _cast(xp: Any, x: Any, dtype: Any, out: Any = None) -> Any:
    if out is None:
        if xp is not np or x.ndim != 2:
            return x.astype(dtype)
        out = shorter_axis_last(xp, x.shape, dtype)  # a minibatch, which products are about to read
    xp.copyto(out, x, casting="unsafe")
    return out


_astype = primitive(
    "astype",
    "the same values in another dtype",
    _cast,
    lambda g, y, x, dtype: astype(g, x.dtype),
    kind="elementwise",
    formula=Formula("x", ("x",)),
)


@operation
def reshape(x: Any, *shape: int | Sequence[int]) -> Tensor:
    """``x`` in another shape; one entry may be -1."""
    shape = shape[0] if len(shape) == 1 and isinstance(shape[0], Sequence) else shape
    return apply(_reshape, x, shape=tuple(shape))


@operation
def transpose(x: Any, axes: Sequence[int] | None = None) -> Tensor:
    """``x`` with its axes in the given order; reversed by default."""
    x = as_tensor(x)
    axes = tuple(range(x.ndim))[::-1] if axes is None else axes
    if isinstance(axes, int) or len(axes_of(axes, x.ndim, "axes")) != x.ndim:
        raise InputError(f"axes is {axes}; expected an order of the {x.ndim} axes")
    return apply(_transpose, x, axes=tuple(a % x.ndim for a in axes))


@operation
def swapaxes(x: Any, a: int, b: int) -> Tensor:
    """``x`` with two axes exchanged."""
    x = as_tensor(x)
    order = list(range(x.ndim))
    a, b = axis_of(a, x.ndim, "a"), axis_of(b, x.ndim, "b")
    order[a], order[b] = b, a
    return transpose(x, order)


@operation
def expand_dims(x: Any, axis: int) -> Tensor:
    """``x`` with a new axis of length 1 at position ``axis``."""
    x = as_tensor(x)
    position = axis_of(axis, x.ndim + 1)
    return reshape(x, (*x.shape[:position], 1, *x.shape[position:]))


@operation
def squeeze(x: Any, axis: int) -> Tensor:
    """``x`` without its axis ``axis``, which must have length 1."""
    x = as_tensor(x)
    position = axis_of(axis, x.ndim)
    if x.shape[position] != 1:
        raise InputError(f"axis is {axis}, of length {x.shape[position]}; expected an axis of length 1")
    return reshape(x, x.shape[:position] + x.shape[position + 1 :])


@operation
def astype(x: Any, dtype: Any) -> Tensor:
    """``x`` converted to ``dtype``."""
    return apply(_astype, x, dtype=dtype if isinstance(dtype, np.dtype) else number_dtype(dtype))


# ------------------------------------------------------------ broadcasting

_broadcast_to = primitive(
    "broadcast_to",
    "the elements repeated to a larger shape",
    lambda xp, x, shape, out=None: xp.broadcast_to(x, shape),
    lambda g, y, x, shape: sum_to(g, x.shape),
    kind="view",
)
_sum = primitive(
    "sum",
    "the sum over axes",
    lambda xp, x, axis, keepdims, out=None: xp.sum(x, axis=axis, keepdims=keepdims, out=out),
    lambda g, y, x, axis, keepdims: broadcast_to(restore_axes(g, x, axis), x.shape),
    kind="reduction",
    combine="add",
)


@operation
def broadcast_to(x: Any, shape: Sequence[int]) -> Tensor:
    """``x`` repeated along new axes and axes of length 1 to ``shape`` (a view, where possible)."""
    x, shape = as_tensor(x), shape if type(shape) is tuple else lengths("shape", shape)
    return x if x.shape == shape else apply(_broadcast_to, x, shape=shape)


@operation
def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum over ``axis`` (all axes by default)."""
    x = as_tensor(x)
    return apply(_sum, x, axis=axes_of(axis, x.ndim), keepdims=keepdims)


def sum_to(x: Tensor, shape: Sequence[int]) -> Tensor:
    """The adjoint of :func:`broadcast_to`: ``x`` summed down to ``shape``."""
    new = x.ndim - len(shape)
    axes = [*range(new), *(new + i for i, n in enumerate(shape) if n == 1 and x.shape[new + i] != 1)]
    total = sum(x, axes) if axes else x
    return total if total.shape == tuple(shape) else reshape(total, shape)


def restore_axes(g: Tensor, x: Tensor, axis: tuple[int, ...]) -> Tensor:
    """A reduced tensor with its reduced axes back, with length 1, so that it broadcasts against ``x``."""
    shape = tuple(1 if i in axis else n for i, n in enumerate(x.shape))
    return g if g.shape == shape else reshape(g, shape)


# ---------------------------------------------------------------- indexing


def _scatter_value(xp: Any, x: Any, index: Any, shape: tuple[int, ...], out: Any = None) -> Any:
    y = xp.zeros(shape, dtype=x.dtype) if out is None else out
    y[...] = 0
    if _is_basic(index):
        y[index] = x
    else:
        xp.add.at(y, index, x)  # an element that was taken twice gets both cotangents
    return y


def _is_basic(index: Any) -> bool:
    """Whether an index takes each element at most once: slices, integers, None, Ellipsis."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(i is None or i is Ellipsis or isinstance(i, slice | int | np.integer) for i in parts)


_getitem = primitive(
    "getitem",
    "the elements at an index",
    lambda xp, x, index, out=None: x[index],
    lambda g, y, x, index: scatter(g, index, x.shape),
    kind="view",
)
_scatter = primitive(
    "scatter",
    "zeros with the elements added at an index",
    _scatter_value,
    lambda g, y, x, index, shape: getitem(g, index),
)


def _take_value(xp: Any, x: Any, rows: Any, out: Any = None) -> Any:
    if out is None or xp is not np:
        return xp.take(x, rows, axis=0, out=out)
    # NumPy writes through a copy of out if it may have to raise half way: so look first.
    if rows.size and not -len(x) <= rows.min() <= rows.max() < len(x):
        raise IndexError(f"rows lie between {rows.min()} and {rows.max()}, and there are {len(x)}")
    return np.take(x, rows, axis=0, out=out, mode="wrap")


_take = primitive(
    "take",
    "rows at integer positions",
    _take_value,
    lambda g, y, x, rows: scatter(g, rows, x.shape),
)


@operation
def take(x: Any, rows: Any) -> Tensor:
    """``x[rows]`` for an integer array ``rows``, which is an input, not an attribute: it may change in a replay."""
    x = as_tensor(x)
    return apply(_take, x, as_tensor(rows, name="rows"))


@operation
def getitem(x: Any, index: Any) -> Tensor:
    """``x[index]`` with NumPy's basic and advanced indexing; index tensors must be integer or boolean."""
    return apply(_getitem, x, index=_raw_index(index))


@operation
def scatter(x: Any, index: Any, shape: Sequence[int]) -> Tensor:
    """Zeros of ``shape`` with ``x`` added at ``index``: the adjoint of :func:`getitem`."""
    return apply(_scatter, x, index=_raw_index(index), shape=lengths("shape", shape))


def _raw_index(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(_raw_index(i) for i in index)
    return index.data if isinstance(index, Tensor) else index


@operation
def pad(x: Any, widths: Sequence[tuple[int, int]]) -> Tensor:
    """``x`` with ``(before, after)`` zeros along each axis."""
    x = as_tensor(x)
    try:
        fits = [len(pair) for pair in widths] == [2] * x.ndim and all(index_of(n) >= 0 for pair in widths for n in pair)
    except TypeError:
        fits = False
    if not fits:
        raise InputError(f"widths is {widths!r}; expected two integers >= 0 for each of the {x.ndim} axes")
    index = tuple(slice(before, before + n) for n, (before, _) in zip(x.shape, widths, strict=True))
    return scatter(x, index, [before + n + after for n, (before, after) in zip(x.shape, widths, strict=True)])


# ----------------------------------------------------------------- joining


def as_tensors(inputs: Sequence[Any], names: Sequence[str] = ()) -> list[Tensor]:
    """Each input as a tensor, like the first that is one: see :func:`as_tensor`. ``names`` are for messages."""
    if all([isinstance(x, Tensor) for x in inputs]):  # noqa: C419 (a list is quicker than a generator here)
        return list(inputs)
    like = next((x for x in inputs if isinstance(x, Tensor)), None)
    return [as_tensor(x, like, names[i] if names else f"inputs[{i}]") for i, x in enumerate(inputs)]


def _concatenate_rule(i: int) -> Any:
    def rule(g: Tensor, y: Tensor, *inputs: Tensor, axis: int) -> Tensor:
        ends = list(accumulate(x.shape[axis] for x in inputs))
        return getitem(g, (slice(None),) * axis + (slice(ends[i] - inputs[i].shape[axis], ends[i]),))

    return rule


_concatenate = primitive(
    "concatenate",
    "the inputs one after the other along an axis",
    lambda xp, *arrays, axis, out=None: xp.concatenate(arrays, axis=axis, out=out),
    each=_concatenate_rule,
    kind="join",
)


@operation
def concatenate(inputs: Sequence[Any], axis: int = 0) -> Tensor:
    """The inputs joined along an existing axis."""
    inputs = as_tensors(_several(inputs))
    axis = axis_of(axis, inputs[0].ndim)
    return apply(_concatenate, *inputs, axis=axis)


@operation
def stack(inputs: Sequence[Any], axis: int = 0) -> Tensor:
    """The inputs, all of one shape, joined along a new axis."""
    return concatenate([expand_dims(x, axis) for x in as_tensors(_several(inputs))], axis)


def _several(inputs: Any) -> Sequence[Any]:
    if not isinstance(inputs, list | tuple):
        raise InputError(f"inputs is {shown(inputs)}; expected a list of tensors to join")
    if not inputs:
        raise InputError("inputs is empty, []; expected at least one tensor to join")
    return inputs


@operation
def split(x: Any, sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """``x`` cut along ``axis`` into equal parts (an integer) or at given positions."""
    x = as_tensor(x)
    axis = axis_of(axis, x.ndim)
    length = x.shape[axis]
    if isinstance(sections, int):
        if sections < 1 or length % sections:
            raise InputError(f"sections is {sections}; expected a divisor of the axis length {length}")
        sections = [i * (length // sections) for i in range(1, sections)]
    try:
        cuts = [0, *map(index_of, sections), length]
    except TypeError:
        cuts = [-1]
    if cuts != sorted(cuts) or cuts[0] < 0:
        raise InputError(f"sections is {sections!r}; expected a number of parts, or positions from 0 to {length}")
    head = (slice(None),) * axis
    return [getitem(x, (*head, slice(a, b))) for a, b in pairwise(cuts)]
