"""The beta-TCVAE: a weight on the dependence between latent dimensions, and none on the rest of the KL.

    minimises  D + alpha I + beta TC + gamma DW
    I = E log q(z|x) / q(z),    TC = E log q(z) / prod_j q(z_j),    DW = sum_j E log q(z_j) / p(z_j)

Chen, Li, Grosse & Duvenaud 2018, "Isolating sources of disentanglement in VAEs", arXiv 1802.04942, Eq. 2 and 4; the
three sum to R, so that all weights 1 are the VAE's estimator A. q(z) is estimated from the minibatch, in one of two
ways of :mod:`minivae.regularizers.aggregate_posterior`, and the terms' names end in which. ``mws`` is what the paper
trains with: its numbers are off by tens of nats, but nearly the same tens whatever the encoder does. ``mss``, the
paper's other one, is off by less; but narrow posteriors move it below 0, and a large beta then pays for them. (By
leaving the own point out they would move it without end, so that this is no choice.) N is that of the training data;
what was not trained yet takes the minibatch for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ...autodiff import Tensor, mean
from ...checks import integer_from_zero, number_from_zero, one_of, positive_integer
from ...distributions import Distribution
from ...regularizers import Split, split_kl
from ..phase import Batch, Phase
from ..vae import VAE


class BetaTCVAE(VAE):
    """The VAE whose KL has three prices: of information, of dependence, and of each dimension by itself.

    Args:
        alpha: the weight on the information between x and z.
        beta: the weight on the total correlation.
        gamma: the weight on the KL of each dimension's q(z_j).
        weighting: how a minibatch stands for all data in q(z): mws, weighted, or mss, stratified sampling.
        data_dim, latent_dim, hidden, others: see :class:`VAE`.

    Attributes:
        data_points: N, 0-d; 0 before training.
    """

    minimises = "D + alpha I + beta TC + gamma DW"
    source = "Chen et al. 2018, arXiv 1802.04942"
    no_kl = "its KL is paid for in parts, each with a weight of its own"
    fixed = ("estimator",)
    least_points = 2  # of one alone there is no aggregate
    group_sizes: Sequence[int] | None = None  # of dimensions: each is one

    def __init__(
        self,
        data_dim: int,
        latent_dim: int = 20,
        hidden: Sequence[int] = (500,),
        *,
        alpha: float = 1.0,
        beta: float = 6.0,
        gamma: float = 1.0,
        weighting: Literal["mws", "mss"] = "mws",
        **others: Any,
    ) -> None:
        self.alpha, self.beta, self.gamma = (
            number_from_zero(name, value) for name, value in (("alpha", alpha), ("beta", beta), ("gamma", gamma))
        )
        self.weighting = one_of("weighting", weighting, ("mws", "mss"))
        super().__init__(data_dim, latent_dim, hidden, estimator="A", **others)
        self.remember(alpha=self.alpha, beta=self.beta, gamma=self.gamma, weighting=self.weighting)
        self.data_points = self.scalar(0.0)

    def begin(self, data_points: int, labelled: int = 0) -> None:
        """N."""
        integer_from_zero("labelled", labelled)
        self.data_points.data[...] = positive_integer("data_points", data_points)

    def parts(self, split: Split) -> dict[str, tuple[float, Tensor]]:
        """The parts of the KL, by name: the weight of each, and its estimate for each draw, ``(L, M)``."""
        return {
            "information": (self.alpha, split.information),
            "tc": (self.beta, split.between),
            "dimensions": (self.gamma, split.dimensions),
        }

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """One phase: D, and each part of the KL at its price."""
        x = self._points(batch)
        q = self.posterior(x)
        z, log_q = q.sample_with_log_prob(self.noise(q, noise))
        log_p = self.prior().log_prob(z)
        terms = self.estimate(self.likelihood(z).log_prob(x), log_p, log_q).terms()
        return [self._priced(terms["reconstruction"], self._split(q, z, log_q, log_p), terms)]

    def _split(self, q: Distribution, z: Tensor, log_q: Tensor, log_p: Tensor) -> Split:
        """The parts of log q(z|x) - log p(z) at draws from a minibatch's ``q``."""
        told = {"data_points": self.data_points, "weighting": self.weighting, "group_sizes": self.group_sizes}
        return split_kl(q, z, log_q, log_p, **told)

    def _priced(self, reconstruction: Tensor, split: Split, terms: dict[str, Tensor]) -> Phase:
        """The phase whose loss is D and the parts at their prices, with these terms."""
        priced = self.parts(split)
        parts = {f"{name}_{self.weighting}": mean(part) for name, (_, part) in priced.items()}
        loss = -reconstruction
        for (weight, _), part in zip(priced.values(), parts.values(), strict=True):
            loss = loss + part * weight
        return Phase(loss, self.parameters(), terms).with_loss(loss, **parts)
