"""The paper's two families, which its encoders and decoders have for outputs (App. C), and their divergences.

The Gaussian with diagonal covariance is q(z|x), p(z) and, of real data, p(x|z); the Bernoulli is p(x|z) of bits.
"""

from __future__ import annotations

import math
from typing import Any

from .. import backend
from ..autodiff import (
    Tensor,
    as_tensor,
    astype,
    broadcast_to,
    constant_like,
    exp,
    expm1,
    less,
    sigmoid,
    softplus,
    square,
    standard_normal,
    sum,
    uniform,
)
from ..checks import instance, positive_integer
from ..errors import InputError
from .distribution import Distribution, parameter, register_kl

LOG_2PI = math.log(2 * math.pi)


class Normal(Distribution):
    """N(mean, diag(exp(log_var))): the paper's Eq. 9 and 12.

    Args:
        mean: mu, ``(..., event)``.
        log_var: log sigma^2, of a shape that broadcasts to that of ``mean``, or a number.

    Raises:
        InputError: the shape of ``log_var`` does not broadcast to that of ``mean``.
    """

    def __init__(self, mean: Any, log_var: Any) -> None:
        self.mean = self.like = parameter("mean", mean)
        self.log_var = as_tensor(log_var, self.mean, "log_var")
        self.shape = self.mean.shape
        _check_broadcasts(self.log_var.shape, self.mean.shape)

    @property
    def stddev(self) -> Tensor:
        """sigma = exp(log_var / 2)."""
        return exp(self.log_var * 0.5)

    def draw_noise(self, generator: backend.Generator, lead: tuple[int, ...] = ()) -> Tensor:
        """epsilon from N(0, I), of shape ``(*lead, *mean.shape)``."""
        return standard_normal(generator, self._shape_of_draws(lead), self.mean.dtype)

    def transform(self, noise: Any) -> Tensor:
        """mu + sigma * epsilon (section 2.4, and below Eq. 10)."""
        return self.mean + self.stddev * self._as_noise(noise)

    def log_prob(self, x: Any) -> Tensor:
        """-1/2 sum (log 2 pi + log sigma^2 + (x - mu)^2 / sigma^2), over the last axis."""
        squares = square(self._as_data(x) - self.mean) * exp(-self.log_var)
        return sum(deviance(squares, self.log_var), axis=-1) * -0.5

    def sample_with_log_prob(self, source: Any, n: int | None = None) -> tuple[Tensor, Tensor]:
        """A draw and its log_prob by its noise: beside a large mean a small sigma has no digits left in the draw."""
        noise = self._as_noise(self._noise(source, n))
        elements = deviance(square(noise), broadcast_to(self.log_var, self.mean.shape))
        return self.transform(noise), sum(elements, axis=-1) * -0.5

    def entropy(self) -> Tensor:
        """1/2 sum (1 + log 2 pi + log sigma^2) (App. B, with its sign turned)."""
        return sum(broadcast_to(self.log_var, self.mean.shape) + (1 + LOG_2PI), axis=-1) * 0.5


class StandardNormal(Normal):
    """N(0, I): the prior over z of section 3.

    Args:
        size: the length of the event axis.
        like: a tensor whose dtype and backend it takes.
    """

    def __init__(self, size: int, like: Tensor) -> None:
        size = positive_integer("size", size)
        instance("like", like, Tensor, "a Tensor")
        zeros = constant_like(like, 0.0, (size,))
        super().__init__(zeros, zeros)

    def log_prob(self, x: Any) -> Tensor:
        """-1/2 sum (log 2 pi + x^2), over the last axis."""
        return sum(deviance(square(self._as_data(x))), axis=-1) * -0.5


def deviance(squares: Tensor, log_var: Tensor | float = 0.0) -> Tensor:
    """-2 log N of each element, z^2 + log sigma^2 + log 2 pi, given z^2 = (x - mu)^2 / sigma^2.

    Who sums it multiplies by -1/2 afterwards: one pass over all elements less.
    """
    return squares + log_var + LOG_2PI


def _check_broadcasts(log_var: tuple[int, ...], mean: tuple[int, ...]) -> None:
    # A larger log_var would share the noise of one element of the mean among several.
    tail = mean[len(mean) - len(log_var) :]
    if len(log_var) > len(mean) or any(n not in (1, m) for n, m in zip(log_var, tail, strict=True)):
        raise InputError(f"log_var has shape {log_var}; expected one that broadcasts to that of mean, {mean}")


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
    return square(q.mean) + excess(q.log_var)


def _twice(q: Normal, p: Normal) -> Tensor:
    return square(q.mean - p.mean) * exp(-p.log_var) + excess(q.log_var - p.log_var)


def excess(log_ratio: Tensor) -> Tensor:
    """r - log r - 1 for a ratio of variances; expm1 keeps the digits of small divergences."""
    return expm1(log_ratio) - log_ratio


class Bernoulli(Distribution):
    """Independent bits with p(x_i = 1) = sigmoid(logits_i): the paper's Eq. 11.

    Parameters are logits, never probabilities, so that log p stays exact where a
    probability would round to 0 or 1. Grey values in [0, 1] are accepted as data:
    their log_prob is the expected one over bits drawn with those probabilities.

    Args:
        logits: log p / (1 - p), ``(..., event)``.
    """

    discrete = True

    def __init__(self, logits: Any) -> None:
        self.logits = self.like = parameter("logits", logits)
        self.shape = self.logits.shape

    @property
    def mean(self) -> Tensor:
        """The probabilities y = sigmoid(logits)."""
        return sigmoid(self.logits)

    def draw_noise(self, generator: backend.Generator, lead: tuple[int, ...] = ()) -> Tensor:
        """Uniform noise on [0, 1), of shape ``(*lead, *logits.shape)``."""
        return uniform(generator, self._shape_of_draws(lead), self.logits.dtype)

    def transform(self, noise: Any) -> Tensor:
        """1 where the noise is below p, else 0: a step, so no gradient flows through."""
        return astype(less(self._as_noise(noise), self.mean), self.logits.dtype)

    def log_prob(self, x: Any) -> Tensor:
        """sum x log y + (1 - x) log(1 - y) = sum x logits - softplus(logits), over the last axis."""
        return sum(self._as_data(x) * self.logits - softplus(self.logits), axis=-1)

    def entropy(self) -> Tensor:
        """sum softplus(logits) - y logits, over the last axis."""
        return sum(softplus(self.logits) - self.mean * self.logits, axis=-1)


@register_kl(Bernoulli, Bernoulli)
def _bernoulli_bernoulli(q: Bernoulli, p: Bernoulli) -> Tensor:
    """sum y_q (logit_q - logit_p) - softplus(logit_q) + softplus(logit_p)."""
    return sum(q.mean * (q.logits - p.logits) - softplus(q.logits) + softplus(p.logits), axis=-1)
