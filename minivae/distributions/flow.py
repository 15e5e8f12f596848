"""Gaussians bent by invertible maps, and inverse autoregressive flow (Kingma et al. 2016, arXiv 1606.04934)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from ..autodiff import Tensor, constant_like, log_sigmoid, sigmoid, square, sum
from ..backend import Generator
from ..checks import instance, sequence
from .distribution import Distribution
from .paper import Normal, deviance

Step = Callable[[Tensor, Tensor], Sequence[Tensor]]
# Added to s', so that a step with small weights changes little (the paper's App. D: 1 or 2).
FORGET_BIAS = 2.0


class Pushforward(Distribution, ABC):
    """Base of what a Gaussian becomes under an invertible map; a family writes ``pushed`` and ``log_prob``.

    Args:
        base: the distribution of z_0, ``(..., event)``.
    """

    def __init__(self, base: Normal) -> None:
        self.base = instance("base", base, Normal, "a Normal")
        self.shape, self.like = base.shape, base.like

    @property
    def mean(self) -> Tensor:
        """z_T where epsilon is 0: a point in the middle, for the mean has no closed form."""
        return self.transform(0.0)

    def draw_noise(self, generator: Generator, lead: tuple[int, ...] = ()) -> Tensor:
        """epsilon from N(0, I), of shape ``(*lead, *batch, event)``."""
        return self.base.draw_noise(generator, lead)

    def transform(self, noise: Any) -> Tensor:
        """z_T."""
        return self.pushed(noise)[0]

    def sample_with_log_prob(self, source: Any, n: int | None = None) -> tuple[Tensor, Tensor]:
        """z_T and its log_prob, in one go."""
        return self.pushed(self._noise(source, n))

    @abstractmethod
    def pushed(self, noise: Any) -> tuple[Tensor, Tensor]:
        """z_T, and log q(z_T)."""


class Flow(Pushforward):
    """What a Gaussian becomes in autoregressive steps.

        z_t = s z_{t-1} + (1 - s) m,  s = sigmoid(s' + 2), its elements then in reverse
        log q(z_T) = log N(z_0) - sum_t sum_i log s_i

    Args:
        base: the distribution of z_0, ``(..., event)``.
        steps: each takes z_{t-1} and h and gives m and s', of which elements i depend on the
            elements before i alone.
        h: the features of x that the steps see, of the batch shape of ``base``.
    """

    def __init__(self, base: Normal, steps: Sequence[Step], h: Tensor) -> None:
        super().__init__(base)
        self.steps = sequence("steps", steps, "a list of functions")
        self.h = instance("h", h, Tensor, "a Tensor")

    def pushed(self, noise: Any) -> tuple[Tensor, Tensor]:
        """z_T, and log q(z_T)."""
        z, log_q = self.elements(noise)
        return z, sum(log_q, axis=-1)

    def elements(self, noise: Any) -> tuple[Tensor, Tensor]:
        """z_T, and the terms of log q(z_T), one for each element."""
        noise = self._as_noise(noise)
        z, log_q = self.base.transform(noise), deviance(square(noise), self.base.log_var) * -0.5
        for step in self.steps:
            m, s = step(z, self.h)
            s = s + FORGET_BIAS
            z, log_q = _reversed(m + sigmoid(s) * (z - m)), _reversed(log_q - log_sigmoid(s))
        return z, log_q

    def log_prob(self, x: Any) -> Tensor:
        """log q at any point: the steps backwards, element by element, so d passes of each network."""
        z, log_q = self._as_data(x), 0.0
        for step in reversed(self.steps):
            y, z = _reversed(z), constant_like(z, 0.0, z.shape)
            for _ in range(z.shape[-1]):  # each pass makes one more element right, from the first on
                m, s = step(z, self.h)
                z = m + (y - m) / sigmoid(s + FORGET_BIAS)
            m, s = step(z, self.h)
            log_q = log_q - sum(log_sigmoid(s + FORGET_BIAS), axis=-1)
        return self.base.log_prob(z) + log_q


def _reversed(x: Tensor) -> Tensor:
    return x[..., ::-1]
