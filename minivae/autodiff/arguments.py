"""Arguments of operations: tensors of a given shape, and the axes that a caller names, as numbers from 0."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from ..errors import InputError
from .tape import as_tensor
from .tensor import Tensor


def shaped(name: str, x: Any, like: Tensor | None, *shape: Any, expected: str = "") -> Tensor:
    """``x`` as a tensor of a shape: see :func:`~minivae.autodiff.as_tensor`.

    Args:
        name: what messages call ``x``.
        x, like: as of ``as_tensor``.
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


def axes_of(axis: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """``axis`` as a sorted tuple of non-negative axes; None means all."""
    return tuple(range(ndim)) if axis is None else tuple(sorted(axes_in_order(axis, ndim)))


def axes_in_order(axis: int | Sequence[int], ndim: int, name: str = "axis") -> list[int]:
    """``axis`` as non-negative axes, in the order in which they are given."""
    if type(axis) is int and -ndim <= axis < ndim:  # most often, and quickly
        return [axis % ndim]
    given: Any = axis
    try:
        axes = list(map(index, given)) if isinstance(given, Sequence) or np.ndim(given) else [index(given)]
    except TypeError:
        raise InputError(f"{name} is {axis!r}; expected an integer, or several") from None
    for a in axes:
        if not -ndim <= a < ndim:
            raise InputError(f"{name} is {axis}; expected axes of a tensor with {ndim} dimensions")
    resolved = [a % ndim for a in axes]
    if len(set(resolved)) < len(axes):
        raise InputError(f"{name} is {axis}; expected each axis once")
    return resolved


def axis_of(axis: int, ndim: int, name: str = "axis") -> int:
    """``axis`` as a single non-negative one."""
    if not hasattr(axis, "__index__"):
        raise InputError(f"{name} is {axis!r}; expected an integer")
    return axes_in_order(axis, ndim, name)[0]
