"""What arguments are held to: each check returns the value it was given, or raises naming the argument.

Whatever a value does when it is looked at, which is for its own class to say, what is raised is :class:`InputError`.
"""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from numbers import Integral, Real
from operator import index
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from .errors import InputError, shown
from .slips import did_you_mean

Kind = TypeVar("Kind")
MOST_AXES, MOST_ITEMS = 64, 1 << 20  # of a shape, as NumPy has it; and of a sequence: some iterables have no end
MOST_COUNT = 1 << 40  # of what is counted: no memory has so many, and no time


def positive_integer(name: str, value: Any) -> int:
    """Return ``value`` as an int >= 1, or raise :class:`InputError` naming it."""
    count = _number(name, value, Integral, lambda found: found >= 1, "an integer of at least 1")
    if count >= MOST_COUNT:
        raise InputError(f"{name} is {shown(value)}; expected an integer of at least 1, below 2**40")
    return count


def divisor(name: str, value: Any, of: int) -> int:
    """Return ``value`` as an int >= 1 that ``of`` is a multiple of, or raise :class:`InputError` naming it."""
    return _number(name, value, Integral, lambda n: n >= 1 and of % n == 0, f"an integer that divides {of}")


def integer_from_zero(name: str, value: Any) -> int:
    """Return ``value`` as an int >= 0 (a seed, a count), or raise :class:`InputError` naming it."""
    return _number(name, value, Integral, lambda found: found >= 0, "an integer of at least 0")


def pair(name: str, value: Any, least: int) -> tuple[int, int]:
    """Return ``value``, an integer or two of them, for rows and columns, as two ints >= ``least``, or raise."""
    several = is_a(value, (list, tuple))
    if several and len(value) != 2:
        raise InputError(f"{name} is {shown(value)}; expected an integer, or two, for rows and columns")
    rows, columns = value if several else (value, value)
    expected = f"an integer of at least {least}, or two, for rows and columns"
    fits = lambda found: least <= found < MOST_COUNT  # noqa: E731
    return _number(name, rows, Integral, fits, expected), _number(name, columns, Integral, fits, expected)


def integer(name: str, value: Any) -> int:
    """Return ``value`` as an int, or raise :class:`InputError` naming it."""
    return _number(name, value, Integral, lambda found: True, "an integer")


def fraction(name: str, value: Any) -> float:
    """Return ``value`` as a float between 0 and 1, neither included, or raise :class:`InputError` naming it."""
    return _number(name, value, Real, lambda found: 0 < found < 1, "a number between 0 and 1")


def positive_number(name: str, value: Any) -> float:
    """Return ``value`` as a finite float > 0, or raise :class:`InputError` naming it."""
    return _number(name, value, Real, lambda found: 0 < found < math.inf, "a finite number above 0")


def decay_rate(name: str, value: Any) -> float:
    """Return ``value`` as a float in [0, 1), or raise :class:`InputError` naming it."""
    return _number(name, value, Real, lambda found: 0 <= found < 1, "a number in [0, 1)")


def finite_number(name: str, value: Any) -> float:
    """Return ``value`` as a finite float, or raise :class:`InputError` naming it."""
    return _number(name, value, Real, math.isfinite, "a finite number")


def number_between(name: str, value: Any, low: float, high: float) -> float:
    """Return ``value`` as a float from ``low`` to ``high``, both included, or raise :class:`InputError` naming it."""
    return _number(name, value, Real, lambda found: low <= found <= high, f"a number from {low:g} to {high:g}")


def number_from(name: str, value: Any, least: float) -> float:
    """Return ``value`` as a finite float >= ``least``, or raise :class:`InputError` naming it."""
    if type(value) is float and least <= value < math.inf:  # most often, and quickly: of a step size at each step
        return value
    return _number(name, value, Real, lambda found: least <= found < math.inf, f"a finite number of at least {least:g}")


def number_from_zero(name: str, value: Any) -> float:
    """Return ``value`` as a finite float >= 0, or raise :class:`InputError` naming it."""
    return number_from(name, value, 0)


def _number(name: str, value: Any, kind: type, fits: Callable[[Any], bool], expected: str) -> Any:
    """``value`` as a plain int or float, if it is a ``kind``, no bool, and ``fits`` as such."""
    try:
        if isinstance(value, kind) and not isinstance(value, bool):
            found = int(value) if kind is Integral else float(value)  # a number beyond all floats raises
            if fits(found):
                return found
    except Exception:
        pass
    raise InputError(f"{name} is {shown(value)}; expected {expected}")


def lengths(name: str, value: Any) -> tuple[int, ...]:
    """Return ``value`` as a shape, a tuple of ints >= 0, or raise :class:`InputError` naming it."""
    try:
        shape = tuple(map(index, islice(value, MOST_AXES + 1)))
    except Exception:
        shape = (-1,)
    if min(shape, default=0) < 0 or max(shape, default=0) >= 1 << 63 or len(shape) > MOST_AXES:
        raise InputError(f"{name} is {shown(value)}; expected the lengths of axes, such as (2, 3)")
    return shape


