"""Counts: the Poisson and the negative binomial distribution, and the latter with more zeros.

Parameters are logarithms of positive numbers, as a network's outputs. A sample is the smallest
count whose distribution function reaches the uniform noise u, found by bisection.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from ..autodiff import (
    Tensor,
    betainc,
    betaln,
    ceil,
    equal,
    exp,
    floor,
    gammainc,
    gammaln,
    less,
    log,
    log_sigmoid,
    logaddexp,
    logical_or,
    no_grad,
    not_equal,
    sigmoid,
    where,
)
from .distribution import Distribution
from .elementwise import Elementwise, inside_unit

HALVINGS = 40  # of the interval in which a sample lies
TAIL = 60.0  # how far beyond the mean a sample may lie, in e-folds of the tail: u differs from 1 by more than e^-37


class Counts(Elementwise):
    """Base of the distributions over 0, 1, 2, ...: a family adds ``cumulative`` and ``tail``."""

    discrete = True
    entropy = Distribution.entropy  # refused: there is no closed form

    def outside(self, x: Tensor) -> Tensor:
        """Below 0, or no whole number."""
        return logical_or(less(x, 0.0), not_equal(x, floor(x)))

    def transform(self, noise: Any) -> Tensor:
        """The smallest k with P(X <= k) >= u: a step, so no gradient flows through."""
        with no_grad():
            u = inside_unit(self._as_noise(noise))
            below, above = 0.0, ceil(self.highest())
            for _ in range(HALVINGS):
                middle = floor((below + above) * 0.5)
                reached = self.cumulative(middle) >= u
                below, above = where(reached, below, middle), where(reached, middle, above)
            return above

    @abstractmethod
    def cumulative(self, k: Tensor) -> Tensor:
        """P(X <= k), for counts k."""

    @abstractmethod
    def highest(self) -> Tensor:
        """What no sample is above: twice the mean, and TAIL times the counts over which the tail falls to 1/e."""

    def element_entropy(self) -> Tensor:
        """Refused: there is no closed form."""
        raise self._lacking("entropy")


class Poisson(Counts):
    """Poisson(rate): p(x) = rate^x e^-rate / x!.

    Args:
        log_rate: the logarithm of the rate, ``(..., event)``.
    """

    log_rate: Tensor

    def __init__(self, log_rate: Any) -> None:
        super().__init__(log_rate=log_rate)

    def log_density(self, x: Tensor) -> Tensor:
        """x log rate - rate - log x!."""
        return x * self.log_rate - exp(self.log_rate) - gammaln(x + 1)

    def element_mean(self) -> Tensor:
        """The rate."""
        return exp(self.log_rate)

    def cumulative(self, k: Tensor) -> Tensor:
        """1 - P(k + 1, rate), of the regularized incomplete gamma function."""
        return 1 - gammainc(k + 1, exp(self.log_rate))

    def highest(self) -> Tensor:
        """Beyond twice the rate each probability is less than half of the one before."""
        return exp(self.log_rate) * 2 + TAIL


class NegativeBinomial(Counts):
    """A Poisson distribution whose rate is Gamma distributed with mean mu and concentration r.

        p(x) = Gamma(x + r) / (Gamma(r) x!) (r / (r + mu))^r (mu / (r + mu))^x

    Its variance is mu + mu^2 / r (the parameters of Hilbe 2011, and of scVI, Lopez et al. 2018).

    Args:
        log_mean: log mu, ``(..., event)``.
        log_concentration: log r.
    """

    log_mean: Tensor
    log_concentration: Tensor

    def __init__(self, log_mean: Any, log_concentration: Any, **others: Any) -> None:
        super().__init__(log_mean=log_mean, log_concentration=log_concentration, **others)

    @property
    def _logit(self) -> Tensor:
        """log r - log mu: of a count's being the last."""
        return self.log_concentration - self.log_mean

    def log_density(self, x: Tensor) -> Tensor:
        """-log((x + r) B(x + 1, r)) + r log(r / (r + mu)) + x log(mu / (r + mu))."""
        r = exp(self.log_concentration)
        ways = -log(x + r) - betaln(x + 1, r)  # for a large r no difference of two large logarithms
        return ways + r * log_sigmoid(self._logit) + x * log_sigmoid(-self._logit)

    def element_mean(self) -> Tensor:
        """mu."""
        return exp(self.log_mean)

    def cumulative(self, k: Tensor) -> Tensor:
        """I(r, k + 1) at r / (r + mu), the regularized incomplete beta function."""
        return betainc(exp(self.log_concentration), k + 1, sigmoid(self._logit))

    def highest(self) -> Tensor:
        """The tail falls to 1/e over 1 + mu / r counts, at most."""
        return exp(self.log_mean) * 2 + (exp(-self._logit) + 1) * TAIL


class ZeroInflatedNegativeBinomial(NegativeBinomial):
    """0 with probability pi, else negative binomial: for counts that were missed.

    Args:
        log_mean, log_concentration: as of :class:`NegativeBinomial`.
        logits: log pi / (1 - pi).
    """

    logits: Tensor

    def __init__(self, log_mean: Any, log_concentration: Any, logits: Any) -> None:
        super().__init__(log_mean, log_concentration, logits=logits)

    def log_density(self, x: Tensor) -> Tensor:
        """log(pi [x = 0] + (1 - pi) p(x))."""
        counted = log_sigmoid(-self.logits) + super().log_density(x)
        return where(equal(x, 0.0), logaddexp(log_sigmoid(self.logits), counted), counted)

    def element_mean(self) -> Tensor:
        """(1 - pi) mu."""
        return sigmoid(-self.logits) * super().element_mean()

    def cumulative(self, k: Tensor) -> Tensor:
        """pi + (1 - pi) P(X <= k)."""
        return sigmoid(self.logits) + sigmoid(-self.logits) * super().cumulative(k)
