"""MADE: a density of bits by a masked perceptron, without latent variables.

    minimises  -log p(x) = sum_i BCE(x_i, p(x_i = 1 | those before it))

Germain, Gregor, Murray & Larochelle 2015, arXiv 1502.03509, Eq. 2 and 3, with the masks of Eq. 8 and 12. What is
reported as the bound is log p(x) itself. Grey levels count as probabilities, as in the VAE. With ``hidden`` empty it
is a logistic regression of each pixel on those before.

Order-agnostic and connectivity-agnostic training (sections 4.2 and 4.3): of K sets of masks each minibatch trains
one, drawn; p(x) = 1/K sum_k p_k(x). The bound of a minibatch is then log p_k(x), on average below log p(x).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from ...autodiff import Tensor, astype, concatenate, floor, logsumexp, no_grad, stack, take, tracing, uniform
from ...autodiff.shape import shaped
from ...backend import Generator, generator
from ...checks import layer_sizes, positive_integer
from ...datasets.domain import UNIT
from ...distributions import Bernoulli
from ...errors import InputError
from ...nn import masked
from ..model import Model
from ..phase import Batch, Phase


class MADE(Model):
    """A model of bits, each given those before it.

    Args:
        data_dim: the length of x.
        hidden: sizes of the hidden layers.
        direct: outputs see the pixels before them directly, too.
        masks: K, how many sets of masks are drawn; 1: one that has every degree equally often.
        random_orders: each set has an order of the pixels that is drawn; else their own.
        activation: of the hidden layers.
        init: of the weights.
        seed: of the initial weights and of what is drawn; the same on every backend.
        dtype, backend: of the parameters.
    """

    minimises = "-log p(x) = sum_i BCE(x_i | x_<i)"
    source = "Germain et al. 2015, arXiv 1502.03509"
    latent_dim, no_kl = 0, "it has no latent variable"
    no_codes = no_kl
    domain = UNIT

    def __init__(
        self,
        data_dim: int,
        hidden: Sequence[int] = (500,),
        *,
        direct: bool = False,
        masks: int = 1,
        random_orders: bool = False,
        activation: str = "tanh",
        init: str = "glorot",
        seed: int = 0,
        dtype: Any = None,
        backend: str | None = None,
    ) -> None:
        self.data_dim, hidden = positive_integer("data_dim", data_dim), layer_sizes("hidden", hidden)
        self.masks = positive_integer("masks", masks)
        self.remember(data_dim=self.data_dim, hidden=hidden, activation=activation, init=init)
        self.remember(direct=direct, masks=self.masks, random_orders=random_orders)
        options = {"activation": activation, "init": init, "dtype": dtype, "backend": backend}
        options |= {"direct": direct, "sets": self.masks, "random_orders": random_orders}
        self.network = masked.MADE(self.data_dim, hidden, generator(seed, "numpy"), **options)

    def log_prob(self, x: Any) -> Tensor:
        """log p(x) in nats: ``(..., data_dim)`` -> ``(...)``; one pass of the network for each set of masks."""
        each = [self._log_prob(x, k) for k in range(self.masks)]
        return each[0] if len(each) == 1 else logsumexp(stack(each), axis=0) - math.log(len(each))

    def _log_prob(self, x: Any, which: Any) -> Tensor:
        x = self._vectors("x", x, "data_dim")
        (logits,) = self.network(x, which=which)
        return Bernoulli(logits).log_prob(x)

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """One phase: minus log p_k(x), averaged over the minibatch. Noise, a generator or u in [0, 1), chooses k."""
        bound = self._log_prob(self._points(batch), self._chosen(noise)).mean()
        return [Phase(-bound, self.parameters(), {"bound": bound})]

    def _chosen(self, noise: Any) -> Any:
        if self.masks == 1:
            return 0
        like, drawn = self.parameters()[0], isinstance(noise, Generator)
        u = uniform(noise, (), like.dtype) if drawn else shaped("noise", noise, like)
        if not (drawn or tracing() or 0 <= float(u) < 1):
            raise InputError(f"noise is {float(u)}; expected u in [0, 1), which chooses a set of masks")
        return astype(floor(u * self.masks), "int64")

    def sample(self, generator: Generator, n: int, context: Any = None) -> Tensor:
        """``n`` draws of x, ``(n, data_dim)``: a pass for each pixel, in the order of a set drawn for each x."""
        like, n = self.parameters()[0], positive_integer("n", n)
        with no_grad():
            u = uniform(generator, (n, self.data_dim), like.dtype)
            if self.masks == 1:
                return self._sample(u, 0)
            which = floor(uniform(generator, (n,), like.dtype) * self.masks).numpy()
            rows = [np.flatnonzero(which == k) for k in range(self.masks)]
            x = concatenate([self._sample(take(u, part, axis=0), k) for k, part in enumerate(rows)], axis=0)
            return take(x, np.argsort(np.concatenate(rows)), axis=0)

    def _sample(self, u: Tensor, which: int) -> Tensor:
        x = u * 0.0
        for _ in range(self.data_dim):  # after pass i the first i pixels are what the same u makes of them again
            (logits,) = self.network(x, which=which)
            x = Bernoulli(logits).sample(u)
        return x

    def posterior(*_: Any, **__: Any) -> NoReturn:
        """Refused: there is no z."""
        raise InputError("MADE has no latent variable: no posterior, prior, reconstruction or bound, but log_prob(x)")

    likelihood = prior = bound = bound_and_draws = posterior
