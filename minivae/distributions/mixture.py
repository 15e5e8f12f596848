"""A mixture of Gaussians, each as likely."""

from __future__ import annotations

import math
from typing import Any

from ..autodiff import (
    Tensor,
    arange,
    astype,
    broadcast_to,
    equal,
    exp,
    expand_dims,
    floor,
    logsumexp,
    matmul,
    mean,
    minimum,
    ndtr,
    standard_normal,
)
from ..autodiff.shape import shaped
from ..backend import Generator
from ..checks import instance
from ..errors import InputError
from .distribution import Distribution
from .paper import Normal


class Mixture(Distribution):
    """p(z) = (1/K) sum_k N(z; mu_k, diag sigma_k^2): one component for all elements of z, not one for each.

    Args:
        components: the Gaussians, over ``(K, event)``.

    Raises:
        InputError: they are no Gaussians, or have other axes.
    """

    def __init__(self, components: Normal) -> None:
        self.components = instance("components", components, Normal, "a Normal")
        if len(components.shape) != 2 or not components.shape[0]:
            raise InputError(f"components is over {components.shape}; expected (K, event), K at least 1")
        self.count, self.shape, self.like = components.shape[0], components.shape[1:], components.like

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """Of N(0, I), a number that says which component, and those of its event: ``(1 + event,)``."""
        return (1 + self.shape[0],)

    @property
    def mean(self) -> Tensor:
        """The mean of the components' means."""
        return mean(self.components.mean, axis=0)

    def draw_noise(self, generator: Generator, lead: tuple[int, ...] = ()) -> Tensor:
        """epsilon from N(0, I), ``(*lead, 1 + event)``."""
        return standard_normal(generator, self._shape_of_draws(lead), self.like.dtype)

    def transform(self, noise: Any) -> Tensor:
        """mu_k + sigma_k epsilon, of the component k that the first number's place among all Gaussian ones says."""
        noise = self._as_noise(noise)
        return self.of_components(self.components_drawn(noise[..., :1]), noise[..., 1:])

    def components_drawn(self, number: Any) -> Tensor:
        """One-hot, the component that a Gaussian number's place among all says: ``(..., 1)`` -> ``(..., K)``."""
        number = shaped("number", number, self.like, ..., 1)
        k = minimum(floor(ndtr(number) * self.count), self.count - 1.0)
        return astype(equal(k, arange(self.count, like=k)), self.like.dtype)

    def of_components(self, chosen: Any, epsilon: Any) -> Tensor:
        """mu_k + sigma_k epsilon of chosen components: one-hot ``(..., K)`` and ``(..., event)`` -> the latter."""
        chosen = shaped("chosen", chosen, self.like, ..., self.count)
        epsilon = shaped("epsilon", epsilon, self.like, ..., *self.shape)
        log_var = matmul(chosen, broadcast_to(self.components.log_var, self.components.shape))
        return matmul(chosen, self.components.mean) + exp(log_var * 0.5) * epsilon

    def log_prob(self, x: Any) -> Tensor:
        """log of the mean of the components' densities, ``(...,)``."""
        each = self.components.log_prob(expand_dims(self._as_data(x), -2))
        return logsumexp(each, axis=-1) - math.log(self.count)
