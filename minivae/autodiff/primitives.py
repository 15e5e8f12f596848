"""The table of operations: what each computes, and its derivative rules.

:func:`~minivae.autodiff.tensor.apply` runs them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..errors import InputError


class Primitive:
    """One row of the table of operations. Calling it is calling ``apply`` with it (``tensor.py`` gives it that).

    Attributes:
        name: unique.
        value: ``value(xp, *arrays, out=None, **attributes) -> array``, where ``xp`` is
            the arrays' namespace.
        vjps: for each input i a rule ``vjp(g, y, *inputs, **attributes)``, written with
            Tensor operations: the product of the cotangent ``g`` with the Jacobian of
            output ``y`` by input i. None where an input is not differentiable; empty
            for an operation without derivatives.
        broadcasts: inputs are broadcast against each other, so that a cotangent may
            have a larger shape than its input; backward sums it over the extra axes.
    """

    def __init__(
        self, name: str, value: Callable, vjps: Sequence[Callable | None] = (), broadcasts: bool = False, doc: str = ""
    ) -> None:
        self.name, self.value, self.vjps, self.broadcasts, self.__doc__ = name, value, vjps, broadcasts, doc

    def __repr__(self) -> str:
        return f"<primitive {self.name}: {self.__doc__}>"

    def __reduce__(self) -> tuple[Callable, tuple[str]]:
        """Pickled and copied by name: there is one of each."""
        return _named_primitive, (self.name,)


PRIMITIVES: dict[str, Primitive] = {}


def _named_primitive(name: str) -> Primitive:
    return PRIMITIVES[name]


def primitive(
    name: str, doc: str, value: Callable, *vjps: Callable | None, broadcasts: bool = False, each: Callable | None = None
) -> Primitive:
    """Add a row to the table of primitives and return it.

    Args:
        name, value, vjps, broadcasts: see :class:`Primitive`.
        doc: one line that says what it computes.
        each: for operations of any number of inputs, ``each(i)`` is the rule of input i.

    Raises:
        InputError: the name is taken.
    """
    if name in PRIMITIVES:
        raise InputError(f"primitive name is {name!r}; expected one not yet taken")
    PRIMITIVES[name] = Primitive(name, value, _RuleForEach(each) if each else vjps, broadcasts, doc)
    return PRIMITIVES[name]


class _RuleForEach:
    """Derivative rules made on demand, for operations of any number of inputs."""

    def __init__(self, rule: Callable[[int], Callable]) -> None:
        self.rule = rule

    def __getitem__(self, i: int) -> Callable:
        return self.rule(i)
