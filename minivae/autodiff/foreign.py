"""What NumPy's arrays and PyTorch's tensors can be asked for and a Tensor cannot: refused, with what to write here.

What NumPy's arrays ask of a Tensor on the right of an operator is answered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import MisuseError
from .primitives import OPERATIONS

# Of NumPy's functions those that its arrays' operators call, by name, and ours.
_OPERATORS = {"remainder": "mod", "bitwise_and": "&", "bitwise_or": "|", "bitwise_xor": "^"}
_OPERATORS |= {name: name for name in ("add", "subtract", "multiply", "divide", "floor_divide", "power", "matmul")}
_OPERATORS |= {name: name for name in ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")}
TO_ARRAY = "a Tensor is not converted to an array silently; use .numpy() or .data, or minivae's own functions"
NO_ITEM = (
    "the items of a Tensor cannot be assigned; make a new one with where(), stack() or concatenate(), "
    "or assign(tensor, values) to all of a Parameter"
)
# What to write for what PyTorch's tensors have.
_PYTORCH = {
    "backward grad zero_grad": "minivae.backward(loss, parameters), which returns the gradients: no tensor holds them",
    "requires_grad_ is_leaf grad_fn": "minivae.tensor(array, requires_grad=True)",
    "to cuda cpu": "minivae.tensor(x.data, dtype, backend='cupy') or 'numpy'",
    "float double half long": "x.astype(dtype)",
    "copy_ fill_ zero_ add_ sub_ mul_ div_": "minivae.assign(x, values)",
    "clone contiguous": "x itself: only assign() changes a tensor",
    "view expand permute unsqueeze": "x.reshape, minivae.broadcast_to, x.transpose or minivae.expand_dims",
    "dim mm bmm": "x.ndim, or x @ y",
}
# Names of NumPy's that are others here.
_NUMPY = {"amax": "max", "amin": "min", "copyto": "assign", "dot": "matmul", "hstack": "concatenate", "vstack": "stack"}


class _ForNumPy:
    """An attribute that NumPy finds, which looks on the class; CuPy looks on the tensor and finds None.

    With None, an array on the left of an operator leaves it to the tensor.
    """

    def __init__(self, method: Callable) -> None:
        self._method = method

    def __get__(self, tensor: Any, kind: type) -> Any:
        return self._method if tensor is None else None


class Foreign:
    """The part of a Tensor that NumPy, and those who know PyTorch, come upon."""

    __slots__ = ()

    def __array__(self: Any, *_: Any, **__: Any) -> np.ndarray:
        self._readable()  # or refused with a better reason
        raise MisuseError(TO_ARRAY)

    @_ForNumPy
    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "__call__" and not options and ufunc.__name__ in _OPERATORS:
            return OPERATIONS[_OPERATORS[ufunc.__name__]](*inputs)  # array + tensor
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        raise MisuseError(numpy_call(name, in_place="out" in options))

    def __array_function__(self, function: Callable, kinds: Any, args: tuple, options: dict) -> Any:
        if function in (np.shape, np.ndim, np.size) and args == (self,) and not options:
            return getattr(self, function.__name__)
        raise MisuseError(numpy_call(function.__name__))

    def __dlpack__(self: Any, **options: Any) -> Any:
        """The array for another library, which shares its memory if it may be written; else a copy."""
        if self.requires_grad:
            raise MisuseError("a Tensor that requires gradients is not handed to another library; write x.detach()")
        data = self._readable()
        try:
            return data.__dlpack__(**options)
        except BufferError:  # read-only, which not every consumer can be told
            return data.copy().__dlpack__(**options)

    def __dlpack_device__(self: Any) -> tuple[int, int]:
        return self._data.__dlpack_device__()

    def __setitem__(self, index: Any, value: Any) -> None:
        raise MisuseError(NO_ITEM)


class _Absent:
    """An attribute that PyTorch's tensors have: asked of a Tensor, it says what to write."""

    def __init__(self, name: str, instead: str) -> None:
        self._refusal = f"a Tensor has no {name}; write {instead}"

    def __get__(self, tensor: Any, kind: type | None = None) -> Any:
        if tensor is None:
            return self
        raise MisuseError(self._refusal)

    def __set__(self, tensor: Any, value: Any) -> None:
        raise MisuseError(self._refusal)


for _names, _instead in _PYTORCH.items():
    for _name in _names.split():
        setattr(Foreign, _name, _Absent(_name, _instead))


def numpy_call(name: str, in_place: bool = False) -> str:
    """What to say of a function of NumPy's that is called with a Tensor."""
    if in_place:
        return f"np.{name} writes a Tensor into a NumPy array (as += does); write array = array + tensor"
    ours = _NUMPY.get(name, name)
    hint = f"minivae.{ours}(...)" if ours in OPERATIONS else "minivae's operations, or x.numpy() for a constant"
    return f"{'np.' * hasattr(np, name)}{name} of a Tensor; write {hint}"
