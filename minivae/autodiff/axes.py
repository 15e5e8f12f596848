"""The axes that a caller names, as numbers from 0."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index

from ..errors import InputError


def axes_of(axis: int | Sequence[int] | None, ndim: int, name: str = "axis") -> tuple[int, ...]:
    """``axis`` as a sorted tuple of non-negative axes; None means all."""
    if axis is None:
        return tuple(range(ndim))
    try:
        axes = tuple(map(index, axis)) if isinstance(axis, Sequence) else (index(axis),)
    except TypeError:
        raise InputError(f"{name} is {axis!r}; expected an integer, or several") from None
    for a in axes:
        if not -ndim <= a < ndim:
            raise InputError(f"{name} is {axis}; expected axes of a tensor with {ndim} dimensions")
    resolved = sorted({a % ndim for a in axes})
    if len(resolved) < len(axes):
        raise InputError(f"{name} is {axis}; expected no axis twice")
    return tuple(resolved)


def axis_of(axis: int, ndim: int, name: str = "axis") -> int:
    """``axis`` as a single non-negative one."""
    if not hasattr(axis, "__index__"):
        raise InputError(f"{name} is {axis!r}; expected an integer")
    return axes_of(axis, ndim, name)[0]
