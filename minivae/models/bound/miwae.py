"""The multiply importance-weighted auto-encoder.

    minimises  -mean over M groups of log (1/K) sum_k w_k,    w = p(x, z) / q(z|x)

Rainforth et al. 2018, "Tighter variational bounds are not necessarily better", Eq. 8. Changes the bound alone. The
signal-to-noise ratio of the encoder's gradient, which falls as 1 / sqrt(K), grows as sqrt(M). M = 1 is IWAE, K = 1
estimator A of the VAE with L = M.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...checks import positive_integer
from .iwae import IWAE


class MIWAE(IWAE):
    """The mean of IWAE's bound over groups of samples.

    Args:
        groups: M.
        samples: K, importance samples in a group.
        data_dim, latent_dim, hidden, others: see :class:`IWAE`.
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
