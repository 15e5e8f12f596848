"""Element-wise questions: comparisons, and what is made of their answers. They are piecewise constant: no rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend
from ..errors import InputError
from .primitives import OPERATIONS
from .rows import ufunc_row
from .tensor import Tensor

greater = ufunc_row("greater", "a > b, as booleans", inputs=2)
greater_equal = ufunc_row("greater_equal", "a >= b, as booleans", inputs=2)
less = ufunc_row("less", "a < b, as booleans", inputs=2)
less_equal = ufunc_row("less_equal", "a <= b, as booleans", inputs=2)
equal = ufunc_row("equal", "a == b, as booleans", inputs=2)
not_equal = ufunc_row("not_equal", "a != b, as booleans", inputs=2)
isnan = ufunc_row("isnan", "whether x is not a number")
isfinite = ufunc_row("isfinite", "whether x is neither infinite nor NaN")

# What is not 0 counts as true, NaN included.
logical_and = ufunc_row("logical_and", "whether both are true", inputs=2)
logical_or = ufunc_row("logical_or", "whether one or both are true", inputs=2)
logical_xor = ufunc_row("logical_xor", "whether one alone is true", inputs=2)
logical_not = ufunc_row("logical_not", "whether x is false")


def _operator(symbol: str, function: Callable, names: tuple[str, ...]) -> None:
    """Enter the function in the table as an operator: of booleans alone, as ``x & 3`` means another thing in NumPy."""

    def of_booleans(*operands: Any) -> Tensor:
        for name, x in zip(names, operands, strict=True):
            known = isinstance(x, Tensor) or backend.is_array(x)
            if not (isinstance(x, bool) or (known and x.dtype == np.bool_)):
                what = f"dtype {x.dtype}" if known else f"type {type(x).__name__}"
                raise InputError(f"{name}, an operand of {symbol}, has {what}; expected booleans, such as x > 0")
        return function(*operands)

    OPERATIONS[symbol] = of_booleans


_operator("&", logical_and, ("a", "b"))
_operator("|", logical_or, ("a", "b"))
_operator("^", logical_xor, ("a", "b"))
_operator("~", logical_not, ("x",))
