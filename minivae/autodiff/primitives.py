"""The table of operations: what each computes, and its derivative rules.

:func:`~minivae.autodiff.tape.apply` runs them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

KINDS = ("elementwise", "reduction", "view", "draw", "product", "conv", "join", "assignment", "constant", "other")


class Primitive:
    """One row of the table of operations.

    Attributes:
        name: unique.
        kind: one of ``KINDS``, by which ``compile`` decides what may be done with a call.
        value: ``value(xp, *arrays, out=None, **attributes) -> array``, where ``xp`` is
            the module of their backend's functions.
        vjps: for each input i a rule ``vjp(g, y, *inputs, **attributes)``, written with
            Tensor operations: the product of the cotangent ``g`` with the Jacobian of
            output ``y`` by input i. None where an input is not differentiable.
        vjp_of_parts: for an operation that takes a part of its only input: the rule for
            several parts at once, ``rule(x, cotangents, attributes)`` with a list of each.
        differentiable: False where no gradient flows and results are constants.
            (Differentiating an operation that has no rules and does not say so is refused.)
        broadcasts: inputs are broadcast against each other, so that a cotangent may
            have a larger shape than its input; backward sums it over the extra axes.
        formula: what an element-wise one computes, as a
            :class:`~minivae.autodiff.formula.Formula`; None where there is none.
        fault: what is wrong with its inputs, in words, where a GPU computes something all the same; asked in
            anomaly mode: ``fault(*arrays, **attributes)``, None or "" if nothing is.
        combine: of a reduction, the function of two elements that it is made of: "add" for a sum.
    """

    def __init__(
        self,
        name: str,
        value: Callable,
        vjps: Sequence[Callable | None] | RuleForEach = (),
        *,
        kind: str = "other",
        broadcasts: bool = False,
        formula: Any = None,
        combine: str | None = None,
        differentiable: bool = True,
        vjp_of_parts: Callable | None = None,
        fault: Callable[..., str | None] | None = None,
        doc: str = "",
    ) -> None:
        self.name, self.kind, self.value, self.__doc__ = name, kind, value, doc
        self.vjps: Any = vjps
        self.vjp_of_parts: Any = vjp_of_parts
        self.broadcasts, self.formula, self.combine = broadcasts, formula, combine
        self.differentiable, self.fault = differentiable, fault

    def __repr__(self) -> str:
        return f"<primitive {self.name}: {self.__doc__}>"

    def __reduce__(self) -> tuple[Callable, tuple[str]]:
        """Pickled and copied by name: there is one of each."""
        return _named_primitive, (self.name,)


class RuleForEach:
    """The rules of an operation of any number of inputs, as one: ``rule(g, y, *inputs, **attributes)(i)`` for input i.

    What is the same for all inputs is computed in the first call, once.
    """

    def __init__(self, rule: Callable[..., Callable[[int], Any]]) -> None:
        self.rule = rule

    def __getitem__(self, i: int) -> Callable:
        return lambda g, y, *inputs, **attributes: self.rule(g, y, *inputs, **attributes)(i)


PRIMITIVES: dict[str, Primitive] = {}
# The functions that a Tensor's operators and methods call, by name; each file of operations adds its own.
OPERATIONS: dict[str, Callable[..., Any]] = {}


def operation(function: Callable) -> Callable:
    """Enter a function in the table that a Tensor's operators and methods look in."""
    OPERATIONS[function.__name__] = function
    return function


def _named_primitive(name: str) -> Primitive:
    return PRIMITIVES[name]
