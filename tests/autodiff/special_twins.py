"""The special functions once more, in PyTorch, each from its definition."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

TERMS = 60  # of power series, for arguments up to about 5
BETA_TERMS = 160  # for x up to 0.8, of which a power is a factor of each


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


def mills(T: Any, x: Any) -> Any:
    return T.exp(-x * x / 2) / np.sqrt(2 * np.pi) / T.special.ndtr(x)


def ive(T: Any, v: float, x: Any) -> Any:
    """e^-|x| times the sum over n of (x / 2)^(2 n + v) / (n! Gamma(n + v + 1))."""
    terms = [(x / 2) ** (2 * n + v) / (math.factorial(n) * math.gamma(n + v + 1)) for n in range(TERMS)]
    return T.exp(-T.abs(x)) * sum(terms)


def log_mean_tilt(T: Any, m: int, x: Any) -> Any:
    """log of Gamma(m / 2) (2 / x)^(m / 2 - 1) I_(m / 2 - 1)(x) e^-x."""
    v = m / 2 - 1
    return math.lgamma(v + 1) + v * T.log(2 / x) + T.log(ive(T, v, x))


def bessel_gap(T: Any, m: int, x: Any) -> Any:
    """I_(m / 2)(x) / I_(m / 2 - 1)(x) - 1."""
    return ive(T, m / 2, x) / ive(T, m / 2 - 1, x) - 1


def betaln(T: Any, a: Any, b: Any) -> Any:
    return T.lgamma(a) + T.lgamma(b) - T.lgamma(a + b)


def betainc(T: Any, a: Any, b: Any, x: Any) -> Any:
    """I_x(a, b) = x^a (1 - x)^b / (a B(a, b)) times the sum over n of (a + b)_n / (a + 1)_n x^n."""
    total, term = 0.0, 1.0
    for n in range(BETA_TERMS):
        total = total + term
        term = term * x * (a + b + n) / (a + 1 + n)
    return T.exp(a * T.log(x) + b * T.log1p(-x) - betaln(T, a, b)) / a * total


def betainc_slope(T: Any, a: Any, b: Any, x: Any, i: int, j: int) -> Any:
    """Derivative i by a and j by b, by automatic differentiation."""
    a, b, x = (v + 0 * (a + b + x) for v in (a, b, x))  # of the same shape
    value = betainc(T, a, b, x)
    for by in (*[a] * i, *[b] * j):
        (value,) = T.autograd.grad(value.sum(), by, create_graph=True)
    return value
