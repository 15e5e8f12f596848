"""A variable and another one given it, as one vector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autodiff import Tensor, broadcast_to, concatenate, standard_normal
from ..backend import Generator
from ..checks import function, instance, positive_integer, switch
from .distribution import Distribution


class Chain(Distribution):
    """p(a) p(b|a), over vectors (a, b). Both are made of noise from N(0, I) as long as they are.

    Args:
        first: p(a).
        then: gives p(b|a) of a, ``(..., *batch, length of a)``.
        length: of b.
        batch: the shape of the batch, where ``first`` has a smaller one.
        last_first: whether the vectors are (b, a) instead.

    Attributes:
        mean: the mean of a, and that of b given it: a point in the middle, for the mean of b has no closed form.
    """

    def __init__(
        self,
        first: Distribution,
        then: Callable[[Tensor], Distribution],
        length: int,
        batch: tuple[int, ...] = (),
        *,
        last_first: bool = False,
    ) -> None:
        self.first, self.then = instance("first", first, Distribution, "a Distribution"), function("then", then)
        self.last_first = switch("last_first", last_first)
        self.like = first.like
        self.lengths = (first.shape[-1], positive_integer("length", length))
        self.shape = (*(first.shape[:-1] or batch), sum(self.lengths))

    @property
    def mean(self) -> Tensor:
        """Of a, and of b given it."""
        a = broadcast_to(self.first.mean, (*self.shape[:-1], self.lengths[0]))
        return self._joined(a, self.then(a).mean)

    def draw_noise(self, generator: Generator, lead: tuple[int, ...] = ()) -> Tensor:
        """From N(0, I), each number where what it makes is in the vector."""
        return standard_normal(generator, self._shape_of_draws(lead), self.like.dtype)

    def transform(self, noise: Any) -> Tensor:
        """a, and b given it."""
        return self.sample_with_log_prob(noise)[0]

    def sample_with_log_prob(self, source: Any, n: int | None = None) -> tuple[Tensor, Tensor]:
        """The vectors, and the sum of both log-densities by their noise."""
        noise = self._as_noise(self._noise(source, n))
        of_a, of_b = self._parts(noise if noise.ndim else broadcast_to(noise, self.shape))
        a, log_a = self.first.sample_with_log_prob(of_a)
        b, log_b = self.then(a).sample_with_log_prob(of_b)
        return self._joined(a, b), log_a + log_b

    def log_prob(self, x: Any) -> Tensor:
        """log p(a) + log p(b|a)."""
        a, b = self._parts(self._as_data(x))
        return self.first.log_prob(a) + self.then(a).log_prob(b)

    def _parts(self, x: Tensor) -> tuple[Tensor, Tensor]:
        of_a, of_b = self.lengths
        return (x[..., of_b:], x[..., :of_b]) if self.last_first else (x[..., :of_a], x[..., of_a:])

    def _joined(self, a: Tensor, b: Tensor) -> Tensor:
        return concatenate([b, a] if self.last_first else [a, b], axis=-1)
