"""Section 2.4, approach (2): families whose members are shifted and scaled copies of one.

The paper names Laplace, Elliptical, Student's t, Logistic, Uniform, Triangular and
Gaussian. (Gaussian is in ``paper.py``, Elliptical, over vectors, in ``elliptical.py``.)
"""

from __future__ import annotations

import math
from typing import Any

from ..autodiff import (
    Tensor,
    absolute,
    cos,
    exp,
    expm1,
    greater,
    less,
    less_equal,
    log,
    log1p,
    log_sigmoid,
    sigmoid,
    softplus,
    sqrt,
    square,
    sum,
    where,
)
from .distribution import register_kl
from .elementwise import Elementwise, InverseCDF, LocationScale, outside_interval
from .student_t import student_t_entropy, student_t_log_density


class Laplace(LocationScale, Elementwise):
    """Laplace(location, scale): p(z) = e^-|z| / 2 in standard form."""

    def standard_quantile(self, u: Tensor) -> Tensor:
        """log 2u below the median, -log 2(1 - u) above."""
        low = less(u, 0.5)
        tail = log(where(low, u, 1 - u) * 2)
        return where(low, tail, -tail)

    def standard_log_density(self, z: Tensor) -> Tensor:
        """-|z| - log 2."""
        return -absolute(z) - math.log(2)

    def standard_mean(self) -> float:
        """0."""
        return 0.0

    def standard_entropy(self) -> float:
        """1 + log 2."""
        return 1 + math.log(2)


@register_kl(Laplace, Laplace)
def _laplace(q: Laplace, p: Laplace) -> Tensor:
    """sum log(s' / s) - 1 + (|d| + s e^(-|d| / s)) / s', where d is the difference of the locations."""
    distance = absolute(q.loc - p.loc)
    log_ratio = p.log_scale - q.log_scale
    pull = distance * exp(-p.log_scale) + exp(-distance * exp(-q.log_scale) - log_ratio)
    return sum(log_ratio - 1 + pull, axis=-1)


class Logistic(LocationScale, Elementwise):
    """Logistic(location, scale): P(Z <= z) = sigmoid(z) in standard form."""

    def standard_quantile(self, u: Tensor) -> Tensor:
        """log(u / (1 - u))."""
        return log(u) - log1p(-u)

    def standard_log_density(self, z: Tensor) -> Tensor:
        """log sigmoid(z) + log sigmoid(-z)."""
        return -softplus(z) - softplus(-z)

    def standard_mean(self) -> float:
        """0."""
        return 0.0

    def standard_entropy(self) -> float:
        """2."""
        return 2.0


class Uniform(LocationScale, Elementwise):
    """Uniform on [location, location + scale]."""

    def outside(self, x: Tensor) -> Tensor:
        """x < location or x > location + scale."""
        return outside_interval(x, self.loc, self.loc + self.scale)

    def standard_quantile(self, u: Tensor) -> Tensor:
        """u."""
        return u

    def standard_log_density(self, z: Tensor) -> Tensor:
        """0."""
        return z * 0.0

    def standard_mean(self) -> float:
        """1/2."""
        return 0.5

    def standard_entropy(self) -> float:
        """0."""
        return 0.0


class Triangular(InverseCDF, Elementwise):
    """Triangular: the density rises from 0 at location to its peak, and falls to 0 at location + scale.

    Args:
        loc: the smallest x, ``(..., event)``.
        log_scale: the logarithm of the length of the support.
        logit_mode: logit of where the peak lies, as a share c of the length; 0 is the middle.
    """

    loc: Tensor
    log_scale: Tensor
    logit_mode: Tensor

    def __init__(self, loc: Any, log_scale: Any, logit_mode: Any = 0.0) -> None:
        super().__init__(loc=loc, log_scale=log_scale, logit_mode=logit_mode)

    def quantile(self, u: Tensor) -> Tensor:
        """location + scale z, where z = sqrt(c u) below the peak, 1 - sqrt((1 - c) (1 - u)) above."""
        mode = sigmoid(self.logit_mode)
        z = where(less(u, mode), sqrt(mode * u), 1 - sqrt((1 - u) * sigmoid(-self.logit_mode)))
        return self.loc + exp(self.log_scale) * z

    def outside(self, x: Tensor) -> Tensor:
        """x <= location or x >= location + scale."""
        return less_equal(self._rise(x) * self._fall(x), 0.0)

    @property
    def inner(self) -> Tensor:
        """The middle."""
        return self.loc + exp(self.log_scale) * 0.5

    def log_density(self, x: Tensor) -> Tensor:
        """log(2 z / c) below the peak, log(2 (1 - z) / (1 - c)) above, less log scale, with z as above."""
        rise, fall = self._rise(x), self._fall(x)
        below = less(rise * sigmoid(-self.logit_mode), fall * sigmoid(self.logit_mode))
        left, right = log(rise) - log_sigmoid(self.logit_mode), log(fall) - log_sigmoid(-self.logit_mode)
        return where(below, left, right) - self.log_scale * 2 + math.log(2)

    def _rise(self, x: Tensor) -> Tensor:
        return x - self.loc

    def _fall(self, x: Tensor) -> Tensor:
        return self.loc + exp(self.log_scale) - x

    def element_mean(self) -> Tensor:
        """location + scale (1 + c) / 3."""
        return self.loc + exp(self.log_scale) * (1 + sigmoid(self.logit_mode)) / 3

    def element_entropy(self) -> Tensor:
        """1/2 + log(scale / 2)."""
        return self.log_scale + (0.5 - math.log(2))


class StudentT(LocationScale, Elementwise):
    """Student's t(df, location, scale), drawn from two uniform variables for any df > 0.

        z = sqrt(df (u^(-2 / df) - 1)) cos(2 pi v)

    (R. W. Bailey, 1994, "Polar generation of random variates with the t-distribution").
    As df grows this becomes the Box-Muller way of drawing a Gaussian. The usual
    quotient of a Gaussian and the root of a Chi-squared variable over df has the same law.
    For df below 0.2 in float32, 0.06 in float64, some samples are too large for a number.

    Args:
        log_df: the logarithm of the degrees of freedom; up to 1 there is no mean (NaN).
        loc: the location, ``(..., event)``.
        log_scale: the logarithm of the scale.
    """

    log_df: Tensor

    def __init__(self, log_df: Any, loc: Any, log_scale: Any) -> None:
        super().__init__(loc, log_scale, log_df=log_df)

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """Uniform noise (u, v), ``(*batch, event, 2)``."""
        return (*self.shape, 2)

    def standard_quantile(self, u: Tensor) -> Tensor:
        """The formula above; not a quantile, as it takes two numbers."""
        df = exp(self.log_df)
        log_power = log(u[..., 0]) / df  # e^-2t - 1 = e^-2t (1 - e^2t), whose root overflows later
        radius = exp(-log_power) * sqrt(expm1(log_power * 2) * -df)
        return radius * cos(u[..., 1] * (2 * math.pi))

    def standard_log_density(self, z: Tensor) -> Tensor:
        """log p(0) - (df + 1) / 2 log(1 + z^2 / df)."""
        return student_t_log_density(self.log_df, square(z))

    def standard_mean(self) -> Tensor:
        """0 for df > 1, else none."""
        return where(greater(self.log_df, 0.0), self.log_df * 0.0, math.nan)

    def standard_entropy(self) -> Tensor:
        """(df + 1) / 2 (psi((df + 1) / 2) - psi(df / 2)) - log p(0)."""
        return student_t_entropy(self.log_df)
