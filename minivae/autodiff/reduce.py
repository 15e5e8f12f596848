"""Reductions over axes, beyond the plain sum (which lives beside its adjoint in ``shape``)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .axes import axes_of
from .creation import arange
from .elementwise import equal, exp, log, square, stop_gradient, where
from .primitives import Primitive, operation
from .shape import astype, reshape, restore_axes, sum
from .tape import apply, as_tensor, primitive
from .tensor import Axis, Tensor


def _extremum(name: str, doc: str, combine: str) -> Primitive:
    def value(xp: Any, x: Any, axis: tuple[int, ...], keepdims: bool, out: Any = None) -> Any:
        return getattr(xp, name)(x, axis=axis, keepdims=keepdims, out=out)

    return primitive(name, doc, value, _share_of_extremum, kind="reduction", combine=combine)


def _share_of_extremum(g: Tensor, y: Tensor, x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    # The cotangent goes to the extreme element; ties share it equally.
    winners = equal(x, restore_axes(y, x, axis))
    count = sum(astype(winners, x.dtype), axis, keepdims=True)
    return where(winners, restore_axes(g, x, axis) / count, 0.0)


def _logsumexp_value(xp: Any, x: Any, axis: tuple[int, ...], keepdims: bool, out: Any = None) -> Any:
    # Subtracting the largest term first keeps exp from overflowing. Where every term
    # is -inf (or one is +inf), nothing is subtracted: the result is infinite, not NaN.
    top = xp.max(x, axis=axis, keepdims=True)
    top = xp.where(xp.isfinite(top), top, 0)
    with np.errstate(divide="ignore", over="ignore"):
        y = xp.log(xp.sum(xp.exp(x - top), axis=axis, keepdims=True)) + top
    return xp.add(y if keepdims else xp.squeeze(y, axis=axis), 0, out=out)


def _logsumexp_rule(g: Tensor, y: Tensor, x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    # Not exp(x - y): y is rounded, which for logits of 1e4 is an error of 1e-3 in float32.
    return restore_axes(g, x, axis) * softmax(x, axis)


_max = _extremum("max", "the largest element over axes", "maximum")
_min = _extremum("min", "the smallest element over axes", "minimum")
_logsumexp = primitive("logsumexp", "log sum exp over axes", _logsumexp_value, _logsumexp_rule, kind="reduction")


def _reduce(row: Primitive, x: Any, axis: Axis, keepdims: bool) -> Tensor:
    x = as_tensor(x)
    return apply(row, x, axis=axes_of(axis, x.ndim), keepdims=keepdims)


@operation
def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest element over ``axis`` (all by default); ties share the gradient."""
    return _reduce(_max, x, axis, keepdims)


@operation
def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The smallest element over ``axis`` (all by default); ties share the gradient."""
    return _reduce(_min, x, axis, keepdims)


@operation
def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """log of the sum of exponentials over ``axis``, without overflow."""
    return _reduce(_logsumexp, x, axis, keepdims)


@operation
def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The arithmetic mean over ``axis`` (all by default); NaN over no elements, as in NumPy."""
    x = as_tensor(x)
    count = math.prod(x.shape[a] for a in axes_of(axis, x.ndim))
    return sum(x, axis, keepdims) / (count or math.nan)


@operation
def var(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The variance over ``axis``, divided by the number of elements (not by one less)."""
    return mean(square(x - mean(x, axis, keepdims=True)), axis, keepdims)


@operation
def softmax(x: Any, axis: Axis = -1) -> Tensor:
    """e^x over the sum of e^x along ``axis``."""
    return exp(log_softmax(x, axis))


@operation
def log_softmax(x: Any, axis: Axis = -1) -> Tensor:
    """The logarithm of :func:`softmax`."""
    x = as_tensor(x)
    # Shifting all logits changes nothing, the derivatives included; it keeps exp from
    # overflowing and the difference of large numbers exact.
    shifted = x - stop_gradient(max(x, axis, keepdims=True))
    return shifted - log(sum(exp(shifted), axis, keepdims=True))


def index_of_largest(x: Tensor) -> Tensor:
    """The position of the largest element along the last axis, the first of equal ones, ``(...)``, in x's dtype.

    Made of differentiable operations, but flat: no gradient flows through.
    """
    largest = equal(x, max(x, axis=-1, keepdims=True))
    return min(where(largest, arange(x.shape[-1], like=x), float(x.shape[-1])), axis=-1)


def one_hot_of_largest(x: Tensor) -> Tensor:
    """1 at the largest element along the last axis, the first of equal ones, 0 elsewhere."""
    index = index_of_largest(x)
    return astype(equal(arange(x.shape[-1], like=x), reshape(index, *index.shape, 1)), x.dtype)
