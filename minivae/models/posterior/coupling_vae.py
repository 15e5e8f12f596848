"""The VAE with a flow of affine coupling.

    (x, y) = z_{t-1};    z_t = (x, y exp(s) + t) in reverse,  s = tanh(s'),  (t, s') = network_t(x, h)
    log |det| = sum of s,    h = h(x) from the encoder

Dinh, Sohl-Dickstein & Bengio 2017, "Density estimation using Real NVP", arXiv 1605.08803, Eq. 7 and 8, as a posterior
(theirs is a density of data): each step's network sees features h of the data point, as those of Kingma et al. 2016,
arXiv 1606.04934, do. Half of the elements move, the network sees the others, and the order is reversed between steps,
so that all move; both directions cost one pass. Real NVP multiplies the tanh by a learnt number; here the Gaussian's
own scales do that. Changes the posterior alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...autodiff import Tensor
from ...backend import Generator
from ...checks import integer_from_zero, layer_sizes, positive_integer
from ...distributions import Coupling, NormalizingFlow
from ...nn import Linear
from ...nn.mlp import HiddenLayers
from ..prior.cvae import beside
from ..vae import VAE
from .flow_vae import FeaturesMLP


class Conditioner(HiddenLayers):
    """(x, h) -> t and s', by a perceptron on both; near 0 at the start, where a step changes nothing.

    Args:
        event: the length of z, half of which, rounded down, are x.
        features: the length of h; 0 for none, where z has more elements than one.
        hidden, generator, options: see :class:`HiddenLayers`.
    """

    shift: Linear
    log_scale: Linear

    def __init__(self, event: int, features: int, hidden: Sequence[int], generator: Generator, **options: Any) -> None:
        seen = event // 2
        heads: dict[str, int] = dict.fromkeys(("shift", "log_scale"), event - seen)
        super().__init__(seen + features, hidden, heads, generator, small=tuple(heads), **options)

    def __call__(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """``(..., event // 2)`` and ``(..., features)`` -> two of ``(..., event - event // 2)``."""
        hidden = self.hidden(beside(x, h) if h.shape[-1] else x)
        return self.shift(hidden), self.log_scale(hidden)


class CouplingMLP(FeaturesMLP):
    """x -> a Gaussian, features h and the networks of the steps, whose hidden layers are ``flow_hidden``."""

    def __init__(
        self, inputs: int, hidden: Sequence[int], outputs: int, generator: Generator, *,
        steps: int, flow_hidden: Sequence[int], features: int, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(inputs, hidden, outputs, generator, features=features, **options)
        self.steps = [Conditioner(outputs, features, flow_hidden, generator, **options) for _ in range(steps)]

    def __call__(self, x: Any) -> NormalizingFlow:  # pyright: ignore[reportIncompatibleMethodOverride]
        """``(..., inputs)`` -> a distribution over ``(..., outputs)``."""
        base, h = super().__call__(x)
        return NormalizingFlow(base, [Coupling(network, h) for network in self.steps])


class CouplingVAE(VAE):
    """The VAE with a flow of affine coupling.

    Args:
        steps: of the flow; 0 leaves the VAE.
        flow_hidden: hidden layers of each step's network.
        features: the length of h.
        data_dim, latent_dim, hidden, others: see :class:`VAE`.
    """

    minimises = "D + R, R of a flow of affine coupling"
    source = "Dinh et al. 2017, arXiv 1605.08803"
    no_free_bits = "its KL is no sum over latent dimensions, which depend on each other"
    fixed = ("estimator",)

    def __init__(
        self, data_dim: int, latent_dim: int = 20, hidden: Sequence[int] = (500,), *, steps: int = 4,
        flow_hidden: Sequence[int] = (100,), features: int = 20, **others: Any,
    ) -> None:  # fmt: skip
        self.flow = {
            "steps": integer_from_zero("steps", steps),
            "flow_hidden": layer_sizes("flow_hidden", flow_hidden),
            "features": positive_integer("features", features),
        }
        super().__init__(data_dim, latent_dim, hidden, estimator="A", **others)
        self.remember(**self.flow)

    def build(self, noise: Generator, options: dict[str, Any]) -> None:
        """The encoder with its flow; the VAE's decoder."""
        self.encoder = CouplingMLP(self.data_dim, self.hidden, self.latent_dim, noise, **self.flow, **options)
        self.decoder = self.make_decoder(self.latent_dim, noise, options)
