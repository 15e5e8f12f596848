"""The importance-weighted auto-encoder, and its multiply importance-weighted kind.

    minimises  -mean over M groups of log (1/K) sum_k w_k,    w = p(x, z) / q(z|x)

Burda, Grosse & Salakhutdinov 2016, "Importance weighted autoencoders", Eq. 8 (M = 1);
Rainforth et al. 2018, "Tighter variational bounds are not necessarily better", Eq. 8. Changes
the bound alone. It rises with K towards log p(x), while the signal-to-noise ratio of the
encoder's gradient falls as 1 / sqrt(K), which groups mend. K = 1 is estimator A of the VAE.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import bounds
from ...autodiff import Tensor
from ...checks import positive_integer
from ...distributions import Distribution
from ..phase import Batch, Phase
from ..vae import VAE


class IWAE(VAE):
    """The VAE's model with the importance-weighted bound. The terms reported beside it are the VAE's.

    Args:
        samples: K, importance samples in a group.
        data_dim, latent_dim, hidden, others: see :class:`VAE`.
    """

    minimises = "-log mean_K w"
    source = "Burda et al. 2016, arXiv 1509.00519"
    no_free_bits = "its bound is no sum of a reconstruction and a KL"
    fixed = ("estimator",)
    groups = 1

    def __init__(
        self, data_dim: int, latent_dim: int = 20, hidden: Sequence[int] = (500,), *, samples: int = 5, **others: Any
    ) -> None:
        super().__init__(data_dim, latent_dim, hidden, samples=samples, estimator="A", **others)
        self.draws = self.groups * self.samples

    def noise(self, q: Distribution, noise: Any, samples: int | None = None) -> Tensor:
        """Of M K draws; those of a group follow each other."""
        samples = self.samples if samples is None else positive_integer("samples", samples)
        return super().noise(q, noise, self.groups * samples)

    def estimate(self, log_likelihood: Tensor, log_prior: Tensor, log_posterior: Tensor) -> bounds.Bound:
        """The importance-weighted bound."""
        return bounds.importance_weighted(log_likelihood, log_prior, log_posterior, self.groups)

    def phases_at(self, batch: Batch, noise: Any, weight: Tensor) -> list[Phase]:
        """:meth:`phases` with log w = log p(x|z) + weight (log p(z) - log q(z|x)) in the loss."""
        x = self._points(batch)
        q, p = self.posterior(x, batch.context), self.prior(batch.context)
        z, log_q = q.sample_with_log_prob(self.noise(q, noise))
        log_likelihood, log_prior = self.likelihood(z, batch.context).log_prob(x), p.log_prob(z)
        terms = self.estimate(log_likelihood, log_prior, log_q).terms()
        loss = -self.estimate(log_likelihood, log_prior * weight, log_q * weight).terms()["bound"]
        return [Phase(loss, self.parameters(), terms).with_loss(loss)]


class MIWAE(IWAE):
    """The mean of IWAE's bound over groups of samples.

    Args:
        groups: M.
        samples: K, importance samples in a group.
        data_dim, latent_dim, hidden, others: see :class:`VAE`.
    """

    minimises = "-mean_M log mean_K w"
    source = "Rainforth et al. 2018, arXiv 1802.04537"

    def __init__(
        self,
        data_dim: int,
        latent_dim: int = 20,
        hidden: Sequence[int] = (500,),
        *,
        groups: int = 8,
        samples: int = 8,
        **others: Any,
    ) -> None:
        self.groups = positive_integer("groups", groups)
        super().__init__(data_dim, latent_dim, hidden, samples=samples, **others)
        self.remember(groups=self.groups)
