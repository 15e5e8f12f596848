"""The combination importance-weighted auto-encoder: between the VAE's bound and IWAE's.

    minimises  -(beta (1/K) sum_k log w_k + (1 - beta) log (1/K) sum_k w_k),    w = p(x, z) / q(z|x)

Rainforth et al. 2018, "Tighter variational bounds are not necessarily better", Eq. 11. Changes the bound alone, which
is one for every beta: beta = 0 is IWAE, beta = 1 the VAE's estimator A with L = K. What the VAE's part gives the
encoder keeps its signal as K grows, where that of IWAE's vanishes beside the noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import bounds
from ...autodiff import Tensor
from ...checks import number_between
from .iwae import IWAE


class CIWAE(IWAE):
    """A convex combination of the bounds of the VAE and of IWAE.

    Args:
        beta: the VAE's share, from 0 to 1.
        samples: K.
        data_dim, latent_dim, hidden, others: see :class:`VAE`.
    """

    minimises = "-(beta mean_K log w + (1 - beta) log mean_K w)"
    source = "Rainforth et al. 2018, arXiv 1802.04537"
    fixed = ("estimator", "gradient")

    def __init__(
        self,
        data_dim: int,
        latent_dim: int = 20,
        hidden: Sequence[int] = (500,),
        *,
        beta: float = 0.5,
        samples: int = 5,
        **others: Any,
    ) -> None:
        self.beta = number_between("beta", beta, 0, 1)
        super().__init__(data_dim, latent_dim, hidden, samples=samples, **others)
        self.remember(beta=self.beta)

    def estimate(self, log_likelihood: Tensor, log_prior: Tensor, log_posterior: Tensor) -> bounds.Bound:
        """The combination, which is a bound, too."""
        tight = super().estimate(log_likelihood, log_prior, log_posterior)
        return tight._replace(value=(tight.reconstruction - tight.kl) * self.beta + tight.value * (1 - self.beta))
