"""The FactorVAE: a VAE that pays for the dependence between its latent dimensions.

    minimises  E + gamma TC,    E = D + R, TC = KL(q(z) || prod_j q(z_j)) = E_q(z) [l_0 - l_1]
    critic:    1/2 CE(z -> 0) + 1/2 CE(z with permuted columns -> 1)

Kim & Mnih 2018, "Disentangling by factorising", arXiv 1802.05983, Eq. 2 and Algorithm 2. Adds
to the VAE a critic, trained in a phase of its own by an optimizer of its own. The critic learns
from the codes of half of the minibatch, and from those of the other half after each column was
permuted; the codes are held there, so that its gradient reaches no encoder, and the other
phase trains the encoder and the decoder alone. ``tc`` is the mean of the critic's l_0 - l_1 over
data points, of a minibatch or of all data: as good an estimate as the critic is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...autodiff import mean
from ...backend import Generator
from ...checks import layer_sizes, number_from_zero, positive_number
from ...regularizers import permute_columns
from ..phase import Batch, Phase, noise_for
from ..vae import VAE
from .critic import Critic


class FactorVAE(VAE):
    """The VAE with a critic that estimates the total correlation of its codes.

    Args:
        gamma: the weight on the total correlation.
        critic_hidden: the critic's hidden layers, with leaky ReLUs.
        critic_lr: the step size of the critic's Adam, whose first decay rate is 0.5.
        data_dim, latent_dim, hidden, others: see :class:`VAE`.
    """

    minimises = "D + R + gamma TC by a critic"
    source = "Kim & Mnih 2018, arXiv 1802.05983"
    least_points = 3  # so that a half has two: the columns of one row have no other order

    def __init__(
        self,
        data_dim: int,
        latent_dim: int = 20,
        hidden: Sequence[int] = (500,),
        *,
        gamma: float = 6.4,
        critic_hidden: Sequence[int] = (1000, 1000, 1000, 1000, 1000),
        critic_lr: float = 1e-4,
        **others: Any,
    ) -> None:
        self.gamma, self.critic_hidden = number_from_zero("gamma", gamma), layer_sizes("critic_hidden", critic_hidden)
        self.critic_lr = positive_number("critic_lr", critic_lr)
        super().__init__(data_dim, latent_dim, hidden, **others)
        self.remember(gamma=self.gamma, critic_hidden=self.critic_hidden, critic_lr=self.critic_lr)

    def build(self, noise: Generator, options: dict[str, Any]) -> None:
        """The VAE's networks, and the critic."""
        super().build(noise, options)
        own = {"lr": self.critic_lr, "betas": (0.5, 0.9)}
        self.critic = Critic(self.latent_dim, self.critic_hidden, noise, **own, **options)

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """Two phases: the VAE's, then the critic's.

        Args:
            batch: the data.
            noise: a generator, or a dict of "z", epsilon, and "order", uniform, ``((M + 1) // 2, latent_dim)``, from
                which the orders of the columns come.
        """
        epsilon, order = noise_for(("z", "order"), noise)
        bound, z = self.bound_and_draws(self._points(batch), epsilon)
        terms = bound.terms()
        tc = mean(self.critic.ratio(z[0]))
        trained = [*self.encoder.parameters(), *self.decoder.parameters()]
        first = Phase(-terms["bound"], trained, terms).with_loss(tc * self.gamma - terms["bound"], tc=tc)

        half = (len(z[0]) + 1) // 2
        return [first, self.critic.phase(z[0][:half], permute_columns(z[0][-half:], order))]
