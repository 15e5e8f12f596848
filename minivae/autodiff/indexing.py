"""Primitives that take some of the elements, and those that put them back."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import asarray, backend_of, is_array
from ..checks import axes_of, axis_of, lengths
from ..errors import InputError, shown
from .modes import mode
from .primitives import operation
from .shape import flatten
from .tape import apply, as_tensor, primitive
from .tensor import Axis, Tensor

# --------------------------------------- by an index that is always the same


def _scatter_value(xp: Any, x: Any, index: Any, shape: tuple[int, ...], out: Any = None) -> Any:
    y = xp.zeros(shape, dtype=x.dtype) if out is None else out
    y[...] = 0
    if _is_basic(index):
        y[index] = x
    else:
        xp.add.at(y, index, x)  # an element that was taken twice gets both cotangents
    return y


def _scatter_all_value(xp: Any, *parts: Any, indices: Sequence[Any], shape: tuple[int, ...], out: Any = None) -> Any:
    y = xp.zeros(shape, dtype=parts[0].dtype) if out is None else out
    if out is not None:
        y[...] = 0
    for x, index in zip(parts, indices, strict=True):
        if _is_basic(index):
            y[index] += x
        else:
            xp.add.at(y, index, x)
    return y


def _is_basic(index: Any) -> bool:
    """Whether an index takes each element at most once: slices, integers, None, Ellipsis."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(i is None or i is Ellipsis or isinstance(i, slice | int | np.integer) for i in parts)


_getitem = primitive(
    "getitem",
    "the elements at an index",
    lambda xp, x, index, out=None: x[index],
    lambda g, y, x, index: apply(_scatter, g, index=index, shape=x.shape),
    kind="view",
    vjp_of_parts=lambda x, gradients, attributes: apply(
        _scatter_all, *gradients, indices=tuple(a["index"] for a in attributes), shape=x.shape
    ),
)
_scatter = primitive(
    "scatter",
    "zeros with the elements added at an index",
    _scatter_value,
    lambda g, y, x, index, shape: apply(_getitem, g, index=index),
)
_scatter_all = primitive(
    "scatter_all",
    "zeros with each input added at its own index",
    _scatter_all_value,
    each=lambda g, y, *inputs, indices, shape: lambda i: apply(_getitem, g, index=indices[i]),
)


def scatter_all(parts: Sequence[Tensor], indices: Sequence[Any], shape: tuple[int, ...]) -> Tensor:
    """Zeros of ``shape`` with each of the parts added at its own index: the adjoint of several calls of ``getitem``."""
    return apply(_scatter_all, *parts, indices=tuple(map(_raw_index, indices)), shape=shape)


@operation
def getitem(x: Any, index: Any) -> Tensor:
    """``x[index]`` with NumPy's basic and advanced indexing; index tensors must be integer or boolean."""
    return apply(_getitem, x, index=_raw_index(index))


@operation
def scatter(x: Any, index: Any, shape: Sequence[int]) -> Tensor:
    """Zeros of ``shape`` with ``x`` added at ``index``: the adjoint of :func:`getitem`."""
    return apply(_scatter, x, index=_raw_index(index), shape=lengths("shape", shape))


def _raw_index(index: Any) -> Any:
    """:func:`_raw_part`, unless lists have no end."""
    try:
        return _raw_part(index)
    except RecursionError:
        raise InputError(f"index is {shown(index)}; expected what NumPy takes for one") from None


def _raw_part(index: Any) -> Any:
    """An index of arrays, not tensors, that stays as it is now when the caller goes on to change his list or array."""
    kind = type(index)
    if kind is slice or kind is int:
        return index
    if kind is tuple or kind is list:
        return kind(map(_raw_part, index))
    if isinstance(index, Tensor):
        if mode.tracer is not None:
            mode.tracer.indices.append(index)  # whose array may be another one by the next call
        return index.data
    if hasattr(index, "dtype"):
        return _kept(index)
    return index if index is None or index is ... or kind is bool else _plain(index)


def _plain(index: Any) -> Any:
    """An index of a class of its own as the number, or the array, that it stands for."""
    try:
        return int(operator.index(index)) if hasattr(index, "__index__") else np.asarray(index)
    except Exception:
        raise InputError(f"index is {shown(index)}; expected what NumPy takes for one") from None


def _kept(array: Any) -> Any:
    """A copy of an array of the caller's; a step that is recorded reads the array itself in each replay."""
    return array.copy() if mode.tracer is None and is_array(array) else array


@operation
def flip(x: Any, axis: Axis = None) -> Tensor:
    """``x`` backwards along ``axis`` (all axes by default)."""
    x = as_tensor(x)
    axes = axes_of(axis, x.ndim)
    return getitem(x, tuple(slice(None, None, -1 if a in axes else None) for a in range(x.ndim)))


# ------------------------------------------ by positions that are an input


def _take_value(xp: Any, x: Any, indices: Any, axis: int, out: Any = None) -> Any:
    if out is None or xp is not np:
        return xp.take(x, indices, axis=axis, out=out)
    # NumPy writes through a copy of out if it may have to raise half way: so look first.
    fault = _out_of_range(indices, x.shape[axis])
    if fault:
        raise IndexError(fault)
    return np.take(x, indices, axis=axis, out=out, mode="wrap")


def _out_of_range(indices: Any, length: int) -> str | None:
    """What is wrong with positions among so many, if something is. Waits for the device."""
    if not indices.size:
        return None
    low, high = int(indices.min()), int(indices.max())
    return None if -length <= low <= high < length else f"indices lie between {low} and {high}, and there are {length}"


def _put_back_value(xp: Any, x: Any, indices: Any, axis: int, shape: tuple[int, ...], out: Any = None) -> Any:
    return _scatter_value(xp, x, (slice(None),) * axis + (indices,), shape, out)


_take = primitive(
    "take",
    "the elements at integer positions along an axis",
    _take_value,
    lambda g, y, x, indices, axis: apply(_put_back, g, indices, axis=axis, shape=x.shape),
    fault=lambda x, indices, axis: _out_of_range(indices, x.shape[axis]),
)
_put_back = primitive(
    "put_back",
    "zeros with the elements added at integer positions along an axis",
    _put_back_value,
    lambda g, y, x, indices, axis, shape: apply(_take, g, indices, axis=axis),
    fault=lambda x, indices, axis, shape: _out_of_range(indices, shape[axis]),
)


@operation
def take(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """The elements of ``x`` at integer positions along ``axis``; of all elements in a row by default.

    The indices, of any shape, take the place of the axis in the result's shape. They are an
    input, not an attribute: they may change in a replay.

    On a GPU nobody looks whether they are in range, which would mean to wait for the device: position n of n
    is the first element again, in silence. Inside :func:`detect_anomaly` they are looked at there, too. The
    gradient of an element that is taken several times is summed by atomic additions there, in no fixed
    order: its last bits may differ from run to run. Where no position comes twice, they do not.

    Raises:
        InputError: they are no integers, or out of range.
    """
    x = as_tensor(x)
    positions = indices
    if not isinstance(positions, Tensor):
        where = None if is_array(indices) else backend_of(x._data).name  # a number or a list goes where x is
        positions = Tensor(_kept(asarray(indices, backend=where, name="indices")))
    if positions.dtype.kind not in "iu":
        raise InputError(f"indices is {shown(indices)}, of dtype {positions.dtype}; expected integers")
    x, axis = (flatten(x), 0) if axis is None else (x, axis_of(axis, x.ndim))
    return apply(_take, x, positions, axis=axis)
