"""The incomplete beta function, with its derivatives by the shapes.

It is the distribution function of Beta(a, b), I_x(a, b) = the integral over s < x of

    q(s) = s^(a - 1) (1 - s)^(b - 1) / B(a, b)

and its derivatives by the shapes are computed as those of :mod:`.incomplete_gamma` are: by
integrals of those of q, or by a power series near the ends. The derivatives of log q are
log s - psi(a) + psi(a + b) by a, log(1 - s) - psi(b) + psi(a + b) by b, and psi'(a + b) - psi'(a),
psi'(a + b), psi'(a + b) - psi'(b), ... As I_x(a, b) = 1 - I_{1 - x}(b, a), only
z = min(x, 1 - x) <= 1/2 is looked at, of Beta(p, r).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import backend
from .elementwise import exp, log, log1p, power, where
from .incomplete_gamma import DEPTH, NODES, WEIGHTS, bell_polynomials, into
from .logic import equal
from .primitives import operation
from .shape import as_tensors
from .special import betaln, polygamma, polygamma_value
from .tape import apply, primitive
from .tensor import Tensor

_SERIES_BELOW = 2.0  # z r below which the power series is used
_TERMS = 60  # of it: each is at most half the one before, 2 / n times at first
_NEWTON_STEPS = 3  # for the width of the integral: each overestimates it, the last by less than a hundredth


def _bell_of_two(slopes: dict[tuple[int, int], Any], i: int, j: int) -> Any:
    """f^(i, j) / f from the derivatives of log f by two variables."""
    if not i and not j:
        return 1.0
    if not i:
        return bell_polynomials([slopes[0, k] for k in range(1, j + 1)])[j]
    # d/da of f^(i - 1, j) = (f (log f)^(1, 0))^(i - 1, j), by Leibniz
    return sum(
        math.comb(i - 1, k) * math.comb(j, m) * _bell_of_two(slopes, i - 1 - k, j - m) * slopes[k + 1, m]
        for k in range(i)
        for m in range(j + 1)
    )


def _orders(i: int, j: int) -> list[tuple[int, int]]:
    return [(k, m) for k in range(i + 1) for m in range(j + 1) if k + m]


def _beta_slopes(psi: Any, a: Any, b: Any, i: int, j: int, of_a: Any, of_b: Any, shift: int = 0) -> dict:
    """The derivatives up to (i, j) of log q by the shapes, where ``of_a`` and ``of_b`` are log s and log(1 - s).

    ``psi(n, x)`` is the polygamma function; with ``shift`` 1, it is log q / a that is differentiated.
    """
    found = {}
    for k, m in _orders(i, j):
        found[k, m] = psi(k + m - 1, a + b)
        if not m:
            found[k, m] = found[k, m] - psi(k - 1, a + shift)
        if not k:
            found[k, m] = found[k, m] - psi(m - 1, b)
    for order, logarithm in (((1, 0), of_a), ((0, 1), of_b)):
        if order in found:
            found[order] = found[order] + logarithm
    return found


def _beta_slope_value(xp: Any, a: Any, b: Any, x: Any, i: int, j: int, out: Any = None) -> Any:
    flipped = x > 0.5
    z = xp.where(flipped, 1 - x, x)
    p, r = xp.where(flipped, b, a), xp.where(flipped, a, b)
    near = z * r < _SERIES_BELOW
    with np.errstate(all="ignore"):  # each is computed everywhere, and may be no number where it does not count
        logs = xp.log(z), xp.log1p(-z)
        straight, mirrored = _beta_slopes_by_series(xp, p, r, z, logs, i, j)
        integral = _beta_slope_by_integral(xp, a, b, flipped, p, r, z, logs, i, j)
        found = xp.where(near, xp.where(flipped, -mirrored, straight), integral)
    return into(out, xp.where(z == 0, xp.zeros_like(found), found))


def _beta_slopes_by_series(xp: Any, p: Any, r: Any, z: Any, logs: tuple, i: int, j: int) -> list:
    """Derivatives (i, j) and (j, i) of I_z(p, r) = z^p / (p B(p, r)) * M.

    M = sum over n of c_n z^n p / (p + n), where c_n = (1 - r) (2 - r) ... (n - r) / n!.
    """
    most = max(i, j)
    c = [xp.ones_like(z)] + [xp.zeros_like(z)] * most  # c_n z^n and its derivatives by r
    m = [[1.0 if not k and not n else 0.0 for n in range(most + 1)] for k in range(most + 1)]  # M's by p and r
    for n in range(1, _TERMS):
        c = [(c[k] * (n - r) - (k * c[k - 1] if k else 0.0)) * (z / n) for k in range(most + 1)]
        share = p / (p + n)  # and its derivatives by p: p / (p + n) = 1 - n / (p + n)
        for k in range(most + 1):
            share = share if not k else share * (-k / (p + n)) if k > 1 else n / (p + n) ** 2
            m[k] = [have + share * more for have, more in zip(m[k], c, strict=True)]
    slopes = _beta_slopes(lambda n, x: polygamma_value(xp, x, n), p, r, most, most, logs[0], 0.0, shift=1)
    front = xp.exp(p * logs[0] - backend.backend_of(p).special.betaln(p, r)) / p
    return [
        front
        * sum(
            math.comb(by_p, k) * math.comb(by_r, n) * _bell_of_two(slopes, k, n) * m[by_p - k][by_r - n]
            for k in range(by_p + 1)
            for n in range(by_r + 1)
        )
        for by_p, by_r in ((i, j), (j, i))
    ]


def _beta_slope_by_integral(
    xp: Any, a: Any, b: Any, flipped: Any, p: Any, r: Any, z: Any, logs: tuple, i: int, j: int
) -> Any:
    """By Gauss-Legendre quadrature over the distance w of the logits of s and z, away from the mean."""
    total_shape = p + r
    side = xp.where(z * total_shape > p, xp.ones_like(z), -xp.ones_like(z))
    # log q(s) - log q(z) per logit is p (log s - log z) + r (log(1 - s) - log(1 - z)), where the
    # second is -log1p(z (e^step - 1)) and the first is step more. It falls ever faster with w, so
    # that each step of Newton's method gives a width that is too large.
    width = xp.sqrt(DEPTH / (total_shape * z))
    for _ in range(_NEWTON_STEPS):
        growth = z * xp.expm1(side * width)
        fall = p * side * width - total_shape * xp.log1p(growth) + DEPTH
        width = width - fall / (side * (p - total_shape * (z + growth) / (1 + growth)))
    of_a, of_b = xp.where(flipped, logs[1], logs[0]), xp.where(flipped, logs[0], logs[1])
    slopes = _beta_slopes(lambda n, x: polygamma_value(xp, x, n), a, b, i, j, of_a, of_b)
    total = 0.0
    for node, weight in zip(NODES, WEIGHTS, strict=True):
        step = side * width * ((node + 1) / 2)
        down = -xp.log1p(z * xp.expm1(step))
        up = down + step
        here = dict(slopes)
        for order, shift in (((1, 0), xp.where(flipped, down, up)), ((0, 1), xp.where(flipped, up, down))):
            if order in here:
                here[order] = here[order] + shift
        total = total + _bell_of_two(here, i, j) * xp.exp(p * up + r * down) * (weight / 2)
    density = xp.exp(p * logs[0] + r * logs[1] - backend.backend_of(p).special.betaln(p, r))
    return xp.where(flipped, side, -side) * width * density * total


def _beta_density(a: Any, b: Any, x: Any) -> Tensor:
    """q(x); its logarithm has no number at 0 and 1, where powers alone are right to any order."""
    zero, one = equal(x, 0), equal(x, 1)
    logarithm = (a - 1) * log(where(zero, 1.0, x)) + (b - 1) * log1p(-where(one, 0.0, x)) - betaln(a, b)
    return exp(logarithm) * power(where(zero, x, 1.0), a - 1) * power(where(one, 1 - x, 1.0), b - 1)


def _beta_slope_by_place(g: Tensor, y: Tensor, a: Any, b: Any, x: Any, i: int, j: int) -> Tensor:
    slopes = _beta_slopes(polygamma, a, b, i, j, log(x), log1p(-x))
    return g * _beta_density(a, b, x) * _bell_of_two(slopes, i, j)


_betainc_slope = primitive(
    "betainc_slope",
    "derivative i by a and j by b of I_x(a, b), where i + j >= 1",
    _beta_slope_value,
    lambda g, y, a, b, x, i, j: g * _betainc_slope(a, b, x, i=i + 1, j=j),
    lambda g, y, a, b, x, i, j: g * _betainc_slope(a, b, x, i=i, j=j + 1),
    _beta_slope_by_place,
    broadcasts=True,
)
_betainc = primitive(
    "betainc",
    "the regularized incomplete beta function",
    lambda xp, a, b, x, out=None: backend.backend_of(a, b, x).special.betainc(a, b, x, out=out),
    lambda g, y, a, b, x: g * _betainc_slope(a, b, x, i=1, j=0),
    lambda g, y, a, b, x: g * _betainc_slope(a, b, x, i=0, j=1),
    lambda g, y, a, b, x: g * _beta_density(a, b, x),
    broadcasts=True,
)


@operation
def betainc(a: Any, b: Any, x: Any) -> Tensor:
    """I_x(a, b), the distribution function of Beta(a, b) at 0 <= x <= 1, for a, b > 0; differentiable by all three.

    Measured against mpmath in float64: the error of the derivatives by the shapes, beside
    the largest of them, is below 5e-12 for shapes from 1e-3 to 3e3, and 1e-9 at 1e5.
    """
    return apply(_betainc, *as_tensors((a, b, x), ("a", "b", "x")))
