"""The same elements in another shape, order or dtype; broadcasting, and the sum that undoes it.

What takes some of the elements is in :mod:`.indexing`, what puts several tensors together in :mod:`.joining`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import number_dtype
from ..checks import axes_given, axes_in_order, axes_of, axis_of, lengths
from ..errors import InputError
from .formula import Formula
from .modes import mode
from .primitives import operation
from .tape import apply, as_tensor, constant_like, primitive
from .tensor import Axis, Tensor

# ------------------------------------------------------- same elements


def _reshaped(xp: Any, x: Any, shape: Sequence[int], out: Any = None) -> Any:
    if out is None or not out.flags.c_contiguous:
        return xp.reshape(x, shape)
    xp.copyto(out.reshape(x.shape), x)  # what is no view is copied once, to where it belongs
    return out


_reshape = primitive(
    "reshape",
    "the same elements in another shape",
    _reshaped,
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
    lambda g, y, x, dtype: astype(g, x.dtype) if y.dtype.kind in "fc" else constant_like(x, 0.0, x.shape),
    kind="elementwise",
    formula=Formula("x", ("x",)),
)


@operation
def reshape(x: Any, *shape: int | Sequence[int]) -> Tensor:
    """``x`` in another shape; one entry may be -1."""
    given = shape[0] if len(shape) == 1 and isinstance(shape[0], Sequence) else shape
    return apply(_reshape, x, shape=tuple(given))


@operation
def transpose(x: Any, axes: Sequence[int] | None = None) -> Tensor:
    """``x`` with its axes in the given order; reversed by default."""
    x = as_tensor(x)
    axes = tuple(range(x.ndim))[::-1] if axes is None else axes
    order = axes_in_order(axes, x.ndim, "axes")
    if len(order) != x.ndim or not (isinstance(axes, Sequence) or np.ndim(axes)):
        raise InputError(f"axes is {axes}; expected an order of the {x.ndim} axes")
    return apply(_transpose, x, axes=tuple(order))


@operation
def swapaxes(x: Any, a: int, b: int) -> Tensor:
    """``x`` with two axes exchanged."""
    x = as_tensor(x)
    order = list(range(x.ndim))
    a, b = axis_of(a, x.ndim, "a"), axis_of(b, x.ndim, "b")
    order[a], order[b] = b, a
    return apply(_transpose, x, axes=tuple(order))


@operation
def moveaxis(x: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """``x`` with the axes ``source`` put at the positions ``destination``; the others keep their order."""
    x = as_tensor(x)
    taken, targets = axes_in_order(source, x.ndim, "source"), axes_in_order(destination, x.ndim, "destination")
    if len(taken) != len(targets):
        raise InputError(f"destination is {destination}; expected as many axes as in source, {source}")
    order = [a for a in range(x.ndim) if a not in taken]
    for target, axis in sorted(zip(targets, taken, strict=True)):
        order.insert(target, axis)
    return transpose(x, order)


@operation
def expand_dims(x: Any, axis: int | Sequence[int]) -> Tensor:
    """``x`` with a new axis of length 1 at position ``axis``, or several, counted in the result."""
    x = as_tensor(x)
    rest, ndim = iter(x.shape), x.ndim + len(axes_given(axis))
    new = axes_of(axis, ndim)
    return reshape(x, [1 if a in new else next(rest) for a in range(ndim)])


@operation
def squeeze(x: Any, axis: Axis = None) -> Tensor:
    """``x`` without the axes ``axis``, which must have length 1; by default without all such axes."""
    x = as_tensor(x)
    gone = [a for a, n in enumerate(x.shape) if n == 1] if axis is None else axes_of(axis, x.ndim)
    for a in gone:
        if x.shape[a] != 1:
            raise InputError(f"axis is {axis}, of length {x.shape[a]}; expected an axis of length 1")
    return reshape(x, [n for a, n in enumerate(x.shape) if a not in gone])


@operation
def flatten(x: Any) -> Tensor:
    """The elements of ``x`` as a vector, the last axis fastest."""
    x = as_tensor(x)
    return reshape(x, (x.size,))


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


def _sum_value(xp: Any, x: Any, axis: tuple[int, ...], keepdims: bool, out: Any = None) -> Any:
    add = np.add.reduce if xp is np else xp.sum  # what np.sum calls, after a microsecond
    return add(x, axis=axis, keepdims=keepdims, out=out)


_sum = primitive(
    "sum",
    "the sum over axes",
    _sum_value,
    lambda g, y, x, axis, keepdims: broadcast_to(restore_axes(g, x, axis), x.shape),
    kind="reduction",
    combine="add",
)


# What a sum over axes of length 1 is in a recorded step, where it is fused; a reduction is a kernel of its own.
_sum_of_one = primitive(
    "sum_of_one", "each element by itself; 0 for -0, as in a sum", Formula("x + 0", ("x",)), lambda g, y, x: g
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
    axes = axes_of(axis, x.ndim)
    if mode.tracer is not None and axes and x.dtype.kind == "f" and all(x.shape[a] == 1 for a in axes):
        one = apply(_sum_of_one, x)  # (eagerly one call of sum takes less time than two of others)
        return one if keepdims else reshape(one, tuple(n for a, n in enumerate(x.shape) if a not in axes))
    return apply(_sum, x, axis=axes, keepdims=keepdims)


@operation
def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The arithmetic mean over ``axis`` (all by default); NaN over no elements, as in NumPy."""
    x = as_tensor(x)
    return sum(x, axis, keepdims) / (count_of(x, axis) or math.nan)


def count_of(x: Tensor, axis: Axis) -> int:
    """How many elements a reduction over these axes joins to one."""
    return math.prod(x.shape[a] for a in axes_of(axis, x.ndim))


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


# ------------------------------------------------------------ arguments


def shaped(name: str, x: Any, like: Tensor | None, *shape: Any, expected: str = "") -> Tensor:
    """``x`` as a tensor of a shape: see :func:`as_tensor`.

    Args:
        name: what messages call ``x``.
        x, like: as of :func:`as_tensor`.
        shape: lengths, None for any; after a leading ``...`` they are those of the last axes.
        expected: what a message says of the shape.

    Raises:
        InputError: ``x`` is no tensor, lives in another backend than ``like``, or has another shape.
    """
    x = as_tensor(x, like, name)
    ends = shape[1:] if shape[:1] == (...,) else shape
    fits = x.ndim == len(ends) or (ends is not shape and x.ndim > len(ends))
    if not fits or any(m not in (None, n) for m, n in zip(ends[::-1], x.shape[::-1], strict=False)):
        lengths = ", ".join("any" if n is None else "..." if n is ... else str(n) for n in shape)
        lengths += "," if len(shape) == 1 else ""
        raise InputError(f"{name} has shape {x.shape}; expected {expected or f'({lengths})'}")
    return x


def as_tensors(inputs: Sequence[Any], names: Sequence[str] = ()) -> list[Tensor]:
    """Each input as a tensor, like the first that is one: see :func:`as_tensor`. ``names`` are for messages."""
    if all([isinstance(x, Tensor) for x in inputs]):  # noqa: C419 (a list is quicker than a generator here)
        return list(inputs)
    like = next((x for x in inputs if isinstance(x, Tensor)), None)
    return [as_tensor(x, like, names[i] if names else f"inputs[{i}]") for i, x in enumerate(inputs)]
