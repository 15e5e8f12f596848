"""The Wasserstein auto-encoder with a critic of its codes.

    minimises  c(x, G(z)) - lambda log D(z),    z = E(x), without noise
    critic:    1/2 CE(draws of p(z) -> 0) + 1/2 CE(z -> 1),    D(z) = P(z is from p(z))

Tolstikhin, Bousquet, Gelly & Schoelkopf 2018, "Wasserstein auto-encoders", arXiv 1711.01558, Algorithm 1. The cost c
is -log p(x|z), as in the WAE-MMD, in the place of whose discrepancy a critic says how far q(z) is from p(z). Encoder
and decoder are trained against it in one phase, the critic in the other; its loss is the paper's but for a factor
lambda / 2, which changes nothing of the best critic. The authors' code adds log p(z) to the logit for the encoder's
sake; their paper and this do not. The objective bounds no log p(x), and none is reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...autodiff import Tensor, mean
from ...backend import Generator
from ...checks import layer_sizes, number_from_zero, positive_number
from ..phase import Batch, Phase, prior_draws
from ..point_vae import PointVAE
from .critic import Critic


class WAEGAN(PointVAE):
    """An auto-encoder without noise, whose codes a critic cannot tell from draws of the prior.

    Args:
        critic_weight: lambda.
        critic_hidden: the critic's hidden layers, with leaky ReLUs.
        critic_lr: the step size of the critic's Adam, whose first decay rate is 0.5.
        data_dim, latent_dim, hidden, others: see :class:`VAE`.
    """

    minimises = "D - lambda log D(z) by a critic"
    source = "Tolstikhin et al. 2018, arXiv 1711.01558"

    def __init__(
        self,
        data_dim: int,
        latent_dim: int = 8,
        hidden: Sequence[int] = (500,),
        *,
        critic_weight: float = 10.0,
        critic_hidden: Sequence[int] = (512, 512, 512, 512),
        critic_lr: float = 5e-4,
        **others: Any,
    ) -> None:
        self.critic_weight = number_from_zero("critic_weight", critic_weight)
        self.critic_hidden = layer_sizes("critic_hidden", critic_hidden)
        self.critic_lr = positive_number("critic_lr", critic_lr)
        super().__init__(data_dim, latent_dim, hidden, **others)
        self.remember(critic_weight=self.critic_weight, critic_hidden=self.critic_hidden, critic_lr=self.critic_lr)

    def build(self, noise: Generator, options: dict[str, Any]) -> None:
        """The networks of points, and the critic."""
        super().build(noise, options)
        self.critic = Critic(self.latent_dim, self.critic_hidden, noise, lr=self.critic_lr, **options)

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """Two phases: encoder and decoder, then the critic. ``noise``: a generator, or draws ``(M, latent_dim)``."""
        z, drawn, reconstruction = self._codes_and_draws(batch, noise)
        fooled = self.critic.fooled(z)
        loss = fooled * self.critic_weight - reconstruction
        terms = {"objective": -loss, "reconstruction": reconstruction, "adversarial": fooled}
        trained = [*self.encoder.parameters(), *self.decoder.parameters()]
        return [Phase(loss, trained, terms), self.critic.phase(drawn, z)]

    def _codes_and_draws(self, batch: Batch, noise: Any) -> tuple[Tensor, Tensor, Tensor]:
        """Codes of a minibatch, as many draws of the prior, ``(M, latent_dim)`` each, and the mean of log p(x|z)."""
        x = self._points(batch)
        z = self.posterior(x).mean
        return z, prior_draws(self.prior(), len(z), noise), mean(self.likelihood(z).log_prob(x))
