"""The disentangled beta-VAE: a capacity that the KL is to have, raised as training proceeds.

    minimises  D + gamma |R - C(t)|,    R = KL(q(z|x) || p(z)), averaged over the minibatch

Burgess et al. 2018, "Understanding disentangling in beta-VAE", arXiv 1804.03599, Eq. 8. C
rises linearly from 0 to its largest value, so that latent dimensions open one after the
other, the most useful first. Changes the loss alone: while R is above C its gradient is that
of the beta-VAE with beta = gamma. The difference is one of means: of each data point's KL
by itself it would force every x to have the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...autodiff import Tensor, absolute
from ...checks import number_from_zero
from ..phase import Batch, Phase
from ..vae import VAE
from .ramp import progress, ramp_length


class DisentangledBetaVAE(VAE):
    """The VAE with a capacity for its KL.

    Args:
        gamma: the weight on the distance from the capacity.
        capacity: the largest C, in nats.
        capacity_steps: how long C rises: a share of the run up to 1, else so many minibatches.
        data_dim, latent_dim, hidden, others: see :class:`VAE`.

    Attributes:
        now: C(t), 0-d.
    """

    minimises = "D + gamma |mean R - C(t)|"
    source = "Burgess et al. 2018, arXiv 1804.03599"
    no_kl = "its KL is led by a capacity that rises over capacity_steps"

    def __init__(
        self,
        data_dim: int,
        latent_dim: int = 20,
        hidden: Sequence[int] = (500,),
        *,
        gamma: float = 100.0,
        capacity: float = 25.0,
        capacity_steps: float = 0.5,
        **others: Any,
    ) -> None:
        self.gamma, self.capacity = number_from_zero("gamma", gamma), number_from_zero("capacity", capacity)
        self.capacity_steps = ramp_length("capacity_steps", capacity_steps)
        super().__init__(data_dim, latent_dim, hidden, **others)
        self.remember(gamma=self.gamma, capacity=self.capacity, capacity_steps=self.capacity_steps)
        self.now = self.scalar(0.0)

    def advance(self, step: int, total_steps: int) -> None:
        """C(t), linear up to its largest value."""
        self.now.data[...] = self.capacity * progress(step, total_steps, self.capacity_steps)

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """One phase: D + gamma |R - C|."""
        (phase,) = super().phases(batch, noise)
        loss = -self.of_means(phase.terms)["objective"]
        return [phase._replace(means=phase.terms).with_loss(loss)]

    def of_means(self, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The objective, whose KL is a mean: over a minibatch in training, over all data in an evaluation."""
        distance = absolute(means["kl"] - self.now)
        return {"objective": means["reconstruction"] - distance * self.gamma}
