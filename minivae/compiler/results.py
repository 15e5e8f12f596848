"""What a compiled step returns: copies, in the structure that the step gave them.

The values of a run lie in buffers that the next run writes again. A result copies its own out
when it is first read, and refuses if that is too late; what has been read never changes.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import count
from typing import Any

from .. import backend
from ..autodiff import Tensor
from ..autodiff.primitives import Primitive
from ..autodiff.tape import Node
from ..errors import InputError
from .program import Program

LATE = "this result is of an earlier run of the compiled step; read it before the next run"
ADVICE = (
    "the result of a compiled step is differentiated, and a replay has no tape; take the gradient inside, "
    "compile(grad(f)), or compile the whole step with its backward (detach() a result that is meant as a constant)"
)
# Stands for how a result was made where it depends on what requires gradients.
REPLAYED = Node(Primitive("compiled step", lambda *_: None), (), {"refusal": ADVICE})


class Result(Tensor):
    """A result of a replayed step, computed and copied when it is first read."""

    __slots__ = ("_array", "_number", "_program", "_run")

    def __init__(self, program: Program, number: int, requires_grad: bool) -> None:
        self._array, self._number, self._run = None, number, program.runs
        self._program: Program | None = program
        self.requires_grad, self.node = requires_grad, REPLAYED if requires_grad else None
        if number in program.outside:
            self._read()  # now: who changes that memory next does not ask

    @property
    def data(self) -> Any:
        """The array.

        Raises:
            InputError: the step has run again since; its buffers hold newer values.
        """
        return self._read()

    @data.setter
    def data(self, array: Any) -> None:
        self._array, self._program = array, None

    _data = data

    def _read(self) -> Any:
        if self._program is not None:
            if self._run != self._program.runs:
                raise InputError(LATE)
            copied = _copy(self._program.read(self._number))
            if self._run != self._program.runs:  # another thread has called the step meanwhile
                raise InputError(LATE)
            self._array, self._program = copied, None
        return self._array


def of_run(program: Program, structure: Any) -> Any:
    """The results of a program's last run, arranged as the step arranged them."""
    if type(structure) is Leaf:  # most often, and quickly
        return Result(program, 0, structure.requires_grad)
    numbers = count()
    return arranged(structure, lambda requires_grad: Result(program, next(numbers), requires_grad))


def of_trace(result: Any) -> Any:
    """What the step returned while it was recorded, copied, so that nobody writes into it."""
    return arranged(result, _copied)


def _copied(x: Tensor) -> Tensor:
    made = Tensor(_copy(x._data), x.requires_grad)
    made.node = REPLAYED if x.requires_grad else None
    return made


def _copy(array: Any) -> Any:
    return backend.xp_of(array).array(array)  # in the same order of axes, on which the rounding of sums depends


class Leaf:
    """Stands for a tensor in the structure of what a step returned; it holds no values."""

    def __init__(self, x: Tensor) -> None:
        self.requires_grad = x.requires_grad

    def __repr__(self) -> str:
        return "tensor"


def arranged(structure: Any, f: Callable[[Any], Any]) -> Any:
    """The same nest of lists, tuples and dicts with ``f`` of each tensor, or each leaf's ``requires_grad``, in it.

    Raises:
        InputError: there is something else in it.
    """
    if isinstance(structure, Leaf):
        return f(structure.requires_grad)
    if isinstance(structure, Tensor):
        return f(structure)
    if isinstance(structure, dict):
        made = copy.copy(structure)  # also where its class has other arguments than a dict
        made.update((name, arranged(value, f)) for name, value in structure.items())
        return made
    if isinstance(structure, list | tuple):
        items = [arranged(value, f) for value in structure]
        return type(structure)(*items) if hasattr(structure, "_fields") else type(structure)(items)
    if structure is None:
        return None
    raise InputError(f"the step returned {type(structure).__name__}; expected tensors, in lists, tuples or dicts")
