"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autodiff import Parameter, Tensor, assign
from ..checks import decay_rate
from .optimizer import Optimizer


class SGD(Optimizer):
    """v <- momentum v + g;  theta <- theta - lr v.

    The velocity is not scaled by the step size (PyTorch's form; Sutskever et al. 2013
    scale it, which differs only when the step size changes).

    Args:
        momentum: in [0, 1).
        parameters, lr, options: see :class:`Optimizer`.
    """

    slots = ("velocity",)

    def __init__(
        self, parameters: Sequence[Parameter], lr: float = 1e-2, *, momentum: float = 0.0, **options: Any
    ) -> None:
        super().__init__(parameters, lr, **options)
        self.momentum = decay_rate("momentum", momentum)

    def update(self, p: Tensor, g: Tensor, velocity: Tensor, *, lr: Tensor) -> None:
        """The rule in the class docstring."""
        v = assign(velocity, velocity * self.momentum + g)
        assign(p, p - v * lr)
