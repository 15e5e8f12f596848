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

from ...autodiff import Tensor, mean
from ...checks import number_from_zero
from ..phase import Batch, Phase
from ..point_vae import PointVAE
from .info_vae import aggregate_mmd


class WassersteinVAE(PointVAE):
    """Base of the Wasserstein auto-encoders that have a distance of whole sets of codes, and train all in one phase.

    Args:
        data_dim, latent_dim, hidden, others: see :class:`VAE`.
    """

    def discrepancy(self, z: Tensor, noise: Any) -> tuple[str, float, Tensor]:
        """Between codes ``(M, latent_dim)`` and the prior: the name of the term, its weight, and what it is, 0-d."""
        raise NotImplementedError

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """One phase: the cost, and the discrepancy at its price, with the ``noise`` that that takes."""
        x = self._points(batch)
        z = self.posterior(x).mean
        reconstruction = mean(self.likelihood(z).log_prob(x))
        name, weight, distance = self.discrepancy(z, noise)
        loss = distance * weight - reconstruction
        return [Phase(loss, self.parameters(), {"objective": -loss, "reconstruction": reconstruction, name: distance})]


class WAE(WassersteinVAE):
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

    def discrepancy(self, z: Tensor, noise: Any) -> tuple[str, float, Tensor]:
        """MMD^2 by inverse multiquadratics. ``noise``: a generator, or draws of the prior ``(M, latent_dim)``."""
        return "mmd", self.mmd_weight, aggregate_mmd(self, z, noise, "imq")
