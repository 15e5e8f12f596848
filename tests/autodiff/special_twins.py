"""The special functions once more, in PyTorch, each from its definition."""

from __future__ import annotations

from typing import Any

import numpy as np

TERMS = 60  # of power series, for arguments up to about 5


def scaled_exp1(T: Any, x: Any) -> Any:
    """e^x E1(x), by E1(x) = -gamma - log x - sum over n > 0 of (-x)^n / (n n!)."""
    series, term = -np.euler_gamma - T.log(x), 1.0
    for n in range(1, TERMS):
        term = term * -x / n
        series = series - term / n
    return T.exp(x) * series


def gammainc(T: Any, a: Any, t: Any) -> Any:
    """P(a, e^t) = sum over n of x^(a + n) e^-x / Gamma(a + n + 1)."""
    x = T.exp(t)
    return sum(T.exp((a + n) * t - x - T.lgamma(a + n + 1)) for n in range(TERMS))


def log_gammaincinv(T: Any, a: Any, u: Any) -> Any:
    """Newton's method on P(a, e^t) = u; the last two steps carry the first two derivatives."""
    a, u = T.broadcast_tensors(a, u)
    t = T.zeros_like(a).detach()
    for step in range(40):
        inputs = (a, u) if step >= 38 else (a.detach(), u.detach())
        density = T.exp(inputs[0] * t - T.exp(t) - T.lgamma(inputs[0]))
        t = t - ((gammainc(T, inputs[0], t) - inputs[1]) / density).clamp(-0.5, 0.5)
    return t


def gammainc_slope(T: Any, a: Any, t: Any, order: int) -> Any:
    """Derivative ``order`` of P(a, e^t) by a over that by t, by automatic differentiation."""
    a, t = (x + 0 * (a + t) for x in (a, t))  # of the same shape
    value = gammainc(T, a, t)
    (by_t,) = T.autograd.grad(value.sum(), t, create_graph=True)
    for _ in range(order):
        (value,) = T.autograd.grad(value.sum(), a, create_graph=True)
    return value / by_t
