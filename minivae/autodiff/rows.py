"""How rows of element-wise primitives are written: a name, what it computes, a formula and derivative rules.

In the rules ``g`` is the cotangent of the result, ``y`` the result and ``x``, ``a``,
``b`` the inputs, all tensors; a rule returns ``g`` times the derivative by its input.
Inputs are broadcast as in NumPy; :mod:`minivae.autodiff.backward` undoes that for the
cotangents. A row is callable: ``exp(x)`` with a tensor, an array or a number.
"""

from __future__ import annotations

from collections.abc import Callable

from .formula import Formula
from .tape import Operation, primitive

_NAMES = {1: ("x",), 2: ("a", "b"), 3: ("condition", "a", "b")}


def formula_row(name: str, doc: str, formula: str, *vjps: Callable | None, inputs: int = 1) -> Operation:
    """A row whose value is a formula of its inputs: x, or a and b, or condition, a and b. Without rules: a constant."""
    value = Formula(formula, _NAMES[inputs])
    return primitive(name, doc, value, *vjps, broadcasts=True, differentiable=bool(vjps))


def ufunc_row(name: str, doc: str, *vjps: Callable | None, inputs: int = 1) -> Operation:
    """A row whose value is the function of that name of every backend."""
    return formula_row(name, doc, f"{name}({', '.join(_NAMES[inputs])})", *vjps, inputs=inputs)
