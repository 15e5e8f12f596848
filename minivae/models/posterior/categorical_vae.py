"""The VAE with categorical latent variables, trained through a relaxation.

    q(z|x) = prod_n Categorical(pi_n(x)),    p(z) uniform over one-hot vectors
    minimises  D(y) + R,  y = softmax((log pi + g) / tau),  R = sum_n (sum_k pi log pi + log K)

Jang, Gu & Poole 2017, "Categorical reparameterization with Gumbel-softmax", arXiv 1611.01144;
Maddison, Mnih & Teh 2017, "The concrete distribution". Changes posterior and prior. The
temperature tau falls exponentially from 1 to 1/2, as in Jang et al.'s experiments, but over the
run: at their rate, 3e-5 for each minibatch, it takes 23,000. Two numbers are reported: ``bound``
is that of the truly discrete model, its decoder given one-hot z; ``relaxed_bound`` has y in the
place of z and bounds nothing: it is what training sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import bounds
from ...autodiff import Tensor, argmax, constant_like
from ...backend import Generator
from ...checks import instance, number_from, positive_integer
from ...distributions import Categorical, Distribution, kl
from ...distributions.categorical import LEAST_TEMPERATURE
from ...errors import InputError
from ...nn import MLP
from ..bound.ramp import progress, ramp_length
from ..phase import Batch, Phase
from ..vae import VAE


class CategoricalVAE(VAE):
    """The VAE whose z is made of categorical variables, one-hot, end to end.

    Args:
        variables: how many.
        num_categories: how many values each has (K).
        final_temperature: what tau falls to, from 1.
        temperature_steps: how long it falls: a share of the run up to 1, else so many minibatches.
        data_dim, hidden, others: see :class:`VAE`.

    Attributes:
        temperature: tau, 0-d.
    """

    minimises = "D(softened z) + sum_n (sum pi log pi + log K)"
    source = "Jang et al. 2017, arXiv 1611.01144"
    fixed = ("latent_dim", "estimator")

    def __init__(
        self,
        data_dim: int,
        hidden: Sequence[int] = (500,),
        *,
        variables: int = 30,
        num_categories: int = 10,
        final_temperature: float = 0.5,
        temperature_steps: float = 1.0,
        **others: Any,
    ) -> None:
        self.variables = self.num_codes = positive_integer("variables", variables)
        self.num_categories = positive_integer("num_categories", num_categories)
        if self.num_categories < 2:
            raise InputError("num_categories is 1; expected at least 2, or nothing varies")
        self.final_temperature = number_from("final_temperature", final_temperature, LEAST_TEMPERATURE)
        self.temperature_steps = ramp_length("temperature_steps", temperature_steps)
        super().__init__(data_dim, self.variables * self.num_categories, hidden, **others)
        self.remember(variables=self.variables, num_categories=self.num_categories)
        self.remember(final_temperature=self.final_temperature, temperature_steps=self.temperature_steps)
        self.temperature = self.scalar(1.0)

    def build(self, noise: Generator, options: dict[str, Any]) -> None:
        """An encoder of logits; the VAE's decoder."""
        self.encoder = MLP((self.data_dim, *self.hidden, self.latent_dim), noise, **options)
        self.decoder = self.make_decoder(self.latent_dim, noise, options)

    def advance(self, step: int, total_steps: int) -> None:
        """tau, by the same factor at each step."""
        self.temperature.data[...] = self.final_temperature ** progress(step, total_steps, self.temperature_steps)

    def posterior(self, x: Any, context: Any = None) -> Categorical:
        """q(z|x), discrete."""
        return Categorical(self.encoder(self.features(x)), self.num_categories)

    def prior(self, context: Any = None) -> Categorical:
        """p(z), every value as likely."""
        like = self.encoder.first_parameter()
        return Categorical(constant_like(like, 0.0, (self.latent_dim,)), self.num_categories)

    def drawn_codes(self, x: Any, noise: Any) -> tuple[Tensor, Tensor, Tensor]:
        """L draws of z for each of the model values, ``(L, M, latent_dim)``; these again; the entropy, ``(M,)``."""
        q = self.posterior(x)
        z = q.sample(self.noise(q, noise))
        return z, z, q.entropy()

    def prior_of(self, codes: Distribution) -> Distribution:
        """p(z) if the one-hot codes have that distribution: they are z."""
        return instance("codes", codes, Distribution, "a Distribution")

    def codes(self, x: Any) -> Tensor:
        """The most likely value of each variable, ``(M, variables)`` integers."""
        return argmax(self.posterior(self.prepared(x)).log_p, axis=-1)

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """One phase. Noise is uniform, ``(L, M, latent_dim)``; both bounds are of the same."""
        x = self._points(batch)
        q = self.posterior(x)
        u, r = self.noise(q, noise), kl(q, self.prior())
        z, y = q.sample(u), q.relax(u, self.temperature)
        discrete, relaxed = (bounds.sgvb_b(self.likelihood(code).log_prob(x), r).terms() for code in (z, y))
        return [Phase(-relaxed["bound"], self.parameters(), {**discrete, "relaxed_bound": relaxed["bound"]})]
