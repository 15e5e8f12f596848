"""The stacked semi-supervised model, M1+M2: a VAE of the data, and M2 of its codes.

    p(x, y, z1, z2) = p(y) p(z2) p(z1|y, z2) p(x|z1)
    minimises  M1: -log p(x|z1) + KL(q(z1|x) || N(0, I));  M2: m2's loss of z1 ~ q(z1|x), held, once M1 is under way

Kingma, Rezende, Mohamed & Welling 2014, "Semi-supervised learning with deep generative models", arXiv 1406.5298,
section 2: M2 learns from samples of q(z1|x). (Their M1 is done when M2 begins; here it goes on.) The bound on log p(x),
or on log p(x|y) where a label is given, is that of a VAE whose prior is M2, by M2's bound B on log p(z1):

    log p(x) >= E_q(z1|x) [ log p(x|z1) + B(z1) - log q(z1|x) ],    kl = E_q(z1|x) [ log q(z1|x) - B(z1) ]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ... import bounds
from ...autodiff import Tensor, concatenate, mean, no_grad, reshape, softmax, stop_gradient
from ...backend import Generator, backend_of
from ...checks import layer_sizes, positive_integer
from ...distributions import Distribution, StandardNormal, kl
from ...distributions.chain import Chain
from ..bound.ramp import progress, ramp_length
from ..phase import Batch, Phase
from ..vae import VAE, GaussianMLP
from .m2 import M2


class M1M2(VAE):
    """A VAE, and M2 on samples of its codes; a row of zeros in the context says that a label is missing.

    Args:
        context_dim: K, how many labels there are.
        first_dim, second_dim: the lengths of z1 and z2.
        second_hidden: hidden layers of M2's networks.
        alpha: the weight on M2's classifier, times N over the number of labelled points.
        first_steps: how long M1 trains alone: a share of the run up to 1, else so many minibatches.
        data_dim, hidden, others: see :class:`VAE`; of M1.

    Attributes:
        m2, begun: the :class:`M2` of the codes, and whether it is trained, 0 or 1, 0-d.
    """

    minimises = "M1: D + KL(q(z1|x) || N(0,I)); M2: m2's of z1 ~ q(z1|x)"
    source = "Kingma et al. 2014, arXiv 1406.5298"
    fixed = ("latent_dim", "estimator")
    no_kl = "it has a KL of each of two models"
    partly_told = True

    def __init__(
        self,
        data_dim: int,
        hidden: Sequence[int] = (500,),
        *,
        context_dim: int,
        first_dim: int = 20,
        second_dim: int = 10,
        second_hidden: Sequence[int] = (100,),
        alpha: float = 0.1,
        first_steps: float = 0.3,
        seed: int = 0,
        **others: Any,
    ) -> None:
        sizes = positive_integer("first_dim", first_dim), positive_integer("second_dim", second_dim)
        self.first_dim, self.second_dim = sizes
        self.first_steps = ramp_length("first_steps", first_steps)
        super().__init__(data_dim, first_dim + second_dim, hidden, estimator="A", seed=seed, **others)
        where = {"dtype": (array := self.encoder.mean.bias._data).dtype, "backend": backend_of(array).name}
        where |= {name: self.config[name] for name in ("activation", "init")} | {"likelihood": "gaussian"}
        second_hidden = layer_sizes("second_hidden", second_hidden)
        self.m2 = M2(*sizes, second_hidden, context_dim=context_dim, alpha=alpha, seed=seed + 1, **where)
        self.context_dim, self.begun = self.m2.context_dim, self.scalar(1.0)
        self.remember(context_dim=self.context_dim, alpha=self.m2.alpha, first_dim=first_dim, second_dim=second_dim)
        self.remember(second_hidden=self.m2.hidden, first_steps=self.first_steps)

    def build(self, noise: Generator, options: dict[str, Any]) -> None:
        """M1's networks."""
        self.encoder = GaussianMLP(self.data_dim, self.hidden, self.first_dim, noise, **options)
        self.decoder = self.make_decoder(self.first_dim, noise, options)

    def begin(self, data_points: int, labelled: int = 0) -> None:
        """As M2."""
        self.m2.begin(data_points, labelled)

    def advance(self, step: int, total_steps: int) -> None:
        """M2 begins."""
        self.begun.data[...] = progress(step, total_steps, self.first_steps) == 1

    def posterior(self, x: Any, context: Any = None) -> Chain:
        """q(z1|x) q(z2|z1, y)."""
        y = self.m2._told(context)
        return Chain(self.encoder(self.features(x)), lambda z1: self.m2.posterior(z1, y), self.second_dim)

    def prior(self, context: Any = None) -> Chain:
        """p(z2) p(z1|y, z2)."""
        y = self.m2._told(context)
        of_z1 = self.first_dim, y.shape[:-1]
        return Chain(self.m2.prior(y), lambda z2: self.m2.likelihood(z2, y), *of_z1, last_first=True)

    def likelihood(self, z: Any, context: Any = None) -> Distribution:
        """p(x|z1)."""
        return self.decoder(self._vectors("z", z, "latent_dim")[..., : self.first_dim])

    def classify(self, x: Any) -> Tensor:
        """q(y|z1) at the mean of q(z1|x): ``(M, data_dim)``, in the data's own units -> ``(M, context_dim)``."""
        with no_grad():
            return softmax(self.m2.classifier(self.encoder(self.features(self.prepared(x))).mean))

    def bound_and_draws(self, x: Any, noise: Any, context: Any = None, samples: Any = None) -> Any:
        """The bound on log p(x|y), with the entropy of q(z1|x) and M2's KL in closed form, and the draws of z."""
        q = self.posterior(self._vectors("x", x, "data_dim"), context)
        z = q.sample(self.noise(q, noise, samples))
        z1, z2 = z[..., : self.first_dim], z[..., self.first_dim :]
        b = self.m2.likelihood(z2, context).log_prob(z1) - kl(self.m2.posterior(z1, context), self.m2.prior(context))
        return bounds.sgvb_b(self.decoder(z1).log_prob(x), -mean(b, axis=0) - q.first.entropy()), z

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """M1, then M2. ``noise``: a generator, or epsilon of both, ``(L, M, first_dim + second_dim)``."""
        x, given = self._points(batch), self._told(batch.context, missing=True)
        q = self.encoder(self.features(x))
        epsilon = self.noise(Chain(q, self.m2.posterior, self.second_dim), noise)
        z = q.sample(epsilon[..., : self.first_dim])
        of_m2 = reshape(epsilon[..., self.first_dim :], 1, -1, self.second_dim)
        labels = concatenate([given] * len(z), axis=0)
        (m2,) = self.m2.phases(Batch(reshape(stop_gradient(z), -1, self.first_dim), labels), of_m2)
        reconstruction, apart = mean(self.decoder(z).log_prob(x)), -mean(q.entropy()) - m2.terms["bound"]
        terms = {"bound": reconstruction - apart, "reconstruction": reconstruction, "kl": apart}
        terms["label"] = m2.terms["label"]
        m1 = mean(kl(q, StandardNormal(self.first_dim, q.mean))) - reconstruction  # (the objective is that of both)
        one = Phase(m1, [*self.encoder.parameters(), *self.decoder.parameters()], terms, means=m2.means)
        return [one.with_loss(m1 + stop_gradient(m2.loss)), Phase(m2.loss * self.begun, self.m2.parameters(), {})]

    def of_means(self, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``error`` of the labels, as M2's."""
        return self.m2.of_means(means)
