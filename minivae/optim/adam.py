"""Adam (Kingma & Ba, arXiv 1412.6980)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..autodiff import Parameter, Tensor, assign, sqrt, square
from ..checks import decay_rate, positive_number
from ..errors import InputError, shown
from .optimizer import Optimizer


class Adam(Optimizer):
    """Steps by running means of the gradient and of its square, bias-corrected: Algorithm 1.

    m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2
    theta <- theta - lr m_hat / (sqrt(v_hat) + eps),  m_hat = m / (1 - b1^t), v_hat = v / (1 - b2^t)

    This is Algorithm 1, as PyTorch has it: eps stands beside the corrected root. Written
    as at the end of the paper's section 2, with fewer operations,

    theta <- theta - alpha_t m / (sqrt(v) + eps_t),
    alpha_t = lr sqrt(1 - b2^t) / (1 - b1^t),  eps_t = eps sqrt(1 - b2^t)

    it is the same, since eps_t changes with t (there a constant takes its place).

    Args:
        betas: decay rates of the two means, each in [0, 1).
        eps: beside the root.
        parameters, lr, options: see :class:`Optimizer`.
    """

    slots = ("m", "v")

    def __init__(
        self,
        parameters: Sequence[Parameter],
        lr: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        **options: Any,
    ) -> None:
        super().__init__(parameters, lr, **options)
        try:
            b1, b2 = betas
        except Exception:
            raise InputError(f"betas is {shown(betas)}; expected two numbers in [0, 1)") from None
        self.betas = decay_rate("betas[0]", b1), decay_rate("betas[1]", b2)
        self.eps = positive_number("eps", eps)

    def scalars(self, lr: float) -> dict[str, float]:
        """alpha_t and eps_t."""
        b1, b2 = self.betas
        root = math.sqrt(1 - b2**self.count)
        return {"alpha": lr * root / (1 - b1**self.count), "eps": self.eps * root}

    def update(self, p: Tensor, g: Tensor, m: Tensor, v: Tensor, *, alpha: Tensor, eps: Tensor) -> None:
        """The rule in the class docstring."""
        b1, b2 = self.betas
        m = assign(m, m + (g - m) * (1 - b1))
        v = assign(v, v + (square(g) - v) * (1 - b2))
        assign(p, p - m * alpha / (sqrt(v) + eps))
