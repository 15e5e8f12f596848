"""Kullback-Leibler divergences in closed form, by pair of families."""

from __future__ import annotations

from collections.abc import Callable

from ..autodiff import Tensor, exp, expm1, softplus, square, sum
from ..checks import instance
from ..errors import InputError, shown
from .bernoulli import Bernoulli
from .delta import Delta
from .distribution import Distribution
from .normal import Normal, StandardNormal

KL_PAIRS: dict[tuple[type, type], Callable] = {}


def register_kl(q: type, p: type) -> Callable:
    """A decorator: the function below computes KL(q || p) for these two families.

    Raises:
        InputError: one of them is no family of distributions.
    """
    for name, family in (("q", q), ("p", p)):
        if not (isinstance(family, type) and issubclass(family, Distribution)):
            raise InputError(f"{name} is {shown(family)}; expected a class of distributions")

    def register(function: Callable) -> Callable:
        KL_PAIRS[q, p] = function
        return function

    return register


def kl(q: Distribution, p: Distribution) -> Tensor:
    """KL(q || p) = E_q[log q - log p] in nats, summed over the event axis.

    The rule of the nearest pair of families among the bases of ``q`` and ``p`` is used.

    Raises:
        InputError: no closed form is known for the pair; estimate it with samples. One of them is a point.
            Or the events are not of one length.
    """
    for name, value in (("q", q), ("p", p)):
        instance(name, value, Distribution, "a Distribution")
    if q.shape[-1:] != p.shape[-1:] and q.shape and p.shape:
        raise InputError(f"q is over {q.shape} and p over {p.shape}; expected events of one length")
    for q_family in type(q).__mro__:
        for p_family in type(p).__mro__:
            if (q_family, p_family) in KL_PAIRS:
                return KL_PAIRS[q_family, p_family](q, p)
    pair = f"q a {type(q).__name__}, p a {type(p).__name__}"
    if isinstance(q, Delta) or isinstance(p, Delta):
        raise InputError(f"there is no KL for {pair}: a point has no density; expected two densities")
    raise InputError(f"no closed-form KL is known for {pair}; expected a pair of KL_PAIRS, or estimator A, without one")


@register_kl(Normal, StandardNormal)
def _normal_standard(q: Normal, p: StandardNormal) -> Tensor:
    """-1/2 sum (1 + log sigma^2 - mu^2 - sigma^2): App. B."""
    return sum(square(q.mean) + _excess(q.log_var), axis=-1) * 0.5


@register_kl(Normal, Normal)
def _normal_normal(q: Normal, p: Normal) -> Tensor:
    """1/2 sum (log s_p^2 - log s_q^2 + (s_q^2 + (mu_q - mu_p)^2) / s_p^2 - 1)."""
    log_ratio = q.log_var - p.log_var
    return sum(square(q.mean - p.mean) * exp(-p.log_var) + _excess(log_ratio), axis=-1) * 0.5


def _excess(log_ratio: Tensor) -> Tensor:
    """r - log r - 1 for a ratio of variances; expm1 keeps the digits of small divergences."""
    return expm1(log_ratio) - log_ratio


@register_kl(Bernoulli, Bernoulli)
def _bernoulli_bernoulli(q: Bernoulli, p: Bernoulli) -> Tensor:
    """sum y_q (logit_q - logit_p) - softplus(logit_q) + softplus(logit_p)."""
    return sum(q.mean * (q.logits - p.logits) - softplus(q.logits) + softplus(p.logits), axis=-1)
