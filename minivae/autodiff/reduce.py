"""Reductions over axes, beyond the sum and the mean (which live beside the adjoint of the sum in ``shape``)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..checks import axes_of, axis_of, finite_number
from .creation import arange
from .elementwise import exp, identity, log, sqrt, square, stop_gradient, where
from .logic import equal
from .primitives import Primitive, operation
from .scan import product_of_others
from .shape import astype, count_of, mean, reshape, restore_axes, sum, transpose
from .tape import apply, as_tensor, primitive
from .tensor import Axis, Tensor


def _reduction(name: str, doc: str, *rules: Callable, combine: str | None = None) -> Primitive:
    """A row whose value is the reduction of that name of every backend."""

    def value(xp: Any, x: Any, axis: Any, keepdims: bool, out: Any = None) -> Any:
        if name == "min" and xp is not np:
            out = None  # CuPy 14.2 hands it on in the wrong place, and raises; a replay copies the result then
        return getattr(xp, name)(x, axis=axis, keepdims=keepdims, out=out)

    return primitive(name, doc, value, *rules, kind="reduction", combine=combine, differentiable=bool(rules))


def _reduce(row: Primitive, x: Any, axis: Axis, keepdims: bool) -> Tensor:
    x = as_tensor(x)
    return apply(row, x, axis=axes_of(axis, x.ndim), keepdims=keepdims)


# ------------------------------------------------------------------ extremes


def _share_of_extremum(g: Tensor, y: Tensor, x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    # The cotangent goes to the extreme element; ties share it equally. NaN is equal to nothing.
    winners = astype(equal(x, restore_axes(y, x, axis)), x.dtype)
    count = sum(winners, axis, keepdims=True)
    return winners * (restore_axes(g, x, axis) / where(equal(count, 0), math.nan, count))


_max = _reduction("max", "the largest element over axes", _share_of_extremum, combine="maximum")
_min = _reduction("min", "the smallest element over axes", _share_of_extremum, combine="minimum")
_argmax = _reduction("argmax", "the position of the largest element along an axis")
_argmin = _reduction("argmin", "the position of the smallest element along an axis")


@operation
def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest element over ``axis`` (all by default); ties share the gradient."""
    return _reduce(_max, x, axis, keepdims)


@operation
def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The smallest element over ``axis`` (all by default); ties share the gradient."""
    return _reduce(_min, x, axis, keepdims)


@operation
def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The position of the largest element along ``axis``, the first of equal ones; among all in a row by default."""
    return _position(_argmax, x, axis, keepdims)


@operation
def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The position of the smallest element along ``axis``, the first of equal ones; among all in a row by default."""
    return _position(_argmin, x, axis, keepdims)


def _position(row: Primitive, x: Any, axis: int | None, keepdims: bool) -> Tensor:
    x = as_tensor(x)
    return apply(row, x, axis=None if axis is None else axis_of(axis, x.ndim), keepdims=keepdims)


# ---------------------------------------------------------- truth and products

_any = _reduction("any", "whether an element over axes is true")
_all = _reduction("all", "whether every element over axes is true")


def _prod_rule(g: Tensor, y: Tensor, x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    order = (*(a for a in range(x.ndim) if a not in axis), *axis)
    moved = transpose(x, order)
    rows = reshape(moved, (*moved.shape[: x.ndim - len(axis)], count_of(x, axis)))
    others = reshape(product_of_others(rows), moved.shape)
    return restore_axes(g, x, axis) * transpose(others, tuple(map(order.index, range(x.ndim))))


_prod = _reduction("prod", "the product over axes", _prod_rule, combine="multiply")


@operation
def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether an element over ``axis`` (all by default) is true: not 0. Of no elements none is."""
    return _reduce(_any, x, axis, keepdims)


@operation
def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether every element over ``axis`` (all by default) is true: not 0. Of no elements every one is."""
    return _reduce(_all, x, axis, keepdims)


@operation
def prod(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The product over ``axis`` (all by default); the derivatives hold where elements are 0."""
    return _reduce(_prod, x, axis, keepdims)


