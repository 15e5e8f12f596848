"""The sliced Wasserstein auto-encoder: codes held to the prior line by line.

    minimises  c(x, G(z)) + lambda SW_2^2(q(z), p(z)),    z = E(x), without noise

Kolouri, Pope, Martin & Rohde 2019, "Sliced Wasserstein auto-encoders", arXiv 1804.01947, Eq. 14 and Algorithm 1. As
the WAE, with another distance: codes and as many draws of the prior are projected on random lines, drawn anew in each
step, and compared there in order. The cost c is -log p(x|z) of the chosen likelihood, summed over x; the authors' code
has the mean binary cross entropy and the mean |x - G(z)| of pixels in its place, and lambda 10 beside them. The
objective bounds no log p(x), and none is reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...autodiff import Tensor
from ...checks import number_from_zero, positive_integer
from ...regularizers import random_directions, sliced_wasserstein
from ..phase import noise_for, prior_draws
from .wae_mmd import WassersteinVAE


class SWAE(WassersteinVAE):
    """An auto-encoder without noise, whose codes look like draws of the prior from every side.

    Args:
        sw_weight: lambda.
        projections: how many lines a step compares codes and draws on.
        data_dim, latent_dim, hidden, others: see :class:`VAE`.
    """

    minimises = "D + lambda SW_2^2"
    source = "Kolouri et al. 2019, arXiv 1804.01947"

    def __init__(
        self,
        data_dim: int,
        latent_dim: int = 8,
        hidden: Sequence[int] = (500,),
        *,
        sw_weight: float = 10.0,
        projections: int = 50,
        **others: Any,
    ) -> None:
        self.sw_weight = number_from_zero("sw_weight", sw_weight)
        self.projections = positive_integer("projections", projections)
        super().__init__(data_dim, latent_dim, hidden, **others)
        self.remember(sw_weight=self.sw_weight, projections=self.projections)

    def discrepancy(self, z: Tensor, noise: Any) -> tuple[str, float, Tensor]:
        """SW_2^2. ``noise``: a generator, or a dict of "prior", draws ``(M, latent_dim)``, and "directions", standard
        normal ``(projections, latent_dim)``.
        """
        prior, directions = noise_for(("prior", "directions"), noise)
        drawn = prior_draws(self.prior(), len(z), prior)
        lines = random_directions(directions, self.projections, self.latent_dim, z)
        return "sw", self.sw_weight, sliced_wasserstein(z, drawn, lines)
