"""The estimators of the lower bound: Eq. 6, 7, 8 and 10, and the prior over the weights.

Shapes: L samples of z for each of M data points give terms of shape ``(L, M)``; a bound
is per data point, ``(M,)``, in nats. Each comes with its parts, unweighted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .autodiff import Tensor, mean, sum
from .distributions import Normal, StandardNormal, kl
from .distributions.normal import LOG_2PI
from .errors import InputError


class Bound(NamedTuple):
    """A lower bound on log p(x) for each data point, ``(M,)``, in nats.

    Attributes:
        value: the bound, reconstruction - kl.
        reconstruction: E_q[log p(x|z)].
        kl: KL(q(z|x) || p(z)), exact or estimated.
    """

    value: Tensor
    reconstruction: Tensor
    kl: Tensor


def sgvb_a(log_likelihood: Tensor, log_prior: Tensor, log_posterior: Tensor) -> Bound:
    """Estimator A, Eq. 6: (1/L) sum_l log p(x, z_l) - log q(z_l | x). Needs no closed form.

    Args:
        log_likelihood: log p(x | z_l), ``(L, M)``.
        log_prior: log p(z_l), ``(L, M)``.
        log_posterior: log q(z_l | x), ``(L, M)``.
    """
    reconstruction = mean(log_likelihood, axis=0)
    divergence = mean(log_posterior - log_prior, axis=0)
    return Bound(reconstruction - divergence, reconstruction, divergence)


def sgvb_b(log_likelihood: Tensor, divergence: Tensor) -> Bound:
    """Estimator B, Eq. 7: -KL(q(z|x) || p(z)) + (1/L) sum_l log p(x | z_l). Less variance than A.

    Args:
        log_likelihood: log p(x | z_l), ``(L, M)``.
        divergence: KL(q(z|x) || p(z)), ``(M,)``.
    """
    reconstruction = mean(log_likelihood, axis=0)
    return Bound(reconstruction - divergence, reconstruction, divergence)


def gaussian_vae(posterior: Normal, log_likelihood: Tensor) -> Bound:
    """Eq. 10: estimator B for a Gaussian posterior under the prior N(0, I).

    1/2 sum_j (1 + log s_j^2 - m_j^2 - s_j^2) + (1/L) sum_l log p(x | z_l)
    """
    return sgvb_b(log_likelihood, kl(posterior, StandardNormal(posterior.mean.shape[-1], posterior.mean)))


def minibatch(values: Tensor, dataset_size: int) -> Tensor:
    """Eq. 8: (N/M) sum over the minibatch, an unbiased estimate of the sum over the data set.

    Args:
        values: a bound per data point of the minibatch, ``(M,)``.
        dataset_size: N.

    Raises:
        InputError: the minibatch is larger than the data set.
    """
    if dataset_size < values.size:
        raise InputError(f"dataset_size is {dataset_size}; expected at least the minibatch's {values.size}")
    return sum(values) * (dataset_size / values.size)


def weight_log_prior(parameters: Iterable[Tensor]) -> Tensor:
    """log N(theta; 0, I), the prior over the weights of section 5, in nats.

    Over weight matrices only, as in the authors' code: biases are free. Beside a bound
    for the whole data set (Eq. 8) it counts once; beside an average per data point, 1/N.
    """
    matrices = [p for p in parameters if p.ndim > 1]
    if not matrices:
        raise InputError("parameters has no weight matrix; expected at least one")
    total = sum(matrices[0] * matrices[0] + LOG_2PI)
    for weight in matrices[1:]:
        total = total + sum(weight * weight + LOG_2PI)
    return total * -0.5
