"""Special functions: the logarithm of Gamma and its derivatives.

SciPy (CuPy: ``cupyx.scipy``) computes their values and is imported when the first one is asked for.
"""

from __future__ import annotations

import math
from typing import Any

from .. import backend
from .primitives import operation
from .tape import apply, primitive
from .tensor import Tensor

# ----------------------------------------------- log Gamma and its derivatives


def _polygamma_value(xp: Any, x: Any, n: int, out: Any = None) -> Any:
    special = backend.library_of(x).special
    if n == 0:
        return special.digamma(x, out=out)
    # (-1)^(n + 1) n! zeta(n + 1, x), with Hurwitz's zeta function.
    scale = -math.factorial(n) * (-1.0) ** n
    return xp.multiply(special.zeta(n + 1.0, x), scale, out=out)


_gammaln = primitive(
    "gammaln",
    "log Gamma(x), for x > 0",
    lambda xp, x, out=None: backend.library_of(x).special.gammaln(x, out=out),
    lambda g, y, x: g * polygamma(0, x),
    broadcasts=True,
)
_polygamma = primitive(
    "polygamma",
    "derivative n + 1 of log Gamma(x), for x > 0",
    _polygamma_value,
    lambda g, y, x, n: g * polygamma(n + 1, x),
    broadcasts=True,
)


@operation
def gammaln(x: Any) -> Tensor:
    """log Gamma(x), for x > 0."""
    return _gammaln(x)


@operation
def digamma(x: Any) -> Tensor:
    """psi(x), the derivative of log Gamma(x), for x > 0."""
    return apply(_polygamma, x, n=0)


@operation
def polygamma(n: int, x: Any) -> Tensor:
    """Derivative n of :func:`digamma`, for n >= 0 and x > 0."""
    return apply(_polygamma, x, n=n)
