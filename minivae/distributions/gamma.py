"""Section 2.4: the Gamma distribution, for integer and for any shape, and its special cases.

The paper names Erlang under approach (1), inverse distribution functions, and Gamma and
Chi-squared under (3), compositions.
"""

from __future__ import annotations

import math
from typing import Any

from ..autodiff import Tensor, as_tensor, digamma, exp, expm1, gammaln, log, sum
from ..checks import finite_number, positive_integer
from .distribution import floating, register_kl
from .elementwise import Elementwise, InverseCDF, Positive, exponential, inside_unit
from .special import log_gammaincinv


class Gamma(Positive, InverseCDF, Elementwise):
    """Gamma(concentration, rate): p(x) proportional to x^(concentration - 1) e^(-rate x).

    Its distribution function P has no inverse in elementary functions; it is found
    numerically, and differentiated implicitly: dx/da = -(dP/da) / p(x), for any
    concentration a > 0 (see :func:`~minivae.distributions.special.log_gammaincinv`). The paper's own
    construction, a sum of exponential variables, serves integer a only:
    :class:`SumOfExponentials`.

    For small a most samples are too small for a floating-point number and become 0 (at
    a = 1e-3 half of them in float64, nine in ten in float32); ``log_quantile`` has their
    logarithms.

    Args:
        log_concentration: the logarithm of the shape a, ``(..., event)``.
        log_rate: the logarithm of the rate.
    """

    log_concentration: Tensor
    log_rate: Tensor

    def __init__(self, log_concentration: Any, log_rate: Any) -> None:
        super().__init__(log_concentration=log_concentration, log_rate=log_rate)

    def log_quantile(self, u: Tensor) -> Tensor:
        """log x where P(x) = u."""
        return log_gammaincinv(exp(self.log_concentration), u) - self.log_rate

    def quantile(self, u: Tensor) -> Tensor:
        """x where P(x) = u."""
        return exp(self.log_quantile(u))

    def log_density(self, x: Tensor) -> Tensor:
        """a log rate + (a - 1) log x - rate x - log Gamma(a)."""
        a = exp(self.log_concentration)
        return a * self.log_rate + (a - 1) * log(x) - x * exp(self.log_rate) - gammaln(a)

    def element_mean(self) -> Tensor:
        """a / rate."""
        return exp(self.log_concentration - self.log_rate)

    def element_entropy(self) -> Tensor:
        """a - log rate + log Gamma(a) + (1 - a) psi(a)."""
        a = exp(self.log_concentration)
        return a - self.log_rate + gammaln(a) + (1 - a) * digamma(a)


@register_kl(Gamma, Gamma)
def _gamma(q: Gamma, p: Gamma) -> Tensor:
    """sum (a - a') psi(a) - log Gamma(a) + log Gamma(a') + a' log(r / r') + a (r' / r - 1), with ' for p."""
    a, b = exp(q.log_concentration), exp(p.log_concentration)
    log_ratio = p.log_rate - q.log_rate
    return sum((a - b) * digamma(a) - gammaln(a) + gammaln(b) - b * log_ratio + a * expm1(log_ratio), axis=-1)


class Erlang(Gamma):
    """Erlang(shape, rate): the Gamma distribution of integer shape, the time until the shape-th event.

    Args:
        shape: an integer of at least 1, which is no parameter to train.
        log_rate: the logarithm of the rate, ``(..., event)``.

    Raises:
        InputError: ``shape`` is not a positive integer.
    """

    def __init__(self, shape: int, log_rate: Any) -> None:
        self.integer_shape = positive_integer("shape", shape)
        super().__init__(math.log(self.integer_shape), log_rate)


class SumOfExponentials(Gamma):
    """The Erlang distribution, drawn as the sum of exponential variables: approach (3) of section 2.4.

    Arguments as of :class:`Erlang`.
    """

    def __init__(self, shape: int, log_rate: Any) -> None:
        self.integer_shape = positive_integer("shape", shape)
        super().__init__(math.log(self.integer_shape), log_rate)

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """Uniform noise, a number for each exponential variable: ``(*batch, event, shape)``."""
        return (*self.shape, self.integer_shape)

    def transform(self, noise: Any) -> Tensor:
        """sum of -log(1 - u) over the last axis of the noise, / rate."""
        return sum(exponential(inside_unit(self._as_noise(noise))), axis=-1) * exp(-self.log_rate)


class Chi2(Gamma):
    """Chi-squared, the sum of the squares of df standard Gaussians: Gamma(df / 2, 1 / 2), for any df > 0.

    Args:
        log_df: the logarithm of the degrees of freedom, ``(..., event)``.
    """

    def __init__(self, log_df: Any) -> None:
        number = isinstance(log_df, int | float)
        log_df = finite_number("log_df", log_df) if number else floating("log_df", as_tensor(log_df, name="log_df"))
        super().__init__(log_df - math.log(2), -math.log(2))
