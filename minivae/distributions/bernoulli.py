"""The Bernoulli distribution over binary vectors."""

from __future__ import annotations

from typing import Any

from ..autodiff import Tensor, astype, less, sigmoid, softplus, sum, uniform
from ..backend import Generator
from .distribution import Distribution, parameter


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

    def draw_noise(self, generator: Generator, lead: tuple[int, ...] = ()) -> Tensor:
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