# -------------------------------------------------------------------- moments


@operation
def var(x: Any, axis: Axis = None, keepdims: bool = False, ddof: float = 0) -> Tensor:
    """The variance over ``axis`` (all by default), divided by the number of elements less ``ddof``."""
    x = as_tensor(x)
    count = count_of(x, axis) or math.nan
    divisor = count - finite_number("ddof", ddof)
    return sum(square(x - mean(x, axis, keepdims=True)), axis, keepdims) / (0 if divisor < 0 else divisor)


@operation
def std(x: Any, axis: Axis = None, keepdims: bool = False, ddof: float = 0) -> Tensor:
    """The square root of :func:`var`; where that is 0, the derivative is taken to be 0."""
    return _root(var(x, axis, keepdims, ddof))


@operation
def norm(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The square root of the sum of squares over ``axis`` (all by default); at 0 the derivative is taken to be 0."""
    return _root(sum(square(x), axis, keepdims))


def _root(x: Tensor) -> Tensor:
    zero = equal(x, 0)
    return where(zero, 0.0, sqrt(where(zero, 1.0, x)))


# ------------------------------------------------------ sums of exponentials


def _logsumexp_value(xp: Any, x: Any, axis: tuple[int, ...], keepdims: bool, out: Any = None) -> Any:
    # Subtracting the largest term first keeps exp from overflowing. Where every term
    # is -inf (or one is +inf), nothing is subtracted: the result is infinite, not NaN.
    top = 0.0
    if math.prod(x.shape[a] for a in axis):
        top = xp.max(x, axis=axis, keepdims=True)
        top = xp.where(xp.isfinite(top), top, 0)
    with np.errstate(divide="ignore", over="ignore"):
        y = xp.log(xp.sum(xp.exp(x - top), axis=axis, keepdims=True)) + top
    return xp.add(y if keepdims else xp.squeeze(y, axis=axis), 0, out=out)


def _logsumexp_rule(g: Tensor, y: Tensor, x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    # Not exp(x - y): y is rounded, which for logits of 1e4 is an error of 1e-3 in float32.
    return restore_axes(g, x, axis) * softmax(x, axis)


_logsumexp = primitive("logsumexp", "log sum exp over axes", _logsumexp_value, _logsumexp_rule, kind="reduction")


@operation
def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """log of the sum of exponentials over ``axis``, without overflow; -inf over no elements."""
    return _reduce(_logsumexp, x, axis, keepdims)


@operation
def softmax(x: Any, axis: Axis = -1) -> Tensor:
    """e^x over the sum of e^x along ``axis``."""
    return exp(log_softmax(x, axis))


@operation
def log_softmax(x: Any, axis: Axis = -1) -> Tensor:
    """The logarithm of :func:`softmax`."""
    x = as_tensor(x)
    axis = axes_of(axis, x.ndim)
    if not count_of(x, axis):  # of no elements there is no largest
        return identity(x)
    # Shifting all logits changes nothing, the derivatives included; it keeps exp from
    # overflowing and the difference of large numbers exact.
    shifted = x - stop_gradient(max(x, axis, keepdims=True))
    return shifted - log(sum(exp(shifted), axis, keepdims=True))


# ------------------------------------------------------------- the largest one


def one_hot_of_largest(x: Any) -> Tensor:
    """1 at the largest element along the last axis, the first of equal ones, 0 elsewhere; no gradient flows through."""
    # The smallest position of a largest element: in x's dtype, and element by element, unlike argmax.
    x = as_tensor(x)
    largest = equal(x, max(x, axis=-1, keepdims=True))
    positions = arange(x.shape[-1], like=x)
    largest = where(largest, positions, float(x.shape[-1]))
    return astype(equal(positions, min(largest, axis=-1, keepdims=True)), x.dtype)
