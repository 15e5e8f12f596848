"""The VAE with radial flow.

    z_t = z_{t-1} + b (z_{t-1} - c) / (a + r),    r = |z_{t-1} - c|
    a = softplus(a'),  b = -a + softplus(b'),     c, a' and b' of each step from the encoder
    log |det| = (d - 1) log(1 + b / (a + r)) + log(1 + a b / (a + r)^2)

Rezende & Mohamed 2015, "Variational inference with normalizing flows", arXiv 1505.05770, Eq. 14; b is that of their
App. A.2, with which every step can be inverted. The last term's argument, 1 + b h + b h'(r) r with h = 1 / (a + r),
is written out. Changes the posterior alone: each step spreads it around a point, or draws it in.
"""

from __future__ import annotations

from ...autodiff import Tensor
from ...distributions import Radial
from .flow_vae import FlowVAE


class RadialVAE(FlowVAE):
    """The VAE with radial flow. Arguments as of :class:`FlowVAE`."""

    minimises = "D + R, R of a radial flow"
    source = "Rezende & Mohamed 2015, arXiv 1505.05770"

    def step_numbers(self, event: int) -> int:
        """c, a' and b'."""
        return event + 2

    def flow_step(self, numbers: Tensor) -> Radial:
        """Of c, a' and b'."""
        d = self.latent_dim
        return Radial(numbers[..., :d], numbers[..., d : d + 1], numbers[..., d + 1 :])
