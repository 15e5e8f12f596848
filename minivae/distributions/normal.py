"""The Gaussian with diagonal covariance."""

from __future__ import annotations

import math
from typing import Any

from ..autodiff import Tensor, as_tensor, broadcast_to, constant_like, exp, square, standard_normal, sum
from ..backend import Generator
from .distribution import Distribution

LOG_2PI = math.log(2 * math.pi)


class Normal(Distribution):
    """N(mean, diag(exp(log_var))): the paper's Eq. 9 and 12.

    Args:
        mean: mu, ``(..., event)``.
        log_var: log sigma^2, of a shape that broadcasts to that of ``mean``, or a number.
    """

    def __init__(self, mean: Any, log_var: Any) -> None:
        self.mean = as_tensor(mean)
        number = isinstance(log_var, int | float)
        self.log_var = constant_like(self.mean, log_var) if number else as_tensor(log_var)

    @property
    def stddev(self) -> Tensor:
        """sigma = exp(log_var / 2)."""
        return exp(self.log_var * 0.5)

    def draw_noise(self, generator: Generator, lead: tuple[int, ...] = ()) -> Tensor:
        """epsilon from N(0, I), of shape ``(*lead, *mean.shape)``."""
        return standard_normal(generator, (*lead, *self.mean.shape), self.mean.dtype)

    def transform(self, noise: Tensor) -> Tensor:
        """mu + sigma * epsilon (section 2.4, and below Eq. 10)."""
        return self.mean + self.stddev * noise

    def log_prob(self, x: Any) -> Tensor:
        """-1/2 sum (log 2 pi + log sigma^2 + (x - mu)^2 / sigma^2), over the last axis."""
        squares = square(as_tensor(x) - self.mean) * exp(-self.log_var)
        return sum(squares + self.log_var + LOG_2PI, axis=-1) * -0.5

    def entropy(self) -> Tensor:
        """1/2 sum (1 + log 2 pi + log sigma^2) (App. B, with its sign turned)."""
        return sum(broadcast_to(self.log_var, self.mean.shape) + (1 + LOG_2PI), axis=-1) * 0.5


class StandardNormal(Normal):
    """N(0, I): the prior over z of section 3.

    Args:
        size: the length of the event axis.
        like: a tensor whose dtype and library it takes.
    """

    def __init__(self, size: int, like: Tensor) -> None:
        super().__init__(broadcast_to(constant_like(like, 0.0), (size,)), 0.0)

    def log_prob(self, x: Any) -> Tensor:
        """-1/2 sum (log 2 pi + x^2), over the last axis."""
        return sum(square(as_tensor(x)) + LOG_2PI, axis=-1) * -0.5
