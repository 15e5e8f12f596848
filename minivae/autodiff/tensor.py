"""Tensor: an array, and how it was made.

Reverse-mode differentiation needs two things. While the program runs forward, every
result remembers the primitive and the inputs that made it (its *node*; all of them
together are the tape, :mod:`minivae.autodiff.tape`). Afterwards
:mod:`minivae.autodiff.backward` walks those nodes in reverse and applies each
primitive's derivative rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .. import backend
from ..errors import InputError, MisuseError, shown
from .foreign import Foreign
from .messages import ONE_NUMBER, READ_IN_STEP, READ_IN_TRANSFORM
from .modes import mode
from .primitives import OPERATIONS

Axis = int | Sequence[int] | None


class Tensor(Foreign):
    """An array, with the record of how it was computed.

    Operators and methods mean what NumPy's do; each is the operation of the same name in
    :mod:`minivae.autodiff`, found in the table of operations.

    Attributes:
        data: the array (NumPy's, CuPy's, ...), never written in place by a primitive
            other than ``assign``.
        requires_grad: whether gradients flow to or through this tensor.
        node: how it was computed (:class:`~minivae.autodiff.tape.Node`), if from tensors
            that require gradients, else None (a leaf).
    """

    __slots__ = ("__weakref__", "data", "node", "requires_grad")

    _data: Any  # the same as ``data``, for the engine: also where a step that is recorded may not read ``data``

    def __init__(self, data: Any, requires_grad: bool = False) -> None:
        self._data = data
        self.requires_grad = requires_grad
        self.node: Any = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The array's shape."""
        return self._data.shape

    @property
    def dtype(self) -> np.dtype:
        """The array's dtype."""
        return self._data.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._data.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._data.size

    @property
    def xp(self) -> Any:
        """The module of the functions of the array's backend: ``numpy`` or ``cupy``."""
        return backend.xp_of(self._data)

    # ------------------------------------------------------------ values

    def numpy(self) -> np.ndarray:
        """The values in host memory. On a GPU this waits for the device.

        Raises:
            InputError: inside a step that ``compile`` records, where the value would be that of this one
                call for ever; inside a function that ``grad`` or its like differentiate, if the tensor
                depends on their variables (and not under ``no_grad``): no gradient would flow through the value.
        """
        return backend.to_numpy(self._readable())

    def _readable(self) -> Any:
        """The array, unless its values may not leave the record of what is computed."""
        if mode.tracer is not None:
            raise InputError(READ_IN_STEP)
        if is_traced(self):
            raise InputError(READ_IN_TRANSFORM)
        return self._data

    def item(self) -> float:
        """The value of a one-element tensor as a Python number. On a GPU this waits.

        Raises:
            MisuseError: there are several elements, or none.
        """
        values = self.numpy()
        if values.size != 1:
            raise MisuseError(f"a Tensor of shape {self.shape} is not one number; write {ONE_NUMBER}")
        return values.item()

    def tolist(self) -> Any:
        """The values as Python numbers, in nested lists."""
        return self.numpy().tolist()

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.dtype.kind not in "iu" or self.shape:
            raise MisuseError(f"a Tensor of shape {self.shape} and dtype {self.dtype} is not an integer; write int(x)")
        return self.item()  # type: ignore[return-value]

    def __bool__(self) -> bool:
        return bool(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)

    def __reduce_ex__(self, protocol: Any) -> Any:
        values = self._readable()
        if self.node is None and type(self)._data is Tensor._data:
            return super().__reduce_ex__(protocol)
        return Tensor, (values,)  # how they were computed is not copied

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a 0-d Tensor")
        return self.shape[0]

    def __repr__(self) -> str:
        made = f", made by {self.node.primitive.name}" if self.node else ", requires_grad=True" * self.requires_grad
        values = np.array2string(backend.to_numpy(self._data), separator=", ", threshold=20, prefix="Tensor(")
        return f"Tensor({values}, dtype={self.dtype}{made})"

    # --------------------------------------------------------- operators

    def __add__(self, other: Any) -> Tensor:
        return OPERATIONS["add"](self, other)

    def __radd__(self, other: Any) -> Tensor:
        return OPERATIONS["add"](other, self)

    def __sub__(self, other: Any) -> Tensor:
        return OPERATIONS["subtract"](self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return OPERATIONS["subtract"](other, self)

    def __mul__(self, other: Any) -> Tensor:
        return OPERATIONS["multiply"](self, other)

    def __rmul__(self, other: Any) -> Tensor:
        return OPERATIONS["multiply"](other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return OPERATIONS["divide"](self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return OPERATIONS["divide"](other, self)

    def __floordiv__(self, other: Any) -> Tensor:
        return OPERATIONS["floor_divide"](self, other)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return OPERATIONS["floor_divide"](other, self)

    def __divmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return other // self, other % self

    def __mod__(self, other: Any) -> Tensor:
        return OPERATIONS["mod"](self, other)

    def __rmod__(self, other: Any) -> Tensor:
        return OPERATIONS["mod"](other, self)

    def __pow__(self, other: Any) -> Tensor:
        return OPERATIONS["power"](self, other)

    def __rpow__(self, other: Any) -> Tensor:
        return OPERATIONS["power"](other, self)

    def __matmul__(self, other: Any) -> Tensor:
        return OPERATIONS["matmul"](self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return OPERATIONS["matmul"](other, self)

    def __and__(self, other: Any) -> Tensor:
        return OPERATIONS["&"](self, other)

    def __rand__(self, other: Any) -> Tensor:
        return OPERATIONS["&"](other, self)

    def __or__(self, other: Any) -> Tensor:
        return OPERATIONS["|"](self, other)

    def __ror__(self, other: Any) -> Tensor:
        return OPERATIONS["|"](other, self)

    def __xor__(self, other: Any) -> Tensor:
        return OPERATIONS["^"](self, other)

    def __rxor__(self, other: Any) -> Tensor:
        return OPERATIONS["^"](other, self)

    def __invert__(self) -> Tensor:
        return OPERATIONS["~"](self)

    def __lt__(self, other: Any) -> Tensor:
        return OPERATIONS["less"](self, other)

    def __le__(self, other: Any) -> Tensor:
        return OPERATIONS["less_equal"](self, other)

    def __gt__(self, other: Any) -> Tensor:
        return OPERATIONS["greater"](self, other)

    def __ge__(self, other: Any) -> Tensor:
        return OPERATIONS["greater_equal"](self, other)

    def __eq__(self, other: Any) -> Tensor:  # type: ignore[override]  # element by element
        return OPERATIONS["equal"](self, other)

    def __ne__(self, other: Any) -> Tensor:  # type: ignore[override]
        return OPERATIONS["not_equal"](self, other)

    __hash__ = object.__hash__  # by identity

    def __neg__(self) -> Tensor:
        return OPERATIONS["negative"](self)

    def __pos__(self) -> Tensor:
        return self

    def __round__(self, digits: int = 0) -> Tensor:
        return OPERATIONS["round"](self * 10.0**digits) / 10.0**digits if digits else OPERATIONS["round"](self)

    def __abs__(self) -> Tensor:
        return OPERATIONS["absolute"](self)

    def __getitem__(self, index: Any) -> Tensor:
        return OPERATIONS["getitem"](self, index)

    # ----------------------------------------------------------- methods

    @property
    def T(self) -> Tensor:
        """The tensor with its axes reversed."""
        return OPERATIONS["transpose"](self)

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The sum over ``axis``."""
        return OPERATIONS["sum"](self, axis, keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The arithmetic mean over ``axis``."""
        return OPERATIONS["mean"](self, axis, keepdims)

    def var(self, axis: Axis = None, keepdims: bool = False, ddof: float = 0) -> Tensor:
        """The variance over ``axis``."""
        return OPERATIONS["var"](self, axis, keepdims, ddof)

    def std(self, axis: Axis = None, keepdims: bool = False, ddof: float = 0) -> Tensor:
        """The standard deviation over ``axis``."""
        return OPERATIONS["std"](self, axis, keepdims, ddof)

    def prod(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The product over ``axis``."""
        return OPERATIONS["prod"](self, axis, keepdims)

    def any(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Whether an element over ``axis`` is true."""
        return OPERATIONS["any"](self, axis, keepdims)

    def all(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Whether every element over ``axis`` is true."""
        return OPERATIONS["all"](self, axis, keepdims)

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The largest element over ``axis``."""
        return OPERATIONS["max"](self, axis, keepdims)

    def min(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The smallest element over ``axis``."""
        return OPERATIONS["min"](self, axis, keepdims)

    def argmax(self, axis: int | None = None, keepdims: bool = False) -> Tensor:
        """The position of the largest element along ``axis``."""
        return OPERATIONS["argmax"](self, axis, keepdims)

    def argmin(self, axis: int | None = None, keepdims: bool = False) -> Tensor:
        """The position of the smallest element along ``axis``."""
        return OPERATIONS["argmin"](self, axis, keepdims)

    def argsort(self, axis: int | None = -1) -> Tensor:
        """The positions that put the elements in order along ``axis``."""
        return OPERATIONS["argsort"](self, axis)

    def cumsum(self, axis: int | None = None) -> Tensor:
        """The sums of the elements up to each place along ``axis``."""
        return OPERATIONS["cumsum"](self, axis)

    def cumprod(self, axis: int | None = None) -> Tensor:
        """The products of the elements up to each place along ``axis``."""
        return OPERATIONS["cumprod"](self, axis)

    def clip(self, low: Any = None, high: Any = None) -> Tensor:
        """The elements held between two bounds."""
        return OPERATIONS["clip"](self, low, high)

    def round(self) -> Tensor:
        """The nearest whole numbers."""
        return OPERATIONS["round"](self)

    def reshape(self, *shape: int | Sequence[int]) -> Tensor:
        """The same elements in another shape."""
        return OPERATIONS["reshape"](self, *shape)

    def transpose(self, *axes: Any) -> Tensor:
        """The axes in another order: one after the other, or in a list; reversed by default."""
        return OPERATIONS["transpose"](self, axes[0] if len(axes) == 1 else axes or None)

    def swapaxes(self, a: int, b: int) -> Tensor:
        """The axes ``a`` and ``b`` exchanged."""
        return OPERATIONS["swapaxes"](self, a, b)

    def squeeze(self, axis: Axis = None) -> Tensor:
        """Without axes of length 1."""
        return OPERATIONS["squeeze"](self, axis)

    def flatten(self) -> Tensor:
        """The elements as a vector."""
        return OPERATIONS["flatten"](self)

    def take(self, indices: Any, axis: int | None = None) -> Tensor:
        """The elements at integer positions along ``axis``."""
        return OPERATIONS["take"](self, indices, axis)

    def repeat(self, repeats: int, axis: int | None = None) -> Tensor:
        """Each element so many times along ``axis``."""
        return OPERATIONS["repeat"](self, repeats, axis)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        """The elements with equal positions on two axes."""
        return OPERATIONS["diagonal"](self, offset, axis1, axis2)

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        """The sum of a diagonal."""
        return OPERATIONS["trace"](self, offset, axis1, axis2)

    def astype(self, dtype: Any) -> Tensor:
        """The same values in another dtype."""
        return OPERATIONS["astype"](self, dtype)

    def detach(self) -> Tensor:
        """The same values as a constant: no gradient flows through."""
        return OPERATIONS["stop_gradient"](self)


Tensor._data = Tensor.data  # type: ignore[attr-defined]  (one slot under two names)


def ancestry(x: Tensor) -> Iterator[Tensor]:
    """``x`` and what it was computed from, each once: all that require gradients."""
    seen: set[int] = set()
    pending: list[Any] = [x]
    while pending:
        x = pending.pop()
        if isinstance(x, Tensor) and x.requires_grad and id(x) not in seen:
            seen.add(id(x))
            pending.extend(x.node.inputs if x.node else ())
            yield x


def is_traced(x: Tensor) -> bool:
    """Whether ``x`` depends on what a function, now running, is differentiated by; or may, where the way back ends."""
    if not (mode.taping and mode.variables):
        return False
    return any((y.node is not None and not y.node.inputs) or any(y is v for v in mode.variables) for y in ancestry(x))


class Parameter(Tensor):
    """A tensor that is trained: a leaf that requires gradients."""

    __slots__ = ()

    def __init__(self, data: Any) -> None:
        if data is not None and not (backend.is_array(data) and data.dtype.kind in "fc"):
            raise InputError(f"data is {shown(data)}; expected a floating-point array")
        super().__init__(data, requires_grad=True)
