"""The semi-supervised VAE: a CVAE whose label is a latent variable where it is missing, and a classifier q(y|x).

    with a label:     minimises  -B(x, y) - alpha / share log q(y|x),    B = E log p(x|y, z) - KL(q(z|x, y) || p(z))
    without:          minimises  -sum_y q(y|x) (B(x, y) + log p(y) - log q(y|x)),    p(y) = 1 / K

Kingma, Rezende, Mohamed & Welling 2014, "Semi-supervised learning with deep generative models", arXiv 1406.5298,
model M2, Eq. 6 to 9. Their alpha is 0.1 N, on the average over the labelled points; here that is 0.1 / share for each
labelled point, where ``share`` of the N training points have a label, and training sets it. Labels are summed over,
which is exact. The constant log p(y) of a given label is left out, so that what is reported of labelled data is the
CVAE's bound on log p(x|y), and of unlabelled ones a bound on log p(x). The same noise makes z for every label of a
point. With every label given this is a CVAE with p(z) = N(0, I), and a classifier beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ...autodiff import (
    Tensor,
    arange,
    astype,
    broadcast_to,
    equal,
    log_softmax,
    mean,
    no_grad,
    softmax,
    stack,
    sum,
)
from ...backend import Generator
from ...checks import number_from_zero, positive_integer
from ...distributions import Distribution
from ...nn import MLP
from ..guesses import error_of, guesses
from ..phase import Batch, Phase
from ..prior.cvae import CVAE


class M2(CVAE):
    """The VAE of data of which some have a label: a row of zeros in the context says that it is missing.

    Args:
        context_dim: K, how many labels there are.
        alpha: the weight on the classifier, times N over the number of labelled points.
        data_dim, latent_dim, hidden, others: see :class:`VAE`; the classifier has the encoder's hidden layers.

    Attributes:
        share: of the training points that have a label, among all, 0-d; 1 before training.
    """

    minimises = "-B(x,y) - alpha log q(y|x); unlabelled: -sum_y q(y|x) (B - log q(y|x))"
    source = "Kingma et al. 2014, arXiv 1406.5298"
    fixed = ("learned_prior",)
    no_free_bits = "its KL is one for each label"
    partly_told = True

    def __init__(
        self,
        data_dim: int,
        latent_dim: int = 20,
        hidden: Sequence[int] = (500,),
        *,
        context_dim: int,
        alpha: float = 0.1,
        **others: Any,
    ) -> None:
        self.alpha = number_from_zero("alpha", alpha)
        super().__init__(data_dim, latent_dim, hidden, context_dim=context_dim, learned_prior=False, **others)
        self.remember(alpha=self.alpha)

    def build(self, noise: Generator, options: dict[str, Any]) -> None:
        """The CVAE's networks, and the classifier."""
        super().build(noise, options)
        self.classifier = MLP((self.data_dim, *self.hidden, self.context_dim), noise, **options)
        self.share = self.scalar(1.0)

    def begin(self, data_points: int, labelled: int = 0) -> None:
        """The share of the points that have a label."""
        share = positive_integer("labelled", labelled) / positive_integer("data_points", data_points)
        self.share.data[...] = share

    def prior(self, context: Any = None) -> Distribution:
        """p(z) = N(0, I), whatever y is."""
        self._told(context)
        return super().prior()

    def classify(self, x: Any) -> Tensor:
        """q(y|x): ``(M, data_dim)``, in the data's own units -> probabilities ``(M, context_dim)``."""
        with no_grad():
            return softmax(self.classifier(self.features(self.prepared(x))))

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """One phase; ``noise`` is as the VAE's."""
        x, given = self._points(batch), self._told(batch.context, missing=True)
        log_q = log_softmax(self.classifier(self.features(x)))
        unlabelled = 1.0 - sum(given, axis=-1, keepdims=True)
        weights = given + unlabelled * softmax(log_q)
        labels = [one_label(x, k, self.context_dim) for k in range(self.context_dim)]
        epsilon = self.noise(self.posterior(x, labels[0]), noise)
        each = [self.bound_and_draws(x, epsilon, label)[0] for label in labels]
        reconstruction = mean(sum(weights * stack([b.reconstruction for b in each], axis=-1), axis=-1))
        kl = mean(sum(weights * stack([b.kl for b in each], axis=-1), axis=-1))
        unsaid = mean(sum(unlabelled * weights * (log_q + math.log(self.context_dim)), axis=-1))
        bound = reconstruction - kl - unsaid
        said = mean(sum(given * log_q, axis=-1))
        terms = {"bound": bound, "reconstruction": reconstruction, "kl": kl, "label": said}
        loss = -bound - said * self.alpha / self.share
        return [Phase(loss, self.parameters(), terms, means=guesses(given, log_q)).with_loss(loss)]

    def of_means(self, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``error``: of the points that have a label, the share of those whose likeliest by q(y|x) is another."""
        return error_of(means)


def one_label(x: Tensor, label: int, count: int) -> Tensor:
    """The same label for each row of ``x``, one-hot, ``(M, count)``."""
    row = astype(equal(arange(count, like=x), label), x.dtype)
    return broadcast_to(row, (len(x), count))
