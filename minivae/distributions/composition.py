"""Section 2.4, approach (3): families drawn by transforming variables of other families.

The paper names Log-Normal, Gamma, Dirichlet, Beta, Chi-squared and F. (Gamma and
Chi-squared are in ``gamma.py``.)
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from ..autodiff import (
    Tensor,
    broadcast_to,
    digamma,
    exp,
    gammaln,
    greater,
    less_equal,
    log,
    log1p,
    sigmoid,
    softmax,
    square,
    standard_normal,
    sum,
    uniform,
    where,
)
from ..backend import Generator
from .distribution import Distribution, kl, parameter, register_kl
from .elementwise import Elementwise, Positive, inside_unit
from .paper import LOG_2PI, Normal, deviance
from .special import log_gammaincinv


class LogNormal(Positive, Elementwise):
    """exp of a Gaussian variable.

    Args:
        loc: the mean of log x, ``(..., event)``.
        log_var: the logarithm of the variance of log x.
    """

    loc: Tensor
    log_var: Tensor

    def __init__(self, loc: Any, log_var: Any) -> None:
        super().__init__(loc=loc, log_var=log_var)

    def draw_noise(self, generator: Generator, lead: tuple[int, ...] = ()) -> Tensor:
        """epsilon from N(0, I), of shape ``(*lead, *batch, event)``."""
        return standard_normal(generator, self._shape_of_draws(lead), self.like.dtype)

    def transform(self, noise: Any) -> Tensor:
        """e^(mu + sigma * epsilon)."""
        return exp(self.loc + exp(self.log_var * 0.5) * self._as_noise(noise))

    def log_density(self, x: Tensor) -> Tensor:
        """log N(log x; mu, sigma^2) - log x."""
        t = log(x)
        return deviance(square(t - self.loc) * exp(-self.log_var), self.log_var) * -0.5 - t

    def element_mean(self) -> Tensor:
        """e^(mu + sigma^2 / 2)."""
        return exp(self.loc + exp(self.log_var) * 0.5)

    def element_entropy(self) -> Tensor:
        """mu + 1/2 (1 + log 2 pi + log sigma^2)."""
        return self.loc + (self.log_var + (1 + LOG_2PI)) * 0.5


@register_kl(LogNormal, LogNormal)
def _log_normal(q: LogNormal, p: LogNormal) -> Tensor:
    """That of the two Gaussians: an invertible map of x changes no divergence."""
    return kl(*(Normal(broadcast_to(x.loc, x.shape), x.log_var) for x in (q, p)))


class TwoGammas(ABC):
    """Beside :class:`Elementwise`: families drawn as a function of the ratio of two Gamma variables, of shapes a and b.

    The ratio is taken between logarithms: for small shapes the variables themselves are
    too small for floating-point numbers.
    """

    shape: tuple[int, ...]
    _as_noise: Callable[[Any], Tensor]

    @abstractmethod
    def shapes(self) -> tuple[Tensor, Tensor]:
        """a and b."""

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """Uniform noise, a number for each variable: ``(*batch, event, 2)``."""
        return (*self.shape, 2)

    def log_ratio(self, noise: Any) -> Tensor:
        """log of Gamma(a, 1) / Gamma(b, 1)."""
        u = inside_unit(self._as_noise(noise))
        a, b = self.shapes()
        return log_gammaincinv(a, u[..., 0]) - log_gammaincinv(b, u[..., 1])


class Beta(TwoGammas, Elementwise):
    """Beta(alpha, beta): p(x) proportional to x^(alpha - 1) (1 - x)^(beta - 1) for 0 < x < 1.

    Drawn as g / (g + h) with g from Gamma(alpha, 1) and h from Gamma(beta, 1). A sample
    nearer to 0 or 1 than the smallest floating-point numbers becomes 0 or 1.

    Args:
        log_alpha, log_beta: the logarithms of the two shapes, ``(..., event)``.
    """

    log_alpha: Tensor
    log_beta: Tensor

    inner = 0.5

    def __init__(self, log_alpha: Any, log_beta: Any) -> None:
        super().__init__(log_alpha=log_alpha, log_beta=log_beta)

    def shapes(self) -> tuple[Tensor, Tensor]:
        """alpha and beta."""
        return exp(self.log_alpha), exp(self.log_beta)

    def transform(self, noise: Any) -> Tensor:
        """g / (g + h) = sigmoid(log(g / h))."""
        return sigmoid(self.log_ratio(noise))

    def outside(self, x: Tensor) -> Tensor:
        """x <= 0 or x >= 1."""
        return less_equal(x * (1 - x), 0.0)

    def log_density(self, x: Tensor) -> Tensor:
        """(alpha - 1) log x + (beta - 1) log(1 - x) - log B(alpha, beta)."""
        a, b = self.shapes()
        return (a - 1) * log(x) + (b - 1) * log1p(-x) - betaln(a, b)

    def element_mean(self) -> Tensor:
        """alpha / (alpha + beta)."""
        return sigmoid(self.log_alpha - self.log_beta)

    def element_entropy(self) -> Tensor:
        """log B(alpha, beta) - (alpha - 1) psi(alpha) - (beta - 1) psi(beta) + (alpha + beta - 2) psi(alpha + beta)."""
        a, b = self.shapes()
        return betaln(a, b) - (a - 1) * digamma(a) - (b - 1) * digamma(b) + (a + b - 2) * digamma(a + b)


@register_kl(Beta, Beta)
def _beta(q: Beta, p: Beta) -> Tensor:
    """sum log B(a', b') - log B(a, b) + (a - a') psi(a) + (b - b') psi(b) - (a - a' + b - b') psi(a + b)."""
    (a, b), (c, d) = q.shapes(), p.shapes()
    slopes = (a - c) * digamma(a) + (b - d) * digamma(b) - (a - c + b - d) * digamma(a + b)
    return sum(betaln(c, d) - betaln(a, b) + slopes, axis=-1)


class FisherF(Positive, TwoGammas, Elementwise):
    """F(df1, df2): the ratio of two Chi-squared variables, each over its degrees of freedom.

    Args:
        log_df1, log_df2: the logarithms of the degrees of freedom above and below,
            ``(..., event)``. For df2 up to 2 the mean is infinite.
    """

    log_df1: Tensor
    log_df2: Tensor

    def __init__(self, log_df1: Any, log_df2: Any) -> None:
        super().__init__(log_df1=log_df1, log_df2=log_df2)

    def shapes(self) -> tuple[Tensor, Tensor]:
        """df1 / 2 and df2 / 2: Chi-squared(df) is 2 Gamma(df / 2, 1)."""
        return exp(self.log_df1) * 0.5, exp(self.log_df2) * 0.5

    def transform(self, noise: Any) -> Tensor:
        """(g / df1) / (h / df2)."""
        return exp(self.log_ratio(noise) + self.log_df2 - self.log_df1)

    def log_density(self, x: Tensor) -> Tensor:
        """a log(r x) - log x - (a + b) log(1 + r x) - log B(a, b), r = df1 / df2, a = df1 / 2, b = df2 / 2."""
        a, b = self.shapes()
        t = log(x)
        log_rx = t + self.log_df1 - self.log_df2
        return a * log_rx - t - (a + b) * log1p(exp(log_rx)) - betaln(a, b)

    def element_mean(self) -> Tensor:
        """df2 / (df2 - 2)."""
        _, b = self.shapes()
        finite = greater(b, 1.0)
        return where(finite, 1 + 1 / where(finite, b - 1, 1.0), math.inf)

    def element_entropy(self) -> Tensor:
        """log(B(a, b) / r) + (1 - a) psi(a) - (1 + b) psi(b) + (a + b) psi(a + b)."""
        a, b = self.shapes()
        scale = self.log_df2 - self.log_df1 + betaln(a, b)
        return scale + (1 - a) * digamma(a) - (1 + b) * digamma(b) + (a + b) * digamma(a + b)


class Dirichlet(Distribution):
    """Dirichlet(concentration): p(x) proportional to the product of x_i^(a_i - 1), for x >= 0 with sum 1.

    Drawn as Gamma variables of shapes a_i over their sum. The event is the whole vector x.

    Args:
        log_concentration: the logarithms of a, ``(..., event)``.
    """

    def __init__(self, log_concentration: Any) -> None:
        self.log_concentration = self.like = parameter("log_concentration", log_concentration)
        self.shape = self.log_concentration.shape

    @property
    def concentration(self) -> Tensor:
        """a = exp(log_concentration)."""
        return exp(self.log_concentration)

    @property
    def mean(self) -> Tensor:
        """a over its sum."""
        return softmax(self.log_concentration)

    def draw_noise(self, generator: Generator, lead: tuple[int, ...] = ()) -> Tensor:
        """Uniform noise on [0, 1), of shape ``(*lead, *batch, event)``."""
        return uniform(generator, self._shape_of_draws(lead), self.log_concentration.dtype)

    def transform(self, noise: Any) -> Tensor:
        """g_i / sum of g, from log g, as small g are no floating-point numbers."""
        return softmax(log_gammaincinv(self.concentration, inside_unit(self._as_noise(noise))))

    def log_prob(self, x: Any) -> Tensor:
        """sum (a_i - 1) log x_i + log Gamma(sum a_i) - sum log Gamma(a_i); -inf where an x_i is not above 0.

        That x sums to 1 is not checked.
        """
        x = self._as_data(x)
        outside = less_equal(x, 0.0)
        terms = (self.concentration - 1) * log(where(outside, 1.0, x))
        return sum(where(outside, -math.inf, terms), axis=-1) - self.log_normalizer()

    def entropy(self) -> Tensor:
        """log B(a) - sum (a_i - 1) (psi(a_i) - psi(sum a))."""
        a = self.concentration
        return self.log_normalizer() - sum((a - 1) * (digamma(a) - digamma(sum(a, -1, keepdims=True))), axis=-1)

    def log_normalizer(self) -> Tensor:
        """log B(a) = sum log Gamma(a_i) - log Gamma(sum a_i)."""
        a = self.concentration
        return sum(gammaln(a), axis=-1) - gammaln(sum(a, axis=-1))


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(q: Dirichlet, p: Dirichlet) -> Tensor:
    """log B(a') - log B(a) + sum (a_i - a'_i) (psi(a_i) - psi(sum a))."""
    a, b = q.concentration, p.concentration
    slopes = (a - b) * (digamma(a) - digamma(sum(a, -1, keepdims=True)))
    return p.log_normalizer() - q.log_normalizer() + sum(slopes, axis=-1)


def betaln(a: Tensor, b: Tensor) -> Tensor:
    """log B(a, b) = log Gamma(a) + log Gamma(b) - log Gamma(a + b)."""
    return gammaln(a) + gammaln(b) - gammaln(a + b)
