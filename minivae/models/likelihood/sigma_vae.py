"""The sigma-VAE with the optimal sigma: one variance for all, which is not trained but known.

    p(x|z) = N(mu(z), s I)
    minimises  d/2 (log 2 pi s* + 1) + R,    s* = mean of (x - mu(z))^2 over the minibatch and the d elements of x

Rybkin, Daniilidis & Levine 2021, "Simple and effective VAE training with calibrated decoders", arXiv 2006.13202, Eq. 4
and 5. Of all variances s* makes the minibatch likeliest, so that the loss is D + R at the best s: the weight of R
against the squared error finds itself. Changes the likelihood. (A variance for all that is trained is an option of
every model, ``variance_of="all"``.)

s* is told by the data whose bound is asked for; a density must know it before. So the bound, log p(x) and samples have
the running mean of s*, and minus the loss is reported beside the bound, as the objective.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ...autodiff import Tensor, log, maximum, mean, no_grad, square, where
from ...checks import decay_rate
from ...distributions import Distribution, Normal
from ...distributions.paper import LOG_2PI
from ..phase import Batch, Phase
from ..vae import VAE


class SigmaVAE(VAE):
    """The VAE whose Gaussian likelihood has the variance of its errors.

    Args:
        decay: of the running mean of the variance, in [0, 1).
        data_dim, latent_dim, hidden, others: see :class:`VAE`.

    Attributes:
        errors, weight: the running mean of s*, and of 1: their ratio is the variance; until training there is none,
            and it is 1.
    """

    minimises = "d/2 log mean (x - mu)^2 + R"
    source = "Rybkin et al. 2021, arXiv 2006.13202"
    fixed = ("likelihood", "variance", "variance_of", "categories")

    def __init__(
        self, data_dim: int, latent_dim: int = 20, hidden: Sequence[int] = (500,), *, decay: float = 0.99, **others: Any
    ) -> None:
        self.decay = decay_rate("decay", decay)
        super().__init__(data_dim, latent_dim, hidden, likelihood="gaussian", variance=1.0, **others)
        self.remember(decay=self.decay)
        self.errors, self.weight = self.scalar(0.0), self.scalar(0.0)
        self._least = math.exp(self.config["log_var_floor"])

    def likelihood(self, z: Any, context: Any = None) -> Distribution:
        """p(x|z), with the running mean of the variance."""
        return Normal(super().likelihood(z, context).mean, self.log_variance())

    def log_variance(self) -> Tensor:
        """log s, 0-d, of what training has seen so far."""
        known = self.weight > 0.0
        return where(known, log(maximum(self.errors / where(known, self.weight, 1.0), self._least)), 0.0)

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """One phase: minus the bound at the best variance for this minibatch."""
        x = self._points(batch)
        bound, z = self.bound_and_draws(x, noise, batch.context)
        errors = mean(square(x - super().likelihood(z).mean))
        best = maximum(errors, self._least)
        loss = (log(best) + errors / best + LOG_2PI) * (self.data_dim / 2) + mean(bound.kl)
        return [Phase(loss, self.parameters(), bound.terms(), self._moved(errors)).with_loss(loss)]

    def _moved(self, errors: Tensor) -> list[tuple[Tensor, Tensor]]:
        """The running means after this minibatch."""
        with no_grad():
            pairs = ((self.errors, errors), (self.weight, 1.0))
            return [(state, state * self.decay + value * (1 - self.decay)) for state, value in pairs]