def axes_of(axis: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """``axis`` as a sorted tuple of non-negative axes; None means all."""
    return tuple(range(ndim)) if axis is None else tuple(sorted(axes_in_order(axis, ndim)))


def axes_in_order(axis: int | Sequence[int], ndim: int, name: str = "axis") -> list[int]:
    """``axis`` as non-negative axes, in the order in which they are given."""
    if type(axis) is int and -ndim <= axis < ndim:  # most often, and quickly
        return [axis % ndim]
    axes = axes_given(axis, name)
    for a in axes:
        if not -ndim <= a < ndim:
            raise InputError(f"{name} is {shown(axis)}; expected axes of a tensor with {ndim} dimensions")
    resolved = [a % ndim for a in axes]
    if len(set(resolved)) < len(axes):
        raise InputError(f"{name} is {shown(axis)}; expected each axis once")
    return resolved


def axes_given(axis: Any, name: str = "axis") -> list[int]:
    """One integer or several as a list, whatever tensor they are for."""
    try:
        given = axis if isinstance(axis, Sequence) or np.ndim(axis) else [axis]
        return list(map(index, islice(given, MOST_AXES + 1)))
    except Exception:
        raise InputError(f"{name} is {shown(axis)}; expected an integer, or several") from None


def axis_of(axis: int, ndim: int, name: str = "axis") -> int:
    """``axis`` as a single non-negative one."""
    try:
        number = index(axis)
    except Exception:
        raise InputError(f"{name} is {shown(axis)}; expected an integer") from None
    return axes_in_order(number, ndim, name)[0]


def instance(name: str, value: Any, kind: type[Kind], expected: str) -> Kind:
    """Return ``value`` if it is a ``kind``, or raise :class:`InputError` naming it and what was expected."""
    try:
        if isinstance(value, kind):
            return value
    except Exception:  # an object may fail when it is asked for its class
        pass
    raise InputError(f"{name} is {shown(value)}; expected {expected}")


def is_a(value: Any, kind: type | tuple[type, ...]) -> bool:
    """``isinstance`` that says no of an object that fails when it is asked for its class."""
    try:
        return isinstance(value, kind)
    except Exception:
        return False


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
    if type(value) in (list, tuple) or is_a(value, (list, tuple)):
        return value
    try:
        tensor, items = (
            hasattr(value, "requires_grad"),
            None if isinstance(value, str | bytes | Mapping) else iter(value),
        )
    except Exception:
        tensor, items = False, None
    if tensor:  # its rows, if it has some, are not what is meant
        raise InputError(f"{name} is a Tensor; expected {expected}: for a single one write [x]")
    found = [] if items is None else list(islice(items, MOST_ITEMS + 1))  # what fails in there says why
    if items is None or len(found) > MOST_ITEMS:
        raise InputError(f"{name} is {shown(value)}; expected {expected}")
    return found


def layer_sizes(name: str, values: Any) -> list[int]:
    """Return ``values`` as a list of layer sizes, or raise :class:`InputError` naming them."""
    values = sequence(name, values, "a sequence of layer sizes, such as (500,)")
    return [positive_integer(f"{name}[{i}]", value) for i, value in enumerate(values)]


def path_of(name: str, value: Any) -> Path:
    """Return ``value`` as a path, or raise :class:`InputError` naming it."""
    too_long = False
    try:
        text = os.fspath(value)
        if isinstance(text, str) and text and "\0" not in text:  # an empty name would be this folder's
            os.fsencode(text)  # half a character is in no name
            too_long = _is_too_long(text)
            if not too_long:
                return Path(text)
    except Exception:
        pass
    expected = "a shorter path" if too_long else "a path"
    raise InputError(f"{name} is {shown(value)}; expected {expected}")


def _is_too_long(path: str) -> bool:
    try:
        os.lstat(path)
    except OSError as error:
        return error.errno == errno.ENAMETOOLONG
    return False


def one_of(name: str, value: Any, choices: Iterable[str]) -> str:
    """Return ``value`` if it is among ``choices``, or raise naming the nearest choice."""
    choices = list(choices)
    word = str.__str__(value) if is_a(value, str) else shown(value)
    if word in choices and is_a(value, str):
        return word
    raise InputError(f"{name} is {shown(value)}; expected one of {', '.join(choices)}{did_you_mean(word, choices)}")


def known_names(of: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raise :class:`InputError` for the first of the ``given`` names that ``of`` does not know, with the nearest."""
    known = list(known)
    for name in given:
        if name not in known:
            raise InputError(
                f"{name} is no argument of {of}; expected one of {', '.join(known)}{did_you_mean(name, known)}"
            )
