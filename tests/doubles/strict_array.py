"""The array of the strict device.

``StrictArray`` hides a NumPy array and behaves as CuPy's array does. What shows its
values to the host (``float(x)``, ``if x``, ``print(x)``, ``x.get()``, a boolean mask)
is counted as a synchronization; what CuPy refuses is refused; and what CuPy does
quietly but a fast or correct program does not want is refused, too: index arrays and
operands from the host, out-of-range indices (CuPy wraps them), and assignment to
duplicate indices (undefined there).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from .strict_counter import counter

# ----------------------------------------------------------------- the array

_owners: WeakValueDictionary[int, StrictArray] = WeakValueDictionary()  # by the id of the host array


class StrictArray:
    """An array on the strict device. Its memory is private; only ``get()`` shows it."""

    __slots__ = ("__weakref__", "_host", "base")
    __array_ufunc__ = None  # so that NumPy's functions and operators leave it alone
    __array_priority__ = 100.0  # as CuPy's: a class that ranks higher gets the operator
    __hash__ = None

    def __init__(self, host: np.ndarray) -> None:
        counter.note(f"dtype {host.dtype.name}")
        self._host = host
        # As CuPy's: the array whose memory this is a view of.
        self.base = None if host.base is None else _owners.get(id(host.base))
        if host.base is None:
            _owners[id(host)] = self

    def __array__(self, *args: Any, **kwargs: Any) -> None:
        raise TypeError("implicit conversion of a device array to NumPy; use backend.to_numpy(x)")

    def __array_function__(self, function: Callable, *ignored: Any) -> None:
        raise TypeError(f"np.{function.__name__} on a device array; use the functions of the array's own backend")

    # What shows values makes the host wait.

    def get(self) -> np.ndarray:
        counter.note("to_host")
        counter.note("synchronization")
        return self._host.copy()

    def tolist(self) -> Any:
        return self.get().tolist()

    def tobytes(self) -> bytes:
        return self.get().tobytes()

    def __repr__(self) -> str:
        return repr(self.get())

    def __str__(self) -> str:
        return str(self.get())

    def __format__(self, spec: str) -> str:
        return format(self.get(), spec)

    def item(self) -> Any:
        counter.note("synchronization")
        return self._host.item()

    def __bool__(self) -> bool:
        counter.note("synchronization")
        return bool(self._host)

    def __int__(self) -> int:
        return int(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    # Indexing. There is no __index__: CuPy has none.

    def __len__(self) -> int:
        return len(self._host)

    def __iter__(self) -> Iterator[StrictArray]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> StrictArray:
        place, arrays = host_index(index)
        found = self._host[place]
        return StrictArray(found.copy() if arrays else found)

    def __setitem__(self, index: Any, value: Any) -> None:
        place, arrays = host_index(index)
        value = operand(value)
        if np.size(value) > 1 and any(array.dtype.kind in "iu" for array in arrays):
            _refuse_duplicates(self.shape, place)
        self._host[place] = value

    def astype(self, dtype: Any, order: str = "K", casting: str = "unsafe", copy: bool = True) -> StrictArray:
        return call(np.ndarray.astype, (self, dtype, order, casting, True, copy), {})

    def __copy__(self) -> StrictArray:
        return self.copy()

    def __deepcopy__(self, memo: dict) -> StrictArray:
        return self.copy()


# ------------------------------------------------------- between the two sides


def operand(value: Any) -> Any:
    """What NumPy gets for an operand: a device array's memory, or a Python number."""
    if isinstance(value, StrictArray):
        return value._host
    if type(value) in (bool, int, float, complex):
        return value
    where = "host " if isinstance(value, np.ndarray | np.generic) else ""
    raise TypeError(f"a {where}{type(value).__name__} as an operand of a device array")


def argument(value: Any) -> Any:
    """What NumPy gets for any other argument: axes, shapes, dtypes, modes, device arrays."""
    if isinstance(value, StrictArray):
        return value._host
    if isinstance(value, np.ndarray | np.inexact):
        raise TypeError(f"a host {type(value).__name__} given to a function on device arrays")
    if isinstance(value, list | tuple) and any(isinstance(item, StrictArray) for item in value):
        raise TypeError("a list of device arrays where one array is expected; use stack")
    return value


