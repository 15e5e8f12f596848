"""The VAE with planar flow.

    z_t = z_{t-1} + u' tanh(w^T z_{t-1} + b),    u' = u + (softplus(w^T u) - 1 - w^T u) w / |w|^2
    log |det| = log(1 + w^T u' (1 - tanh^2)),    u, w and b of each step from the encoder

Rezende & Mohamed 2015, "Variational inference with normalizing flows", arXiv 1505.05770, Eq. 10 to 13; u' is that of
their App. A.1, with which every step can be inverted, whatever the encoder says. Changes the posterior alone: each
step stretches or squeezes space along a plane's normal.
"""

from __future__ import annotations

from ...autodiff import Tensor
from ...distributions import Planar
from .flow_vae import FlowVAE


class PlanarVAE(FlowVAE):
    """The VAE with planar flow. Arguments as of :class:`FlowVAE`."""

    minimises = "D + R, R of a planar flow"
    source = "Rezende & Mohamed 2015, arXiv 1505.05770"

    def step_numbers(self, event: int) -> int:
        """u, w and b."""
        return 2 * event + 1

    def flow_step(self, numbers: Tensor) -> Planar:
        """Of u, w and b."""
        d = self.latent_dim
        return Planar(numbers[..., :d], numbers[..., d : 2 * d], numbers[..., 2 * d :])
