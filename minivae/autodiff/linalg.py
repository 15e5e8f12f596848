"""Matrix products."""

from __future__ import annotations

import math
from typing import Any

from ..errors import InputError
from .shape import as_tensors, expand_dims, reshape, squeeze, sum, swapaxes
from .tensor import Tensor, apply, primitive

_matmul = primitive(
    "matmul",
    "the matrix product over the last two axes, batched over the others",
    lambda xp, a, b, out=None: xp.matmul(a, b, out=out),
    lambda g, y, a, b: _matmul(g, swapaxes(b, -1, -2)),
    lambda g, y, a, b: _matmul(swapaxes(a, -1, -2), g),
    broadcasts=True,
)


def matmul(a: Any, b: Any) -> Tensor:
    """The matrix product ``a @ b``; leading axes are batches and broadcast, vectors are promoted.

    Raises:
        InputError: an operand is 0-d, or the inner lengths differ.
    """
    a, b = as_tensors((a, b))
    if not a.ndim or not b.ndim:
        raise InputError(f"matmul of shapes {a.shape} and {b.shape}; expected at least one axis each")
    if a.ndim == 1:
        return squeeze(matmul(expand_dims(a, 0), b), -2 if b.ndim > 1 else 0)
    if b.ndim == 1:
        return squeeze(matmul(a, expand_dims(b, 1)), -1)
    return _matmul(a, b)


def _linear_value(xp: Any, x: Any, weight: Any, bias: Any, out: Any = None) -> Any:
    if weight.ndim != 2 or bias.shape != weight.shape[1:]:
        raise ValueError("expected a weight of shape (inputs, outputs) and a bias of shape (outputs,)")
    # One large product, also when x has many leading axes (samples, batch).
    rows = xp.matmul(xp.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1])), weight)
    xp.add(rows, bias, out=rows)
    return xp.reshape(rows, (*x.shape[:-1], weight.shape[1]))


def _rows(x: Tensor) -> Tensor:
    return x if x.ndim == 2 else reshape(x, math.prod(x.shape[:-1]), x.shape[-1])


_linear = primitive(
    "linear",
    "x W + b over the last axis of x",
    _linear_value,
    lambda g, y, x, weight, bias: reshape(_matmul(_rows(g), swapaxes(weight, 0, 1)), x.shape),
    lambda g, y, x, weight, bias: _matmul(swapaxes(_rows(x), 0, 1), _rows(g)),
    lambda g, y, x, weight, bias: sum(_rows(g), 0),
)


def linear(x: Any, weight: Any, bias: Any) -> Tensor:
    """x W + b: the affine map of a layer, as one operation.

    Args:
        x: ``(..., inputs)``.
        weight: ``(inputs, outputs)``, so that rows of ``x`` are data points.
        bias: ``(outputs,)``.
    """
    return apply(_linear, x, weight, bias)
