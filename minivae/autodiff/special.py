"""Special functions: of the error integral, the logarithm of Gamma with its derivatives, and Bessel's.

SciPy (CuPy: ``cupyx.scipy``) computes their values and is imported when the first one is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend
from ..checks import finite_number, integer_from_zero
from ..errors import InputError, shown
from .elementwise import exp, sign, square
from .gamma_series import LEAST_SIZE, polygamma_of_positive
from .primitives import Primitive, operation
from .tape import apply, primitive
from .tensor import Tensor


def special_row(name: str, doc: str, *vjps: Callable | None) -> Primitive:
    """A row whose value is SciPy's function of that name."""

    def value(xp: Any, x: Any, out: Any = None) -> Any:
        return getattr(backend.backend_of(x).special, name)(x, out=out)

    return primitive(name, doc, value, *vjps, broadcasts=True)


# ------------------------------------------------- the error integral and the normal distribution

_erf = special_row("erf", "the error function", lambda g, y, x: g * exp(-square(x)) * (2 / math.sqrt(math.pi)))
_erfinv = special_row("erfinv", "the inverse of erf", lambda g, y, x: g * exp(square(y)) * (math.sqrt(math.pi) / 2))
_ndtr = special_row(
    "ndtr",
    "the distribution function of N(0, 1)",
    lambda g, y, x: g * exp(square(x) * -0.5) * (1 / math.sqrt(2 * math.pi)),
)
_log_ndtr = special_row(
    "log_ndtr",
    "the logarithm of the distribution function of N(0, 1)",
    lambda g, y, x: g * apply(_mills, x),
)


def _mills_value(xp: Any, x: Any, out: Any = None) -> Any:
    # By e^(t^2) erfc(t) for t = -x / sqrt(2): far to the left phi and Phi are 0, and their ratio is about -x.
    scaled = backend.backend_of(x).special.erfcx(x * -math.sqrt(0.5))
    return xp.divide(math.sqrt(2 / math.pi), scaled, out=out)


_mills = primitive(
    "mills",
    "phi(x) / Phi(x), density over distribution function of N(0, 1)",
    _mills_value,
    lambda g, y, x: -g * y * apply(_mills_excess, x),
    broadcasts=True,
)


def _mills_excess_value(xp: Any, x: Any, out: Any = None) -> Any:
    # Left of -5 by Laplace's continued fraction, 1 / (t + 2 / (t + 3 / ...)) for t = -x: x + phi / Phi would cancel.
    t = xp.maximum(-x, 5)
    fraction = t
    for n in range(20, 1, -1):
        fraction = t + n / fraction
    return _into(xp, xp.where(x < -5, 1 / fraction, x + _mills_value(xp, x)), out)


def _into(xp: Any, values: Any, out: Any) -> Any:
    if out is None:
        return values
    xp.copyto(out, values)
    return out


_mills_excess = primitive(
    "mills_excess",
    "x + phi(x) / Phi(x), which tends to 0 far to the left",
    _mills_excess_value,
    lambda g, y, x: g * (1 - apply(_mills, x) * y),
    broadcasts=True,
)


@operation
def erf(x: Any) -> Tensor:
    """The error function, 2 / sqrt(pi) times the integral of e^-s^2 from 0 to x."""
    return apply(_erf, x)


@operation
def erfinv(x: Any) -> Tensor:
    """The inverse of :func:`erf`, for -1 <= x <= 1."""
    return apply(_erfinv, x)


@operation
def ndtr(x: Any) -> Tensor:
    """Phi(x), the distribution function of the standard normal distribution."""
    return apply(_ndtr, x)


@operation
def log_ndtr(x: Any) -> Tensor:
    """log Phi(x), also where Phi(x) is too small a number."""
    return apply(_log_ndtr, x)


# ----------------------------------------------- log Gamma and its derivatives


