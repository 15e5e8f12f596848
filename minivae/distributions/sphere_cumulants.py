"""What a direction tilts the uniform distribution on a sphere by: Bessel functions, without cancelling.

w is one coordinate of a point drawn uniformly on the unit sphere in R^m, t = 1 - w. Tilted towards w = 1 by
e^(kappa w), which is the von Mises-Fisher distribution, it has

    l(kappa) = log E e^(-kappa t) = log[Gamma(m/2) (2 / kappa)^(m/2 - 1) I_(m/2 - 1)(kappa)] - kappa
    l' = -E t = A - 1,    A = I_(m/2)(kappa) / I_(m/2 - 1)(kappa),    l'' = Var t = 1 - A^2 - (m - 1) A / kappa

and so on: derivative n is (-1)^n times cumulant n of t. SciPy has Bessel functions, CuPy has not, and differences of
them lose digits, at both ends of kappa. Moments of t are sums of positive numbers: by the trapezoidal rule over
y = log(t / (2 - t)), where t has the density (t (2 - t))^((m - 1) / 2) e^(-kappa t). It is analytic and falls
exponentially on both sides of its largest value, at y_0; y = y_0 + s sinh v makes that doubly exponential, so that
few nodes are enough (Takahasi & Mori 1974).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..autodiff import Tensor, primitive
from ..autodiff.incomplete_gamma import into
from ..autodiff.shape import as_tensors

NODES, REACH = 128, 4.0  # of v, from -REACH to REACH; 96 leave 4e-11 of E t on the circle
WIDTH = 1.5  # s sqrt((m - 1) / 2)


def _value(xp: Any, kappa: Any, m: int, order: int, out: Any = None) -> Any:
    largest, t, weights = _tilted(xp, kappa, m)
    total = xp.sum(weights, axis=-1)
    if order == 0:
        return into(out, largest + xp.log(total) - math.log(_untilted(m)))
    mean = xp.sum(weights * t, axis=-1) / total
    if order == 1:
        return into(out, -mean)
    away = t - mean[..., None]
    moments = [xp.sum(weights * away**n, axis=-1) / total for n in range(2, order + 1)]
    return into(out, (-1.0) ** order * _cumulants([1.0, 0.0, *moments])[order])


def _tilted(xp: Any, kappa: Any, m: int) -> tuple[Any, Any, Any]:
    """log of the largest density of y, and at each node t and the weight beside that, ``(..., NODES)``."""
    a = (m - 1) / 2
    root = xp.sqrt(kappa * kappa + a * a)
    # at the largest density w = kappa / (a + root); t without 1 - w
    t_0 = (a + a * (a / (root + kappa))) / (a + root)
    v = xp.linspace(-REACH, REACH, NODES, dtype=kappa.dtype)
    y = (xp.log(t_0) - xp.log(2 - t_0))[..., None] + WIDTH / math.sqrt(a) * xp.sinh(v)
    e = xp.exp(-xp.absolute(y))
    far = 2 / (1 + e)
    t = xp.where(y < 0, e * far, far)
    both = math.log(4) - xp.absolute(y) - 2 * xp.log1p(e)  # log(t (2 - t))
    largest = a * (xp.log(t_0) + xp.log(2 - t_0))
    beside = a * both - largest[..., None] - kappa[..., None] * (t - t_0[..., None])
    return largest - kappa * t_0, t, xp.exp(beside) * xp.cosh(v)


@lru_cache(maxsize=256)
def _untilted(m: int) -> float:
    """The sum of the weights at kappa = 0, where l is 0."""
    return float(_tilted(np, np.zeros(()), m)[2].sum())


def _cumulants(moments: Sequence) -> list:
    """Cumulants 0, 1, ... (the first is no number, the second the mean beside which the moments are) from moments."""
    found = [0.0, 0.0]
    for n in range(2, len(moments)):
        found.append(moments[n] - sum(math.comb(n - 1, k - 1) * found[k] * moments[n - k] for k in range(2, n)))
    return found


_log_mean_tilt = primitive(
    "log_mean_tilt",
    "derivative ``order`` of log E e^(-kappa t) over the unit sphere in R^m",
    _value,
    lambda g, y, kappa, m, order: g * _log_mean_tilt(kappa, m=m, order=order + 1),
    broadcasts=True,
)


def log_mean_tilt(kappa: Any, m: int, order: int = 0) -> Tensor:
    """l(kappa) for the unit sphere in R^m, or its derivative ``order``; see the top of this file.

    Args:
        kappa: from 0 on.
        m: at least 2.

    Measured against mpmath in float64, for m from 2 to 512 and kappa from 1e-8 to 1e5: the relative error of l' is
    below 1e-15, of l'' below 2e-14, and on the circle, whose tails are longest, 8e-14 and 2e-12; that of l below 3e-14
    from kappa = 1 on, its error below 1e-14 before.
    """
    (kappa,) = as_tensors((kappa,), ("kappa",))
    return _log_mean_tilt(kappa, m=m, order=order)
