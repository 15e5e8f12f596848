"""Element-wise primitives: arithmetic, exponentials, rounding, choices, trigonometry, and activations.

More rows are in :mod:`.logic`; how a row is written, in :mod:`.rows`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import backend
from .formula import Formula
from .logic import equal, greater, greater_equal, isnan, less, less_equal, logical_and, logical_or
from .primitives import operation
from .rows import formula_row, ufunc_row
from .tape import apply, primitive, tensor
from .tensor import Tensor

# ------------------------------------------------------------- arithmetic

add = ufunc_row("add", "a + b", lambda g, y, a, b: g, lambda g, y, a, b: g, inputs=2)
subtract = ufunc_row("subtract", "a - b", lambda g, y, a, b: g, lambda g, y, a, b: -g, inputs=2)
multiply = ufunc_row("multiply", "a b", lambda g, y, a, b: g * b, lambda g, y, a, b: g * a, inputs=2)
divide = ufunc_row("divide", "a / b", lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b, inputs=2)
negative = ufunc_row("negative", "-x", lambda g, y, x: -g)
square = ufunc_row("square", "x^2", lambda g, y, x: g * x * 2)
sqrt = ufunc_row("sqrt", "the square root", lambda g, y, x: g / (y * 2))
identity = formula_row("identity", "x itself", "x", lambda g, y, x: g)
stop_gradient = formula_row("stop_gradient", "x as a constant: no gradient flows through", "x")


def _power_by_base(g: Tensor, y: Tensor, x: Any, p: Any) -> Tensor:
    # p x^(p - 1), which is 0 where p is 0, also where x^(p - 1) is not finite.
    if not isinstance(p, Tensor):
        return g * (p * x ** (p - 1)) if p else g * 0.0
    constant = logical_and(equal(p, 0), logical_or(equal(x, 0), isnan(x)))
    return g * where(constant, 0.0, p) * power(x, where(constant, 0.0, p - 1))


def _power_by_exponent(g: Tensor, y: Tensor, x: Any, p: Any) -> Tensor:
    # x^p log x, which tends to 0 with x for p > 0, and is taken to be 0 there for p = 0; NaN for x < 0.
    if isinstance(x, Tensor):
        return g * y * log(where(logical_and(equal(x, 0), greater_equal(p, 0)), 1.0, x))
    if x == 0:
        return g * y * where(greater_equal(p, 0), 0.0, -math.inf)
    return g * y * (math.log(x) if x > 0 else math.nan)


power = ufunc_row("power", "x^p", _power_by_base, _power_by_exponent, inputs=2)


def _whole(a: Any, y: Tensor, b: Any) -> Tensor:
    """How often b goes into a, a whole number: (a - y) / b but for rounding."""
    return floor((a - y) / b + 0.5)


mod = formula_row(
    "mod",
    "what is left of a after division by b, of the sign of b",
    "remainder(a, b)",
    lambda g, y, a, b: where(isnan(y), y, g),
    lambda g, y, a, b: -g * _whole(a, y, b),
    inputs=2,
)

floor_divide = primitive(
    "floor_divide",
    "how often b goes into a, a whole number; piecewise constant",
    lambda xp, a, b, out=None: xp.floor_divide(a, b, out=out),
    broadcasts=True,
    differentiable=False,
)

# ---------------------------------------------- exponentials and logarithms

exp = ufunc_row("exp", "e^x", lambda g, y, x: g * y)
expm1 = ufunc_row("expm1", "e^x - 1, accurate near 0", lambda g, y, x: g * (y + 1))
log = ufunc_row("log", "the natural logarithm", lambda g, y, x: g / x)
log1p = ufunc_row("log1p", "log(1 + x), accurate near 0", lambda g, y, x: g / (x + 1))
log2 = ufunc_row("log2", "the logarithm to base 2", lambda g, y, x: g / (x * math.log(2)))
log10 = ufunc_row("log10", "the logarithm to base 10", lambda g, y, x: g / (x * math.log(10)))

# ------------------------------------------------- kinks, steps and choices

sign = ufunc_row("sign", "-1, 0 or 1; piecewise constant")
floor = ufunc_row("floor", "the next whole number below, or x itself; piecewise constant")
ceil = ufunc_row("ceil", "the next whole number above, or x itself; piecewise constant")
round = formula_row("round", "the nearest whole number, of two the even one; piecewise constant", "rint(x)")
absolute = ufunc_row("absolute", "|x|; derivative 0 at 0", lambda g, y, x: g * sign(x))


def _share(g: Tensor, y: Tensor, winner: Any, loser: Any) -> Tensor:
    """The part of ``g`` for the winner of a maximum; ties are shared equally. The result is NaN where one is."""
    return where(equal(winner, loser), g * 0.5, where(greater(winner, loser), g, where(less(winner, loser), 0.0, y)))


maximum = ufunc_row(
    "maximum",
    "the larger of a and b",
    lambda g, y, a, b: _share(g, y, a, b),
    lambda g, y, a, b: _share(g, y, b, a),
    inputs=2,
)
minimum = ufunc_row(
    "minimum",
    "the smaller of a and b",
    lambda g, y, a, b: _share(g, y, b, a),
    lambda g, y, a, b: _share(g, y, a, b),
    inputs=2,
)


@operation
def clip(x: Any, low: Any = None, high: Any = None) -> Tensor:
    """``x`` held between two bounds, numbers or tensors; None for no bound.

    The derivative by ``x`` is 1 inside, bounds included, and 0 outside; there it is 1 by
    the bound that takes the place of ``x`` (``high`` where ``low`` lies above it).
    """
    whole = (isinstance(x, Tensor) or backend.is_array(x)) and x.dtype.kind in "iu"
    lowest, highest = (int(np.iinfo(x.dtype).min), int(np.iinfo(x.dtype).max)) if whole else (-math.inf, math.inf)
    return apply(_clip, x, lowest if low is None else low, highest if high is None else high)


def _clip_by_x(g: Tensor, y: Tensor, x: Tensor, low: Any, high: Any) -> Tensor:
    ordered = not isinstance(low, Tensor) and not isinstance(high, Tensor) and low <= high
    inside = equal(x, y) if ordered else logical_and(greater_equal(x, low), less_equal(x, high))
    return _where_or_nan(inside, g, y)


def _where_or_nan(condition: Tensor, g: Tensor, y: Tensor) -> Tensor:
    """``g`` where the condition holds, else 0, but NaN where ``y`` is."""
    return where(isnan(y), y, where(condition, g, 0.0))


_clip = primitive(
    "clip",
    "x held between two bounds",
    Formula("minimum(maximum(x, low), high)", ("x", "low", "high")),
    _clip_by_x,
    lambda g, y, x, low, high: _where_or_nan(logical_and(less(x, low), less(low, high)), g, y),
    lambda g, y, x, low, high: _where_or_nan(logical_or(greater(x, high), less(high, low)), g, y),
    broadcasts=True,
)
_where = formula_row(
    "where",
    "a where the condition holds, else b",
    "where(condition, a, b)",
    None,
    lambda g, y, condition, a, b: where(condition, g, 0.0),
    lambda g, y, condition, a, b: where(condition, 0.0, g),
    inputs=3,
)


@operation
def where(condition: Any, a: Any, b: Any) -> Tensor:
    """``a`` where ``condition`` holds, else ``b``; gradients flow to the chosen one alone."""
    if not isinstance(a, Tensor) and not isinstance(b, Tensor):
        # Two Python numbers would make float64, and no backend knows where they belong.
        array = condition._data if isinstance(condition, Tensor) else condition
        dtype = np.float32 if isinstance(b, float) else None
        a = tensor(a, dtype, backend=backend.backend_of(array).name)
    return apply(_where, condition, a, b)


# ------------------------------ trigonometric and hyperbolic functions and their inverses, in radians

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


# ----------------------------------------------- activations, right for any argument, however large

# 1 / (1 + exp(-x)) keeps its relative accuracy for large negative x, where
# (1 + tanh(x / 2)) / 2 has none; the limit keeps exp from overflowing.
sigmoid = formula_row(
    "sigmoid", "1 / (1 + e^-x)", "1 / (1 + exp(-maximum(x, LOWEST)))", lambda g, y, x: g * (y * (1 - y))
)
# log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)) never overflows. -|x| is written as
# min(x, 0) - max(x, 0), which keeps the imaginary part of a complex step.
softplus = formula_row(
    "softplus",
    "log(1 + e^x), for any x",
    "maximum(x, 0) + log1p(exp(minimum(x, 0) - maximum(x, 0)))",
    lambda g, y, x: g * sigmoid(x),
)
logaddexp = ufunc_row(
    "logaddexp",
    "log(e^a + e^b), for any a and b",
    lambda g, y, a, b: g * sigmoid(a - b),  # (not e^(a - y), whose exponent has the rounding of y)
    lambda g, y, a, b: g * sigmoid(b - a),
    inputs=2,
)
# The result is 0 where it is not above 0, or NaN, and so is the slope.
relu = formula_row("relu", "max(x, 0); derivative 0 at 0", "maximum(x, 0)", lambda g, y, x: where(greater(y, 0), g, y))


@operation
def log_sigmoid(x: Any) -> Tensor:
    """log(1 / (1 + e^-x)), for any x."""
    return -softplus(negative(x))
