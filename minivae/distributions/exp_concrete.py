"""The density of a relaxed categorical variable, by the logarithms of its elements.

    y = softmax((log pi + g) / tau), g = -log(-log u),    w = log y
    log p(w) = log (K-1)! + (K-1) log tau + sum_k (log pi_k - tau w_k) - K log sum_k exp(log pi_k - tau w_k)

Maddison, Mnih & Teh 2017, "The concrete distribution", arXiv 1611.00712, App. C.3: "ExpConcrete", which unlike that of
y itself neither underflows nor has poles. Ratios of densities, and so every KL, are the same by w and by y. (As a
density of the first K - 1 elements of w it is divided by y_K, which makes it the same whatever the last is.)
"""

from __future__ import annotations

import math
from typing import Any

from .. import backend
from ..autodiff import Tensor, log_softmax, logsumexp, sum
from ..checks import number_from
from .categorical import LEAST_TEMPERATURE, Categorical
from .distribution import Distribution


class ExpConcrete(Distribution):
    """One variable of K values, relaxed: vectors w whose exponentials sum to 1.

    Args:
        logits: ``(..., K)``; any constant may be added.
        temperature: tau.

    Raises:
        InputError: the temperature is no positive number, or too small to divide by.
    """

    def __init__(self, logits: Any, temperature: float) -> None:
        self.categorical = Categorical(logits)
        self.temperature = number_from("temperature", temperature, LEAST_TEMPERATURE)
        self.shape, self.like = self.categorical.shape, self.categorical.like

    def draw_noise(self, generator: backend.Generator, lead: tuple[int, ...] = ()) -> Tensor:
        """Uniform noise on [0, 1), of shape ``(*lead, *logits.shape)``."""
        return self.categorical.draw_noise(generator, lead)

    def transform(self, noise: Any) -> Tensor:
        """The logarithm of what :meth:`Categorical.relax` gives."""
        of_variable = self.categorical
        return of_variable._flat(log_softmax(of_variable._perturbed(noise) / self.temperature))

    def log_prob(self, x: Any) -> Tensor:
        """log p(w), for w whose exponentials sum to 1; of others it says nothing of use, and nobody looks."""
        tilted = self.categorical._flat(self.categorical.log_p) - self._as_data(x) * self.temperature
        values = self.shape[-1]
        return sum(tilted, axis=-1) - logsumexp(tilted, axis=-1) * values + self._constant

    @property
    def _constant(self) -> float:
        """log (K-1)! + (K-1) log tau."""
        return math.lgamma(self.shape[-1]) + (self.shape[-1] - 1) * math.log(self.temperature)
