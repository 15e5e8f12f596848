"""Tensors of other libraries' arrays, without a copy (the Python array API standard's DLPack)."""

from __future__ import annotations

from typing import Any

from .. import backend
from .tape import tensor
from .tensor import Tensor


def from_dlpack(x: Any) -> Tensor:
    """A constant tensor with the memory of another library's array, on the CPU or on a CUDA device.

    The memory is shared: what the other library writes there later changes the tensor unseen by
    :func:`~minivae.backward`. The other way, ``torch.from_dlpack(tensor)`` and its like share it as well;
    of a tensor that requires gradients they ask ``x.detach()``.

    Args:
        x: an array with ``__dlpack__``, such as a tensor of PyTorch or JAX.

    Raises:
        InputError: it has none, lies elsewhere, or holds no numbers that NumPy has.
        BackendError: it lies on a CUDA device, and CuPy cannot be used.
    """
    return tensor(backend.from_dlpack(x))
