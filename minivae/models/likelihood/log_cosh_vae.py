"""The log-cosh VAE: errors are counted by their square where they are small, and by their size where they are large.

    minimises  (1/a) sum_i log cosh(a (xhat_i - x_i)) + log C(a) + beta R,    R = KL(q(z|x) || p(z))

Chen et al. 2019, "Log hyperbolic cosine loss improves variational auto-encoder", Eq. 6: a is 10 there. The loss
bends from a r^2 / 2 to |r| at an error r of about 1 / a; its gradient is tanh(a r). Changes the likelihood alone. The
paper leaves out C(a), the integral of e^-loss for each x_i: with it the loss is minus the logarithm of a density
(:class:`~minivae.distributions.LogCosh`, of scale 1), so that the bound is one and log p(x) can be estimated. The
likelihood ``log-cosh`` of every model is this density with a scale that is learned.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ...autodiff import Tensor
from ...backend import Generator
from ...checks import positive_number
from ...distributions import Distribution, LogCosh
from ..bound.beta_vae import BetaVAE
from ..likelihoods import Likelihood


class UnitLogCoshMLP(Likelihood):
    """LogCosh(mu, 1) for each x_i.

    Args:
        layers, options: as of :class:`~minivae.models.likelihoods.Likelihood`.
        sharpness: a.
    """

    heads = ("loc",)

    def __init__(self, *layers: Any, sharpness: float, **options: Any) -> None:
        super().__init__(*layers, **options)
        self.log_sharpness = math.log(positive_number("sharpness", sharpness))

    def distribution(self, loc: Tensor) -> Distribution:
        """p(x|z)."""
        return LogCosh(loc, 0.0, self.log_sharpness)


class LogCoshVAE(BetaVAE):
    """The VAE with the log-cosh loss.

    Args:
        sharpness: a, one over the error at which the square becomes the size.
        beta: the weight on the KL.
        data_dim, latent_dim, hidden, others: see :class:`VAE`.
    """

    minimises = "(1/a) log cosh(a (xhat - x)) + beta R"
    source = "Chen et al. 2019, AABI"
    fixed = ("likelihood", "sigmoid_mean", "variance", "variance_of", "log_var_floor", "categories")

    def __init__(
        self,
        data_dim: int,
        latent_dim: int = 20,
        hidden: Sequence[int] = (500,),
        *,
        sharpness: float = 10.0,
        beta: float = 1.0,
        **others: Any,
    ) -> None:
        self.sharpness = positive_number("sharpness", sharpness)
        super().__init__(data_dim, latent_dim, hidden, beta=beta, likelihood="log-cosh", **others)
        self.remember(sharpness=self.sharpness)

    def make_decoder(self, inputs: int, noise: Generator, options: dict[str, Any]) -> UnitLogCoshMLP:
        """Of scale 1."""
        layers = (inputs, self.hidden[::-1], self.data_dim, noise)
        return UnitLogCoshMLP(*layers, sharpness=self.sharpness, **options)
