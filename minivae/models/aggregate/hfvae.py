"""The HFVAE: the beta-TCVAE for groups of latent variables, each of which may be dependent inside.

    minimises  D + alpha I + beta TC_groups + sum_g (within TC_g + gamma sum_{j in g} KL(q(z_j) || p(z_j)))
    TC_groups = E log q(z) / prod_g q(z_g),    TC_g = E log q(z_g) / prod_{j in g} q(z_j)

Esmaeili, Wu, Jain, Bozkurt, Siddharth, Paige, Brooks, Dy & van de Meent 2019, "Structured disentangled
representations", arXiv 1804.02086: the KL split a second time, inside of the groups. All weights 1 are the VAE's
estimator A, groups of one dimension the beta-TCVAE. The prior is a product, so that the paper's ratios of log p(z) for
priors that are none are 0. ``mss`` are the weights of the authors' code; the default is that of :mod:`.beta_tcvae`,
which says why. Variables may be discrete: training then sees them relaxed, with the densities of what is drawn, as the
authors do, and has ``relaxed_bound``; ``bound`` is that of the truly discrete model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...autodiff import Tensor, concatenate, exp
from ...backend import Generator
from ...checks import number_from, number_from_zero, positive_integer
from ...distributions import Categorical, Distribution, ExpConcrete, Product
from ...distributions.categorical import LEAST_TEMPERATURE
from ...errors import InputError
from ...regularizers import Split
from ...regularizers.aggregate_posterior import require_groups
from ..phase import Batch, Phase
from ..posterior.joint_encoder import JointEncoder, discrete_sizes, joint_codes, joint_prior
from .beta_tcvae import BetaTCVAE


class HFVAE(BetaTCVAE):
    """The VAE that pays for the dependence between groups of variables, and inside of them at another price.

    Args:
        beta: the weight on the total correlation of the groups.
        within: the weight on that of the variables inside of each group.
        group_sizes: how many variables each group has, one group after the other, the discrete ones last; if None, the
            continuous ones are two halves, and each discrete one is a group.
        discrete: how many values each discrete variable has; one-hot they are the last elements of z.
        temperature: tau, of the relaxation of discrete variables.
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
        discrete: Sequence[int] = (),
        temperature: float = 0.67,
        **others: Any,
    ) -> None:
        self.within = number_from_zero("within", within)
        self.discrete = discrete_sizes(discrete)
        self.temperature = number_from("temperature", temperature, LEAST_TEMPERATURE)
        self.continuous = d = positive_integer("latent_dim", latent_dim) - sum(self.discrete)
        if d < 1:
            raise InputError(f"latent_dim is {latent_dim}, and discrete {self.discrete}; expected more than their sum")
        self.num_categories = max(self.discrete, default=0)
        super().__init__(data_dim, latent_dim, hidden, beta=beta, **others)
        usual = [*(n for n in (d - d // 2, d // 2) if n), *[1] * len(self.discrete)]
        self.group_sizes = usual if group_sizes is None else require_groups(group_sizes, d + len(self.discrete))
        self.remember(within=self.within, group_sizes=None if group_sizes is None else self.group_sizes)
        self.remember(discrete=self.discrete, temperature=self.temperature)

    def build(self, noise: Generator, options: dict[str, Any]) -> None:
        """The VAE's networks; with discrete variables an encoder that has logits, too."""
        if self.discrete:
            self.encoder = JointEncoder(self.data_dim, self.hidden, self.continuous, self.discrete, noise, **options)
            self.decoder = self.make_decoder(self.latent_dim, noise, options)
        else:
            super().build(noise, options)

    def prior(self, context: Any = None) -> Distribution:
        """p(z): N(0, I), and every value of a discrete variable as likely."""
        like = self.encoder.first_parameter()
        return joint_prior(self.continuous, self.discrete, like) if self.discrete else super().prior()

    def codes(self, x: Any) -> Tensor:
        """The most likely value of each discrete variable, ``(M, variables)`` integers."""
        return joint_codes(self.encoder(self.features(self.prepared(x)))) if self.discrete else super().codes(x)

    def parts(self, split: Split) -> dict[str, tuple[float, Tensor]]:
        """Those of the beta-TCVAE, and the dependence inside of the groups."""
        return {**super().parts(split), "tc_within": (self.within, split.within)}

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """One phase; with discrete variables noise is as of a :class:`Product` with :class:`Categorical` parts."""
        if not self.discrete:
            return super().phases(batch, noise)
        x = self._points(batch)
        q, p = self.encoder(self.features(x)), self.prior()
        drawn, soft_q, soft_p = self.noise(q, noise), self._relaxed(q), self._relaxed(p)
        z, w = q.sample(drawn), soft_q.sample(drawn)
        log_q, log_p = soft_q.log_prob(w), soft_p.log_prob(w)
        first, *logarithms = soft_q.pieces(w)
        y = concatenate([first, *map(exp, logarithms)], axis=-1)
        soft, terms = (
            self.estimate(self.likelihood(code).log_prob(x), *densities).terms()
            for code, densities in ((y, (log_p, log_q)), (z, (p.log_prob(z), q.log_prob(z))))
        )
        terms["relaxed_bound"] = soft["bound"]
        return [self._priced(soft["reconstruction"], self._split(soft_q, w, log_q, log_p), terms)]

    def _relaxed(self, p: Any) -> Product:
        """The same variables with the discrete ones relaxed, and by their logarithms."""
        relax = lambda part: ExpConcrete(part.log_p[..., 0, :], self.temperature)  # noqa: E731
        return Product([relax(part) if isinstance(part, Categorical) else part for part in p.parts])
