"""Section 2.4, approach (1): families whose inverse distribution function is known.

The paper names Exponential, Cauchy, Logistic, Rayleigh, Pareto, Weibull, Reciprocal,
Gompertz, Gumbel and Erlang. (Logistic, which it names twice, is in ``location_scale.py``,
and Erlang in ``gamma.py``.) Most start from -log(1 - u), which is exponential noise.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autodiff import Tensor, cos, exp, expm1, gammaln, greater, less, log, log1p, sin, sqrt, square, sum, where
from .distribution import register_kl
from .elementwise import Elementwise, InverseCDF, LocationScale, Positive, exponential, outside_interval
from .special import scaled_exp1


class Exponential(InverseCDF, Elementwise):
    """Exponential(rate): p(x) = rate e^(-rate x) for x > 0.

    Args:
        log_rate: the logarithm of the rate, ``(..., event)``.
    """

    log_rate: Tensor

    def __init__(self, log_rate: Any) -> None:
        super().__init__(log_rate=log_rate)

    def quantile(self, u: Tensor) -> Tensor:
        """-log(1 - u) / rate."""
        return exponential(u) * exp(-self.log_rate)

    def outside(self, x: Tensor) -> Tensor:
        """x < 0."""
        return less(x, 0.0)

    def log_density(self, x: Tensor) -> Tensor:
        """log rate - rate x."""
        return self.log_rate - x * exp(self.log_rate)

    def element_mean(self) -> Tensor:
        """1 / rate."""
        return exp(-self.log_rate)

    def element_entropy(self) -> Tensor:
        """1 - log rate."""
        return 1 - self.log_rate


@register_kl(Exponential, Exponential)
def _exponential(q: Exponential, p: Exponential) -> Tensor:
    """sum r - log r - 1, where r is the ratio of the rates, p's over q's."""
    log_ratio = p.log_rate - q.log_rate
    return sum(expm1(log_ratio) - log_ratio, axis=-1)


class Cauchy(LocationScale, Elementwise):
    """Cauchy(location, scale): p(z) = 1 / (pi (1 + z^2)) in standard form. It has no mean: NaN."""

    def standard_quantile(self, u: Tensor) -> Tensor:
        """tan(pi (u - 1/2)), as a cotangent at the nearer end, where it is exact."""
        low = less(u, 0.5)
        angle = where(low, u, 1 - u) * math.pi
        cotangent = cos(angle) / sin(angle)
        return where(low, -cotangent, cotangent)

    def standard_log_density(self, z: Tensor) -> Tensor:
        """-log pi - log(1 + z^2)."""
        return -log1p(square(z)) - math.log(math.pi)

    def standard_mean(self) -> float:
        """There is none."""
        return math.nan

    def standard_entropy(self) -> float:
        """log 4 pi."""
        return math.log(4 * math.pi)


class Rayleigh(Positive, InverseCDF, Elementwise):
    """Rayleigh(scale): p(x) = x / scale^2 e^(-x^2 / (2 scale^2)), the length of a Gaussian vector of 2.

    Args:
        log_scale: the logarithm of the scale, ``(..., event)``.
    """

    log_scale: Tensor

    def __init__(self, log_scale: Any) -> None:
        super().__init__(log_scale=log_scale)

    def quantile(self, u: Tensor) -> Tensor:
        """scale * sqrt(-2 log(1 - u))."""
        return sqrt(exponential(u) * 2) * exp(self.log_scale)

    def log_density(self, x: Tensor) -> Tensor:
        """log x - 2 log scale - x^2 / (2 scale^2)."""
        return log(x) - self.log_scale * 2 - square(x * exp(-self.log_scale)) * 0.5

    def element_mean(self) -> Tensor:
        """scale * sqrt(pi / 2)."""
        return exp(self.log_scale) * math.sqrt(math.pi / 2)

    def element_entropy(self) -> Tensor:
        """1 + log(scale / sqrt 2) + gamma / 2, with Euler's constant."""
        return self.log_scale + (1 - math.log(2) / 2 + np.euler_gamma / 2)


class Pareto(InverseCDF, Elementwise):
    """Pareto(concentration, scale): p(x) = concentration / x * (scale / x)^concentration for x >= scale.

    Args:
        log_concentration: the logarithm of the shape; up to 1 the mean is infinite.
        log_scale: the logarithm of the smallest x.
    """

    log_concentration: Tensor
    log_scale: Tensor

    def __init__(self, log_concentration: Any, log_scale: Any) -> None:
        super().__init__(log_concentration=log_concentration, log_scale=log_scale)

    def quantile(self, u: Tensor) -> Tensor:
        """scale * (1 - u)^(-1 / concentration)."""
        return exp(self.log_scale + exponential(u) * exp(-self.log_concentration))

    def outside(self, x: Tensor) -> Tensor:
        """x < scale."""
        return less(x, exp(self.log_scale))

    def log_density(self, x: Tensor) -> Tensor:
        """log(concentration / scale) - (concentration + 1) log(x / scale)."""
        log_ratio = log(x) - self.log_scale
        return self.log_concentration - self.log_scale - (exp(self.log_concentration) + 1) * log_ratio

    def element_mean(self) -> Tensor:
        """scale * concentration / (concentration - 1)."""
        concentration = exp(self.log_concentration)
        finite = greater(concentration, 1.0)
        excess = where(finite, concentration - 1, 1.0)
        return where(finite, exp(self.log_scale) * (1 + 1 / excess), math.inf)

    def element_entropy(self) -> Tensor:
        """log(scale / concentration) + 1 / concentration + 1."""
        return self.log_scale - self.log_concentration + exp(-self.log_concentration) + 1


