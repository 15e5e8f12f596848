"""Rows of vectors from a list: drawn by a distribution of their numbers, or each as likely."""

from __future__ import annotations

import math
from typing import Any

from ..autodiff import Tensor, broadcast_to, constant_like, mean, reshape
from ..backend import Generator
from ..checks import instance, positive_integer
from ..errors import InputError
from .categorical import Categorical
from .distribution import Distribution, parameter


class Entries(Distribution):
    """Entries of a list, end to end.

    Args:
        codebook: the list, ``(K, code_dim)``.
        which: of one-hot vectors end to end, which say the entries: ``(num_codes * K,)``.
    """

    discrete = True

    def __init__(self, codebook: Tensor, which: Distribution) -> None:
        self.codebook = self.like = parameter("codebook", codebook)
        if self.codebook.ndim != 2:
            raise InputError(f"codebook has shape {self.codebook.shape}; expected (K, code_dim)")
        self.which = instance("which", which, Distribution, "a Distribution")
        entries, code_dim = self.codebook.shape
        if len(which.shape) != 1 or which.shape[0] % entries:
            raise InputError(f"which is over {which.shape}; expected (num_codes * {entries},), K for each code")
        self.num_codes = which.shape[0] // entries
        self.shape = (self.num_codes * code_dim,)

    @property
    def mean(self) -> Tensor:
        """That of the entries by their probabilities."""
        return self._entries_of(self.which.mean)

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """That of ``which``."""
        return self.which.noise_shape

    def draw_noise(self, generator: Generator, lead: tuple[int, ...] = ()) -> Tensor:
        """The noise of ``which``, ``(*lead, num_codes * K)``."""
        return self.which.draw_noise(generator, lead)

    def transform(self, noise: Any) -> Tensor:
        """The entries chosen, ``(..., num_codes * code_dim)``."""
        return self._entries_of(self.which.transform(noise))

    def _entries_of(self, chosen: Tensor) -> Tensor:
        z = reshape(chosen, *chosen.shape[:-1], self.num_codes, len(self.codebook)) @ self.codebook
        return reshape(z, *z.shape[:-2], self.shape[0])


class UniformCodes(Entries):
    """Entries of a list, each as likely, end to end.

    Args:
        codebook: the list, ``(K, code_dim)``.
        num_codes: how many entries.

    Attributes:
        code_entropy: of which entries they are, num_codes log K nats.
    """

    def __init__(self, codebook: Tensor, num_codes: int) -> None:
        codebook = parameter("codebook", codebook)
        size = positive_integer("num_codes", num_codes) * len(codebook)
        super().__init__(codebook, Categorical(constant_like(codebook, 0.0, (size,)), len(codebook)))
        self.code_entropy = num_codes * math.log(len(codebook))

    @property
    def mean(self) -> Tensor:
        """The mean of the list, for each code."""
        return reshape(broadcast_to(mean(self.codebook, axis=0), (self.num_codes, self.codebook.shape[1])), -1)
