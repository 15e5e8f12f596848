"""The axes that a caller names, as numbers from 0."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from ..errors import InputError


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
