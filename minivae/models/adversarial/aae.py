"""The adversarial auto-encoder.

    reconstruction:  by encoder and decoder   -log p(x|z),    z = E(x)
    regularization:  by the critic            1/2 CE(draws of p(z) -> 0) + 1/2 CE(z -> 1)
                     by the encoder           -log D(z),    D(z) = P(z is from p(z))

Makhzani, Shlens, Jaitly, Goodfellow & Frey 2016, "Adversarial autoencoders", arXiv 1511.05644, section 2 and Fig. 1,
with their deterministic encoder. The WAE-GAN's parts in three phases, each with an optimizer of its own: that of the
run reconstructs, and the critic's, of the critic's step size, trains the encoder to fool it, too, so that nothing
weighs one against the other. The gradients of all phases are taken before the first step is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...autodiff import Tensor
from ..phase import Batch, Phase
from .wae_gan import WAEGAN


class AAE(WAEGAN):
    """An auto-encoder that learns to reconstruct and, in other steps, to have the codes of the prior.

    Args:
        critic_hidden: the critic's hidden layers, with leaky ReLUs.
        critic_lr: the step size of the Adam of the critic, and of the encoder's that fools it; first decay rate 0.5.
        data_dim, latent_dim, hidden, others: see :class:`VAE`.
    """

    minimises = "D; -log D(z) by a critic"
    source = "Makhzani et al. 2016, arXiv 1511.05644"
    fixed = (*WAEGAN.fixed, "critic_weight")

    def __init__(
        self,
        data_dim: int,
        latent_dim: int = 8,
        hidden: Sequence[int] = (500,),
        *,
        critic_hidden: Sequence[int] = (1000, 1000),
        critic_lr: float = 5e-4,
        **others: Any,
    ) -> None:
        super().__init__(data_dim, latent_dim, hidden, critic_hidden=critic_hidden, critic_lr=critic_lr, **others)

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """Three phases, in the paper's order. ``noise``: a generator, or that of the prior, ``(M, latent_dim)``."""
        z, drawn, reconstruction = self._codes_and_draws(batch, noise)
        encoder, fooled = self.encoder.parameters(), self.critic.fooled(z)
        trained, own = [*encoder, *self.decoder.parameters()], {"adversarial": fooled}
        terms = {"objective": reconstruction, "reconstruction": reconstruction, **own}
        last = Phase(fooled, encoder, own, optimizer=self.critic.optimizer)
        first = Phase(-reconstruction, trained, terms, means=self._means(batch, z))
        return [first, self.critic.phase(drawn, z), last]

    def _means(self, batch: Batch, z: Tensor) -> dict[str, Tensor]:
        """What :meth:`of_means` is given, of codes as the critic is shown them."""
        return {}
