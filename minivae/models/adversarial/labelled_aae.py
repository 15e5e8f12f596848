"""The adversarial auto-encoder that is told labels: each class has a Gaussian of its own for its codes.

    reconstruction:  by encoder and decoder   -log p(x|z),    z = E(x)
    regularization:  by the critic            1/2 CE((z', y) of p(z|y) -> 0) + 1/2 CE((z, y) -> 1)
                     by the encoder           -log D(z, y)
    p(z|y) = N(mu_y, I), but with spread^2 for the variance of its first two dimensions; mu_y on a circle there

Makhzani, Shlens, Jaitly, Goodfellow & Frey 2016, "Adversarial autoencoders", arXiv 1511.05644, section 2.3 and Fig. 3:
the critic sees the label beside the code, and so the encoder learns to send each class where its Gaussian is. Neither
encoder nor decoder is told. A label that is missing is a class of its own for the critic, and draws beside it are of
the whole mixture, of classes equally likely. (Their Gaussians have a narrow axis; these are round.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...autodiff import Tensor, concatenate, exp, expand_dims, log_softmax, matmul, mean, no_grad, sum, tensor
from ...autodiff.shape import shaped
from ...backend import Generator, backend_of
from ...checks import positive_integer, positive_number
from ...distributions import Distribution, Mixture, Normal
from ...errors import InputError
from ..guesses import error_of, guesses
from ..phase import Batch
from ..prior.cvae import beside
from .aae import AAE
from .critic import Critic


class LabelledAAE(AAE):
    """The adversarial auto-encoder whose codes lie, class by class, where p(z|y) does.

    Args:
        context_dim: K, how many labels there are; a row of zeros in the context says that one is missing.
        radius: of the circle that the K means are on, in the first two dimensions.
        spread: the standard deviation of p(z|y) in these two.
        data_dim, latent_dim, hidden, others: see :class:`AAE`.

    Attributes:
        means, log_var: mu_y, ``(K, latent_dim)``, and what the variance of all p(z|y) is the exponential of.

    Raises:
        InputError: ``latent_dim`` is 1, which has no circle.
    """

    minimises = "D; -log D(z, y) by a critic that is told y"
    partly_told = True

    def __init__(
        self,
        data_dim: int,
        latent_dim: int = 8,
        hidden: Sequence[int] = (500,),
        *,
        context_dim: int,
        radius: float = 4.0,
        spread: float = 0.5,
        **others: Any,
    ) -> None:
        self.context_dim = positive_integer("context_dim", context_dim)
        self.radius, self.spread = positive_number("radius", radius), positive_number("spread", spread)
        if positive_integer("latent_dim", latent_dim) == 1:
            raise InputError("latent_dim is 1; expected at least 2, for a circle of classes")
        super().__init__(data_dim, latent_dim, hidden, **others)
        self.remember(context_dim=self.context_dim, radius=self.radius, spread=self.spread)

    def build(self, noise: Generator, options: dict[str, Any]) -> None:
        """The networks of points; a critic of codes beside labels; and where the classes are."""
        super().build(noise, options)
        inputs = self.latent_dim + self.context_dim + 1
        self.critic = Critic(inputs, self.critic_hidden, noise, lr=self.critic_lr, **options)
        angles = 2 * math.pi * np.arange(self.context_dim) / self.context_dim
        circle = np.stack([np.cos(angles), np.sin(angles)], axis=-1) * self.radius
        like, beyond = self.parameters()[0], self.latent_dim - 2
        where = {"dtype": like.dtype, "backend": backend_of(like._data).name}
        self.means = tensor(np.pad(circle, ((0, 0), (0, beyond))), **where)
        self.log_var = tensor([2 * math.log(self.spread)] * 2 + [0.0] * beyond, **where)

    def prior(self, context: Any = None) -> Distribution:
        """p(z|y)."""
        return Normal(matmul(self._told(context), self.means), self.log_var)

    def classify(self, x: Any) -> Tensor:
        """p(y|z) at the code of each: ``(M, data_dim)``, in the data's own units -> probabilities ``(M, K)``."""
        with no_grad():
            return exp(self._log_classes(self.posterior(self.prepared(x)).mean))

    def completed(self, x: Any, context: Any) -> Any:
        """As of other models that may be told nothing, but that ``encode`` needs no context here."""
        return None if context is None else super().completed(x, context)

    def of_means(self, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``error``: of the points that have a label, the share of those that are likelier of another class."""
        return error_of(means)

    def _means(self, batch: Batch, z: Tensor) -> dict[str, Tensor]:
        """How many labels there are, and how many of them the codes stand for."""
        with no_grad():
            return guesses(self._told(batch.context, missing=True), self._log_classes(z[..., : self.latent_dim]))

    def _codes_and_draws(self, batch: Batch, noise: Any) -> tuple[Tensor, Tensor, Tensor]:
        """Codes and draws with the labels beside them, and whether they are missing; the mean of log p(x|z).

        ``noise``: a generator, or that of a :class:`Mixture`'s draws, ``(M, 1 + latent_dim)``.
        """
        x, given = self._points(batch), self._told(batch.context, missing=True)
        mixture, z = self._mixture(), self.posterior(x).mean
        if isinstance(noise, Generator):
            noise = mixture.draw_noise(noise, (len(z),))
        noise = shaped("noise", noise, z, len(z), *mixture.noise_shape)
        missing = 1.0 - sum(given, axis=-1, keepdims=True)
        prior = mixture.of_components(given + missing * mixture.components_drawn(noise[..., :1]), noise[..., 1:])
        told = concatenate([given, missing], axis=-1)
        return beside(z, told), beside(prior, told), mean(self.likelihood(z).log_prob(x))

    def _mixture(self) -> Mixture:
        """p(z), where no label is known."""
        return Mixture(Normal(self.means, self.log_var))

    def _log_classes(self, z: Tensor) -> Tensor:
        """log p(y|z), ``(M, latent_dim)`` -> ``(M, K)``."""
        return log_softmax(self._mixture().components.log_prob(expand_dims(z, -2)))
