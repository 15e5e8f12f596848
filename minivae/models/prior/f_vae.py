"""The f-VAE: codes with the same noise everywhere, and a flow that makes them Gaussian.

    v = E(x) + sigma_1 u,  u ~ N(0, I),    z = F(v) ~ N(0, I)
    minimises  -log p(x|v) + log q(v|x) - log N(F(v); 0, I) - log |det dF/dv|

Su & Wu 2018, "f-VAEs: improve VAEs with conditional flows", arXiv 1809.05861: their conditional flow F_x(u) =
F(sigma_1 u + E(x)), with an unconditional F. As in the authors' code, sigma_1 is one number for all, learned, and the
decoder sees v, so that it is :mod:`.flow_prior_vae`, p(v) a flow's, with another posterior: N(E(x), sigma_1^2 I). F is
T's inverse there, and samples go through F's. Here F is of affine couplings of Real NVP, where theirs has Glow's layers
for pictures. Changes prior and posterior. Where F is the identity it is the VAE with one variance for all of z.
"""

from __future__ import annotations

from typing import Any

from ...backend import Generator
from ..vae import GaussianMLP
from .flow_prior_vae import FlowPriorVAE


class FVAE(FlowPriorVAE):
    """The VAE with one variance in its posterior and a flow for a prior. Arguments as of :class:`FlowPriorVAE`."""

    minimises = "-log p(x|v) + log q(v|x) - log N(F(v)) - log |det F'(v)|, v = E(x) + s u"
    source = "Su & Wu 2018, arXiv 1809.05861"

    def build(self, noise: Generator, options: dict[str, Any]) -> None:
        """The networks of :class:`FlowPriorVAE`, and an encoder of the means, with one variance beside it."""
        super().build(noise, options)
        sizes = self.data_dim, self.hidden, self.latent_dim
        self.encoder = GaussianMLP(*sizes, noise, variance_of="all", **options)
