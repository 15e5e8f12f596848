"""The maximum mean discrepancy: how far two sets of draws are apart, by a kernel.

    MMD^2(P, Q) = E k(x, x') + E k(y, y') - 2 E k(x, y),    x, x' from P, y, y' from Q

Gretton et al. 2012, "A kernel two-sample test", Eq. 3: the U-statistic, which has no bias
and may be below 0. It leaves out the pairs of a draw with itself, and no others.
"""

from __future__ import annotations

from typing import Any

from ..autodiff import Tensor, constant_like, exp, sum
from ..autodiff.shape import shaped
from ..checks import function
from ..errors import InputError
from .pairs import Kernel, sum_over_pairs, values_of

# Of the inverse multiquadratic kernels: Tolstikhin et al. 2018, App., as in the authors' code.
SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


def rbf(squared: Tensor, dim: int) -> Tensor:
    """exp(-|x - y|^2 / d^2), of the InfoVAE's authors: exp(-mean_k (x_k - y_k)^2 / d) in their code.

    The code is S. Zhao's MMD-Variational-Autoencoder (mmd_vae.py, compute_kernel); the equations of Zhao et
    al. 2019 name no width. Of N(0, I) in d dimensions E |x - y|^2 is 2d: the larger d, the wider this kernel.
    """
    return exp(squared * (-1 / dim**2))


def imq(squared: Tensor, dim: int) -> Tensor:
    """sum_s C_s / (C_s + |x - y|^2), C_s = 2 d s: inverse multiquadratics of seven scales (Tolstikhin et al. 2018)."""
    terms = [2 * dim * scale / (squared + 2 * dim * scale) for scale in SCALES]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


KERNELS: dict[str, Kernel] = {"rbf": rbf, "imq": imq}


def mmd(x: Any, y: Any, kernel: Kernel = rbf) -> Tensor:
    """The U-statistic of MMD^2 between draws ``(N, d)`` and ``(M, d)``, 0-d; it has no unit.

    Memory is linear in N and M (:mod:`.pairs`), time is as their squares; of a kernel with parameters, or
    with variables of its own in a recorded step, memory is as the squares, too.

    Args:
        x, y: the draws; one side of a pair may be as long as the other or not.
        kernel: one of ``KERNELS``, a function of squared distances and of d; at distance 0 it is
            taken to be the same for every pair.

    Raises:
        InputError: a side has fewer than 2 draws, or the lengths of the vectors differ or are 0.
    """
    x = shaped("x", x, None, None, None)
    y = shaped("y", y, x, None, None)
    (n, d), (m, other) = x.shape, y.shape
    if min(n, m) < 2 or d != other or not d:
        raise InputError(f"x has shape {x.shape}, y {y.shape}; expected at least 2 draws each, of one length above 0")
    function("kernel", kernel)
    return _within(x, kernel) + _within(y, kernel) - sum_over_pairs(x, y, kernel) * (2 / (n * m))


def _within(x: Tensor, kernel: Kernel) -> Tensor:
    """The mean of k over pairs of two different draws: the n pairs of a draw with itself are at distance 0."""
    n, d = x.shape
    of_itself = sum(values_of(kernel, constant_like(x, 0.0, (n,)), d))
    return (sum_over_pairs(x, x, kernel) - of_itself) * (1 / (n * (n - 1)))
