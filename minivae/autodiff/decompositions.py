"""Systems of linear equations, and what factors of matrices give: batched over leading axes.

On a GPU the host waits for each of them, to notice a matrix without an inverse, so a compiled step
with one runs call by call there; not for ``solve_triangular``, whose result then is infinite or NaN.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import backend
from ..errors import InputError
from .creation import eye
from .elementwise import stop_gradient
from .linalg import matmul
from .matrices import tril, triu
from .primitives import Primitive, operation
from .shape import as_tensors, expand_dims, squeeze, swapaxes
from .tape import apply, as_tensor, primitive
from .tensor import Tensor

# --------------------------------------------------------------------- rows


def _transposed(x: Tensor) -> Tensor:
    return swapaxes(x, -1, -2)


def _solve_value(xp: Any, a: Any, b: Any, out: Any = None) -> Any:
    a, b = _with_equal_batches(xp, a, b)
    with backend.backend_of(a).linalg_errors():
        return xp.linalg.solve(a, b)


def _solve_triangular_value(xp: Any, a: Any, b: Any, lower: bool, out: Any = None) -> Any:
    a, b = _with_equal_batches(xp, a, b)
    return backend.backend_of(a).solve_triangular(a, b, lower)


def _with_equal_batches(xp: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """The two with the same leading axes: CuPy does not broadcast them."""
    if a.shape[:-2] == b.shape[:-2]:
        return a, b
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return xp.broadcast_to(a, (*batch, *a.shape[-2:])), xp.broadcast_to(b, (*batch, *b.shape[-2:]))


def _cholesky_value(xp: Any, a: Any, out: Any = None) -> Any:
    if not a.size:
        return xp.zeros(a.shape, dtype=a.dtype)  # CuPy (14.2) does not know what to do with it
    with backend.backend_of(a).linalg_errors():
        return xp.linalg.cholesky(a)


def _inv_value(xp: Any, a: Any, out: Any = None) -> Any:
    with backend.backend_of(a).linalg_errors():
        return xp.linalg.inv(a)


def _slogdet_value(xp: Any, a: Any, out: Any = None) -> Any:
    sign, logabsdet = xp.linalg.slogdet(a)
    return xp.stack([sign, logabsdet])


def _triangle(x: Tensor, lower: bool) -> Tensor:
    return tril(x) if lower else triu(x)


def _cholesky_rule(g: Tensor, y: Tensor, a: Tensor) -> Tensor:
    # From A = L L^T: L^-1 dA L^-T = L^-1 dL + (L^-1 dL)^T, whose lower half, the diagonal halved, is L^-1 dL
    # (Murray 2016, arXiv 1602.07527). This is its adjoint, for a dA that is symmetric.
    upper = _transposed(y)
    half = tril(matmul(upper, g)) * (1 - eye(y.shape[-1], like=y) * 0.5)
    left = apply(_solve_triangular, upper, half, lower=False)
    change = apply(_solve_triangular, upper, _transposed(left), lower=False)
    return (change + _transposed(change)) * 0.5


_solve = primitive(
    "solve",
    "the solution X of A X = B",
    _solve_value,
    lambda g, y, a, b: -matmul(apply(_solve, _transposed(a), g), _transposed(y)),
    lambda g, y, a, b: apply(_solve, _transposed(a), g),
    broadcasts=True,
)
_solve_triangular = primitive(
    "solve_triangular",
    "the solution X of A X = B for a triangular A",
    _solve_triangular_value,
    lambda g, y, a, b, lower: _triangle(
        -matmul(apply(_solve_triangular, _transposed(a), g, lower=not lower), _transposed(y)), lower
    ),
    lambda g, y, a, b, lower: apply(_solve_triangular, _transposed(a), g, lower=not lower),
    broadcasts=True,
)
_cholesky = primitive("cholesky", "the lower triangular L with A = L L^T", _cholesky_value, _cholesky_rule)
_inv = primitive(
    "inv",
    "the inverse",
    _inv_value,
    lambda g, y, a: -matmul(matmul(_transposed(y), g), _transposed(y)),
)
_slogdet = primitive(
    "slogdet",
    "the sign of the determinant, and the logarithm of its absolute value",
    _slogdet_value,
    lambda g, y, a: expand_dims(g[1], (-2, -1)) * _transposed(inv(a)),
)


# ---------------------------------------------------------------- functions


@operation
def solve(a: Any, b: Any) -> Tensor:
    """The solution x of a x = b.

    Args:
        a: ``(..., n, n)``.
        b: ``(..., n, k)``, ``k`` right sides; or one, ``(n,)``.

    Raises:
        InputError: the shapes do not go together, or ``a`` is singular.
    """
    return _solved(_solve, a, b)


@operation
def solve_triangular(a: Any, b: Any, lower: bool = False) -> Tensor:
    """The solution x of a x = b for an upper triangular ``a``; for a lower triangular one with ``lower``.

    The other triangle is not read, and gets no gradient.

    Args:
        a: ``(..., n, n)``.
        b: ``(..., n, k)``, ``k`` right sides; or one, ``(n,)``.
        lower: which triangle of ``a`` counts.

    Raises:
        InputError: the shapes do not go together, or ``a`` has a zero on its diagonal.
    """
    return _solved(_solve_triangular, a, b, lower=bool(lower))


@operation
def cholesky(a: Any) -> Tensor:
    """The lower triangular L with L L^T = ``a``, for symmetric positive definite ``a``, ``(..., n, n)``.

    Only the lower triangle of ``a`` is read. The gradient is the symmetric one, as PyTorch's: that for changes
    of ``a`` that keep it symmetric.

    Raises:
        InputError: ``a`` is not square, or not positive definite.
    """
    return _factored(_cholesky, "positive definite", as_tensor(a, name="a"))


@operation
def inv(a: Any) -> Tensor:
    """The inverse of ``a``, ``(..., n, n)``.

    Raises:
        InputError: ``a`` is not square, or singular.
    """
    return _factored(_inv, "with an inverse", as_tensor(a, name="a"))


class SLogDet(NamedTuple):
    """The determinant of a matrix: ``sign * exp(logabsdet)``."""

    sign: Tensor
    logabsdet: Tensor


@operation
def slogdet(a: Any) -> SLogDet:
    """The sign of the determinant of ``a``, ``(..., n, n)``, and the logarithm of its absolute value.

    The sign gets no gradient. Of a singular matrix they are 0 and -inf, without a gradient.

    Raises:
        InputError: ``a`` is not square.
    """
    both = _factored(_slogdet, "", as_tensor(a, name="a"))
    return SLogDet(stop_gradient(both[0]), both[1])


def _solved(row: Primitive, a: Any, b: Any, **attributes: Any) -> Tensor:
    a, b = as_tensors((a, b), ("a", "b"))
    columns = b if b.ndim != 1 else expand_dims(b, 1)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2] or not b.ndim or columns.shape[-2] != a.shape[-1]:
        raise InputError(f"a has shape {a.shape} and b {b.shape}; expected (..., n, n) and (..., n, k) or (n,)")
    x = _factored(row, "with an inverse", a, columns, **attributes)
    return x if columns is b else squeeze(x, -1)


def _factored(row: Primitive, needed: str, a: Tensor, *others: Tensor, **attributes: Any) -> Tensor:
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise InputError(f"a has shape {a.shape}; expected square matrices, (..., n, n)")
    try:
        return apply(row, a, *others, **attributes)
    except InputError as error:
        if not isinstance(error.__cause__, np.linalg.LinAlgError):
            raise
        raise InputError(f"a has shape {a.shape}; expected matrices {needed} ({error.__cause__})") from error
