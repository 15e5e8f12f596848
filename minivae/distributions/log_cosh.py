"""The density of the log-cosh loss: a Gaussian's peak and a Laplace's tails."""

from __future__ import annotations

import math
from typing import Any

from ..autodiff import Tensor, digamma, exp, softplus
from .composition import betaln
from .elementwise import Elementwise, LocationScale
from .special import log_gammaincinv

LOG_10 = math.log(10)  # the paper's sharpness


class LogCosh(LocationScale, Elementwise):
    """LogCosh(location, scale, a): p(z) proportional to cosh(a z)^(-1 / a) in standard form.

    -log p is the loss (1/a) log cosh(a z) (Chen et al. 2019) and a constant: a z^2 / 2 for small a |z|, |z| for large.
    Its integral is B(1/2, s) / a with s = 1 / (2 a), so that it is a density; and 2 a z is the logit of a
    Beta(s, s) variable, by which it is drawn: the difference of the logarithms of two of Gamma(s, 1).

    Args:
        loc: the location, ``(..., event)``.
        log_scale: the logarithm of the scale, which is that of the tails.
        log_sharpness: the logarithm of a; as a grows this becomes Laplace(location, scale).
    """

    log_sharpness: Tensor

    def __init__(self, loc: Any, log_scale: Any, log_sharpness: Any = LOG_10) -> None:
        super().__init__(loc, log_scale, log_sharpness=log_sharpness)

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """Uniform noise, a number for each Gamma variable: ``(*batch, event, 2)``."""
        return (*self.shape, 2)

    def standard_quantile(self, u: Tensor) -> Tensor:
        """log(g / h) / (2 a); not a quantile, as it takes two numbers."""
        s = self._half()
        return (log_gammaincinv(s, u[..., 0]) - log_gammaincinv(s, u[..., 1])) * s

    def standard_log_density(self, z: Tensor) -> Tensor:
        """-(1/a) log 2 cosh(a z) - log(s B(s, s))."""
        t = z * exp(self.log_sharpness)
        return (t - softplus(t * 2)) * exp(-self.log_sharpness) - self._log_constant()

    def standard_mean(self) -> float:
        """0."""
        return 0.0

    def standard_entropy(self) -> Tensor:
        """2 s (psi(2 s) - psi(s)) + log(s B(s, s))."""
        s = self._half()
        return (digamma(s * 2) - digamma(s)) * s * 2 + self._log_constant()

    def _half(self) -> Tensor:
        """s = 1 / (2 a)."""
        return exp(-self.log_sharpness) * 0.5

    def _log_constant(self) -> Tensor:
        """log(s B(s, s))."""
        s = self._half()
        return betaln(s, s) - self.log_sharpness - math.log(2)
