"""The estimators of the lower bound: Eq. 6, 7 and 8, importance weights, the score function, the weights' prior.

Shapes: L samples of z for each of M data points give terms of shape ``(L, M)``; a bound
is per data point, ``(M,)``, in nats. Each comes with its terms, unweighted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any, NamedTuple

from .autodiff import (
    Tensor,
    add,
    as_tensor,
    exp,
    expm1,
    log1p,
    logsumexp,
    max,
    mean,
    min,
    reshape,
    softmax,
    square,
    stop_gradient,
    sum,
)
from .autodiff.shape import shaped
from .checks import function, instance, number_between, positive_integer, sequence
from .distributions import Distribution
from .distributions.paper import LOG_2PI
from .errors import InputError

LARGEST_ORDER = 1e30  # of a Renyi bound


class Bound(NamedTuple):
    """A lower bound on log p(x) for each data point, ``(M,)``, in nats.

    Attributes:
        value: the bound, reconstruction - kl; an importance-weighted one lies above that.
        reconstruction: E_q[log p(x|z)].
        kl: KL(q(z|x) || p(z)), exact or estimated.
    """

    value: Tensor
    reconstruction: Tensor
    kl: Tensor

    def terms(self) -> dict[str, Tensor]:
        """The averages over the data points, by the names that histories have for them: Eq. 8 divided by N."""
        return {"bound": mean(self.value), "reconstruction": mean(self.reconstruction), "kl": mean(self.kl)}


def sgvb_a(log_likelihood: Tensor, log_prior: Tensor, log_posterior: Tensor) -> Bound:
    """Estimator A, Eq. 6: (1/L) sum_l log p(x, z_l) - log q(z_l | x). Needs no closed form.

    Args:
        log_likelihood: log p(x | z_l), ``(L, M)``.
        log_prior: log p(z_l), ``(L, M)``.
        log_posterior: log q(z_l | x), ``(L, M)``.

    Raises:
        InputError: the shapes are not all one ``(L, M)``.
    """
    log_likelihood, log_prior, log_posterior = _samples(
        log_likelihood=log_likelihood, log_prior=log_prior, log_posterior=log_posterior
    )
    return sgvb_b(log_likelihood, mean(log_posterior - log_prior, axis=0))


def sgvb_b(log_likelihood: Tensor, divergence: Tensor) -> Bound:
    """Estimator B, Eq. 7: -KL(q(z|x) || p(z)) + (1/L) sum_l log p(x | z_l). Its gradient varies less than A's.

    With the divergence of a Gaussian from N(0, I) (App. B, :func:`minivae.distributions.kl`) it is Eq. 10.

    Args:
        log_likelihood: log p(x | z_l), ``(L, M)``.
        divergence: KL(q(z|x) || p(z)), ``(M,)``.

    Raises:
        InputError: the shapes are not ``(L, M)`` and ``(M,)``.
    """
    (log_likelihood,) = _samples(log_likelihood=log_likelihood)
    divergence = shaped("divergence", divergence, log_likelihood, *log_likelihood.shape[1:])
    reconstruction = mean(log_likelihood, axis=0)
    return Bound(reconstruction - divergence, reconstruction, divergence)


def importance_weighted(log_likelihood: Tensor, log_prior: Tensor, log_posterior: Tensor, groups: int = 1) -> Bound:
    """The mean over M groups of log (1/K) sum_k w_k, where log w = log p(x, z) - log q(z|x).

    One group is IWAE's bound (Burda et al. 2016, Eq. 8), several are MIWAE's (Rainforth et
    al. 2018, Eq. 8); K = 1 is estimator A with L = M. The gradient weights each sample by
    its share w_k / sum w, so that the best ones count most.

    Args:
        log_likelihood, log_prior, log_posterior: log p(x|z), log p(z) and log q(z|x) at all
            samples, ``(M K, B)`` for B data points; those of a group follow each other.
        groups: M.

    Raises:
        InputError: shapes differ, or the samples do not make so many equal groups.
    """
    terms = sgvb_a(log_likelihood, log_prior, log_posterior)
    log_w = _by_group(log_likelihood + log_prior - log_posterior, groups)
    return terms._replace(value=mean(logsumexp(log_w, axis=1), axis=0) - math.log(log_w.shape[1]))


def renyi(log_likelihood: Tensor, log_prior: Tensor, log_posterior: Tensor, alpha: float) -> Bound:
    """1/(1 - alpha) log (1/K) sum_k w_k^(1 - alpha), where log w = log p(x, z) - log q(z|x).

    The variational Renyi bound (Li & Turner 2016, Eq. 14). alpha = 0 is IWAE's bound, alpha = 1 the mean of log w,
    estimator A; -1e30 leaves the largest log w (their VR-max), 1e30 the least. It falls as alpha rises, for any draws:
    below 0 it lies above IWAE's, and may lie above log p(x).

    Args:
        log_likelihood, log_prior, log_posterior: log p(x|z), log p(z) and log q(z|x) at all samples, ``(K, M)``.
        alpha: the order, from -1e30 to 1e30: with larger ones float32 has no powers.

    Raises:
        InputError: shapes differ, or ``alpha`` is no such number.
    """
    terms = sgvb_a(log_likelihood, log_prior, log_posterior)
    order = number_between("alpha", alpha, -LARGEST_ORDER, LARGEST_ORDER)
    if order == 1:
        return terms
    log_w = log_likelihood + log_prior - log_posterior
    # Beside the term that is largest: numbers of exp between 0 and 1, and of log(1 + .) none lost near alpha = 1.
    shift, power = stop_gradient((max if order < 1 else min)(log_w, axis=0)), 1 - order
    return terms._replace(value=shift + log1p(mean(expm1((log_w - shift) * power), axis=0)) / power)


def doubly_reparameterized(log_weights: Tensor, groups: int = 1, kl_weight: Tensor | None = None) -> Tensor:
    """A sum for each data point, ``(B,)``, whose gradient by the encoder estimates that of the mean of IWAE's bounds.

        sum_k s_k^2 log w_k,  s_k = w_k / sum w held constant,    in each of M groups, averaged over them

    Tucker, Lawson, Gu & Maddison 2019, "Doubly reparameterized gradient estimators for Monte Carlo objectives",
    Eq. 8: without bias, and its signal-to-noise ratio rises with K where that of the plain gradient falls. What the
    log-density of q itself gives, by the score function, was reparameterized once more. The value means nothing.

    Args:
        log_weights: log w, ``(M K, B)``, in which the parameters of log q(z|x) are constants, so that the encoder
            is reached through z alone; samples of a group follow each other.
        groups: M.
        kl_weight: b, 0-d, for the bound of log w = log p(x|z) + b (log p(z) - log q(z|x)): the factor of log w is
            s (1 - b + b s) then. 1 if None.

    Raises:
        InputError: the samples do not make so many equal groups, or ``kl_weight`` is not 0-d.
    """
    (log_weights,) = _samples(log_weights=log_weights)
    share = reshape(softmax(_by_group(stop_gradient(log_weights), groups), axis=1), *log_weights.shape)
    factor = square(share)
    if kl_weight is not None:
        weight = shaped("kl_weight", kl_weight, log_weights)
        factor = share * (share * weight + (1 - weight))
    return sum(factor * log_weights, axis=0) / groups


def score_function(f: Callable[[Tensor], Tensor], q: Distribution, z: Tensor) -> Tensor:
    """f(z), with the naive gradient of section 2.2: f(z) grad log q(z) for the parameters of q.

    Its mean is the gradient of E_q[f(z)], because grad q = q grad log q. Unlike the path
    through a reparameterized z it asks for no gradient of f by z, so z may be discrete;
    its variance is far higher. The parameters that f itself depends on get the gradient
    of f(z) as well: together they make the gradient of a bound, where f holds log q(z).
    Derivatives of the gradient are unbiased, too (Foerster et al. 2018).

    Args:
        f: values at z, of the shape of ``q.log_prob(z)``, such as log p(x, z) - log q(z|x).
        q: the distribution that z was drawn from.
        z: the draws; how they depend on the parameters of q does not enter.

    Raises:
        InputError: the values of ``f`` have another shape than ``q.log_prob(z)``.
    """
    function("f", f)
    instance("q", q, Distribution, "a Distribution")
    z = stop_gradient(as_tensor(z, name="z"))
    value, log_q = instance("f(z)", f(z), Tensor, "a Tensor"), q.log_prob(z)
    if value.shape != log_q.shape:
        raise InputError(f"f(z) has shape {value.shape}; expected that of q.log_prob(z), {log_q.shape}")
    return value * exp(log_q - stop_gradient(log_q))  # times 1, whose gradient is that of log q


def with_rejections(values: Tensor, log_ratio: Tensor) -> Tensor:
    """The same values f(z), with the part of the gradient of their mean that a path through z does not have.

        grad E[f(z)] = E[grad f(z) + (f(z) - c) grad log r]

    z = h(e), of which e was accepted or rejected with a probability that depends on the parameters: r is the density
    of z over that of the proposal (Naesseth, Ruiz, Linderman & Blei 2017, "Reparameterization gradients through
    acceptance-rejection sampling algorithms", Eq. 6; their g_cor is the second term). c is the mean of all other
    values, which are independent of this one: by E[grad log r] = 0 it changes no mean, and the gradient varies less.

    Args:
        values: f(z), ``(L, M)``, such as log p(x|z).
        log_ratio: log r at the accepted e, ``(L, M)``, as
            :meth:`~minivae.distributions.VonMisesFisher.sample_with_log_ratio` has it.

    Raises:
        InputError: the shapes are not both one ``(L, M)``.
    """
    values, log_ratio = _samples(values=values, log_ratio=log_ratio)
    signal = stop_gradient(values)
    if values.size > 1:
        signal = (signal - mean(signal)) * (values.size / (values.size - 1))  # less the mean of the others
    return values + signal * (log_ratio - stop_gradient(log_ratio))


def weight_log_prior(parameters: Iterable[Tensor]) -> Tensor:
    """log N(theta; 0, I), the prior over the weights of section 5, in nats.

    Over weight matrices only, as in the authors' code: biases are free. Beside a bound
    for the whole data set (Eq. 8) it counts once; beside an average per data point, 1/N.

    Raises:
        InputError: there is no weight matrix among the parameters.
    """
    parameters = sequence("parameters", parameters, "Parameters")
    for i, p in enumerate(parameters):
        instance(f"parameters[{i}]", p, Tensor, "a Tensor")
    terms = [sum(square(weight)) + weight.size * LOG_2PI for weight in parameters if weight.ndim > 1]
    if not terms:
        raise InputError("parameters has no weight matrix; expected at least one")
    return reduce(add, terms) * -0.5


def _by_group(log_weights: Tensor, groups: int) -> Tensor:
    """``(M K, B)`` -> ``(M, K, B)``."""
    samples, points = log_weights.shape
    if samples % positive_integer("groups", groups):
        raise InputError(f"groups is {groups}; expected a divisor of the number of samples, {samples}")
    return reshape(log_weights, groups, samples // groups, points)


def _samples(**terms: Any) -> list[Tensor]:
    """Terms by name as tensors of one shape, (L, M): without the axis of samples, means over it would be over data."""
    (name, first), *others = terms.items()
    first = shaped(name, first, None, None, None, expected="(L, M), samples by data points")
    return [first, *(shaped(name, term, first, *first.shape) for name, term in others)]
