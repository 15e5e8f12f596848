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
BY_DIMENSION: dict[tuple[type, type], Callable] = {}  # of families of independent dimensions: what KL_PAIRS sums


def register_kl(q: type, p: type, *, by_dimension: bool = False) -> Callable:
    """A decorator: the function below computes KL(q || p) for these two families, or each dimension's.

    Raises:
        InputError: one of them is no family of distributions.
    """
    for name, family in (("q", q), ("p", p)):
        if not (isinstance(family, type) and issubclass(family, Distribution)):
            raise InputError(f"{name} is {shown(family)}; expected a class of distributions")

    def register(function: Callable) -> Callable:
        (BY_DIMENSION if by_dimension else KL_PAIRS)[q, p] = function
        return function

    return register


def kl(q: Distribution, p: Distribution) -> Tensor:
    """KL(q || p) = E_q[log q - log p] in nats, summed over the event axis.

    The rule of the nearest pair of families among the bases of ``q`` and ``p`` is used.

    Raises:
        InputError: no closed form is known for the pair; estimate it with samples. One of them is a point.
            Or the events are not of one length.
    """
    if rule := _rule(KL_PAIRS, q, p):
        return rule(q, p)
    raise InputError(
        f"no closed-form KL is known for {_pair(q, p)}; expected a pair of KL_PAIRS, or estimator A, without one"
    )


def kl_by_dimension(q: Distribution, p: Distribution) -> Tensor:
    """The parts of :func:`kl` that independent dimensions have, ``(..., d)``; a categorical's variable is one.

    Raises:
        InputError: no such parts are known for the pair. Or the events are not of one length.
    """
    if rule := _rule(BY_DIMENSION, q, p):
        return rule(q, p)
    raise InputError(f"no KL by dimension is known for {_pair(q, p)}; expected a pair of BY_DIMENSION")


def _rule(rules: dict[tuple[type, type], Callable], q: Distribution, p: Distribution) -> Callable | None:
    """That of the nearest pair of families among the bases."""
    for name, value in (("q", q), ("p", p)):
        instance(name, value, Distribution, "a Distribution")
    if q.shape[-1:] != p.shape[-1:] and q.shape and p.shape:
        raise InputError(f"q is over {q.shape} and p over {p.shape}; expected events of one length")
    pairs = ((q_family, p_family) for q_family in type(q).__mro__ for p_family in type(p).__mro__)
    if rule := next((rules[pair] for pair in pairs if pair in rules), None):
        return rule
    if isinstance(q, Delta) or isinstance(p, Delta):
        raise InputError(f"there is no KL for {_pair(q, p)}: a point has no density; expected two densities")
    return None


def _pair(q: Distribution, p: Distribution) -> str:
    return f"q a {type(q).__name__}, p a {type(p).__name__}"


@register_kl(Normal, StandardNormal)
def _normal_standard(q: Normal, p: StandardNormal) -> Tensor:
    """-1/2 sum (1 + log sigma^2 - mu^2 - sigma^2): App. B."""
    return sum(_twice_standard(q), axis=-1) * 0.5


@register_kl(Normal, Normal)
def _normal_normal(q: Normal, p: Normal) -> Tensor:
    """1/2 sum (log s_p^2 - log s_q^2 + (s_q^2 + (mu_q - mu_p)^2) / s_p^2 - 1)."""
    return sum(_twice(q, p), axis=-1) * 0.5


@register_kl(Normal, StandardNormal, by_dimension=True)
def _normal_standard_parts(q: Normal, p: StandardNormal) -> Tensor:
    """What App. B sums."""
    return _twice_standard(q) * 0.5


@register_kl(Normal, Normal, by_dimension=True)
def _normal_normal_parts(q: Normal, p: Normal) -> Tensor:
    """What the divergence of two Gaussians sums."""
    return _twice(q, p) * 0.5


def _twice_standard(q: Normal) -> Tensor:
    return square(q.mean) + _excess(q.log_var)


def _twice(q: Normal, p: Normal) -> Tensor:
    return square(q.mean - p.mean) * exp(-p.log_var) + _excess(q.log_var - p.log_var)


def _excess(log_ratio: Tensor) -> Tensor:
    """r - log r - 1 for a ratio of variances; expm1 keeps the digits of small divergences."""
    return expm1(log_ratio) - log_ratio


@register_kl(Bernoulli, Bernoulli)
def _bernoulli_bernoulli(q: Bernoulli, p: Bernoulli) -> Tensor:
    """sum y_q (logit_q - logit_p) - softplus(logit_q) + softplus(logit_p)."""
    return sum(q.mean * (q.logits - p.logits) - softplus(q.logits) + softplus(p.logits), axis=-1)
