"""Dropout: in training some numbers are 0, drawn anew each time, and the others larger, so that their mean stays.

Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting".
"""

from __future__ import annotations

from typing import Any

from ..autodiff import Tensor, as_tensor, astype, greater_equal, uniform
from ..autodiff.shape import shaped
from ..backend import Generator
from ..checks import number_between
from ..errors import InputError, shown
from .mlp import Module
from .mode import is_training


class Dropout(Module):
    """In training x / (1 - rate) where a number u is at least ``rate``, 0 elsewhere; otherwise x.

    Whether a step of training is being taken, :mod:`minivae.nn.mode` knows. What is drawn is the noise of a step, which
    a model is given: a run that is resumed goes on with the same.

    Args:
        rate: the part that is 0, in [0, 1).
    """

    def __init__(self, rate: float) -> None:
        self.rate = number_between("rate", rate, 0.0, 1.0)
        if self.rate == 1.0:
            raise InputError(f"rate is {shown(rate)}; expected less than 1, so that something is left")

    def __call__(self, x: Any, noise: Any) -> Tensor:
        """x, of any shape.

        Args:
            x: a tensor of floating point.
            noise: a generator that draws u, or u itself, of the shape of x, uniform in [0, 1).

        Raises:
            InputError: ``noise`` is neither.
        """
        x = as_tensor(x)
        if not is_training() or not self.rate:
            return x
        u = uniform(noise, x.shape, x.dtype) if isinstance(noise, Generator) else shaped("noise", noise, x, *x.shape)
        return x * (astype(greater_equal(u, self.rate), x.dtype) * (1 / (1 - self.rate)))
