"""Variational Renyi: a family of bounds between the VAE's, IWAE's and beyond.

    minimises  -1/(1 - alpha) log (1/K) sum_k w_k^(1 - alpha),    w = p(x, z) / q(z|x)

Li & Turner 2016, "Renyi divergence variational inference", Eq. 14. Changes the bound alone. alpha = 0 is IWAE,
alpha = 1 estimator A of the VAE with L = K; far below 0, at -1e30, the best sample alone counts (their VR-max). It
falls as alpha rises. From 0 on it is a lower bound on log p(x) in the mean, and reported as such. Below 0 it may lie
above log p(x): it is the objective, and the bound that is reported is IWAE's. The gradient is that of the estimate
itself: sample k counts as its share of the sum of w^(1 - alpha), so that nothing is drawn by these shares as in their
Algorithm 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import bounds
from ...autodiff import Tensor, mean
from ...checks import number_between
from ..phase import Phase
from .iwae import IWAE, Densities


class Renyi(IWAE):
    """The VAE's model with the variational Renyi bound.

    Args:
        alpha: the order of the divergence; -1e30 for the best sample alone.
        samples: K.
        data_dim, latent_dim, hidden, others: see :class:`VAE`.
    """

    minimises = "-1/(1 - alpha) log mean_K w^(1 - alpha)"
    source = "Li & Turner 2016, arXiv 1602.02311"
    fixed = ("estimator", "gradient")

    def __init__(
        self,
        data_dim: int,
        latent_dim: int = 20,
        hidden: Sequence[int] = (500,),
        *,
        alpha: float = 0.5,
        samples: int = 5,
        **others: Any,
    ) -> None:
        self.alpha = number_between("alpha", alpha, -bounds.LARGEST_ORDER, bounds.LARGEST_ORDER)
        super().__init__(data_dim, latent_dim, hidden, samples=samples, **others)
        self.remember(alpha=self.alpha)

    def estimate(self, log_likelihood: Tensor, log_prior: Tensor, log_posterior: Tensor) -> bounds.Bound:
        """The Renyi bound; IWAE's where that of a negative alpha is none."""
        return bounds.renyi(log_likelihood, log_prior, log_posterior, max(self.alpha, 0.0))

    def _phases_of(self, densities: Densities, weight: Tensor | None = None) -> list[Phase]:
        """One phase: minus the Renyi bound."""
        (phase,) = super()._phases_of(densities, weight)
        return [phase.with_loss(-mean(bounds.renyi(*densities, self.alpha).value))]
