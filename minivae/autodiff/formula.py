"""Formulas of element-wise primitives, and what each backend makes of them.

A row of the table says what it computes once, as text in Python's syntax, such as
``1 / (1 + exp(-x))``. Parsed into steps (one function of one or two arguments each), that
text is run on whole arrays by the backends, in cache-sized blocks by a replayed
program, and written out again as the source of a Numba loop or of a CUDA kernel.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

_OPERATORS = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.Pow: "power",
    ast.USub: "negative",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
}


class Step(NamedTuple):
    """One function call of a formula.

    Attributes:
        function: NumPy's name for it.
        operands: each the number of an input or an earlier step (inputs come first), or
            a :class:`Literal`.
    """

    function: str
    operands: tuple[Any, ...]


class Literal(NamedTuple):
    """A number in a formula, or the name of one that depends on the dtype."""

    value: Any

    def resolve(self, dtype: np.dtype) -> float:
        """The number, for results of ``dtype``."""
        if not isinstance(self.value, str):
            return self.value
        if dtype.char not in CONSTANTS[self.value]:
            raise TypeError(f"expected floating point, got {dtype}")
        return CONSTANTS[self.value][dtype.char]


# LOWEST is about minus the log of the largest number: exp(-x) does not overflow above it,
# and 1 / exp(-x) is not yet zero.
CONSTANTS = {"LOWEST": {"f": -87.0, "d": -708.0, "D": -708.0}}


class Formula:
    """A parsed formula; calling it runs it on whole arrays.

    Args:
        text: an expression in Python's syntax over ``arguments``, numbers, operators and
            functions by their NumPy names.
        arguments: the names of the inputs, in order.

    Attributes:
        steps: its function calls, each after its operands. Inputs and then steps are
            numbered from 0.
        result: the number of the value that the formula stands for.
    """

    def __init__(self, text: str, arguments: Sequence[str]) -> None:
        self.text, self.arguments = text, tuple(arguments)
        self.steps: list[Step] = []
        self._known: dict[Step, int] = {}
        self.result = self._visit(ast.parse(text, mode="eval").body)
        # A single function of the inputs in order, as most rows are, is called directly.
        inputs = tuple(range(len(arguments)))
        self._direct = self.steps[0].function if [step.operands for step in self.steps] == [inputs] else None
        self._dying = [self._dying_operand(i) for i in range(len(self.steps))]

    def _dying_operand(self, i: int) -> int | None:
        """An earlier step whose value is last read by step ``i``, so that it may be overwritten."""
        if len(self.arguments) > 1:  # values in between may be smaller than the result
            return None
        later = {operand for step in self.steps[i + 1 :] for operand in step.operands}
        mine = (o for o in self.steps[i].operands if not isinstance(o, Literal) and o not in later)
        return next((o for o in mine if o >= len(self.arguments)), None)

    def _visit(self, node: ast.expr) -> Any:
        """The number of the value that the node stands for, or a literal; adds the steps it needs."""
        if isinstance(node, ast.Name):
            return self.arguments.index(node.id) if node.id in self.arguments else Literal(node.id)
        if isinstance(node, ast.Constant):
            return Literal(node.value)
        if isinstance(node, ast.BinOp):
            return self._add(_OPERATORS[type(node.op)], node.left, node.right)
        if isinstance(node, ast.UnaryOp):
            return self._add(_OPERATORS[type(node.op)], node.operand)
        if isinstance(node, ast.Compare):
            return self._add(_OPERATORS[type(node.ops[0])], node.left, node.comparators[0])
        assert isinstance(node, ast.Call)
        assert isinstance(node.func, ast.Name)
        return self._add(node.func.id, *node.args)

    def _add(self, function: str, *nodes: ast.expr) -> int:
        step = Step(function, tuple(self._visit(node) for node in nodes))
        if step not in self._known:  # a part that is written twice is computed once
            self._known[step] = len(self.arguments) + len(self.steps)
            self.steps.append(step)
        return self._known[step]

    def __call__(self, xp: Any, *arrays: Any, out: Any = None) -> Any:
        """The value on whole arrays, ``out`` being where to write it."""
        if self._direct:
            return run(xp, self._direct, arrays, out) if out is not None else getattr(xp, self._direct)(*arrays)
        values: list[Any] = list(arrays)
        last = len(self.steps) - 1
        for i, (function, operands) in enumerate(self.steps):
            given = [o.resolve(arrays[0].dtype) if isinstance(o, Literal) else values[o] for o in operands]
            place, dying = out if i == last else None, self._dying[i]
            if place is None and dying is not None and arrays[0].ndim:
                place = values[dying]
            values.append(run(xp, function, given, place))
        return values[self.result]


def run(xp: Any, function: str, operands: Sequence[Any], out: Any = None) -> Any:
    """Call the backend's function of that name."""
    if function != "where":
        return getattr(xp, function)(*operands, out=out)
    chosen = xp.where(*operands)  # has no out
    if out is None:
        return chosen
    out[...] = chosen
    return out
