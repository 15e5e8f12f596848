"""The joint VAE: continuous and discrete latent variables together, each kind with a capacity for its KL.

    q(z, c|x) = N(mu(x), diag sigma^2(x)) prod_n Categorical(pi_n(x)),    p(z, c) = N(0, I) x uniform
    minimises  D(z, y) + gamma |R_z - C_z(t)| + gamma |R_c - C_c(t)|,    y = softmax((log pi + g) / tau)

Dupont 2018, "Learning disentangled joint continuous and discrete representations", arXiv
1804.00104, Eq. 7 and Sec. 3.4. Changes posterior, prior and loss: the disentangled beta-VAE's
capacity, one for each kind of variable, as the discrete ones would otherwise not be used. Both
rise from 0; that of the discrete variables is at most what they can hold, sum_n log K_n. R_z and
R_c are means over the minibatch. As in the categorical VAE, ``bound`` is that of the truly
discrete model, and ``relaxed_bound`` has y in the place of c and bounds nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

from ... import bounds
from ...autodiff import Tensor, absolute, add, constant_like, mean
from ...backend import Generator
from ...checks import number_from, number_from_zero, positive_integer
from ...distributions import Product, kl
from ...distributions.categorical import LEAST_TEMPERATURE
from ..bound.ramp import progress, ramp_length
from ..phase import Batch, Phase
from ..vae import VAE
from .joint_encoder import JointEncoder, discrete_sizes, joint_codes, joint_prior

KINDS = ("continuous", "discrete")


class JointVAE(VAE):
    """The VAE whose z is continuous in its first dimensions and one-hot in the others.

    Args:
        continuous: how many continuous dimensions.
        discrete: how many values each discrete variable has.
        gamma: the weight on the distances from the capacities.
        capacity, discrete_capacity: the largest C_z and C_c, in nats; C_c is cut at sum log K.
        capacity_steps: how long both rise: a share of the run up to 1, else so many minibatches.
        temperature: tau.
        data_dim, hidden, others: see :class:`VAE`.

    Attributes:
        now: C_z(t) and C_c(t), ``(2,)``.
    """

    minimises = "D + gamma |R_z - C_z(t)| + gamma |R_c - C_c(t)|"
    source = "Dupont 2018, arXiv 1804.00104"
    fixed = ("latent_dim", "estimator")
    no_kl = "its KLs are led by capacities that rise over capacity_steps"

    def __init__(
        self,
        data_dim: int,
        hidden: Sequence[int] = (500,),
        *,
        continuous: int = 10,
        discrete: Sequence[int] = (10,),
        gamma: float = 30.0,
        capacity: float = 5.0,
        discrete_capacity: float = 5.0,
        capacity_steps: float = 0.5,
        temperature: float = 0.67,
        **others: Any,
    ) -> None:
        self.continuous = positive_integer("continuous", continuous)
        self.discrete = discrete_sizes(discrete)
        self.gamma = number_from_zero("gamma", gamma)
        self.temperature = number_from("temperature", temperature, LEAST_TEMPERATURE)
        given = number_from_zero("capacity", capacity), number_from_zero("discrete_capacity", discrete_capacity)
        self.capacities = given[0], min(given[1], sum(map(math.log, self.discrete)))
        self.capacity_steps = ramp_length("capacity_steps", capacity_steps)
        self.num_categories = max(self.discrete, default=0)
        super().__init__(data_dim, self.continuous + sum(self.discrete), hidden, **others)
        self.remember(continuous=self.continuous, discrete=self.discrete, gamma=self.gamma, capacity=given[0])
        self.remember(discrete_capacity=given[1], capacity_steps=self.capacity_steps, temperature=self.temperature)
        like = self.parameters()[0]
        self.now = Tensor(like.xp.zeros(2, dtype=like.dtype))

    def build(self, noise: Generator, options: dict[str, Any]) -> None:
        """An encoder with means, variances and logits; the VAE's decoder."""
        self.encoder = JointEncoder(self.data_dim, self.hidden, self.continuous, self.discrete, noise, **options)
        self.decoder = self.make_decoder(self.latent_dim, noise, options)

    def advance(self, step: int, total_steps: int) -> None:
        """C_z(t) and C_c(t), linear up to their largest values."""
        along = progress(step, total_steps, self.capacity_steps)
        for i, largest in enumerate(self.capacities):
            self.now.data[i] = largest * along

    def posterior(self, x: Any, context: Any = None) -> Product:
        """q(z, c|x)."""
        return self.encoder(self.features(x))

    def prior(self, context: Any = None) -> Product:
        """p(z, c): N(0, I), and every value as likely."""
        return joint_prior(self.continuous, self.discrete, self.encoder.first_parameter())

    def codes(self, x: Any) -> Tensor:
        """The most likely value of each discrete variable, ``(M, variables)`` integers."""
        return joint_codes(self.posterior(self.prepared(x))) if self.discrete else super().codes(x)

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """One phase. ``noise``: a generator, or for L draws of M points normal and then uniform numbers."""
        x = self._points(batch)
        q, p = self.posterior(x), self.prior()
        drawn, (of_z, *of_c) = self.noise(q, noise), [kl(*pair) for pair in zip(q.parts, p.parts, strict=True)]
        of_c = reduce(add, of_c, constant_like(of_z, 0.0, of_z.shape))
        z, y = q.sample(drawn), q.relax(drawn, self.temperature)
        discrete, relaxed = (bounds.sgvb_b(self.likelihood(code).log_prob(x), of_z + of_c).terms() for code in (z, y))
        kls = {"continuous_kl": mean(of_z), "discrete_kl": mean(of_c)}
        means = {"relaxed": relaxed["reconstruction"], **kls}
        terms = {**discrete, "relaxed_bound": relaxed["bound"], **kls}
        loss = -self.of_means(means)["objective"]
        return [Phase(loss, self.parameters(), terms, means=means).with_loss(loss)]

    def of_means(self, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The objective, whose KLs are means: over a minibatch in training, over all data in an evaluation."""
        of_z, of_c = (absolute(means[f"{kind}_kl"] - now) for kind, now in zip(KINDS, self.now, strict=True))
        return {"objective": means["relaxed"] - (of_z + of_c) * self.gamma}
