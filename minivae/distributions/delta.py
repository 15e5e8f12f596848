"""All probability at one point: the posterior of an encoder without noise."""

from __future__ import annotations

from typing import Any

from .. import backend
from ..autodiff import Tensor, broadcast_to, constant_like
from ..errors import InputError
from .distribution import Distribution, parameter


class Delta(Distribution):
    """The point ``mean``, with certainty.

    Args:
        mean: ``(..., event)``.
    """

    degenerate = True

    def __init__(self, mean: Any) -> None:
        self.mean = self.like = parameter("mean", mean)
        self.shape = self.mean.shape

    def draw_noise(self, generator: backend.Generator, lead: tuple[int, ...] = ()) -> Tensor:
        """Zeros of shape ``(*lead, *mean.shape)``: nothing is random."""
        backend.require_generator("generator", generator)
        return constant_like(self.mean, 0.0, self._shape_of_draws(lead))

    def transform(self, noise: Any) -> Tensor:
        """The mean, as often as the noise's shape says."""
        noise = self._as_noise(noise)
        return broadcast_to(self.mean, noise.shape) if noise.ndim else self.mean

    def _lacking(self, what: str) -> InputError:
        return InputError(f"a point (Delta) has no density, so no {what}; expected no more of it than its mean")