class Weibull(Positive, InverseCDF, Elementwise):
    """Weibull(concentration, scale): P(X > x) = e^(-(x / scale)^concentration).

    Args:
        log_concentration: the logarithm of the shape, ``(..., event)``.
        log_scale: the logarithm of the scale.
    """

    log_concentration: Tensor
    log_scale: Tensor

    def __init__(self, log_concentration: Any, log_scale: Any) -> None:
        super().__init__(log_concentration=log_concentration, log_scale=log_scale)

    def quantile(self, u: Tensor) -> Tensor:
        """scale * (-log(1 - u))^(1 / concentration)."""
        return exp(self.log_scale + log(exponential(u)) * exp(-self.log_concentration))

    def log_density(self, x: Tensor) -> Tensor:
        """log(concentration / x) + t - e^t, where t = concentration log(x / scale)."""
        t = exp(self.log_concentration) * (log(x) - self.log_scale)
        return self.log_concentration - log(x) + t - exp(t)

    def element_mean(self) -> Tensor:
        """scale * Gamma(1 + 1 / concentration)."""
        return exp(self.log_scale + gammaln(exp(-self.log_concentration) + 1))

    def element_entropy(self) -> Tensor:
        """gamma (1 - 1 / concentration) + log(scale / concentration) + 1."""
        return self.log_scale - self.log_concentration + (1 - exp(-self.log_concentration)) * np.euler_gamma + 1


class Reciprocal(InverseCDF, Elementwise):
    """Reciprocal(location, scale): p(x) proportional to 1 / x, as log x is uniform on [loc, loc + scale].

    Args:
        loc: the smallest log x, ``(..., event)``.
        log_scale: the logarithm of the length of the interval of log x.
    """

    loc: Tensor
    log_scale: Tensor

    def __init__(self, loc: Any, log_scale: Any) -> None:
        super().__init__(loc=loc, log_scale=log_scale)

    def quantile(self, u: Tensor) -> Tensor:
        """e^(location + scale * u)."""
        return exp(self.loc + exp(self.log_scale) * u)

    def outside(self, x: Tensor) -> Tensor:
        """x < e^location or x > e^(location + scale)."""
        return outside_interval(x, exp(self.loc), exp(self.loc + exp(self.log_scale)))

    def log_density(self, x: Tensor) -> Tensor:
        """-log x - log scale."""
        return -log(x) - self.log_scale

    def element_mean(self) -> Tensor:
        """(e^(location + scale) - e^location) / scale."""
        return exp(self.loc - self.log_scale) * expm1(exp(self.log_scale))

    def element_entropy(self) -> Tensor:
        """location + scale / 2 + log scale."""
        return self.loc + exp(self.log_scale) * 0.5 + self.log_scale


class Gompertz(InverseCDF, Elementwise):
    """Gompertz(concentration, rate): P(X > x) = exp(-concentration (e^(rate x) - 1)) for x > 0.

    Args:
        log_concentration: the logarithm of the shape, ``(..., event)``.
        log_rate: the logarithm of the rate at which mortality grows.
    """

    log_concentration: Tensor
    log_rate: Tensor

    def __init__(self, log_concentration: Any, log_rate: Any) -> None:
        super().__init__(log_concentration=log_concentration, log_rate=log_rate)

    def quantile(self, u: Tensor) -> Tensor:
        """log(1 - log(1 - u) / concentration) / rate."""
        return log1p(exponential(u) * exp(-self.log_concentration)) * exp(-self.log_rate)

    def outside(self, x: Tensor) -> Tensor:
        """x < 0."""
        return less(x, 0.0)

    def log_density(self, x: Tensor) -> Tensor:
        """log(concentration rate) + rate x - concentration (e^(rate x) - 1)."""
        t = x * exp(self.log_rate)
        return self.log_concentration + self.log_rate + t - exp(self.log_concentration) * expm1(t)

    def element_mean(self) -> Tensor:
        """e^c E1(c) / rate at c = concentration, with the exponential integral."""
        return scaled_exp1(exp(self.log_concentration)) * exp(-self.log_rate)

    def element_entropy(self) -> Tensor:
        """1 - log(concentration rate) - rate * mean."""
        return 1 - self.log_concentration - self.log_rate - scaled_exp1(exp(self.log_concentration))


class Gumbel(LocationScale, Elementwise):
    """Gumbel(location, scale), of maxima: P(Z <= z) = e^(-e^-z) in standard form."""

    def standard_quantile(self, u: Tensor) -> Tensor:
        """-log(-log u)."""
        return -log(-log(u))

    def standard_log_density(self, z: Tensor) -> Tensor:
        """-z - e^-z."""
        return -z - exp(-z)

    def standard_mean(self) -> float:
        """Euler's constant."""
        return float(np.euler_gamma)

    def standard_entropy(self) -> float:
        """1 + Euler's constant."""
        return 1 + float(np.euler_gamma)


@register_kl(Gumbel, Gumbel)
def _gumbel(q: Gumbel, p: Gumbel) -> Tensor:
    """sum log(s' / s) - 1 - gamma + d + gamma r + e^-d Gamma(1 + r), with r = s / s', d = (mu - mu') / s'."""
    log_ratio = p.log_scale - q.log_scale
    ratio, d = exp(-log_ratio), (q.loc - p.loc) * exp(-p.log_scale)
    gamma = float(np.euler_gamma)
    return sum(log_ratio - (1 + gamma) + d + ratio * gamma + exp(gammaln(ratio + 1) - d), axis=-1)
