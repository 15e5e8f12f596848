"""MADE: a density of bits by a masked perceptron, without latent variables.

    minimises  -log p(x) = sum_i BCE(x_i, p(x_i = 1 | x_1 ... x_{i-1}))

Germain, Gregor, Murray & Larochelle 2015, "MADE: masked autoencoder for distribution
estimation", Eq. 2 and 3, with the masks of Eq. 8 and 12, one order (the pixels' own) and one
set of masks. What is reported as the bound is log p(x) itself: there is nothing to bound.
Grey levels count as probabilities, as in the Bernoulli likelihood of the VAE. With ``hidden``
empty it is a logistic regression of each pixel on those before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autodiff import Tensor, arange, astype, less, mean, no_grad, uniform, where
from ..backend import Generator, generator
from ..distributions import Bernoulli
from ..errors import InputError, layer_sizes, positive_integer
from ..nn import masked
from .model import Batch, Model, Objective


class MADE(Model):
    """A model of bits, each given those before it.

    Args:
        data_dim: the length of x.
        hidden: sizes of the hidden layers.
        activation: of the hidden layers.
        init: of the weights.
        seed: of the initial weights; the same on every library.
        dtype, library: of the parameters.
    """

    minimises = "-log p(x) = sum_i BCE(x_i | x_<i)"
    source = "Germain et al. 2015, arXiv 1502.03509"
    latent_dim = 0
    needs_unit_interval = True

    def __init__(
        self,
        data_dim: int,
        hidden: Sequence[int] = (500,),
        *,
        activation: str = "tanh",
        init: str = "glorot",
        seed: int = 0,
        dtype: Any = None,
        library: str | None = None,
    ) -> None:
        self.data_dim, hidden = positive_integer("data_dim", data_dim), layer_sizes("hidden", hidden)
        self.remember(data_dim=self.data_dim, hidden=hidden, activation=activation, init=init)
        options = {"activation": activation, "init": init, "dtype": dtype, "library": library}
        self.network = masked.MADE(self.data_dim, hidden, generator(seed, "numpy"), **options)

    def log_prob(self, x: Any) -> Tensor:
        """log p(x) in nats: ``(..., data_dim)`` -> ``(...)``."""
        x = self._vectors("x", x, "data_dim")
        (logits,) = self.network(x)
        return Bernoulli(logits).log_prob(x)

    def objectives(self, batch: Batch, noise: Any) -> list[Objective]:
        """One phase: minus log p(x), averaged over the minibatch. No noise is drawn."""
        bound = mean(self.log_prob(self._points(batch)))
        return [Objective(-bound, self.parameters(), {"bound": bound})]

    def sample(self, generator: Generator, n: int, context: Any = None) -> Tensor:
        """``n`` draws of x, pixel by pixel, ``(n, data_dim)``: one pass of the network for each pixel."""
        like, n = self.parameters()[0], positive_integer("n", n)
        with no_grad():
            u = uniform(generator, (n, self.data_dim), like.dtype)
            x = u * 0.0
            here = arange(self.data_dim, like=like)
            for i in range(self.data_dim):
                (logits,) = self.network(x)
                drawn = astype(less(u, Bernoulli(logits).mean), like.dtype)
                x = where(here == i, drawn, x)
            return x

    def posterior(self, x: Any, context: Any = None) -> Any:
        """Refused: there is no z."""
        raise InputError("MADE has no latent variable, so it has no posterior, prior or reconstruction")

    likelihood = prior = posterior
