"""One-hot vectors of which each depends on those before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autodiff import Tensor, no_grad, uniform
from ..autodiff.shape import shaped
from ..backend import Generator
from ..checks import function, instance, positive_integer
from ..errors import InputError
from .categorical import Categorical
from .distribution import Distribution, floating


class Autoregressive(Distribution):
    """Variables of K values each, one-hot and end to end: p(x) = prod_i p(x_i | x_1, ..., x_{i-1}).

    It has neither a mean nor an entropy that could be computed.

    Args:
        network: from x, ``(..., size)``, the logits of every variable, in the same shape; those of variable i
            must depend on the variables before it alone, as those of :class:`minivae.nn.MADE` do.
        size: the length of x, K for each variable.
        num_categories: K.
        like: a tensor whose dtype and backend x takes.
    """

    discrete = True

    def __init__(self, network: Callable[[Tensor], Tensor], size: int, num_categories: int, like: Tensor) -> None:
        self.network = function("network", network)
        self.like = floating("like", instance("like", like, Tensor, "a Tensor"))
        self.shape = (positive_integer("size", size),)
        self.num_categories = positive_integer("num_categories", num_categories)
        if size % num_categories:
            raise InputError(f"size is {size} and num_categories is {num_categories}; expected a multiple of it")

    @property
    def mean(self) -> Tensor:
        """Refused: it is a sum over all x."""
        raise self._lacking("mean")

    def draw_noise(self, generator: Generator, lead: tuple[int, ...] = ()) -> Tensor:
        """Uniform noise on [0, 1), a number for each variable and value: ``(*lead, size)``."""
        return uniform(generator, self._shape_of_draws(lead), self.like.dtype)

    def transform(self, noise: Any) -> Tensor:
        """The draw that the noise stands for: each variable by the Gumbel-max rule, given those before it.

        A pass of the network for each variable. After pass i the first i variables are what they stay, since the same
        noise makes the same of them again; nothing need be said of the others.
        """
        with no_grad():
            noise = self._as_noise(noise)
            x = noise * 0.0
            for _ in range(self.shape[0] // self.num_categories):
                x = self._given(x).transform(noise)
            return x

    def log_prob(self, x: Any) -> Tensor:
        """log p(x), in one pass of the network. Of an x that is not one-hot as of a :class:`Categorical`."""
        x = self._as_data(x)
        return self._given(x).log_prob(x)

    def _given(self, x: Tensor) -> Categorical:
        """Of each variable, given those of x that are before it."""
        return Categorical(shaped("network(x)", self.network(x), self.like, *x.shape), self.num_categories)
