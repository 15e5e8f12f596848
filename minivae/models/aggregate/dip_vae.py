"""The DIP-VAEs, I and II: a VAE that pays where the covariance of its codes is not the identity.

    minimises  D + R + lambda_od sum_{i != j} C_ij^2 + lambda_d sum_i (C_ii - 1)^2
    I:   C = Cov_x[mu(x)]
    II:  C = Cov_q(z)[z] = Cov_x[mu(x)] + E_x[diag sigma^2(x)]

Kumar, Sattigeri & Balakrishnan 2018, "Variational inference of disentangled latent concepts from unlabeled
observations", arXiv 1711.00848, Eq. 5 to 7. Changes the loss alone. As in the paper lambda_d is 10 lambda_od for I, and
lambda_od for II, where nothing else is said. C is about the mean over the data points, divided by their number:
of a minibatch in training; an evaluation has that of all data, which is no average of those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...autodiff import Tensor, constant_like, exp, eye, mean
from ...checks import instance, number_from_zero
from ...distributions import Distribution, Normal
from ...regularizers import covariance, covariance_of, moments, off_identity
from ..phase import Batch, Phase
from ..vae import VAE


class DIPVAE1(VAE):
    """The VAE with uncorrelated posterior means.

    Args:
        off_diagonal: lambda_od, the weight on the squares off the diagonal of C.
        diagonal: lambda_d, the weight on those of C_ii - 1; 10 off_diagonal (I) or off_diagonal (II) if None.
        data_dim, latent_dim, hidden, others: see :class:`VAE`.
    """

    minimises = "D + R + lambda_od off(Cov mu)^2 + lambda_d (diag - 1)^2"
    source = "Kumar et al. 2018, arXiv 1711.00848"
    least_points = 2  # one alone does not vary
    ratio = 10.0  # of the two weights, if one is said

    def __init__(
        self,
        data_dim: int,
        latent_dim: int = 20,
        hidden: Sequence[int] = (500,),
        *,
        off_diagonal: float = 10.0,
        diagonal: float | None = None,
        **others: Any,
    ) -> None:
        self.off_diagonal = number_from_zero("off_diagonal", off_diagonal)
        usual = self.ratio * self.off_diagonal
        self.diagonal = usual if diagonal is None else number_from_zero("diagonal", diagonal)
        super().__init__(data_dim, latent_dim, hidden, **others)
        self.remember(off_diagonal=self.off_diagonal, diagonal=diagonal)

    def spread(self, q: Distribution) -> Tensor:
        """What C has beside the covariance of the means: nothing, or the variances' averages, ``(d,)``."""
        return constant_like(q.mean, 0.0, q.mean.shape[-1:])

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """One phase: minus the bound, and the two squares."""
        (phase,) = super().phases(batch, noise)
        q = self.posterior(batch.x, batch.context)
        first, second = moments(q.mean)
        means = {"first": first, "second": second, "variances": self.spread(q)}
        terms = self._paid(phase.terms, covariance(q.mean), means["variances"])
        return [phase._replace(means={**phase.terms, **means}).with_loss(-terms.pop("objective"), **terms)]

    def of_means(self, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The objective and its squares, whose covariance is that of all data."""
        return self._paid(means, covariance_of(means["first"], means["second"]), means["variances"])

    def _paid(self, terms: Mapping[str, Tensor], c: Tensor, variances: Tensor) -> dict[str, Tensor]:
        off, diagonal = off_identity(c + eye(len(c), like=c) * variances)
        objective = terms["bound"] - off * self.off_diagonal - diagonal * self.diagonal
        return {"objective": objective, "off_diagonal": off, "diagonal": diagonal}


class DIPVAE2(DIPVAE1):
    """The VAE with uncorrelated codes: of their means, and of what is drawn around these.

    Args:
        off_diagonal, diagonal, data_dim, latent_dim, hidden, others: see :class:`DIPVAE1`.
    """

    minimises = "D + R + lambda_od off(Cov z)^2 + lambda_d (diag - 1)^2"
    ratio = 1.0

    def spread(self, q: Distribution) -> Tensor:
        """The averages of the variances."""
        return mean(exp(instance("q", q, Normal, "a Normal").log_var), axis=0)
