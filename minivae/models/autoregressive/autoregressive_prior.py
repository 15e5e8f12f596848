"""A prior over codes that is learned: the second stage of a VQ-VAE or a categorical VAE.

    p(k) = prod_i p(k_i | k_1, ..., k_{i-1}),    a MADE whose inputs are one-hot vectors of K values
    minimises  -log p(k),  k drawn from q(z|x) of a model that is held

van den Oord, Vinyals & Kavukcuoglu 2017, arXiv 1711.00937, section 3.3 ("Prior"), with the masks of Germain et al.
2015, arXiv 1502.03509, in the place of a PixelCNN's. The first stage counted codes as equally likely, num_codes log K
nats (R); now R = log q(k|x) - log p(k), and -D - R with the same D is the bound that is reported. -log p(k) is the
cross-entropy; what it is below num_codes log K is what the bound gains. Samples are decoded from p(k). Without a
trained model a VQ-VAE is trained along, as if it were alone: the two losses share no weights.

Changes the prior. Weights of the first stage are copied: its run is not needed afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ... import bounds
from ...autodiff import Tensor, mean
from ...backend import generator
from ...checks import layer_sizes, positive_integer
from ...distributions import Autoregressive, Distribution
from ...nn import MADE
from ..first_stage import first_stage
from ..phase import Batch, Phase
from ..posterior.categorical_vae import CategoricalVAE
from ..posterior.vq_vae import VQVAE
from ..vae import VAE

FIRST: dict[str, type[VQVAE | CategoricalVAE]] = {"vq-vae": VQVAE, "categorical-vae": CategoricalVAE}


class AutoregressivePrior(VAE):
    """A model with discrete codes, and a MADE for their prior.

    Args:
        data_dim: the length of x.
        hidden: sizes of the hidden layers of the MADE.
        first: the trained model, whose weights are copied and held; or a dict of the options of one that is trained
            along, ``{"model": "vq-vae", "num_codes": 4}``; a VQ-VAE with its own defaults if None.
        direct: the logits of a code see the codes before it directly, too.
        activation, init: of the MADE.
        seed: of the initial weights; the same on every backend.
        dtype, backend: of the parameters.

    Attributes:
        first: the model whose codes they are.
        held: whether only the prior is trained.
    """

    minimises = "-log p(k) = -sum_i log p(k_i | k_<i)"
    source = "van den Oord et al. 2017, arXiv 1711.00937, with the MADE of arXiv 1502.03509"
    no_options = ("first",)
    no_kl = "its loss is the cross-entropy of codes that are given"

    def __init__(
        self,
        data_dim: int,
        hidden: Sequence[int] = (500,),
        *,
        first: VQVAE | CategoricalVAE | Mapping[str, Any] | None = None,
        direct: bool = False,
        activation: str = "tanh",
        init: str = "glorot",
        seed: int = 0,
        dtype: Any = None,
        backend: str | None = None,
    ) -> None:
        self.data_dim, hidden = positive_integer("data_dim", data_dim), layer_sizes("hidden", hidden)
        where = {"dtype": dtype, "backend": backend}
        self.first, options = first_stage(first, FIRST, self.data_dim, {"seed": seed, **where})
        self.held = options["held"]
        self.domain, self.preparation = self.first.domain, getattr(first, "preparation", None)
        self.latent_dim, self.num_categories = self.first.latent_dim, self.first.num_categories
        self.no_log_likelihood = self.first.no_log_likelihood
        self.estimator, self.samples, self.draws = "A", self.first.samples, self.first.draws
        made = {"outputs": self.num_categories, "width": self.num_categories, "direct": direct}
        made |= {"activation": activation, "init": init, **where}
        self.network = MADE(self.first.num_codes, hidden, generator(seed, "numpy"), **made)
        self.remember(data_dim=self.data_dim, hidden=hidden, first=None if first is None else options)
        self.remember(direct=direct, activation=activation, init=init)

    def code_prior(self) -> Autoregressive:
        """p(k), over one-hot vectors end to end."""
        size = self.first.num_codes * self.num_categories
        return Autoregressive(self.network.together, size, self.num_categories, self.network.first_parameter())

    def prior(self, context: Any = None) -> Distribution:
        """p(z): of the vectors that the codes stand for."""
        return self.first.prior_of(self.code_prior())

    def posterior(self, x: Any, context: Any = None) -> Distribution:
        """q(z|x) of the first stage."""
        return self.first.posterior(self._vectors("x", x, "data_dim"))

    def likelihood(self, z: Any, context: Any = None) -> Distribution:
        """p(x|z) of the first stage."""
        return self.first.likelihood(self._vectors("z", z, "latent_dim"))

    def codes(self, x: Any) -> Tensor:
        """k of each code, ``(M, num_codes)`` integers; of a categorical VAE the most likely."""
        return self.first.codes(self.prepared(x))

    def advance(self, step: int, total_steps: int) -> None:
        """What changes with the step in the first stage, if it is trained along."""
        if not self.held:
            self.first.advance(step, total_steps)

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """One phase: the cross-entropy of the codes, and the loss of the first stage if it is trained along."""
        x = self._points(batch)
        k, z, entropy = self.first.drawn_codes(x, noise)
        log_p = mean(self.code_prior().log_prob(k), axis=0)
        terms = bounds.sgvb_b(self.first.likelihood(z).log_prob(x), -log_p - entropy).terms()
        loss = cross_entropy = -mean(log_p)
        phase = Phase(loss, self.network.parameters(), terms)
        if not self.held:
            (first,) = self.first.phases(batch, noise)
            loss = cross_entropy + first.loss
            phase = phase._replace(parameters=self.parameters(), assignments=first.assignments)
        return [phase.with_loss(loss, cross_entropy=cross_entropy)]