def polygamma_value(xp: Any, x: Any, n: int, out: Any = None) -> Any:
    """Derivative ``n`` of psi, of arrays: at once for many numbers on the CPU, else by SciPy."""
    if xp is not np or x.size < LEAST_SIZE or x.dtype.kind != "f":
        return _polygamma_by_scipy(xp, x, n, out)
    y = polygamma_of_positive(x, n)
    others = x <= 0
    if others.any():
        y[others] = _polygamma_by_scipy(xp, x[others], n)
    if out is None:
        return y
    out[...] = y
    return out


def _polygamma_by_scipy(xp: Any, x: Any, n: int, out: Any = None) -> Any:
    special = backend.backend_of(x).special
    if n == 0:
        return special.digamma(x, out=out)
    # (-1)^(n + 1) n! zeta(n + 1, x), with Hurwitz's zeta function.
    scale = -math.factorial(n) * (-1.0) ** n
    return xp.multiply(special.zeta(n + 1.0, x), scale, out=out)


_gammaln = special_row("gammaln", "log Gamma(x), for x > 0", lambda g, y, x: g * digamma(x))
_polygamma = primitive(
    "polygamma",
    "derivative n + 1 of log Gamma(x), for x > 0",
    polygamma_value,
    lambda g, y, x, n: g * apply(_polygamma, x, n=n + 1),
    broadcasts=True,
)
_betaln = primitive(
    "betaln",
    "log of the beta function",
    lambda xp, a, b, out=None: backend.backend_of(a, b).special.betaln(a, b, out=out),
    lambda g, y, a, b: g * (digamma(a) - digamma(a + b)),
    lambda g, y, a, b: g * (digamma(b) - digamma(a + b)),
    broadcasts=True,
)


@operation
def gammaln(x: Any) -> Tensor:
    """log Gamma(x), for x > 0."""
    return apply(_gammaln, x)


@operation
def digamma(x: Any) -> Tensor:
    """psi(x), the derivative of log Gamma(x), for x > 0."""
    return apply(_polygamma, x, n=0)


@operation
def polygamma(n: int, x: Any) -> Tensor:
    """Derivative n of :func:`digamma`, for n >= 0 and x > 0."""
    return apply(_polygamma, x, n=integer_from_zero("n", n))


@operation
def betaln(a: Any, b: Any) -> Tensor:
    """log of Gamma(a) Gamma(b) / Gamma(a + b), for a, b > 0."""
    return apply(_betaln, a, b)


# ------------------------------------------------------------ Bessel functions


def _ive_value(xp: Any, x: Any, v: float, out: Any = None) -> Any:
    where = backend.backend_of(x)
    if not hasattr(where.special, "ive"):
        raise InputError(f"x is on {where.name}, which has no ive; expected NumPy: backend.asarray(x, None, 'numpy')")
    return where.special.ive(v, x, out=out)


def _ive_rule(g: Tensor, y: Tensor, x: Tensor, v: float) -> Tensor:
    return g * ((apply(_ive, x, v=v - 1) + apply(_ive, x, v=v + 1)) * 0.5 - y * sign(x))


_ive = primitive("ive", "I_v(x) e^-|x|, with the modified Bessel function", _ive_value, _ive_rule, broadcasts=True)


@operation
def ive(v: float, x: Any) -> Tensor:
    """I_v(x) e^-|x|, the modified Bessel function of the first kind, scaled so that it does not overflow.

    Args:
        v: the order, a Python number: there is no derivative by it.
        x: real numbers, not negative unless ``v`` is whole.

    The derivative is a difference of numbers 2 |x| times its size, and has so much more rounding.

    Raises:
        InputError: ``v`` is no finite number, or ``x`` is on a GPU: CuPy has no such function.
    """
    if isinstance(v, Tensor):
        raise InputError(f"v is {shown(v)}; expected a Python number: there is no derivative by the order")
    return apply(_ive, x, v=finite_number("v", v))
