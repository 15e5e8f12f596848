"""Element-wise activations of a network, and what is like them: right for any argument, however large."""

from __future__ import annotations

from typing import Any

from .elementwise import negative, where
from .logic import greater
from .primitives import operation
from .rows import formula_row, ufunc_row
from .tensor import Tensor

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
