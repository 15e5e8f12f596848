"""Adagrad, the optimizer of the paper's experiments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autodiff import Parameter, Tensor, assign, sqrt
from ..checks import integer_from_zero, positive_number
from .optimizer import Optimizer


class Adagrad(Optimizer):
    """h <- h + g^2;  theta <- theta - lr g / (sqrt(h) + eps)  (Duchi et al. 2011).

    Args:
        warmup: for so many steps only h is accumulated and theta stays, as in the
            code of the paper's authors (100 there). The first updates divide by a
            single gradient and so have size lr in every coordinate: at the paper's
            largest lr of 0.1 they diverge without a warm-up.
        eps: beside the root.
        parameters, lr, options: see :class:`Optimizer`; the paper chose lr from
            {0.01, 0.02, 0.1} by the first iterations (section 5).
    """

    slots = ("sum_of_squares",)

    def __init__(
        self,
        parameters: Sequence[Parameter],
        lr: float = 1e-2,
        *,
        warmup: int = 0,
        eps: float = 1e-8,
        **options: Any,
    ) -> None:
        super().__init__(parameters, lr, **options)
        self.warmup = integer_from_zero("warmup", warmup)
        self.eps = positive_number("eps", eps)

    def scalars(self, lr: float) -> dict[str, float]:
        """The step size: 0 during the warm-up."""
        return {"lr": lr if self.count > self.warmup else 0.0}

    def update(self, p: Tensor, g: Tensor, sum_of_squares: Tensor, *, lr: Tensor) -> None:
        """The rule in the class docstring."""
        h = assign(sum_of_squares, sum_of_squares + g * g)
        assign(p, p - g * lr / (sqrt(h) + self.eps))
