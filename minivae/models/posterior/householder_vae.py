"""The VAE with Householder flow: a Gaussian whose axes are turned.

    z_t = z_{t-1} - 2 v_t (v_t^T z_{t-1}) / |v_t|^2,    v_t of each step from the encoder
    q(z|x) = N(H mu, H diag(sigma^2) H^T),  H = H_T ... H_1;    R = KL(N(mu, diag sigma^2) || N(0, I))

Tomczak & Welling 2016, "Improving variational auto-encoders using Householder flow", arXiv 1611.09630, section 3.
There v_t is a linear layer of v_{t-1}, from v_0 = h on; here each v_t is one of h, of which that is a case. A mirror
keeps volumes and lengths, so that log q and log p(z) stay as they are: R is the VAE's, and both estimators are there.
Changes the posterior alone, to a Gaussian with correlations, of fewer numbers than a full covariance.
"""

from __future__ import annotations

from ...autodiff import Tensor
from ...distributions import Householder, HouseholderFlow
from .flow_vae import FlowVAE


class HouseholderVAE(FlowVAE):
    """The VAE with Householder flow. Arguments as of :class:`FlowVAE`."""

    minimises = "D + R, q a Gaussian whose axes are turned"
    source = "Tomczak & Welling 2016, arXiv 1611.09630"
    fixed = ()
    family = HouseholderFlow

    def step_numbers(self, event: int) -> int:
        """v."""
        return event

    def flow_step(self, numbers: Tensor) -> Householder:
        """Of v."""
        return Householder(numbers)
