"""The importance-weighted auto-encoder.

    minimises  -log (1/K) sum_k w_k,    w = p(x, z) / q(z|x)

Burda, Grosse & Salakhutdinov 2016, "Importance weighted autoencoders", Eq. 8. Changes the bound
alone. It rises with K towards log p(x), while the signal-to-noise ratio of the encoder's gradient
falls as 1 / sqrt(K) (Rainforth et al. 2018). K = 1 is estimator A of the VAE.

The encoder's gradient has three estimators. In the standard one log q(z|x) is differentiated by
its parameters, too, a term whose mean is not 0 for K > 1, and which for the exact posterior is
noise alone. Sticking the landing (stl; Roeder, Wu & Duvenaud 2017) leaves it out: exact for K = 1,
biased beyond (Tucker et al. 2019, section 3). DReG (:func:`~minivae.bounds.doubly_reparameterized`)
puts the right thing in its place, for any K. The decoder's gradient is the same in all three.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ... import bounds
from ...autodiff import Parameter, Tensor, mean, stop_gradient
from ...checks import instance, one_of, positive_integer
from ...distributions import Distribution, Normal
from ..phase import Batch, Phase
from ..vae import VAE

Densities = tuple[Tensor, Tensor, Tensor]  # log p(x|z), log p(z) and log q(z|x) at the draws, each (M K, B)


class IWAE(VAE):
    """The VAE's model with the importance-weighted bound. The terms reported beside it are the VAE's.

    Args:
        samples: K, importance samples.
        gradient: how that of the encoder is estimated: standard, stl (sticking the landing) or dreg (doubly
            reparameterized, in a phase of its own).
        data_dim, latent_dim, hidden, others: see :class:`VAE`.

    Attributes:
        groups: M, of K samples each, for variants that have several.
    """

    minimises = "-log mean_K w"
    source = "Burda et al. 2016, arXiv 1509.00519"
    no_free_bits = "its bound is no sum of a reconstruction and a KL"
    fixed = ("estimator",)
    groups = 1

    def __init__(
        self,
        data_dim: int,
        latent_dim: int = 20,
        hidden: Sequence[int] = (500,),
        *,
        samples: int = 5,
        gradient: Literal["standard", "stl", "dreg"] = "standard",
        **others: Any,
    ) -> None:
        self.gradient = one_of("gradient", gradient, ("standard", "stl", "dreg"))
        super().__init__(data_dim, latent_dim, hidden, samples=samples, estimator="A", **others)
        self.draws = self.groups * self.samples
        self.remember(gradient=gradient)

    def noise(self, q: Distribution, noise: Any, samples: int | None = None) -> Tensor:
        """Of M K draws; those of a group follow each other."""
        samples = self.samples if samples is None else positive_integer("samples", samples)
        return super().noise(q, noise, self.groups * samples)

    def estimate(self, log_likelihood: Tensor, log_prior: Tensor, log_posterior: Tensor) -> bounds.Bound:
        """The importance-weighted bound."""
        return bounds.importance_weighted(log_likelihood, log_prior, log_posterior, self.groups)

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """One phase: minus the bound; with DReG two, the second for the encoder."""
        return self._phases_of(self._densities(batch, noise))

    def phases_at(self, batch: Batch, noise: Any, weight: Tensor) -> list[Phase]:
        """:meth:`phases` with log w = log p(x|z) + weight (log p(z) - log q(z|x)) in the losses."""
        log_likelihood, log_prior, log_q = whole = self._densities(batch, noise)
        first, *others = self._phases_of((log_likelihood, log_prior * weight, log_q * weight), weight)
        return [first._replace(terms=self.estimate(*whole).terms()).with_loss(first.loss), *others]

    def _densities(self, batch: Batch, noise: Any) -> Densities:
        """What log w is made of, at draws of z; but for the standard gradient the parameters of log q are constants."""
        x = self._points(batch)
        q = self.posterior(x, batch.context)
        z, log_q = q.sample_with_log_prob(self.noise(q, noise))
        if self.gradient != "standard":
            q = instance("the posterior", q, Normal, f"a Normal, for the gradient {self.gradient!r}")
            log_q = Normal(stop_gradient(q.mean), stop_gradient(q.log_var)).log_prob(z)
        return self.likelihood(z, batch.context).log_prob(x), self.prior(batch.context).log_prob(z), log_q

    def _phases_of(self, densities: Densities, weight: Tensor | None = None) -> list[Phase]:
        """The phases of log w, in which the KL's part was multiplied by ``weight``."""
        terms = self.estimate(*densities).terms()
        if self.gradient != "dreg":
            return [Phase(-terms["bound"], self.parameters(), terms)]
        log_likelihood, log_prior, log_q = densities
        by_encoder = bounds.doubly_reparameterized(log_likelihood + log_prior - log_q, self.groups, weight)
        return [
            Phase(-terms["bound"], self._beside_encoder(), terms),
            Phase(-mean(by_encoder), self.encoder.parameters(), {}),
        ]

    def _beside_encoder(self) -> list[Parameter]:
        """All parameters but the encoder's."""
        encoder = {id(p) for p in self.encoder.parameters()}
        return [p for p in self.parameters() if id(p) not in encoder]
