"""Objects that raise or lie, and values at the end of what there is: what nobody means to hand to a function."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minivae.autodiff import tensor


class Trouble(RuntimeError):
    """What hostile objects raise: of two lines."""

    def __init__(self) -> None:
        super().__init__("first line\nsecond line")


def raising(*names: str, base: type = object) -> type:
    """A class whose special methods of these names raise."""

    def fails(*_: Any, **__: Any) -> Any:
        raise Trouble

    return type("Raising" + "".join(name.strip("_").title() for name in names), (base,), dict.fromkeys(names, fails))


def lying(base: type = object, **methods: Callable) -> type:
    """A class with these special methods, ``len`` for ``__len__``."""
    return type("Lying", (base,), {f"__{name}__": method for name, method in methods.items()})


class Number(float):
    """A float that says something else of itself."""

    def __repr__(self) -> str:
        return "a number\nof two lines"


class Everything:
    """Has every attribute, and each is itself; whatever is called gives it."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_: Any, **__: Any) -> Any:
        return self


def endless() -> Iterator[int]:
    """1, 1, 1, ..."""
    return itertools.repeat(1)


def nested() -> list:
    """A list that holds itself."""
    found: list = []
    found.append(found)
    return found


class Array(np.ndarray):
    """An array of a class of its own."""


RAISING = ("__repr__", "__array__", "__len__", "__iter__", "__eq__", "__bool__", "__index__", "__float__", "__fspath__")
# Each makes a new object: some are used up, and some are changed.
HOSTILE: dict[str, Callable[[], Any]] = {
    **{
        f"{name} raises": raising(name) for name in (*RAISING, "__getitem__", "__getattribute__", "__hash__", "__str__")
    },
    "everything raises": raising("__repr__", "__str__", "__len__", "__iter__", "__array__", "__eq__", "__bool__"),
    "a number whose repr raises": lambda: raising("__repr__", base=float)(2.5),
    "a text whose repr raises": lambda: raising("__repr__", base=str)("x"),
    "a list whose length raises": lambda: raising("__len__", base=list)([1]),
    "an integer that no number equals": lambda: raising("__eq__", "__lt__", "__le__", "__gt__", "__ge__", base=int)(3),
    "a dict that is not to be read": lambda: raising("__iter__", "items", "keys", "__getitem__", base=dict)(a=1),
    "a length that is none": lying(len=lambda self: -1, getitem=lambda self, i: 1),
    "a length of 2^62": lying(len=lambda self: 2**62, getitem=lambda self, i: 1),
    "an array that is text": lying(array=lambda self, dtype=None, copy=None: "text"),
    "an array of objects": lying(array=lambda self, dtype=None, copy=None: np.array([None])),
    "an index that is text": lying(index=lambda self: "3"),
    "an index of 10**400": lying(index=lambda self: 10**400),
    "a float that is none": lying(float=lambda self: "2.5"),
    "equal to everything": lying(eq=lambda self, other: True, hash=lambda self: 0),
    "equal to an array": lying(eq=lambda self, other: np.ones(2, bool), hash=lambda self: 0),
    "a path that is a number": lying(fspath=lambda self: 3),
    "a path with a NUL": lambda: "a\0b",
    "half a character": lambda: "\ud800",
    "a path too long": lambda: "x" * 5000,
    "a text of two lines": lambda: "a\nb\r\u2028c",
    "bytes": lambda: b"\xff\0",
    "a number of two lines": lambda: Number(2.5),
    "everything": Everything,
    "NaN": lambda: math.nan,
    "an infinity": lambda: math.inf,
    "minus an infinity": lambda: -math.inf,
    "10**400": lambda: 10**400,
    "-10**400": lambda: -(10**400),
    "an integer of 5,000 digits": lambda: 10**5000,
    "2**63": lambda: 2**63,
    "2**31": lambda: -(2**31) - 1,
    "a huge count": lambda: 10**18,
    "1e308": lambda: 1e308,
    "5e-324": lambda: 5e-324,
    "a complex number": lambda: 1 + 2j,
    "a long double": lambda: np.longdouble("1.5"),
    "long doubles": lambda: np.ones((2, 2), np.longdouble),
    "complex numbers": lambda: np.ones((2, 2), complex),
    "halves": lambda: np.ones((2, 2), np.float16),
    "dates": lambda: np.array(["2020-01-01"], "M8[D]"),
    "records": lambda: np.zeros(2, [("a", int), ("b", float)]),
    "an array of text": lambda: np.array(["a", "b"]),
    "an array of two equal names": lambda: np.array(["numpy", "numpy"]),
    "lists in an array": lambda: np.array([[1], [2, 3], None], object),
    "an empty array": lambda: np.empty((0, 0)),
    "an array of no axis": lambda: np.array(1.0),
    "an array of 40 axes": lambda: np.ones((1,) * 40),
    "an array of its own class": lambda: np.ones((2, 2)).view(Array),
    "a masked array": lambda: np.ma.masked_array([[1.0, 2.0]], mask=[[True, False]]),
    "a matrix": lambda: np.ones((2, 2))[:, ::-1].T,
    "an array that is not to be written": lambda: np.frombuffer(bytes(16), np.float32),
    "big-endian numbers": lambda: np.ones((2, 2), ">f8"),
    "NaN in an array": lambda: np.array([[math.nan, 1.0]]),
    "NaN in a tensor": lambda: tensor([[math.nan, 1.0]]),
    "a tensor of no value": lambda: tensor(np.empty((0, 3), np.float32)),
    "a generator": lambda: (i for i in (1, 2)),
    "no end": endless,
    "a generator that raises": lambda: (1 // 0 for _ in (1,)),
    "a list in itself": nested,
    "a list of 10**400": lambda: [10**400, -(10**400)],
    "a ragged list": lambda: [[1.0], [1.0, [2.0]]],
    "a range of 2^60": lambda: range(2**60),
    "a dict of itself": lambda: {None: {}},
    "a set": lambda: {1, 2},
    "a class": lambda: Everything,
    "a function that raises": lambda: raising("__call__")(),
    "a function that gives nothing": lambda: lambda *_, **__: None,
    "print": lambda: print,
    "an error": lambda: ValueError("a\nb"),
    "Ellipsis": lambda: ...,
    "NotImplemented": lambda: NotImplemented,
    "True": lambda: True,
    "np.bool": lambda: np.True_,
    "an integer of NumPy": lambda: np.int8(-1),
    "a text of NumPy": lambda: np.str_("relu"),
}

# Nobody reads them to their end.
ENDLESS = frozenset(("no end", "a range of 2^60", "a length of 2^62"))
# These have to be used where they are of the right kind, and their own error comes through; and of no object can
# anything be found out that fails when it is asked for its class.
THEIR_OWN = frozenset(
    (
        *("__getattribute__ raises", "a function that raises", "a generator that raises", "__getitem__ raises"),
        *("a dict that is not to be read", "a list whose length raises", "an integer that no number equals"),
    )
)
