"""The VAE with an auxiliary variable (the auxiliary deep generative model, without labels).

    q(a|x), q(z|a, x), p(a|x, z): Gaussians, each of a network;    a ~ q(a|x),  z ~ q(z|a, x)
    minimises  -log p(x|z) - log p(z) - log p(a|x, z) + log q(a|x) + log q(z|a, x)

Maaløe et al. 2016, "Auxiliary deep generative models", arXiv 1602.05473, Eq. 3 to 5. Changes the posterior alone:
q(z|x), the mixture of q(z|a, x) over all a, can have any shape, several modes included. It has no density in closed
form. p(a|x, z), which stands beside p(x, z) and changes nothing of it, bounds it: in expectation the terms of a are
KL(q(a|x, z) || p(a|x, z)) above log q(z|x). They weigh each draw properly, so that log p(x) is estimated as usual.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...autodiff import Tensor, broadcast_to, standard_normal
from ...backend import Generator
from ...checks import positive_integer
from ...distributions import Distribution
from ...nn import Module
from ..prior.cvae import beside
from ..vae import VAE, GaussianMLP


class Auxiliary(Distribution):
    """q(z|x), by draws of a.

    Args:
        networks: of q(a|x), q(z|a, x) and p(a|x, z).
        x: what they see, ``(*batch, inputs)``.
    """

    def __init__(self, networks: AuxiliaryMLP, x: Tensor) -> None:
        self.networks, self.x, self.first = networks, x, networks.first(x)
        self.like = self.first.mean
        self.shape = (*x.shape[:-1], networks.outputs)

    @property
    def mean(self) -> Tensor:
        """The mean of q(z|a, x) at the mean of a: a point in the middle, for the mean has no closed form."""
        return self.networks.second(beside(self.first.mean, self.x)).mean

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """``(*batch, lengths of a and z)``."""
        return (*self.shape[:-1], self.first.shape[-1] + self.shape[-1])

    def draw_noise(self, generator: Generator, lead: tuple[int, ...] = ()) -> Tensor:
        """epsilon from N(0, I), for a and then for z."""
        return standard_normal(generator, self._shape_of_draws(lead), self.like.dtype)

    def transform(self, noise: Any) -> Tensor:
        """z."""
        return self.sample_with_log_prob(noise)[0]

    def sample_with_log_prob(self, source: Any, n: int | None = None) -> tuple[Tensor, Tensor]:
        """z, and log q(a|x) + log q(z|a, x) - log p(a|x, z) in the place of log q(z|x)."""
        noise, length = self._as_noise(self._noise(source, n)), self.first.shape[-1]
        noise = noise if noise.ndim else broadcast_to(noise, self.noise_shape)
        a, log_q_a = self.first.sample_with_log_prob(noise[..., :length])
        z, log_q_z = self.networks.second(beside(a, self.x)).sample_with_log_prob(noise[..., length:])
        return z, log_q_a + log_q_z - self.networks.back(beside(z, self.x)).log_prob(a)


class AuxiliaryMLP(Module):
    """The networks of q(a|x), q(z|a, x) and p(a|x, z), ``first``, ``second`` and ``back``.

    Arguments as of :class:`~minivae.models.vae.GaussianMLP`; ``auxiliary`` is the length of a.
    """

    def __init__(
        self, inputs: int, hidden: Sequence[int], outputs: int, generator: Generator, *, auxiliary: int, **options: Any
    ) -> None:
        self.outputs = outputs
        self.first = GaussianMLP(inputs, hidden, auxiliary, generator, **options)
        self.second = GaussianMLP(inputs + auxiliary, hidden, outputs, generator, **options)
        self.back = GaussianMLP(inputs + outputs, hidden, auxiliary, generator, **options)

    def __call__(self, x: Tensor) -> Auxiliary:
        """``(..., inputs)`` -> a distribution over ``(..., outputs)``."""
        return Auxiliary(self, x)


class AuxiliaryVAE(VAE):
    """The VAE with an auxiliary variable.

    Args:
        auxiliary: the length of a.
        data_dim, latent_dim, hidden, others: see :class:`VAE`.
    """

    minimises = "D - log p(z) - log p(a|x,z) + log q(a|x) + log q(z|a,x)"
    source = "Maaløe et al. 2016, arXiv 1602.05473"
    no_free_bits = "its KL is no sum over latent dimensions, which depend on each other by way of a"
    fixed = ("estimator",)

    def __init__(
        self, data_dim: int, latent_dim: int = 20, hidden: Sequence[int] = (500,), *, auxiliary: int = 20, **others: Any
    ) -> None:
        self.auxiliary = positive_integer("auxiliary", auxiliary)
        super().__init__(data_dim, latent_dim, hidden, estimator="A", **others)
        self.remember(auxiliary=self.auxiliary)

    def build(self, noise: Generator, options: dict[str, Any]) -> None:
        """The three networks of a and z; the VAE's decoder."""
        layers = (self.data_dim, self.hidden, self.latent_dim, noise)
        self.encoder = AuxiliaryMLP(*layers, auxiliary=self.auxiliary, **options)
        self.decoder = self.make_decoder(self.latent_dim, noise, options)
