"""What a step did when it was recorded, line by line, to hold a later run of it against.

A replay does again what was recorded. What the step's Python code would do *now* is not known
unless it is run: a number that changes from step to step, an array that was computed by NumPy, a
branch that is taken otherwise. So the step is run again from time to time, and each of its calls
is compared with the recorded one: the same primitive, the same attributes and numbers, results of
the same calls, the same arrays from outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import backend
from ..autodiff import Primitive, Tensor
from ..autodiff.anomaly import calling_line
from ..errors import InputError, shown
from .analysis import overlap

MOST_BYTES = 1 << 26  # of an array from outside that is looked at for changes; larger ones are data, read for long
ADVICE = (
    "what changes from step to step must be an input of the step, or live in a 0-d tensor whose array is written "
    "before the call; or train with compile=False"
)


class Line(NamedTuple):
    """One call: operands are numbers, or ``(kind, position)`` of an input, a result or an array from outside."""

    primitive: Primitive
    operands: tuple[Any, ...]
    attributes: dict[str, Any]


class Script:
    """The lines of a trace.

    Args:
        inputs: the arrays that stand for the inputs.

    Attributes:
        lines: the calls, in their order.
        outside: the arrays from outside, in the order in which they were first met.
        returned: the structure of what is returned, in words, and where each of its arrays comes from.
    """

    def __init__(self, inputs: Sequence[Any]) -> None:
        self.lines: list[Line] = []
        self.outside: list[Any] = []
        self.returned: Any = None
        self._names: dict[int, tuple[str, int]] = {id(x): ("input", i) for i, x in enumerate(inputs)}
        self._alive: list[Any] = list(inputs)  # so that an id stays its own

    def note(self, primitive: Primitive, operands: Sequence[Any], attributes: dict, output: Tensor) -> Line:
        """Add a call, and return its line."""
        line = Line(primitive, tuple(self._name(x) for x in operands), attributes)
        self._names.setdefault(id(output._data), ("result", len(self.lines)))
        self._alive.append(output._data)
        self.lines.append(line)
        return line

    def returns(self, structure: Any, arrays: Sequence[Any]) -> None:
        """Note what is returned, in which structure: ``repr`` tells it."""
        self.returned = repr(structure), [self._names.get(id(x)) for x in arrays]

    def snapshot(self, assigned: Sequence[Any]) -> list[Any]:
        """Copies of the arrays from outside: on the host, not very large, assigned by nobody; None for others."""
        host = [isinstance(x, np.ndarray) and x.nbytes <= MOST_BYTES for x in self.outside]
        pairs = zip(self.outside, host, strict=True)
        return [np.array(x) if here and not any(overlap(x, y) for y in assigned) else None for x, here in pairs]

    def require_unchanged(self, before: Sequence[Any]) -> None:
        """Nobody but ``assign`` may have written into the arrays from outside: a replay would not.

        Raises:
            InputError: somebody has.
        """
        for array, old in zip(self.outside, before, strict=True):
            if old is not None and not _same(array, old):
                raise InputError(
                    f"the step writes into an array from outside, {array.shape} {array.dtype}, which a replay does not "
                    "do again; keep what changes from step to step in a tensor, and change that with assign()"
                )

    def end(self) -> None:
        """Let go of the arrays: of a trace, only those from outside are kept."""
        self._names, self._alive = {}, []

    def _name(self, x: Any) -> Any:
        if not isinstance(x, Tensor):
            return x
        if id(x._data) not in self._names:
            self._names[id(x._data)] = ("outside", len(self.outside))
            self.outside.append(x._data)
        return self._names[id(x._data)]

    def _told(self, operand: Any) -> str:
        """An operand in words: a small array from outside by its values."""
        if not isinstance(operand, tuple):
            return repr(operand)
        kind, at = operand
        if kind != "outside":
            return f"{kind} {at}"
        array = self.outside[at]
        return shown(backend.to_numpy(array)) if array.size < 4 else f"another array {array.shape} {array.dtype}"


class Comparison(Script):
    """A run of the step beside what was recorded.

    Raises:
        InputError: from the call that differs, so that the traceback leads to it; names its line.
    """

    def __init__(self, recorded: Script, inputs: Sequence[Any]) -> None:
        super().__init__(inputs)
        self._recorded = recorded

    def note(self, primitive: Primitive, operands: Sequence[Any], attributes: dict, output: Tensor) -> Line:
        line, at = super().note(primitive, operands, attributes, output), len(self.lines) - 1
        if at >= len(self._recorded.lines):
            raise self._error(f"calls {primitive.name} where the recorded step had ended")
        before = self._recorded.lines[at]
        if primitive is not before.primitive:
            raise self._error(f"calls {primitive.name} where it called {before.primitive.name}")
        count, expected_count = len(line.operands), len(before.operands)
        if count != expected_count:
            raise self._error(f"calls {primitive.name} with {count} operands where it had {expected_count}")
        for i, (now, then) in enumerate(zip(line.operands, before.operands, strict=True)):
            if not self._same_operand(now, then):
                found, expected = self._told(now), self._recorded._told(then)
                raise self._error(f"calls {primitive.name} with {found} as operand {i} where it was {expected}")
        for name in attributes.keys() | before.attributes.keys():
            now, then = attributes.get(name), before.attributes.get(name)
            if not _same(now, then):
                raise self._error(f"calls {primitive.name} with {name}={shown(now)} where it was {shown(then)}")
        return line

    def returns(self, structure: Any, arrays: Sequence[Any]) -> None:
        super().returns(structure, arrays)
        if len(self.lines) < len(self._recorded.lines):
            missing = self._recorded.lines[len(self.lines)].primitive.name
            raise self._error(f"ended where it called {missing}", "at its end")
        if self.returned != self._recorded.returned:
            raise self._error("returns something else", "at its end")

    def _same_operand(self, now: Any, then: Any) -> bool:
        if now == then and isinstance(now, tuple) and now[0] == "outside":
            return _same(self.outside[now[1]], self._recorded.outside[now[1]])
        return _same(now, then)

    def _error(self, what: str, where: str | None = None) -> InputError:
        at = where or f"at {calling_line()}"
        return InputError(f"the step is another one than was recorded: {at} it {what}; {ADVICE}")


def _same(a: Any, b: Any) -> bool:
    """Whether two attributes or operands are the same; arrays by their values."""
    if a is b:
        return True
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    if backend.is_array(a) and backend.is_array(b):
        a, b = backend.to_numpy(a), backend.to_numpy(b)
        return (a.shape, a.dtype, a.tobytes()) == (b.shape, b.dtype, b.tobytes())
    return type(a) is type(b) and bool(a == b or (a != a and b != b))
