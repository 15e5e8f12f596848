"""What arguments are held to: each check returns the value it was given, or raises naming the argument."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from numbers import Integral, Real
from operator import index
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from .errors import InputError, shown
from .slips import did_you_mean

Kind = TypeVar("Kind")


def positive_integer(name: str, value: Any) -> int:
    """Return ``value`` as an int >= 1, or raise :class:`InputError` naming it."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise InputError(f"{name} is {value!r}; expected an integer of at least 1")
    return int(value)


def integer_from_zero(name: str, value: Any) -> int:
    """Return ``value`` as an int >= 0 (a seed, a count), or raise :class:`InputError` naming it."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 0:
        raise InputError(f"{name} is {value!r}; expected an integer of at least 0")
    return int(value)


def integer(name: str, value: Any) -> int:
    """Return ``value`` as an int, or raise :class:`InputError` naming it."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise InputError(f"{name} is {value!r}; expected an integer")
    return int(value)


def fraction(name: str, value: Any) -> float:
    """Return ``value`` as a float between 0 and 1, neither included, or raise :class:`InputError` naming it."""
    if isinstance(value, bool) or not isinstance(value, Real) or value <= 0 or not value < 1:
        raise InputError(f"{name} is {value!r}; expected a number between 0 and 1")
    return float(value)


def positive_number(name: str, value: Any) -> float:
    """Return ``value`` as a finite float > 0, or raise :class:`InputError` naming it."""
    if isinstance(value, bool) or not isinstance(value, Real) or value <= 0 or not value < math.inf:
        raise InputError(f"{name} is {value!r}; expected a finite number above 0")
    return float(value)


def decay_rate(name: str, value: Any) -> float:
    """Return ``value`` as a float in [0, 1), or raise :class:`InputError` naming it."""
    if isinstance(value, bool) or not isinstance(value, Real) or value < 0 or not value < 1:
        raise InputError(f"{name} is {value!r}; expected a number in [0, 1)")
    return float(value)


def finite_number(name: str, value: Any) -> float:
    """Return ``value`` as a finite float, or raise :class:`InputError` naming it."""
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise InputError(f"{name} is {value!r}; expected a finite number")
    return float(value)


def number_from(name: str, value: Any, least: float) -> float:
    """Return ``value`` as a finite float >= ``least``, or raise :class:`InputError` naming it."""
    if isinstance(value, bool) or not isinstance(value, Real) or value < least or not value < math.inf:
        raise InputError(f"{name} is {value!r}; expected a finite number of at least {least:g}")
    return float(value)


def number_from_zero(name: str, value: Any) -> float:
    """Return ``value`` as a finite float >= 0, or raise :class:`InputError` naming it."""
    return number_from(name, value, 0)


def lengths(name: str, value: Any) -> tuple[int, ...]:
    """Return ``value`` as a shape, a tuple of ints >= 0, or raise :class:`InputError` naming it."""
    try:
        shape = tuple(map(index, value))
    except TypeError:
        shape = (-1,)
    if min(shape, default=0) < 0:
        raise InputError(f"{name} is {value!r}; expected the lengths of axes, such as (2, 3)")
    return shape


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


def instance(name: str, value: Any, kind: type[Kind], expected: str) -> Kind:
    """Return ``value`` if it is a ``kind``, or raise :class:`InputError` naming it and what was expected."""
    if not isinstance(value, kind):
        raise InputError(f"{name} is {shown(value)}; expected {expected}")
    return value


def switch(name: str, value: Any) -> bool:
    """``value``, which must be True or False: 0, "no" and None are refused."""
    return instance(name, value, bool, "True or False")


def function(name: str, value: Any) -> Callable:
    """Return ``value`` if it can be called, or raise :class:`InputError` naming it."""
    if not callable(value):
        raise InputError(f"{name} is {shown(value)}; expected a function")
    return value


def sequence(name: str, value: Any, expected: str) -> Sequence:
    """Return ``value`` as a list or tuple, or raise :class:`InputError` naming it and what was expected."""
    if isinstance(value, list | tuple):
        return value
    if hasattr(value, "requires_grad"):  # its rows, if it has some, are not what is meant
        raise InputError(f"{name} is a Tensor; expected {expected}: for a single one write [x]")
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise InputError(f"{name} is {shown(value)}; expected {expected}")
    return list(value)


def layer_sizes(name: str, values: Any) -> list[int]:
    """Return ``values`` as a list of layer sizes, or raise :class:`InputError` naming them."""
    values = sequence(name, values, "a sequence of layer sizes, such as (500,)")
    return [positive_integer(f"{name}[{i}]", value) for i, value in enumerate(values)]


def path_of(name: str, value: Any) -> Path:
    """Return ``value`` as a path, or raise :class:`InputError` naming it."""
    with suppress(TypeError):
        if os.fspath(value):  # an empty name would be this folder's
            return Path(value)
    raise InputError(f"{name} is {value!r}; expected a path")


def one_of(name: str, value: Any, choices: Iterable[str]) -> str:
    """Return ``value`` if it is among ``choices``, or raise naming the nearest choice."""
    choices = list(choices)
    if isinstance(value, str) and value in choices:
        return value
    hint = did_you_mean(str(value), choices)
    raise InputError(f"{name} is {value!r}; expected one of {', '.join(choices)}{hint}")


def known_names(of: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raise :class:`InputError` for the first of the ``given`` names that ``of`` does not know, with the nearest."""
    known = list(known)
    for name in given:
        if name not in known:
            raise InputError(
                f"{name} is no argument of {of}; expected one of {', '.join(known)}{did_you_mean(name, known)}"
            )
