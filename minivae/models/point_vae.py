"""The base of those auto-encoders whose codes are points: an encoder without noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..backend import Generator
from ..distributions import Delta
from ..nn import MLP
from .vae import VAE


class PointVAE(VAE):
    """The VAE's networks with z = E(x). There is no KL of a point, and what holds the codes together is a variant's.

    Args:
        data_dim, latent_dim, hidden, others: see :class:`VAE`.
    """

    no_kl = "its objective has no KL"
    fixed = ("estimator", "samples")
    no_log_likelihood = "its codes are points, so that importance samples would all be the same"

    def __init__(self, data_dim: int, latent_dim: int = 8, hidden: Sequence[int] = (500,), **others: Any) -> None:
        super().__init__(data_dim, latent_dim, hidden, samples=1, **others)
        self.draws = 0  # E(x) is a point

    def build(self, noise: Generator, options: dict[str, Any]) -> None:
        """An encoder of points; the VAE's decoder."""
        self.encoder = MLP((self.data_dim, *self.hidden, self.latent_dim), noise, **options)
        self.decoder = self.make_decoder(self.latent_dim, noise, options)

    def posterior(self, x: Any, context: Any = None) -> Delta:
        """The point E(x)."""
        return Delta(self.encoder(self.features(x)))
