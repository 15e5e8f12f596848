"""The HFVAE: the beta-TCVAE for groups of latent dimensions, each of which may be dependent inside.

    minimises  D + alpha I + beta TC_groups + sum_g (within TC_g + gamma sum_{j in g} KL(q(z_j) || p(z_j)))
    TC_groups = E log q(z) / prod_g q(z_g),    TC_g = E log q(z_g) / prod_{j in g} q(z_j)

Esmaeili, Wu, Jain, Bozkurt, Siddharth, Paige, Brooks, Dy & van de Meent 2019, "Structured disentangled
representations", arXiv 1804.02086: the KL split a second time, inside of the groups. All weights 1 are the VAE's
estimator A, groups of one dimension the beta-TCVAE. Here all dimensions are Gaussian, and the prior is a product, so
that the paper's ratios of log p(z) for priors that are none are 0. ``mss`` are the weights of the authors' code; the
default is that of :mod:`.beta_tcvae`, which says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...autodiff import Tensor
from ...checks import number_from_zero
from ...regularizers import Split
from ...regularizers.aggregate_posterior import require_groups
from .beta_tcvae import BetaTCVAE


class HFVAE(BetaTCVAE):
    """The VAE that pays for the dependence between groups of dimensions, and inside of them at another price.

    Args:
        beta: the weight on the total correlation of the groups.
        within: the weight on that of the dimensions inside of each group.
        group_sizes: how many dimensions each group has, one group after the other; two halves if None.
        data_dim, latent_dim, hidden, others: see :class:`BetaTCVAE`.
    """

    minimises = "D + alpha I + beta TC_groups + within TC_dims + gamma DW"
    source = "Esmaeili et al. 2019, arXiv 1804.02086"

    def __init__(
        self,
        data_dim: int,
        latent_dim: int = 20,
        hidden: Sequence[int] = (500,),
        *,
        beta: float = 6.0,
        within: float = 1.0,
        group_sizes: Sequence[int] | None = None,
        **others: Any,
    ) -> None:
        self.within = number_from_zero("within", within)
        super().__init__(data_dim, latent_dim, hidden, beta=beta, **others)
        d = self.latent_dim
        halves = [n for n in (d - d // 2, d // 2) if n]
        self.group_sizes = halves if group_sizes is None else require_groups(group_sizes, d)
        self.remember(within=self.within, group_sizes=None if group_sizes is None else self.group_sizes)

    def parts(self, split: Split) -> dict[str, tuple[float, Tensor]]:
        """Those of the beta-TCVAE, and the dependence inside of the groups."""
        return {**super().parts(split), "tc_within": (self.within, split.within)}
