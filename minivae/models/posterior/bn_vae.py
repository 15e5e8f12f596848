"""The batch-normalized VAE: a KL that cannot vanish.

    mu = gamma (m(x) - mean m) / std m + beta,    mean and std over the minibatch, gamma fixed, beta learned
    minimises  D + R,    where  mean R >= sum_j (gamma^2 + beta_j^2) / 2

Zhu, Bi, Liu, Ma, Li & Wu 2020, "A batch normalized inference network keeps the KL vanishing away", arXiv 2004.12585,
Eq. 6 to 8 and Algorithm 1, which normalises the mean alone. R = 1/2 sum_j (mu_j^2 + sigma_j^2 - log sigma_j^2 - 1) is
at least 1/2 sum_j mu_j^2, whose average over a minibatch is fixed by the mean and the variance of the mu_j in it.
(Exactly gamma^2 v / (v + 1e-5) in the place of gamma^2, where v is the variance of the m_j.) Outside of training the
mean and the variance are running ones, and the floor holds as nearly as these are those of the data.

Changes the posterior alone. The floor is one on the KL of every unit, also of one that has nothing to say, and with one
gamma for all no mean may vary more than another; the paper takes 0.3 to 0.7.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...autodiff import Tensor
from ...backend import Generator
from ...checks import number_from_zero
from ...distributions import Normal
from ...nn import BatchNorm
from ..vae import VAE


class BNVAE(VAE):
    """The VAE whose posterior means are batch-normalized.

    Args:
        gamma: the standard deviation of each posterior mean over a minibatch, fixed.
        data_dim, latent_dim, hidden, others: see :class:`VAE`.
    """

    minimises = "D + R, mean of mu beta, std gamma"
    source = "Zhu et al. 2020, arXiv 2004.12585"
    least_points = 2  # of one alone there is no variance

    def __init__(
        self, data_dim: int, latent_dim: int = 20, hidden: Sequence[int] = (500,), *, gamma: float = 0.7, **others: Any
    ) -> None:
        self.gamma = number_from_zero("gamma", gamma)
        super().__init__(data_dim, latent_dim, hidden, **others)
        self.remember(gamma=self.gamma)

    def build(self, noise: Generator, options: dict[str, Any]) -> None:
        """The VAE's networks, without the bias of the mean, and what normalises that."""
        super().build(noise, options)
        # What the layer takes away has no gradient but rounding, which Adam would make steps of.
        self.encoder.mean.bias = Tensor(self.encoder.mean.bias.data * 0)  # pyright: ignore[reportAttributeAccessIssue]
        where = {name: options[name] for name in ("dtype", "backend")}
        self.norm = BatchNorm(self.latent_dim, gamma=self.gamma, **where)

    def posterior(self, x: Any, context: Any = None) -> Normal:
        """q(z|x) = N(BN(m(x)), sigma^2(x)): ``(..., data_dim)`` -> a Gaussian over ``(..., latent_dim)``."""
        q = self.encoder(self.features(x))
        return Normal(self.norm(q.mean), q.log_var)
