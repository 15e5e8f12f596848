"""The Wasserstein auto-encoder with a maximum mean discrepancy.

    minimises  c(x, G(z)) + lambda MMD^2(q(z), p(z)),    z = E(x), without noise

Tolstikhin, Bousquet, Gelly & Schoelkopf 2018, "Wasserstein auto-encoders", arXiv 1711.01558,
Algorithm 2: an upper bound of a transport cost between data and model, relaxed. The cost c
here is -log p(x|z) of the chosen likelihood (their c, the squared distance, is the Gaussian
one's with a fixed variance, up to scale). Changes the posterior, which is a point, and puts a
distance of whole sets of codes in the place of each code's KL. Kernels are inverse
multiquadratics, lambda is 10. The objective bounds no log p(x), and none is reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...autodiff import mean
from ...checks import number_from_zero
from ..phase import Batch, Phase
from ..point_vae import PointVAE
from .info_vae import aggregate_mmd


class WAE(PointVAE):
    """An auto-encoder without noise, whose codes together look like draws of the prior.

    Args:
        mmd_weight: lambda.
        data_dim, latent_dim, hidden, others: see :class:`VAE`.
    """

    minimises = "D + lambda MMD^2"
    source = "Tolstikhin et al. 2018, arXiv 1711.01558"
    least_points = 2  # of one alone there is no discrepancy

    def __init__(
        self,
        data_dim: int,
        latent_dim: int = 8,
        hidden: Sequence[int] = (500,),
        *,
        mmd_weight: float = 10.0,
        **others: Any,
    ) -> None:
        self.mmd_weight = number_from_zero("mmd_weight", mmd_weight)
        super().__init__(data_dim, latent_dim, hidden, **others)
        self.remember(mmd_weight=self.mmd_weight)

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """One phase. ``noise`` is a generator, or draws of the prior ``(M, latent_dim)``."""
        x = self._points(batch)
        z = self.posterior(x).mean
        reconstruction = mean(self.likelihood(z).log_prob(x))
        distance = aggregate_mmd(self, z, noise, "imq")
        loss = distance * self.mmd_weight - reconstruction
        terms = {"objective": -loss, "reconstruction": reconstruction, "mmd": distance}
        return [Phase(loss, self.parameters(), terms)]
