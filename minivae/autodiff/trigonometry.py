"""Element-wise trigonometric and hyperbolic functions, and their inverses. Angles are in radians."""

from __future__ import annotations

import math
from typing import Any

from .elementwise import sqrt, where
from .logic import equal
from .rows import ufunc_row
from .tensor import Tensor

sin = ufunc_row("sin", "the sine", lambda g, y, x: g * cos(x))
cos = ufunc_row("cos", "the cosine", lambda g, y, x: -g * sin(x))
tan = ufunc_row("tan", "the tangent", lambda g, y, x: g * (y * y + 1))
# (1 - x) (1 + x) keeps, near 1 and -1, the digits that 1 - x^2 loses.
arcsin = ufunc_row("arcsin", "the angle whose sine is x", lambda g, y, x: g / sqrt((1 - x) * (x + 1)))
arccos = ufunc_row("arccos", "the angle whose cosine is x", lambda g, y, x: -g / sqrt((1 - x) * (x + 1)))
arctan = ufunc_row("arctan", "the angle whose tangent is x", lambda g, y, x: g / (x * x + 1))

sinh = ufunc_row("sinh", "the hyperbolic sine", lambda g, y, x: g * cosh(x))
cosh = ufunc_row("cosh", "the hyperbolic cosine", lambda g, y, x: g * sinh(x))
tanh = ufunc_row("tanh", "the hyperbolic tangent", lambda g, y, x: g * (1 - y * y))
arcsinh = ufunc_row("arcsinh", "the inverse of sinh", lambda g, y, x: g / sqrt(x * x + 1))
arccosh = ufunc_row("arccosh", "the inverse of cosh, for x >= 1", lambda g, y, x: g / (sqrt(x - 1) * sqrt(x + 1)))
arctanh = ufunc_row("arctanh", "the inverse of tanh, for |x| < 1", lambda g, y, x: g / ((1 - x) * (x + 1)))


def _squared_distance(a: Any, b: Any) -> Tensor:
    """a^2 + b^2; infinite for 0, where there is no angle: so all derivatives are taken to be 0 there."""
    squared = a * a + b * b
    return where(equal(squared, 0), math.inf, squared)


arctan2 = ufunc_row(
    "arctan2",
    "the angle of the point (b, a); derivatives 0 at the origin",
    lambda g, y, a, b: g * b / _squared_distance(a, b),
    lambda g, y, a, b: -g * a / _squared_distance(a, b),
    inputs=2,
)
