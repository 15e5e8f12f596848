"""The VAE with inverse autoregressive flow: a posterior of any shape, from a Gaussian in steps.

    z_0 = mu + sigma epsilon;    z_t = s z_{t-1} + (1 - s) m,  s = sigmoid(s' + 2)
    (m, s') = MADE_t(z_{t-1}, h): numbers i depend on elements before i of z_{t-1}, and on h(x)
    log q(z_T|x) = log N(z_0; mu, sigma^2) - sum_t sum_i log s_i
    minimises  D + sum_j max(lambda, mean R_j)

Kingma et al. 2016, "Improving variational inference with inverse autoregressive flow",
arXiv 1606.04934, Algorithm 1, with elements reversed between steps and the free bits of
Eq. 15: a dimension whose KL, averaged over the minibatch, is below lambda costs the same as at
lambda. Changes the posterior and, unless lambda is 0, the loss. There is no closed form of
the KL, so the estimator is A. s starts near 1, where a step changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ... import bounds
from ...autodiff import Tensor, maximum, mean, square, sum
from ...backend import Generator
from ...checks import integer_from_zero, layer_sizes, number_from_zero, positive_integer
from ...distributions import Flow
from ...distributions.paper import deviance
from ...nn import MADE
from ..phase import Batch, Phase
from ..vae import VAE
from .flow_vae import FeaturesMLP


class FlowMLP(FeaturesMLP):
    """x -> a Gaussian, features h and a flow. ``features`` is the length of h, ``flow_hidden`` of the steps' layers."""

    def __init__(
        self, inputs: int, hidden: Sequence[int], outputs: int, generator: Generator, *,
        steps: int, flow_hidden: Sequence[int], features: int, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(inputs, hidden, outputs, generator, features=features, **options)
        made = {"outputs": 2, "context_dim": features, **options}
        self.steps = [MADE(outputs, flow_hidden, generator, **made) for _ in range(steps)]

    def __call__(self, x: Any) -> Flow:  # pyright: ignore[reportIncompatibleMethodOverride]
        """``(..., inputs)`` -> a distribution over ``(..., outputs)``."""
        base, h = super().__call__(x)
        return Flow(base, self.steps, h)


class IAFVAE(VAE):
    """The VAE with inverse autoregressive flow.

    Args:
        steps: of the flow; 0 leaves the VAE.
        flow_hidden: hidden layers of each step's network.
        features: the length of h.
        free_bits: lambda, in nats for each latent dimension.
        data_dim, latent_dim, hidden, others: see :class:`VAE`.
    """

    minimises = "D + sum_j max(lambda, mean R_j)"
    source = "Kingma et al. 2016, arXiv 1606.04934"
    no_free_bits = "it has free bits of its own, its argument free_bits"
    fixed = ("estimator",)

    def __init__(
        self, data_dim: int, latent_dim: int = 20, hidden: Sequence[int] = (500,), *, steps: int = 2,
        flow_hidden: Sequence[int] = (100,), features: int = 20, free_bits: float = 0.25, **others: Any,
    ) -> None:  # fmt: skip
        self.flow = {
            "steps": integer_from_zero("steps", steps),
            "flow_hidden": layer_sizes("flow_hidden", flow_hidden),
        }
        self.flow |= {"features": positive_integer("features", features)}
        self.free_bits = number_from_zero("free_bits", free_bits)
        super().__init__(data_dim, latent_dim, hidden, estimator="A", **others)
        self.remember(**self.flow, free_bits=self.free_bits)

    def build(self, noise: Generator, options: dict[str, Any]) -> None:
        """The encoder with its flow; the VAE's decoder."""
        self.encoder = FlowMLP(self.data_dim, self.hidden, self.latent_dim, noise, **self.flow, **options)
        self.decoder = self.make_decoder(self.latent_dim, noise, options)

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """One phase: minus the bound, with each dimension's KL at least lambda."""
        x = self._points(batch)
        q: Any = self.posterior(x)  # a Flow
        z, log_q = q.elements(self.noise(q, noise))
        log_p = deviance(square(z)) * -0.5
        bound = bounds.sgvb_a(self.likelihood(z).log_prob(x), sum(log_p, axis=-1), sum(log_q, axis=-1))
        terms = bound.terms()
        means = {"reconstruction": terms["reconstruction"], "kl_by_dimension": mean(log_q - log_p, axis=(0, 1))}
        loss = -self.of_means(means)["objective"]
        return [Phase(-terms["bound"], self.parameters(), terms, means=means).with_loss(loss)]

    def of_means(self, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The objective, whose free bits are paid on means: over a minibatch, or over all data in an evaluation."""
        kl = means["kl_by_dimension"]  # an estimate, which may be below 0: to bound it by 0 would bias it
        paid = maximum(kl, self.free_bits) if self.free_bits else kl
        return {"objective": means["reconstruction"] - sum(paid)}
