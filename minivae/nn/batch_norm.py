"""Batch normalization: every unit has mean beta and standard deviation gamma over a minibatch.

    y = gamma (x - m) / sqrt(v + epsilon) + beta

Ioffe & Szegedy 2015, "Batch normalization", arXiv 1502.03167, Algorithms 1 and 2. In training m and v are the
mean and the variance of the minibatch (v with a divisor of n), through which gradients flow; and running means of both
take a step towards them. Everywhere else m and v are these. Which of the two it is, :mod:`minivae.nn.mode` knows: no
model needs to. The conventions are those of ``torch.nn.BatchNorm1d``: the running variance is one of variances with a
divisor of n - 1, and ``momentum`` is the part that a new minibatch has of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff import Parameter, Tensor, mean, moveaxis, no_grad, sqrt, square
from ..autodiff.shape import shaped
from ..backend import asarray, float_dtype, get_backend
from ..checks import number_between, number_from_zero, positive_integer, positive_number
from ..errors import InputError
from .mlp import Module
from .mode import as_moved, is_training, move


class BatchNorm(Module):
    """y = gamma (x - m) / sqrt(v + epsilon) + beta, for each unit, the last axis, over all other axes.

    In training nothing is left of a bias before it. A layer that a step uses twice has its running means moved twice,
    the second time on from the first.

    Args:
        size: how many units.
        gamma: fixed at this; learned, from 1, if None.
        momentum: what the running means take from a minibatch, in [0, 1].
        epsilon: in the variance.
        dtype: float32 (default) or float64.
        backend: where the parameters live; the default backend if None.

    Attributes:
        weight: gamma, ``(size,)``; no parameter, if it is fixed.
        bias: beta, ``(size,)``, learned, from 0.
        running_mean, running_var: ``(size,)``, state that training moves, from 0 and 1.
    """

    def __init__(
        self,
        size: int,
        *,
        gamma: float | None = None,
        momentum: float = 0.1,
        epsilon: float = 1e-5,
        dtype: Any = None,
        backend: str | None = None,
    ) -> None:
        self.momentum = number_between("momentum", momentum, 0.0, 1.0)
        self.epsilon = positive_number("epsilon", epsilon)
        size, kind = positive_integer("size", size), float_dtype(dtype)
        name = get_backend(backend).name

        def full(value: float) -> Any:
            return asarray(np.full(size, value, kind), backend=name)

        self.weight = Parameter(full(1.0)) if gamma is None else Tensor(full(number_from_zero("gamma", gamma)))
        self.bias = Parameter(full(0.0))
        self.running_mean, self.running_var = Tensor(full(0.0)), Tensor(full(1.0))

    def __call__(self, x: Any) -> Tensor:
        """``(..., size) -> (..., size)``.

        Raises:
            InputError: the last axis of ``x`` has another length; or in training there are fewer than two vectors,
                which have no variance.
        """
        x = shaped("x", x, self.weight, ..., len(self.weight))
        if not is_training():
            return self._scaled(x - self.running_mean, self.running_var)
        axes = tuple(range(x.ndim - 1))
        count = x.size // len(self.weight)
        if count < 2:
            raise InputError(f"x has shape {x.shape}; expected at least 2 vectors in training, for a variance")
        average = mean(x, axis=axes)
        centred = x - average
        variance = mean(square(centred), axis=axes)
        with no_grad():
            self._move(self.running_mean, average)
            self._move(self.running_var, variance * (count / (count - 1)))
        return self._scaled(centred, variance)

    def _scaled(self, centred: Tensor, variance: Tensor) -> Tensor:
        return centred * (self.weight / sqrt(variance + self.epsilon)) + self.bias

    def _move(self, running: Tensor, value: Tensor) -> None:
        move(running, as_moved(running) * (1 - self.momentum) + value * self.momentum)


class BatchNorm2d(BatchNorm):
    """The same of images, ``(N, size, H, W)``: for each channel, over all images and their pixels.

    Arguments as of :class:`BatchNorm`; the conventions are those of ``torch.nn.BatchNorm2d``.
    """

    def __call__(self, x: Any) -> Tensor:
        """``(N, size, H, W) -> (N, size, H, W)``.

        Raises:
            InputError: ``x`` has another number of channels; or in training there are fewer than two pixels.
        """
        size = len(self.weight)
        x = shaped("x", x, self.weight, None, size, None, None, expected=f"images (N, {size}, H, W)")
        if is_training() and x.size < 2 * size:
            raise InputError(f"x has shape {x.shape}; expected at least 2 pixels in training, for a variance")
        return moveaxis(super().__call__(moveaxis(x, 1, -1)), -1, 1)
