"""Distributions whose elements are independent, and two ways of drawing them (section 2.4).

Parameters that must be positive are given through their logarithms, as Normal's variance
is: ``log_scale``, ``log_rate``, ``log_concentration``, ``log_df``. A network's output can
then be a parameter as it is, and no value of it is forbidden. Parameters are tensors,
arrays or numbers that broadcast against each other; the last axis is the event.

Samples are functions of uniform noise u on [0, 1), differentiable by the parameters and
by u. At 0 and 1 they would be infinite, so u is held inside by half a rounding unit: a
float32 sample lies between the quantiles at 3e-8 and 1 - 6e-8.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autodiff import Tensor, as_tensor, broadcast_to, clip, exp, isnan, less, less_equal, log1p, sum, uniform, where
from ..backend import Generator
from ..checks import finite_number
from ..errors import InputError
from .distribution import Distribution, floating


class Elementwise(Distribution, ABC):
    """Base of the families with independent elements.

    A family writes ``log_density``, ``element_mean`` and ``element_entropy``, which say
    it for one element; and ``outside``, unless its support is the whole line.

    Args:
        parameters: by name; each becomes an attribute, a tensor.

    Attributes:
        like: a parameter, whose dtype and backend noise and data take.
        shape: of the parameters together, ``(*batch, event)``.
        inner: an x at which the formula of ``log_density`` is finite.

    Raises:
        InputError: the shapes of the parameters do not broadcast against each other.
    """

    inner: Any = 1.0

    def __init__(self, **parameters: Any) -> None:
        # Numbers and arrays take the dtype of a tensor, and numbers that of an array.
        rank = {k: (not isinstance(x, Tensor), isinstance(x, int | float)) for k, x in parameters.items()}
        name = min(rank, key=rank.__getitem__)
        first = parameters[name]
        self.like = floating(name, as_tensor(finite_number(name, first) if type(first) is int else first, name=name))
        for name, value in parameters.items():
            setattr(self, name, as_tensor(value, self.like, name))
        self.shape = broadcast_shapes({name: getattr(self, name).shape for name in parameters})

    def draw_noise(self, generator: Generator, lead: tuple[int, ...] = ()) -> Tensor:
        """Uniform noise on [0, 1), of shape ``(*lead, *batch, event)``."""
        return uniform(generator, self._shape_of_draws(lead), self.like.dtype)

    @property
    def mean(self) -> Tensor:
        """The expectation; NaN or infinite where there is none."""
        return broadcast_to(self.element_mean(), self.shape)

    def entropy(self) -> Tensor:
        """The entropy, summed over the last axis."""
        return sum(broadcast_to(self.element_entropy(), self.shape), axis=-1)

    def log_prob(self, x: Any) -> Tensor:
        """log p(x), summed over the last axis; -inf outside the support."""
        x = self._as_data(x)
        outside = self.outside(x)
        if outside is None:
            return sum(self.log_density(x), axis=-1)
        # A formula that is not evaluated outside leaves no NaN in the gradient there.
        return sum(where(outside, -math.inf, self.log_density(where(outside, self.inner, x))), axis=-1)

    def outside(self, x: Tensor) -> Tensor | None:
        """Where ``x`` lies outside the support (a NaN does not); None if nothing can."""
        return None

    @abstractmethod
    def log_density(self, x: Tensor) -> Tensor:
        """log p(x) of each element."""

    @abstractmethod
    def element_mean(self) -> Tensor:
        """The expectation of each element."""

    @abstractmethod
    def element_entropy(self) -> Tensor:
        """The entropy of each element."""


class InverseCDF(ABC):
    """Beside :class:`Elementwise`: families drawn by their inverse distribution function, approach (1)."""

    _as_noise: Callable[[Any], Tensor]

    def transform(self, noise: Any) -> Tensor:
        """F^-1(u)."""
        return self.quantile(inside_unit(self._as_noise(noise)))

    @abstractmethod
    def quantile(self, u: Tensor) -> Tensor:
        """F^-1(u): the number below which a sample lies with probability u."""


class LocationScale(InverseCDF):
    """Beside :class:`Elementwise`: families z = location + scale * standard noise: approach (2) of section 2.4.

    A family writes the quantile, log density, mean and entropy of its standard member.

    Args:
        loc: the location, ``(..., event)``.
        log_scale: the logarithm of the scale.
        others: further parameters of the standard member, by name.
    """

    mean: Tensor
    loc: Tensor
    log_scale: Tensor

    def __init__(self, loc: Any, log_scale: Any, **others: Any) -> None:
        super().__init__(**{"loc": loc, "log_scale": log_scale, **others})  # Elementwise's, which it stands beside

    @property
    def scale(self) -> Tensor:
        """exp(log_scale)."""
        return exp(self.log_scale)

    @property
    def centre(self) -> Tensor:
        """The mean; the location where there is none, as of Student's t with a df up to 1."""
        return where(isnan(self.mean), self.loc, self.mean)

    def quantile(self, u: Tensor) -> Tensor:
        """location + scale * the standard quantile."""
        return self.loc + self.scale * self.standard_quantile(u)

    def log_density(self, x: Tensor) -> Tensor:
        """The standard log density at z = (x - location) / scale, less log scale."""
        return self.standard_log_density((x - self.loc) * exp(-self.log_scale)) - self.log_scale

    def element_mean(self) -> Tensor:
        """location + scale * the standard mean."""
        return self.loc + self.scale * self.standard_mean()

    def element_entropy(self) -> Tensor:
        """The standard entropy + log scale."""
        return self.log_scale + self.standard_entropy()

    @abstractmethod
    def standard_quantile(self, u: Tensor) -> Tensor:
        """F^-1(u) at location 0 and scale 1."""

    @abstractmethod
    def standard_log_density(self, z: Tensor) -> Tensor:
        """log p(z) at location 0 and scale 1."""

    @abstractmethod
    def standard_mean(self) -> Any:
        """The expectation at location 0 and scale 1: a number, or a tensor."""

    @abstractmethod
    def standard_entropy(self) -> Any:
        """The entropy at scale 1: a number, or a tensor."""


class Positive:
    """Beside :class:`Elementwise`: families over x > 0."""

    def outside(self, x: Tensor) -> Tensor:
        """x <= 0."""
        return less_equal(x, 0.0)


def exponential(u: Tensor) -> Tensor:
    """-log(1 - u): exponential noise with mean 1 from uniform noise."""
    return -log1p(-u)


def outside_interval(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """x < low or x > high."""
    return less((x - low) * (high - x), 0.0)


def inside_unit(noise: Tensor) -> Tensor:
    """Uniform noise on [0, 1], held inside (0, 1) by half a rounding unit."""
    epsilon = float(np.finfo(noise.dtype).eps)
    return clip(noise, epsilon / 4, 1 - epsilon / 2)


def broadcast_shapes(shapes: dict[str, tuple[int, ...]]) -> tuple[int, ...]:
    """The shape that parameters of these shapes, by name, have together.

    Raises:
        InputError: they do not broadcast against each other.
    """
    try:
        return np.broadcast_shapes(*shapes.values())
    except (ValueError, RuntimeError):  # the second of more axes than it knows
        found = ", ".join(f"{name} has shape {shape}" for name, shape in shapes.items())
        raise InputError(f"{found}; expected shapes that broadcast against each other") from None
