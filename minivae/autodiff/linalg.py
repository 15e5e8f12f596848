"""Matrix products."""

from __future__ import annotations

import math
from typing import Any

from ..errors import InputError
from .primitives import operation
from .shape import as_tensors, expand_dims, reshape, shorter_axis_last, squeeze, swapaxes
from .tape import as_tensor, primitive
from .tensor import Tensor


def _product(xp: Any, a: Any, b: Any, out: Any = None) -> Any:
    if out is None and a.ndim == b.ndim == 2:
        out = shorter_axis_last(xp, (a.shape[0], b.shape[1]), xp.result_type(a, b))
    return xp.matmul(a, b, out=out)


_matmul = primitive(
    "matmul",
    "the matrix product over the last two axes, batched over the others",
    _product,
    lambda g, y, a, b: _matmul(g, swapaxes(b, -1, -2)),
    lambda g, y, a, b: _matmul(swapaxes(a, -1, -2), g),
    kind="product",
    broadcasts=True,
)


@operation
def matmul(a: Any, b: Any) -> Tensor:
    """The matrix product ``a @ b``; leading axes are batches and broadcast, vectors are promoted.

    Raises:
        InputError: an operand is 0-d, or the inner lengths differ.
    """
    a, b = as_tensors((a, b), ("a", "b"))
    if not a.ndim or not b.ndim:
        raise InputError(f"a has shape {a.shape} and b {b.shape}; expected at least one axis each")
    if a.ndim == 1:
        return squeeze(matmul(expand_dims(a, 0), b), -2 if b.ndim > 1 else 0)
    if b.ndim == 1:
        return squeeze(matmul(a, expand_dims(b, 1)), -1)
    return _matmul(a, b)


@operation
def linear(x: Any, weight: Any, bias: Any) -> Tensor:
    """x W + b: the affine map of a layer.

    Args:
        x: ``(..., inputs)``.
        weight: ``(inputs, outputs)``, so that rows of ``x`` are data points.
        bias: ``(outputs,)``.

    Raises:
        InputError: the shapes do not go together.
    """
    x, weight, bias = as_tensors((x, weight, bias), ("x", "weight", "bias"))
    if type(weight._data) is not type(x._data) or type(bias._data) is not type(x._data):
        as_tensor(weight, x, "weight"), as_tensor(bias, x, "bias")  # says which of them is in another library
    if not x.ndim or weight.ndim != 2 or x.shape[-1] != weight.shape[0] or bias.shape != weight.shape[1:]:
        shapes = f"x has shape {x.shape}, weight {weight.shape} and bias {bias.shape}"
        raise InputError(f"{shapes}; expected (..., inputs), (inputs, outputs) and (outputs,)")
    # One large product, also when x has many leading axes (samples, batch).
    rows = x if x.ndim == 2 else reshape(x, math.prod(x.shape[:-1]), x.shape[-1])
    y = _matmul(rows, weight) + bias
    return y if x.ndim == 2 else reshape(y, (*x.shape[:-1], weight.shape[1]))
