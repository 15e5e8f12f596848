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
from ..errors import InputError, shown
from .modes import mode
from .primitives import OPERATIONS

Axis = int | Sequence[int] | None


class Tensor:
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

    # NumPy arrays on the left of an operator hand over to us.
    __array_ufunc__ = None

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
        """The namespace of the array's library: ``numpy`` or ``cupy``."""
        return backend.namespace(self._data)

    # ------------------------------------------------------------ values

    def numpy(self) -> np.ndarray:
        """The values in host memory. On a GPU this waits for the device.

        Raises:
            InputError: inside a step that ``compile`` records, where the value would be
                that of this one call for ever.
        """
        if mode.trace is not None:
            raise InputError(
                "a value is read inside a step that compile() records; return it and read it outside, "
                "or choose with where() instead of if"
            )
        return backend.to_numpy(self._data)

    def item(self) -> float:
        """The value of a one-element tensor as a Python number. On a GPU this waits."""
        return self.numpy().item()

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        return bool(self.item())

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a 0-d Tensor")
        return self.shape[0]

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise TypeError("a Tensor is not converted to an array silently; use .numpy() or .data")

    def __repr__(self) -> str:
        made = f", made by {self.node.primitive.name}" if self.node else ", requires_grad=True" * self.requires_grad
        values = np.array2string(self.numpy(), separator=", ", threshold=20, prefix="Tensor(")
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

    def __pow__(self, other: Any) -> Tensor:
        return OPERATIONS["power"](self, other)

    def __rpow__(self, other: Any) -> Tensor:
        return OPERATIONS["power"](other, self)

    def __matmul__(self, other: Any) -> Tensor:
        return OPERATIONS["matmul"](self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return OPERATIONS["matmul"](other, self)

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

    def var(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The variance over ``axis``."""
        return OPERATIONS["var"](self, axis, keepdims)

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The largest element over ``axis``."""
        return OPERATIONS["max"](self, axis, keepdims)

    def min(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The smallest element over ``axis``."""
        return OPERATIONS["min"](self, axis, keepdims)

    def reshape(self, *shape: int | Sequence[int]) -> Tensor:
        """The same elements in another shape."""
        return OPERATIONS["reshape"](self, *shape)

    def transpose(self, axes: Sequence[int] | None = None) -> Tensor:
        """The axes in another order."""
        return OPERATIONS["transpose"](self, axes)

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


class Parameter(Tensor):
    """A tensor that is trained: a leaf that requires gradients."""

    __slots__ = ()

    def __init__(self, data: Any) -> None:
        if data is not None and not (backend.is_array(data) and data.dtype.kind in "fc"):
            raise InputError(f"data is {shown(data)}; expected a floating-point array")
        super().__init__(data, requires_grad=True)
