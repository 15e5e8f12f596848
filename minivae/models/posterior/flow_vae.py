"""What VAEs with a normalizing flow share: a Gaussian and the numbers of each step, all from the encoder.

    z_0 = mu(x) + sigma(x) epsilon;    z_t = f_t(z_{t-1}; numbers_t(x));    z = z_T
    log q(z_T|x) = log N(z_0; mu, sigma^2) - sum_t log |det df_t / dz_{t-1}|

Rezende & Mohamed 2015, arXiv 1505.05770, Algorithm 1: "amortized", since a flow of its own for each x costs one pass
of the encoder. The KL has no closed form, so that the estimator is A.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from ...autodiff import Tensor, split
from ...backend import Generator
from ...checks import integer_from_zero
from ...distributions import FlowStep, Normal, NormalizingFlow
from ...nn import Linear
from ...nn.mlp import HiddenLayers
from ..vae import VAE


class FeaturesMLP(HiddenLayers):
    """x -> a Gaussian, and features of x for a flow.

    Args:
        inputs, hidden, outputs, generator, options: as of :class:`~minivae.models.vae.GaussianMLP`.
        features: how many; 0 leaves the Gaussian.
    """

    mean: Linear
    log_var: Linear
    features: Linear | None = None

    def __init__(
        self, inputs: int, hidden: Sequence[int], outputs: int, generator: Generator, *, features: int, **options: Any
    ) -> None:
        heads = {"mean": outputs, "log_var": outputs} | ({"features": features} if features else {})
        super().__init__(inputs, hidden, heads, generator, **options)

    def __call__(self, x: Any) -> tuple[Normal, Any]:
        """``(..., inputs)`` -> a Gaussian over ``(..., outputs)``, and ``(..., features)`` or None."""
        h = self.hidden(x)
        return Normal(self.mean(h), self.log_var(h)), None if self.features is None else self.features(h)


class FlowVAE(VAE):
    """Base of the VAEs with a normalizing flow: a variant says how many numbers a step has, and what they are.

    Args:
        steps: of the flow; 0 leaves the VAE.
        data_dim, latent_dim, hidden, others: see :class:`VAE`.
    """

    no_free_bits = "its KL is no sum over latent dimensions, which depend on each other"
    fixed = ("estimator",)
    family: type[NormalizingFlow] = NormalizingFlow

    def __init__(
        self, data_dim: int, latent_dim: int = 20, hidden: Sequence[int] = (500,), *, steps: int = 8, **others: Any
    ) -> None:
        self.steps = integer_from_zero("steps", steps)
        decided = {"estimator": "A"} if "estimator" in self.fixed else {}
        super().__init__(data_dim, latent_dim, hidden, **decided, **others)
        self.remember(steps=self.steps)

    def build(self, noise: Generator, options: dict[str, Any]) -> None:
        """The encoder with the numbers of the flow; the VAE's decoder."""
        features = self.steps * self.step_numbers(self.latent_dim)
        heads = {"features": features, "small": ("features",), **options}  # small: steps that do little
        self.encoder = FeaturesMLP(self.data_dim, self.hidden, self.latent_dim, noise, **heads)
        self.decoder = self.make_decoder(self.latent_dim, noise, options)

    def posterior(self, x: Any, context: Any = None) -> NormalizingFlow:
        """q(z|x): the Gaussian after all steps."""
        base, features = self.encoder(self.features(x))
        return self.family(
            base, [self.flow_step(n) for n in split(features, self.steps, axis=-1)] if self.steps else []
        )

    @abstractmethod
    def step_numbers(self, event: int) -> int:
        """How many numbers a step over so many elements has."""

    @abstractmethod
    def flow_step(self, numbers: Tensor) -> FlowStep:
        """The step of these numbers, ``(..., numbers)``."""