def call(function: Callable, args: tuple, kwargs: dict, take: Callable = argument) -> Any:
    """A NumPy function on device arrays. ``take`` converts the positional arguments.

    An array that comes back unchanged (``out=``, ``asarray(x)``) keeps its identity, and
    NumPy's scalars become 0-d arrays.
    """
    out = kwargs.get("out")
    given = (*args, *kwargs.values(), *(out if isinstance(out, tuple) else ()))
    known = {id(a._host): a for a in given if isinstance(a, StrictArray)}
    host_kwargs = {name: argument(value) for name, value in kwargs.items() if name != "out"}
    if out is not None:
        host_kwargs["out"] = tuple(map(operand, out)) if isinstance(out, tuple) else operand(out)
    return _result(function(*map(take, args), **host_kwargs), known)


def _result(value: Any, known: dict[int, StrictArray]) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return known[id(value)] if id(value) in known else StrictArray(np.asarray(value))
    if isinstance(value, list | tuple):
        items = [_result(item, known) for item in value]
        return items if isinstance(value, list) else tuple(items)
    return value


def host_index(index: Any) -> tuple[tuple, list[np.ndarray]]:
    """The index for NumPy, made so that it gives an array; and the arrays in it."""
    items = index if isinstance(index, tuple) else (index,)
    for item in items:
        if isinstance(item, list | tuple | np.ndarray):
            raise TypeError(f"a host {type(item).__name__} as an index; CuPy would copy it to the device")
    arrays = [item._host for item in items if isinstance(item, StrictArray)]
    for array in arrays:
        if array.dtype.kind == "b":  # how many are True decides the shape
            counter.note("synchronization")
    host = tuple(item._host if isinstance(item, StrictArray) else item for item in items)
    return (host if any(item is ... for item in host) else (*host, ...)), arrays


def _refuse_duplicates(shape: tuple[int, ...], index: tuple) -> None:
    places = np.arange(math.prod(shape)).reshape(shape)[index]
    if np.unique(places).size != places.size:
        raise ValueError("assignment to duplicate indices: which value stays is undefined on a device")


# ------------------------------------------------- operators, methods, attributes


def _yields_to(other: Any) -> bool:
    """Whether CuPy leaves the operator to the other side (a Tensor, say)."""
    if isinstance(other, StrictArray):
        return False
    declines = getattr(other, "__array_ufunc__", "undefined") is None
    return declines or getattr(other, "__array_priority__", 0.0) > StrictArray.__array_priority__


def _define_operators(name: str, ufunc: np.ufunc, in_place: bool) -> None:
    def forward(self: StrictArray, other: Any) -> Any:
        return NotImplemented if _yields_to(other) else call(ufunc, (self, other), {}, operand)

    def reflected(self: StrictArray, other: Any) -> Any:
        return NotImplemented if _yields_to(other) else call(ufunc, (other, self), {}, operand)

    def assigned(self: StrictArray, other: Any) -> Any:
        return call(ufunc, (self, other), {"out": self}, operand)

    setattr(StrictArray, f"__{name}__", forward)
    if in_place:
        setattr(StrictArray, f"__r{name}__", reflected)
    if in_place and name != "matmul":  # CuPy has no in-place product
        setattr(StrictArray, f"__i{name}__", assigned)


def _define_unary(name: str, ufunc: np.ufunc) -> None:
    setattr(StrictArray, f"__{name}__", lambda self: call(ufunc, (self,), {}, operand))


def _define_method(name: str) -> None:
    function = getattr(np.ndarray, name)
    setattr(StrictArray, name, lambda self, *args, **kwargs: call(function, (self, *args), kwargs))


def _define_attribute(name: str) -> None:
    def read(self: StrictArray) -> Any:
        return _result(getattr(self._host, name), {id(self._host): self})

    setattr(StrictArray, name, property(read))


ARITHMETIC = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.true_divide,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "pow": np.power,
    "matmul": np.matmul,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "lshift": np.left_shift,
    "rshift": np.right_shift,
}
COMPARISONS = {
    "lt": np.less,
    "le": np.less_equal,
    "eq": np.equal,
    "ne": np.not_equal,
    "ge": np.greater_equal,
    "gt": np.greater,
}
UNARY = {"neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert}
METHODS = """
    all any argmax argmin argpartition argsort clip conj conjugate copy cumprod cumsum diagonal
    dot fill flatten max mean min prod ravel repeat reshape round searchsorted sort
    squeeze std sum swapaxes take trace transpose var view
"""
ATTRIBUTES = "T dtype flags imag itemsize mT nbytes ndim real shape size strides"

for _name, _ufunc in ARITHMETIC.items():
    _define_operators(_name, _ufunc, in_place=True)
for _name, _ufunc in COMPARISONS.items():
    _define_operators(_name, _ufunc, in_place=False)
for _name, _ufunc in UNARY.items():
    _define_unary(_name, _ufunc)
for _name in METHODS.split():
    _define_method(_name)
for _name in ATTRIBUTES.split():
    _define_attribute(_name)
