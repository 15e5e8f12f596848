"""The InfoVAE: the VAE's KL, weighted, and a discrepancy between the aggregate posterior and the prior.

    minimises  D + (1 - alpha) R + (alpha + lambda - 1) MMD^2(q(z), p(z))

Zhao, Song & Ermon 2019, "InfoVAE: balancing learning and inference in variational
autoencoders", arXiv 1706.02262, Eq. 6, with the maximum mean discrepancy in the place of
the second KL. alpha = 0, lambda = 1 is the VAE; lambda large keeps q(z) near p(z) without
making every q(z|x) alike. Weights below 0 would reward a distance, and are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...autodiff import Tensor
from ...checks import finite_number
from ...errors import InputError
from ...regularizers import KERNELS, mmd
from ..phase import Batch, Phase, noise_for, prior_draws
from ..vae import VAE


class InfoVAE(VAE):
    """The VAE with a maximum mean discrepancy beside its KL.

    Args:
        alpha: 1 - alpha is the weight on the KL.
        lambd: alpha + lambd - 1 is the weight on MMD^2.
        data_dim, latent_dim, hidden, others: see :class:`VAE`.
    """

    minimises = "D + (1-alpha) R + (alpha+lambda-1) MMD^2"
    source = "Zhao et al. 2019, arXiv 1706.02262"
    least_points = 2  # of one alone there is no discrepancy

    def __init__(
        self,
        data_dim: int,
        latent_dim: int = 20,
        hidden: Sequence[int] = (500,),
        *,
        alpha: float = 0.0,
        lambd: float = 1000.0,
        **others: Any,
    ) -> None:
        alpha, lambd = finite_number("alpha", alpha), finite_number("lambda", lambd)
        self.kl_weight, self.mmd_weight = 1 - alpha, alpha + lambd - 1
        if self.kl_weight < 0 or self.mmd_weight < 0:
            raise InputError(
                f"alpha is {alpha} and lambda is {lambd}, so the weights of KL and MMD are {self.kl_weight:g} and "
                f"{self.mmd_weight:g}; expected both to be at least 0"
            )
        super().__init__(data_dim, latent_dim, hidden, **others)
        self.remember(alpha=alpha, lambd=lambd)

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """One phase. ``noise``: a generator, or a dict of "z", epsilon, and "prior", draws ``(M, latent_dim)``."""
        epsilon, prior = noise_for(("z", "prior"), noise)
        bound, z = self.bound_and_draws(self._points(batch), epsilon)
        terms, distance = bound.terms(), aggregate_mmd(self, z[0], prior)
        loss = terms["kl"] * self.kl_weight + distance * self.mmd_weight - terms["reconstruction"]
        return [Phase(-terms["bound"], self.parameters(), terms).with_loss(loss, mmd=distance)]


def aggregate_mmd(model: VAE, z: Tensor, noise: Any, kernel: str = "rbf") -> Tensor:
    """MMD^2 between codes ``(M, latent_dim)`` of a minibatch and as many draws of the prior.

    A U-statistic: for any M unbiased for MMD^2(q(z), p(z)) if the minibatch is a random one, so that an
    evaluation may average it over minibatches (see ``evaluate``).
    """
    return mmd(z, prior_draws(model.prior(), len(z), noise), KERNELS[kernel])
