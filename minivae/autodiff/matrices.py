"""Parts of matrices: diagonals and triangles."""

from __future__ import annotations

from typing import Any

from ..checks import axes_in_order
from ..errors import InputError
from .creation import diagonal_number, tri
from .elementwise import where
from .indexing import getitem, scatter
from .primitives import operation
from .shape import moveaxis, reshape, sum
from .tape import as_tensor
from .tensor import Tensor

# --------------------------------------------------------------- diagonals


def _along_diagonal(n: int, k: int) -> slice:
    """Where diagonal ``k`` of a matrix with ``n`` columns lies among its elements in a row, cut off at their end."""
    return slice(k if k >= 0 else -k * n, max(n - k, 0) * n, n + 1)


@operation
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The elements of ``x`` with equal positions on two axes, or ``offset`` apart, along a new last axis.

    Args:
        x: a tensor of two axes or more.
        offset: which diagonal: 0 for the main one, above 0 for those above it.
        axis1, axis2: the axes of rows and columns.
    """
    x, offset = as_tensor(x), diagonal_number("offset", offset)
    if x.ndim < 2:
        raise InputError(f"x has shape {x.shape}; expected two axes or more")
    x = moveaxis(x, axes_in_order((axis1, axis2), x.ndim, "(axis1, axis2)"), (-2, -1))
    *batch, m, n = x.shape
    return getitem(reshape(x, (*batch, m * n)), (..., _along_diagonal(n, offset)))


@operation
def diag(x: Any, k: int = 0) -> Tensor:
    """Diagonal ``k`` of a matrix; of a vector the matrix that has it there, and zeros elsewhere."""
    x, k = as_tensor(x), diagonal_number("k", k)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise InputError(f"x has shape {x.shape}; expected a vector or a matrix")
    n = x.size + abs(k)
    return reshape(scatter(x, _along_diagonal(n, k), (n * n,)), (n, n))


@operation
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sum of a diagonal. See :func:`diagonal`."""
    return sum(diagonal(x, offset, axis1, axis2), -1)


# --------------------------------------------------------------- triangles


@operation
def tril(x: Any, k: int = 0) -> Tensor:
    """Matrices ``(..., m, n)`` with zeros above diagonal ``k``."""
    x = _matrices(x)
    return where(tri(*x.shape[-2:], k, bool, like=x), x, 0)


@operation
def triu(x: Any, k: int = 0) -> Tensor:
    """Matrices ``(..., m, n)`` with zeros below diagonal ``k``."""
    x = _matrices(x)
    return where(tri(*x.shape[-2:], diagonal_number("k", k) - 1, bool, like=x), 0, x)


def _matrices(x: Any) -> Tensor:
    x = as_tensor(x)
    if x.ndim < 2:
        raise InputError(f"x has shape {x.shape}; expected matrices, (..., m, n)")
    return x
