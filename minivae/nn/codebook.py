"""A learnt list of vectors, and which of them is nearest."""

from __future__ import annotations

from typing import Any

from ..autodiff import (
    Parameter,
    Tensor,
    arange,
    constant_like,
    equal,
    expand_dims,
    less,
    logical_or,
    mean,
    moveaxis,
    no_grad,
    one_hot_of_largest,
    reshape,
    square,
    sum,
    swapaxes,
    take,
    where,
)
from ..autodiff.shape import shaped
from ..backend import Generator, asarray, float_dtype, get_backend, require_generator
from ..backend.memory import memory_for
from ..checks import decay_rate, positive_integer, switch
from .mlp import Module

SMOOTHING = 1e-5  # of the counts, Laplace's: keeps an entry that is never near from 0 / 0


class Codebook(Module):
    """K entries, which follow the vectors near them or are trained by gradient.

    van den Oord et al. 2017, arXiv 1711.00937, section 3 and App. A.1. They start as draws
    from N(0, I / dim). Running means begin anew with the first minibatch: each entry at one of its
    vectors. An entry that few are near is put at a vector of the minibatch, too, with the weight of an
    average one (as in Dhariwal et al. 2020, "Jukebox", arXiv 2005.00341, App. A.3).

    Args:
        entries: K.
        dim: the length of an entry.
        generator: draws the first entries.
        ema: whether each is the running mean of the vectors near it, instead of a parameter.
        decay: of the running counts and sums, in [0, 1).
        revival: a running count below this share of their mean is "few", in [0, 1); 0: never.
        dtype, backend: of the entries.

    Attributes:
        entries: ``(K, dim)``.
        counts, sums: under ``ema``, running: how many vectors of a minibatch are near each entry, and
            their sum. They start at 0, of which their ratio, the entry, keeps nothing.
    """

    def __init__(
        self,
        entries: int,
        dim: int,
        generator: Generator,
        *,
        ema: bool = True,
        decay: float = 0.99,
        revival: float = 0.05,
        dtype: Any = None,
        backend: str | None = None,
    ) -> None:
        self.size = positive_integer("entries", entries)
        self.ema = switch("ema", ema)
        self.decay, self.revival = decay_rate("decay", decay), decay_rate("revival", revival)
        dim = positive_integer("dim", dim)
        require_generator("generator", generator)
        with memory_for(f"a codebook of {self.size} entries of {dim}", generator.backend):
            drawn = generator.standard_normal((entries, dim), float_dtype(dtype)) * dim**-0.5
        array = asarray(drawn, backend=get_backend(backend).name)
        self.entries = Tensor(array) if ema else Parameter(array)
        if ema:
            self.counts = constant_like(self.entries, 0.0, (entries,))
            self.sums = constant_like(self.entries, 0.0, (entries, dim))

    def nearest(self, z: Tensor) -> Tensor:
        """Which entry is nearest, one-hot: ``(..., dim)`` -> ``(..., K)``. No gradient flows through."""
        with no_grad():
            z = shaped("z", z, self.entries, ..., self.entries.shape[1])
            return one_hot_of_largest(-sum(square(expand_dims(z, -2) - self.entries), axis=-1))

    def moved(self, z: Tensor, chosen: Tensor) -> list[tuple[Tensor, Tensor]]:
        """The state after these vectors: pairs of a tensor and its new value, without gradient; none without ``ema``.

        Args:
            z: ``(..., dim)``.
            chosen: what is nearest to them, ``(..., K)``.
        """
        if not self.ema:
            return []
        with no_grad():
            z = shaped("z", z, self.entries, ..., self.entries.shape[1])
            chosen = shaped("chosen", chosen, self.entries, *z.shape[:-1], self.size)
            by_entry = swapaxes(reshape(chosen, -1, self.size), 0, 1)
            counts = self.counts * self.decay + sum(by_entry, axis=1) * (1 - self.decay)
            sums = self.sums * self.decay + by_entry @ reshape(z, -1, z.shape[-1]) * (1 - self.decay)
            average = mean(counts)
            anew = logical_or(equal(sum(self.counts), 0.0), less(counts, average * self.revival))
            counts = where(anew, average, counts)
            sums = where(expand_dims(anew, -1), self._spread(z) * average, sums)
            total = sum(counts)
            smoothed = (counts + SMOOTHING) / (total + self.size * SMOOTHING) * total
            return [(self.counts, counts), (self.sums, sums), (self.entries, sums / expand_dims(smoothed, -1))]

    def _spread(self, z: Tensor) -> Tensor:
        """K of the vectors, evenly over the codes and over the minibatch, whose order is random: ``(K, dim)``."""
        vectors = reshape(moveaxis(z, -2, 0) if z.ndim > 2 else z, -1, z.shape[-1])  # code by code
        return take(vectors, arange(self.size, dtype="int64", like=z) * len(vectors) // self.size, axis=0)
