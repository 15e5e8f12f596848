"""The VAE whose prior is a flow: N(0, I) through affine couplings, trained with the rest.

    p(z) = N(e; 0, I) / |det dT/de|,    z = T(e),  T in steps (x, y) -> (x, y exp(s) + t) in reverse
    minimises  -log p(x|z) - log p(z) + log q(z|x), z drawn from q(z|x)

Huang, Touati, Dinh, Drozdzal, Havaei, Charlin & Courville 2017, "Learnable explicit density for continuous latent space
and variational inference", arXiv 1710.02248, with the couplings of Dinh et al. 2017, "Density estimation using Real
NVP", arXiv 1605.08803, Eq. 7 and 8; s = tanh(s'), (t, s') = network(x), those of
:mod:`~minivae.models.posterior.coupling_vae`. The prior comes to where the encoder puts the data, instead of the data
to the prior. Changes the prior, whose KL has no closed form (estimator A). Its density is asked for at given z, by T's
inverse; a sample goes through T: both cost one pass. Where the networks give 0, as without steps, it is the VAE.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...autodiff import Tensor, constant_like
from ...backend import Generator
from ...checks import integer_from_zero, layer_sizes
from ...distributions import Coupling, NormalizingFlow, StandardNormal
from ...nn import Module
from ..posterior.coupling_vae import Conditioner
from ..vae import VAE


class CouplingPrior(Module):
    """N(0, I) through affine couplings; near N(0, I) at the start.

    Args:
        event: the length of z.
        steps: how many couplings.
        hidden: hidden layers of each step's network.
        generator, options: see :class:`~minivae.nn.mlp.HiddenLayers`.
    """

    def __init__(self, event: int, steps: int, hidden: Sequence[int], generator: Generator, **options: Any) -> None:
        # A z of one number leaves a network nothing to see: it has a 1, and the step is a shift and a scale.
        self.event, self.features = event, int(event == 1)
        self.steps = [Conditioner(event, self.features, hidden, generator, **options) for _ in range(steps)]

    def __call__(self, like: Tensor) -> NormalizingFlow:
        """The distribution, over ``(event,)``, in the dtype and backend of ``like``."""
        h = constant_like(like, 1.0, (self.features,))
        return NormalizingFlow(StandardNormal(self.event, like), [Coupling(network, h) for network in self.steps])


class FlowPriorVAE(VAE):
    """The VAE whose prior is a flow of affine coupling.

    Args:
        steps: of the flow; 0 leaves N(0, I).
        flow_hidden: hidden layers of each step's network.
        data_dim, latent_dim, hidden, others: see :class:`VAE`.
    """

    minimises = "-log p(x|z) + log q(z|x) - log p(z), p(z) a flow of affine coupling"
    source = "Huang et al. 2017, arXiv 1710.02248"
    no_free_bits = "its prior is a flow, whose KL is no sum over latent dimensions"
    fixed = ("estimator",)

    def __init__(
        self, data_dim: int, latent_dim: int = 20, hidden: Sequence[int] = (500,), *, steps: int = 4,
        flow_hidden: Sequence[int] = (100,), **others: Any,
    ) -> None:  # fmt: skip
        self.steps = integer_from_zero("steps", steps)
        self.flow_hidden = layer_sizes("flow_hidden", flow_hidden)
        super().__init__(data_dim, latent_dim, hidden, estimator="A", **others)
        self.remember(steps=self.steps, flow_hidden=self.flow_hidden)

    def build(self, noise: Generator, options: dict[str, Any]) -> None:
        """The VAE's networks, and those of the prior's steps."""
        super().build(noise, options)
        self.flow = CouplingPrior(self.latent_dim, self.steps, self.flow_hidden, noise, **options)

    def prior(self, context: Any = None) -> NormalizingFlow:
        """p(z)."""
        return self.flow(self.encoder.first_parameter())
