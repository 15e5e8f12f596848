"""The Gaussians of the temporal difference VAE (Gregor et al. 2019, arXiv 1806.03107, App. B)."""

from __future__ import annotations

from typing import Any

from ...autodiff import Tensor, sigmoid, tanh
from ...backend import Generator
from ...distributions import Normal
from ...nn import Linear, Module
from ..prior.cvae import beside


class DBlock(Module):
    """h -> N(mean, diag exp(log_var)), both linear in tanh(W h + c) * sigmoid(V h + d).

    Args:
        inputs, units, outputs: lengths of h, of what both are linear in, and of the mean.
        generator, options: see :class:`~minivae.nn.Linear`.
    """

    def __init__(self, inputs: int, units: int, outputs: int, generator: Generator, **options: Any) -> None:
        self.value, self.gate = (Linear(inputs, units, generator, **options) for _ in range(2))
        self.mean, self.log_var = (Linear(units, outputs, generator, **options) for _ in range(2))

    def __call__(self, h: Tensor, *others: Tensor) -> Normal:
        """``(..., inputs)`` -> a Gaussian over ``(..., outputs)``; h may come in parts, the first with more axes."""
        for other in others:
            h = beside(h, other)
        h = tanh(self.value(h)) * sigmoid(self.gate(h))
        return Normal(self.mean(h), self.log_var(h))
