"""Operations along one axis that keep its length: running sums and products, and sorting."""

from __future__ import annotations

from typing import Any

from ..checks import axis_of
from .indexing import getitem
from .joining import concatenate
from .primitives import operation
from .shape import reshape
from .tape import apply, as_tensor, constant_like, primitive
from .tensor import Tensor

# -------------------------------------------------- running sums and products


def _running(name: str) -> Any:
    def value(xp: Any, x: Any, axis: int, reverse: bool, out: Any = None) -> Any:
        if not reverse:
            made = getattr(xp, name)(x, axis=axis, out=out)
            return made if out is None else out  # CuPy returns another view of it
        return _into(out, xp.flip(getattr(xp, name)(xp.flip(x, axis), axis=axis), axis))

    return value


def _into(out: Any, values: Any) -> Any:
    if out is None:
        return values
    out[...] = values
    return out


def _recurrence_value(xp: Any, a: Any, b: Any, axis: int, reverse: bool, out: Any = None) -> Any:
    y = xp.empty(b.shape, dtype=b.dtype) if out is None else out
    a, b, rows = (xp.moveaxis(v, axis, 0) for v in (a, b, y))
    numbers = range(len(rows))[:: -1 if reverse else 1]
    for i, before in zip(numbers, (None, *numbers), strict=False):
        rows[i] = b[i] if before is None else a[i] * rows[before] + b[i]
    return y


def _moved(x: Tensor, axis: int, reverse: bool, fill: float) -> Tensor:
    """``x`` moved one place along its axis, from the place before; ``fill`` comes in at the end."""
    n = x.shape[axis]
    kept = getitem(x, (slice(None),) * axis + (slice(1, None) if reverse else slice(0, n - 1),))
    new = constant_like(x, fill, (*x.shape[:axis], 1, *x.shape[axis + 1 :]))
    return concatenate([kept, new] if reverse else [new, kept], axis)


def _recurrence_by_factor(g: Tensor, y: Tensor, a: Tensor, b: Tensor, axis: int, reverse: bool) -> Tensor:
    return _recurrence_by_summand(g, y, a, b, axis, reverse) * _moved(y, axis, reverse, 0.0)


def _recurrence_by_summand(g: Tensor, y: Tensor, a: Tensor, b: Any, axis: int, reverse: bool) -> Tensor:
    # What y_i does to all that come after it: q_i = g_i + a_{i+1} q_{i+1}.
    if not g.shape[axis]:
        return g
    return apply(_recurrence, _moved(a, axis, not reverse, 0.0), g, axis=axis, reverse=not reverse)


def _cumprod_rule(g: Tensor, y: Tensor, x: Tensor, axis: int, reverse: bool) -> Tensor:
    # y_i = x_i y_{i-1}, from y = 1: nothing is divided by, so that zeros do no harm, to any order.
    q = _recurrence_by_summand(g, y, x, None, axis, reverse)
    return q * _moved(y, axis, reverse, 1.0) if g.shape[axis] else g


_cumsum = primitive(
    "cumsum",
    "the sums of the elements up to each place along an axis, or from it on",
    _running("cumsum"),
    lambda g, y, x, axis, reverse: apply(_cumsum, g, axis=axis, reverse=not reverse),
)
_cumprod = primitive(
    "cumprod",
    "the products of the elements up to each place along an axis, or from it on",
    _running("cumprod"),
    _cumprod_rule,
)
_recurrence = primitive(
    "recurrence",
    "y_i = a_i y_{i-1} + b_i along an axis, from y = 0, or backwards",
    _recurrence_value,
    _recurrence_by_factor,
    _recurrence_by_summand,
)


def _along(x: Any, axis: int | None) -> tuple[Tensor, int]:
    """The tensor and its axis as a number from 0; without one, all elements in a row."""
    x = as_tensor(x)
    return (reshape(x, (x.size,)), 0) if axis is None else (x, axis_of(axis, x.ndim))


@operation
def cumsum(x: Any, axis: int | None = None) -> Tensor:
    """The sums of the elements up to each place along ``axis``; of all elements in a row by default."""
    x, axis = _along(x, axis)
    return apply(_cumsum, x, axis=axis, reverse=False)


@operation
def cumprod(x: Any, axis: int | None = None) -> Tensor:
    """The products of the elements up to each place along ``axis``; of all elements in a row by default."""
    x, axis = _along(x, axis)
    return apply(_cumprod, x, axis=axis, reverse=False)


def product_of_others(x: Tensor) -> Tensor:
    """For each element the product of all others along the last axis: of those before it and those after it."""
    axis, n = x.ndim - 1, x.shape[-1]
    if not n:
        return x
    before, after = (apply(_cumprod, x, axis=axis, reverse=reverse) for reverse in (False, True))
    return _moved(before, axis, False, 1.0) * _moved(after, axis, True, 1.0)


# ------------------------------------------------------------------- sorting

_sort = primitive(
    "sort",
    "the elements in order along an axis",
    lambda xp, x, axis, out=None: _into(out, xp.sort(x, axis=axis)),
    lambda g, y, x, axis: _in_order(g, _order(_order(x, axis), axis), axis),
)
_argsort = primitive(
    "argsort",
    "the places of the smallest element along an axis, of the next one, ...",
    lambda xp, x, axis, out=None: _into(out, xp.argsort(x, axis=axis, kind="stable")),
    differentiable=False,
)
_permute = primitive(
    "permute",
    "the elements along an axis in another order, which holds each place once",
    lambda xp, x, order, axis, out=None: _into(out, xp.take_along_axis(x, order, axis)),
    lambda g, y, x, order, axis: _in_order(g, _order(order, axis), axis),
)


def _order(x: Tensor, axis: int) -> Tensor:
    return apply(_argsort, x, axis=axis)


def _in_order(x: Tensor, order: Tensor, axis: int) -> Tensor:
    return apply(_permute, x, order, axis=axis)


@operation
def sort(x: Any, axis: int | None = -1) -> Tensor:
    """The elements in increasing order along ``axis`` (None: all in a row), NaN last.

    Each gets the gradient of the place that it went to; equal ones in their order.
    """
    x, axis = _along(x, axis)
    return apply(_sort, x, axis=axis)


@operation
def argsort(x: Any, axis: int | None = -1) -> Tensor:
    """The positions that put ``x`` in order along ``axis`` (None: all in a row); equal ones stay in their order."""
    x, axis = _along(x, axis)
    return _order(x, axis)
