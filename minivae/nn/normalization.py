"""Layers that give each data point, or each group of its channels, mean beta and standard deviation gamma.

    y = gamma (x - m) / sqrt(v + epsilon) + beta

m and v are the mean and the variance (with a divisor of n) of what is normalised together; nothing is known of other
data points, so that training and what comes after it are the same. Ba et al. 2016, "Layer normalization", arXiv
1607.06450, Eq. 4; Wu & He 2018, "Group normalization", arXiv 1803.08494, Eq. 1 to 6. Names, layouts and defaults of the
parameters are those of ``torch.nn``. Over a minibatch: :mod:`.batch_norm`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autodiff import Parameter, Tensor, mean, moveaxis, reshape, sqrt, square
from ..autodiff.shape import shaped
from ..backend import asarray, float_dtype, get_backend
from ..checks import divisor, lengths, positive_integer, positive_number
from ..errors import InputError, shown
from .mlp import Module


class LayerNorm(Module):
    """The last axes of each data point, normalised together.

    Args:
        shape: their lengths; an integer for the last axis alone.
        epsilon: in the variance.
        dtype: float32 (default) or float64.
        backend: where the parameters live; the default backend if None.

    Attributes:
        weight, bias: gamma and beta, of that shape, learned, from 1 and 0.
    """

    def __init__(
        self, shape: int | Sequence[int], *, epsilon: float = 1e-5, dtype: Any = None, backend: str | None = None
    ) -> None:
        self.shape = lengths("shape", shape if isinstance(shape, list | tuple) else (shape,))
        if not self.shape or 0 in self.shape:
            raise InputError(f"shape is {shown(shape)}; expected the lengths of axes, of at least 1")
        self.epsilon = positive_number("epsilon", epsilon)
        self.weight, self.bias = _gamma_and_beta(self.shape, dtype, backend)

    def __call__(self, x: Any) -> Tensor:
        """``(..., *shape) -> (..., *shape)``.

        Raises:
            InputError: the last axes of ``x`` have other lengths.
        """
        x = shaped("x", x, self.weight, ..., *self.shape)
        return _normalized(x, range(x.ndim - len(self.shape), x.ndim), self.epsilon) * self.weight + self.bias


class GroupNorm(Module):
    """Each group of the channels of an image, normalised together, over all its pixels.

    Args:
        groups: into so many parts the channels are cut, in order; with 1 an image is normalised as a whole, with as
            many as channels each by itself.
        channels: how many.
        epsilon, dtype, backend: as of :class:`LayerNorm`.

    Attributes:
        weight, bias: gamma and beta of each channel, ``(channels,)``, learned, from 1 and 0.
    """

    def __init__(
        self, groups: int, channels: int, *, epsilon: float = 1e-5, dtype: Any = None, backend: str | None = None
    ) -> None:
        self.groups = divisor("groups", groups, positive_integer("channels", channels))
        self.epsilon = positive_number("epsilon", epsilon)
        self.weight, self.bias = _gamma_and_beta((channels,), dtype, backend)

    def __call__(self, x: Any) -> Tensor:
        """``(N, channels, ...) -> (N, channels, ...)``.

        Raises:
            InputError: ``x`` has another number of channels.
        """
        x = shaped("x", x, self.weight, ...)
        if x.ndim < 2 or x.shape[1] != len(self.weight):
            raise InputError(f"x has shape {x.shape}; expected (N, {len(self.weight)}, ...)")
        last = moveaxis(x, 1, -1)  # where channels lie in memory
        grouped = reshape(last, (*last.shape[:-1], self.groups, last.shape[-1] // self.groups))
        even = _normalized(grouped, (*range(1, last.ndim - 1), last.ndim), self.epsilon)
        return moveaxis(reshape(even, last.shape) * self.weight + self.bias, -1, 1)


def _gamma_and_beta(shape: tuple[int, ...], dtype: Any, backend: str | None) -> tuple[Parameter, Parameter]:
    kind, where = float_dtype(dtype), get_backend(backend).name
    one, zero = (Parameter(asarray(np.full(shape, value, kind), backend=where)) for value in (1.0, 0.0))
    return one, zero


def _normalized(x: Tensor, axes: Sequence[int], epsilon: float) -> Tensor:
    """x with mean 0 and, but for epsilon, standard deviation 1 over some axes."""
    centred = x - mean(x, tuple(axes), keepdims=True)
    return centred / sqrt(mean(square(centred), tuple(axes), keepdims=True) + epsilon)
