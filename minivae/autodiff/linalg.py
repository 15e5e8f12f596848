"""Matrix products. Those over any axes are in :mod:`.contractions`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import InputError
from .primitives import operation
from .shape import as_tensors, expand_dims, flatten, reshape, shorter_axis_last, squeeze, swapaxes
from .tape import as_tensor, primitive
from .tensor import Tensor


def _product(xp: Any, a: Any, b: Any, out: Any = None) -> Any:
    return xp.matmul(a, b, out=out) if out is not None else _new_product(xp, a, b)


# The flags are no evidence in a product: BLAS kernels compute on lanes that they drop, and whatever lies in those may
# raise "invalid" or "divide" while every element is right (numpy issues 13173 and 24067). A NaN shows in the result.
@np.errstate(invalid="ignore", divide="ignore")
def _new_product(xp: Any, a: Any, b: Any) -> Any:
    out = shorter_axis_last(xp, (a.shape[0], b.shape[1]), xp.result_type(a, b)) if a.ndim == b.ndim == 2 else None
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
    if b.ndim == 2 and a.ndim > 2 and a.shape[-1] == b.shape[0]:
        return _as_rows(a, lambda rows: _matmul(rows, b))
    return _matmul(a, b)


def _as_rows(x: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
    """f of all rows of ``x`` as one matrix: one large product, also when ``x`` has many leading axes."""
    if x.ndim == 2:
        return f(x)
    y = f(reshape(x, (math.prod(x.shape[:-1]), x.shape[-1])))
    return reshape(y, (*x.shape[:-1], y.shape[-1]))


@operation
def linear(x: Any, weight: Any, bias: Any = None) -> Tensor:
    """x W + b: the affine map of a layer; x W without a bias.

    Args:
        x: ``(..., inputs)``.
        weight: ``(inputs, outputs)``, so that rows of ``x`` are data points.
        bias: ``(outputs,)``.

    Raises:
        InputError: the shapes do not go together.
    """
    names = ("x", "weight", "bias")[: 2 if bias is None else 3]
    x, weight, *biases = inputs = as_tensors((x, weight) if bias is None else (x, weight, bias), names)
    for name, part in zip(names, inputs, strict=True):
        if type(part._data) is not type(x._data):
            as_tensor(part, x, name)  # says that it is in another backend
    if (
        not x.ndim
        or weight.ndim != 2
        or x.shape[-1] != weight.shape[0]
        or any(weight.shape[1:] != b.shape for b in biases)
    ):
        shapes = " and ".join(f"{name} has shape {part.shape}" for name, part in zip(names, inputs, strict=True))
        raise InputError(f"{shapes}; expected (..., inputs), (inputs, outputs) and (outputs,)")
    return _as_rows(x, lambda rows: _matmul(rows, weight) + biases[0] if biases else _matmul(rows, weight))


@operation
def outer(a: Any, b: Any) -> Tensor:
    """Each element of ``a`` times each of ``b``: a matrix, with the elements of either in a row."""
    a, b = as_tensors((a, b), ("a", "b"))
    return expand_dims(flatten(a), 1) * flatten(b)
