"""The beta-VAE: a weight on the KL.

    minimises  D + beta R,    D = -log p(x|z), R = KL(q(z|x) || p(z))

Higgins et al. 2017, "beta-VAE: Learning basic visual concepts with a constrained variational
framework", Eq. 4. A beta above 1 buys fewer, more independent latent dimensions with a worse
reconstruction: where the decoder is linear with variance s^2, dimensions remain whose
eigenvalue of the data's covariance is above beta s^2. Changes the loss alone; beta = 1 is
the VAE. The bound that is reported is the VAE's, without the weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...checks import number_from_zero
from ..phase import Batch, Phase
from ..vae import VAE


class BetaVAE(VAE):
    """The VAE with a weighted KL.

    Args:
        beta: the weight on the KL.
        data_dim, latent_dim, hidden, others: see :class:`VAE`.
    """

    minimises = "D + beta R"
    source = "Higgins et al. 2017, ICLR"

    def __init__(
        self, data_dim: int, latent_dim: int = 20, hidden: Sequence[int] = (500,), *, beta: float = 4.0, **others: Any
    ) -> None:
        self.beta = self.kl_weight = number_from_zero("beta", beta)
        super().__init__(data_dim, latent_dim, hidden, **others)
        self.remember(beta=self.beta)

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """One phase: D + beta R."""
        (phase,) = super().phases(batch, noise)
        return [phase.with_loss(phase.terms["kl"] * self.beta - phase.terms["reconstruction"])]
