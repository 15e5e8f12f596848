"""Element-wise primitives: each row is a name, what it computes, a formula and derivative rules.

In the rules ``g`` is the cotangent of the result, ``y`` the result and ``x``, ``a``,
``b`` the inputs, all tensors; a rule returns ``g`` times the derivative by its input.
Inputs are broadcast as in NumPy; :mod:`minivae.autodiff.backward` undoes that for the
cotangents. A row is callable: ``exp(x)`` with a tensor, an array or a number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend
from .formula import Formula
from .primitives import operation
from .tape import Operation, apply, primitive, tensor
from .tensor import Tensor

_NAMES = {1: ("x",), 2: ("a", "b"), 3: ("condition", "a", "b")}


def _row(name: str, doc: str, formula: str, *vjps: Callable | None, inputs: int = 1) -> Operation:
    """A row whose value is a formula of its inputs: x, or a and b, or condition, a and b."""
    return primitive(name, doc, Formula(formula, _NAMES[inputs]), *vjps, broadcasts=True)


def _ufunc(name: str, doc: str, *vjps: Callable | None, inputs: int = 1) -> Operation:
    """A row whose value is the function of that name of every array library."""
    return _row(name, doc, f"{name}({', '.join(_NAMES[inputs])})", *vjps, inputs=inputs)


# ------------------------------------------------------------- arithmetic

add = _ufunc("add", "a + b", lambda g, y, a, b: g, lambda g, y, a, b: g, inputs=2)
subtract = _ufunc("subtract", "a - b", lambda g, y, a, b: g, lambda g, y, a, b: -g, inputs=2)
multiply = _ufunc("multiply", "a b", lambda g, y, a, b: g * b, lambda g, y, a, b: g * a, inputs=2)
divide = _ufunc("divide", "a / b", lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b, inputs=2)
negative = _ufunc("negative", "-x", lambda g, y, x: -g)
square = _ufunc("square", "x^2", lambda g, y, x: g * x * 2)
sqrt = _ufunc("sqrt", "the square root", lambda g, y, x: g / (y * 2))
identity = _row("identity", "x itself", "x", lambda g, y, x: g)
stop_gradient = _row("stop_gradient", "x as a constant: no gradient flows through", "x")


def _power_by_base(g: Tensor, y: Tensor, x: Any, p: Any) -> Tensor:
    # p x^(p - 1), which is 0 where p is 0, also at x = 0 where x^(p - 1) is not finite.
    if not isinstance(p, Tensor):
        return g * (p * x ** (p - 1)) if p else g * 0.0
    return g * p * power(x, where(equal(p, 0), 1.0, p - 1))


def _power_by_exponent(g: Tensor, y: Tensor, x: Any, p: Any) -> Tensor:
    # x^p log x, which tends to 0 with x (for p > 0).
    if not isinstance(x, Tensor):
        return g * y * (math.log(x) if x > 0 else 0.0)
    return g * y * log(where(greater(x, 0), x, 1.0))


power = _ufunc("power", "x^p", _power_by_base, _power_by_exponent, inputs=2)

# ----------------------------------------- exponentials and trigonometry

exp = _ufunc("exp", "e^x", lambda g, y, x: g * y)
expm1 = _ufunc("expm1", "e^x - 1, accurate near 0", lambda g, y, x: g * (y + 1))
log = _ufunc("log", "the natural logarithm", lambda g, y, x: g / x)
log1p = _ufunc("log1p", "log(1 + x), accurate near 0", lambda g, y, x: g / (x + 1))
sin = _ufunc("sin", "the sine", lambda g, y, x: g * cos(x))
cos = _ufunc("cos", "the cosine", lambda g, y, x: -g * sin(x))

# ------------------------------------------------------------ activations


tanh = _ufunc("tanh", "the hyperbolic tangent", lambda g, y, x: g * (1 - y * y))
# 1 / (1 + exp(-x)) keeps its relative accuracy for large negative x, where
# (1 + tanh(x / 2)) / 2 has none; the limit keeps exp from overflowing.
sigmoid = _row("sigmoid", "1 / (1 + e^-x)", "1 / (1 + exp(-maximum(x, LOWEST)))", lambda g, y, x: g * (y * (1 - y)))
# log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)) never overflows. -|x| is written as
# min(x, 0) - max(x, 0), which keeps the imaginary part of a complex step.
softplus = _row(
    "softplus",
    "log(1 + e^x), for any x",
    "maximum(x, 0) + log1p(exp(minimum(x, 0) - maximum(x, 0)))",
    lambda g, y, x: g * sigmoid(x),
)
relu = _row("relu", "max(x, 0); derivative 0 at 0", "maximum(x, 0)", lambda g, y, x: where(greater(x, 0), g, 0.0))

# ----------------------------------- choices and comparisons: kinks, steps

sign = _ufunc("sign", "-1, 0 or 1; piecewise constant")
greater = _ufunc("greater", "a > b, as booleans", inputs=2)
greater_equal = _ufunc("greater_equal", "a >= b, as booleans", inputs=2)
less = _ufunc("less", "a < b, as booleans", inputs=2)
less_equal = _ufunc("less_equal", "a <= b, as booleans", inputs=2)
equal = _ufunc("equal", "a == b, as booleans", inputs=2)
not_equal = _ufunc("not_equal", "a != b, as booleans", inputs=2)
absolute = _ufunc("absolute", "|x|; derivative 0 at 0", lambda g, y, x: g * sign(x))


def _share(g: Tensor, mine: Any, other: Any) -> Tensor:
    """The part of ``g`` for the winner of a maximum; ties are shared equally."""
    return where(equal(mine, other), g * 0.5, where(greater(mine, other), g, 0.0))


maximum = _ufunc(
    "maximum",
    "the larger of a and b",
    lambda g, y, a, b: _share(g, a, b),
    lambda g, y, a, b: _share(g, b, a),
    inputs=2,
)
minimum = _ufunc(
    "minimum",
    "the smaller of a and b",
    lambda g, y, a, b: _share(g, b, a),
    lambda g, y, a, b: _share(g, a, b),
    inputs=2,
)


@operation
def clip(x: Any, low: float | None = None, high: float | None = None) -> Tensor:
    """``x`` held between two numbers; the derivative is 1 inside, bounds included, and 0 outside."""
    low, high = -math.inf if low is None else low, math.inf if high is None else high
    return apply(_clip, x, low, high)


_clip = primitive(
    "clip",
    "x held between two numbers",
    Formula("minimum(maximum(x, low), high)", ("x", "low", "high")),
    lambda g, y, x, low, high: where(equal(x, y), g, 0.0),
    None,
    None,
    broadcasts=True,
)
_where = _row(
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
        # Two Python numbers would make float64, and no library knows where they belong.
        array = condition._data if isinstance(condition, Tensor) else condition
        dtype = np.float32 if isinstance(b, float) else None
        a = tensor(a, dtype, backend=backend.library_of(array).name)
    return apply(_where, condition, a, b)


@operation
def log_sigmoid(x: Any) -> Tensor:
    """log(1 / (1 + e^-x)), for any x."""
    return -softplus(negative(x))
