"""Independent vectors, each of a family of its own, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import accumulate, pairwise
from math import prod
from typing import Any

from ..autodiff import Tensor, add, as_tensor, concatenate, reshape
from ..autodiff.shape import shaped
from ..backend import Generator
from ..checks import instance, sequence
from ..errors import InputError
from .categorical import Categorical
from .distribution import Distribution, kl, kl_by_dimension, register_kl


class Product(Distribution):
    """p(x) = prod_i p_i(x_i), the x_i end to end: continuous and discrete ones, say.

    With a discrete part log_prob is a density times probabilities, and no path leads from sample to sample.

    Args:
        parts: distributions of one batch shape.

    Raises:
        InputError: there is none, one is no distribution, or their batches differ.
    """

    def __init__(self, parts: Sequence[Distribution]) -> None:
        self.parts = list(sequence("parts", parts, "a list of distributions"))
        for i, part in enumerate(self.parts):
            instance(f"parts[{i}]", part, Distribution, "a Distribution")
        if not self.parts:
            raise InputError("parts is empty; expected at least one distribution")
        batches = {part.shape[:-1] for part in self.parts}
        if len(batches) > 1:
            raise InputError(f"parts have batches of shapes {sorted(batches)}; expected one shape")
        self.lengths = [part.shape[-1] for part in self.parts]
        (self._batch,) = batches
        self.shape, self.like = (*self._batch, sum(self.lengths)), self.parts[0].like
        self._noise_lengths = [prod(part.noise_shape[len(self._batch) :]) for part in self.parts]
        self.discrete = any(part.discrete for part in self.parts)
        self.degenerate = any(part.degenerate for part in self.parts)

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """The parts' noise, each as a vector, end to end."""
        return (*self._batch, sum(self._noise_lengths))

    @property
    def mean(self) -> Tensor:
        """The parts' means."""
        return concatenate([part.mean for part in self.parts], axis=-1)

    @property
    def centre(self) -> Tensor:
        """The parts' centres."""
        return concatenate([part.centre for part in self.parts], axis=-1)

    def draw_noise(self, generator: Generator, lead: tuple[int, ...] = ()) -> Tensor:
        """The noise of each part, of shape ``(*lead, *noise_shape)``."""
        drawn = [part.draw_noise(generator, lead) for part in self.parts]
        places = zip(drawn, self._noise_lengths, strict=True)
        axes = len(self._shape_of_draws(lead)) - 1
        return concatenate([reshape(x, *x.shape[:axes], n) for x, n in places], axis=-1)

    def transform(self, noise: Any) -> Tensor:
        """Each part's sample."""
        return self._made(noise, lambda part, own: part.transform(own))

    def relax(self, noise: Any, temperature: Any) -> Tensor:
        """The same with what :meth:`Categorical.relax` gives in the place of one-hot vectors."""
        temperature = as_tensor(temperature, self.like, "temperature")

        def make(part: Distribution, own: Tensor) -> Tensor:
            return part.relax(own, temperature) if isinstance(part, Categorical) else part.transform(own)

        return self._made(noise, make)

    def log_prob(self, x: Any) -> Tensor:
        """The sum of the parts' log p."""
        pieces = zip(self.parts, _cut(self._as_data(x), self.lengths), strict=True)
        return reduce(add, [part.log_prob(piece) for part, piece in pieces])

    def pieces(self, x: Any) -> list[Tensor]:
        """Those of vectors, ``(..., event)``, that belong to each part."""
        return _cut(shaped("x", x, self.like, ..., self.shape[-1]), self.lengths)

    def entropy(self) -> Tensor:
        """The sum of the parts' entropies."""
        return reduce(add, [part.entropy() for part in self.parts])

    def _made(self, noise: Any, make: Callable[[Distribution, Tensor], Tensor]) -> Tensor:
        pieces = zip(self.parts, _cut(self._as_noise(noise), self._noise_lengths), strict=True)
        shaped = [(part, reshape(x, *x.shape[:-1], *part.noise_shape[len(self._batch) :])) for part, x in pieces]
        return concatenate([make(part, x) for part, x in shaped], axis=-1)


def _cut(x: Tensor, lengths: Sequence[int]) -> list[Tensor]:
    """The pieces of the last axis, of these lengths."""
    return [x[..., a:b] for a, b in pairwise(accumulate(lengths, initial=0))]


@register_kl(Product, Product)
def _product_product(q: Product, p: Product) -> Tensor:
    """The sum over the parts."""
    return reduce(add, [kl(*parts) for parts in _pairs(q, p)])


@register_kl(Product, Product, by_dimension=True)
def _product_parts(q: Product, p: Product) -> Tensor:
    """The dimensions of all parts."""
    return concatenate([kl_by_dimension(*parts) for parts in _pairs(q, p)], axis=-1)


def _pairs(q: Product, p: Product) -> list[tuple[Distribution, Distribution]]:
    if q.lengths != p.lengths:
        raise InputError(f"q has parts of lengths {q.lengths} and p of {p.lengths}; expected the same")
    return list(zip(q.parts, p.parts, strict=True))
