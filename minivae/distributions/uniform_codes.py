"""Rows of vectors from a list, each as likely."""

from __future__ import annotations

import math
from typing import Any

from ..autodiff import Tensor, broadcast_to, constant_like, mean, reshape
from ..backend import Generator
from ..checks import positive_integer
from ..errors import InputError
from .categorical import Categorical
from .distribution import Distribution, parameter


class UniformCodes(Distribution):
    """Entries of a list, each as likely, end to end.

    Args:
        codebook: the list, ``(K, code_dim)``.
        num_codes: how many entries.

    Attributes:
        code_entropy: of which entries they are, num_codes log K nats.
    """

    discrete = True

    def __init__(self, codebook: Tensor, num_codes: int) -> None:
        self.codebook = self.like = parameter("codebook", codebook)
        if self.codebook.ndim != 2:
            raise InputError(f"codebook has shape {self.codebook.shape}; expected (K, code_dim)")
        self.num_codes = positive_integer("num_codes", num_codes)
        self.shape = (num_codes * self.codebook.shape[1],)
        self._which = Categorical(
            constant_like(self.codebook, 0.0, (num_codes * len(self.codebook),)), len(self.codebook)
        )
        self.code_entropy = num_codes * math.log(len(self.codebook))

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """Uniform noise, a number for each code and entry: ``(num_codes * K,)``."""
        return self._which.noise_shape

    @property
    def mean(self) -> Tensor:
        """The mean of the list, for each code."""
        return reshape(broadcast_to(mean(self.codebook, axis=0), (self.num_codes, self.codebook.shape[1])), -1)

    def draw_noise(self, generator: Generator, lead: tuple[int, ...] = ()) -> Tensor:
        """Uniform noise on [0, 1), ``(*lead, num_codes * K)``."""
        return self._which.draw_noise(generator, lead)

    def transform(self, noise: Any) -> Tensor:
        """The entries chosen, ``(..., num_codes * code_dim)``."""
        chosen = self._which.transform(noise)
        z = reshape(chosen, *chosen.shape[:-1], self.num_codes, len(self.codebook)) @ self.codebook
        return reshape(z, *z.shape[:-2], -1)
