"""The covariance of codes over the data: what a minibatch says of it, and how far it is from the identity.

    C = (1/M) sum_i (z_i - z_bar) (z_i - z_bar)^T

With 1/M, the covariance of the M points themselves: as an estimate for all data its mean is (M-1)/M of theirs. A
square of one of its elements is too large by that element's variance, about (C_ii C_jj + C_ij^2) / M; docs/family.md
has a table.
"""

from __future__ import annotations

from typing import Any

from ..autodiff import Tensor, expand_dims, eye, matmul, mean, square, sum, swapaxes
from ..autodiff.shape import shaped
from ..errors import InputError


def covariance(z: Any) -> Tensor:
    """C of codes, ``(M, d)`` -> ``(d, d)``, about their mean.

    Raises:
        InputError: there are fewer than 2 rows, which do not vary.
    """
    z = shaped("z", z, None, None, None)
    if len(z) < 2:
        raise InputError(f"z has shape {z.shape}; expected at least 2 rows to vary")
    centred = z - mean(z, axis=0)
    return matmul(swapaxes(centred, 0, 1), centred) * (1 / len(z))


def moments(z: Any) -> tuple[Tensor, Tensor]:
    """Two averages over the rows of codes ``(M, d)``, from which :func:`covariance_of` makes C: z, and z z^T.

    Averages of them over minibatches are those over all data, which C's is not.

    Raises:
        InputError: there is no row.
    """
    z = shaped("z", z, None, None, None)
    if not len(z):
        raise InputError(f"z has shape {z.shape}; expected at least 1 row")
    return mean(z, axis=0), matmul(swapaxes(z, 0, 1), z) * (1 / len(z))


def covariance_of(first: Any, second: Any) -> Tensor:
    """C of the averages of z, ``(d,)``, and of z z^T, ``(d, d)``: digits are lost where the mean is far from 0."""
    first = shaped("first", first, None, None)
    second = shaped("second", second, first, len(first), len(first))
    return second - expand_dims(first, 1) * first


def off_identity(c: Any) -> tuple[Tensor, Tensor]:
    """sum_{i != j} C_ij^2 and sum_i (C_ii - 1)^2 of a covariance ``(d, d)``, each 0-d: both are 0 where C = I."""
    c = shaped("c", c, None, None, None)
    itself = eye(len(shaped("c", c, None, len(c), len(c))), like=c)
    return sum(square(c * (1.0 - itself))), sum(square((c - 1.0) * itself))
