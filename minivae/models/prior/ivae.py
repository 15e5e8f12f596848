"""The identifiable VAE: latent variables that are found up to order and scale.

    p(z|u) = N(0, diag s^2(u)),    p(x|z) = N(f(z), v I) with v fixed
    minimises  -log p(x|z) + KL(q(z|x, u) || p(z|u))

Khemakhem, Kingma, Monti & Hyvarinen 2020, "Variational autoencoders and nonlinear ICA: a
unifying framework", arXiv 1907.04809, Eq. 7. The variances of independent sources change with
a label u (the time segment of a recording, say): enough labels make the sources identifiable,
which without them they are not. Changes, of CMMA, the prior, whose mean is 0, and the
likelihood, whose variance is fixed. ``examples/identifiability.py`` measures what it finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...backend import Generator
from ...distributions import Distribution, Normal
from ...nn import MLP
from .cvae import CMMA


class IVAE(CMMA):
    """The VAE whose prior's variances are told by a label.

    Args:
        variance: of p(x|z), fixed.
        data_dim, latent_dim, hidden, context_dim, others: see :class:`~minivae.models.prior.cvae.CVAE`.
    """

    minimises = "-log p(x|z) + KL(q(z|x,u) || N(0, s^2(u)))"
    source = "Khemakhem et al. 2020, arXiv 1907.04809"
    fixed = ("likelihood", "sigmoid_mean", "learned_prior")

    def __init__(
        self,
        data_dim: int,
        latent_dim: int = 20,
        hidden: Sequence[int] = (500,),
        *,
        context_dim: int,
        variance: float = 0.01,
        **others: Any,
    ) -> None:
        own = {"context_dim": context_dim, "variance": variance, "likelihood": "gaussian"}
        super().__init__(data_dim, latent_dim, hidden, **own, **others)

    def make_prior(self, noise: Generator, options: dict[str, Any]) -> MLP:
        """The network of log s^2(u)."""
        return MLP((self.context_dim, *self.hidden, self.latent_dim), noise, **options)

    def prior(self, context: Any = None) -> Distribution:
        """p(z|u)."""
        log_var = self.prior_network(self._told(context))
        return Normal(log_var * 0.0, log_var)
