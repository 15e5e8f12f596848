"""Adamax (Kingma & Ba, arXiv 1412.6980, section 7.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autodiff import Parameter, Tensor, absolute, assign, maximum
from .adam import Adam


class Adamax(Adam):
    """Adam with a decaying largest |g| in the place of the root of the mean of g^2: Algorithm 2.

    m <- b1 m + (1 - b1) g;  u <- max(b2 u, |g| + eps)
    theta <- theta - lr / (1 - b1^t) m / u

    No step is longer than about lr, and u needs no correction. The algorithm has no eps, and divides 0 by 0 where a
    gradient has always been 0; here it stands where PyTorch has it.

    Args:
        eps: beside |g|.
        lr: 0.002, the paper's.
        parameters, betas, options: see :class:`Adam`.
    """

    slots = ("m", "u")

    def __init__(self, parameters: Sequence[Parameter], lr: float = 2e-3, **options: Any) -> None:
        super().__init__(parameters, lr, **options)

    def scalars(self, lr: float) -> dict[str, float]:
        """lr / (1 - b1^t)."""
        return {"alpha": lr / (1 - self.betas[0] ** self.count)}

    def update(self, p: Tensor, g: Tensor, m: Tensor, u: Tensor, *, alpha: Tensor) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The rule in the class docstring."""
        b1, b2 = self.betas
        m = assign(m, m + (g - m) * (1 - b1))
        u = assign(u, maximum(u * b2, absolute(g) + self.eps))
        assign(p, p - m * alpha / u)
