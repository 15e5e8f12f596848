"""``compile``: a training step recorded once and replayed from then on.

The first call runs the step as usual while every call of ``apply`` is written down.
From that list :mod:`minivae.compiler.program` makes a straight-line program: fixed
buffers, no graph, dead results dropped, element-wise chains fused. Later calls copy their
inputs into the program's buffers and run it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, NamedTuple, NoReturn

from .. import backend
from ..autodiff import Parameter, Tensor, tensor
from ..autodiff.modes import hooked, mode, set_mode
from ..autodiff.primitives import Primitive
from ..errors import InputError, function
from . import numba as replay_numba
from .analysis import Call, overlap
from .program import Program


def compile(step: Callable, fast: bool | None = None) -> CompiledStep:
    """A function that does what ``step`` does, by replaying a recording of it.

    Args:
        step: takes tensors (or arrays) and returns a tensor, or a list, tuple or dict of
            them. What it changes, it changes with ``assign`` (optimizers do); noise it
            draws with a :class:`~minivae.backend.Generator`. Python code in it runs only
            while recording: a number that changes from step to step must be an input, or
            live in a 0-d array that is written before the call. It is recorded anew for
            a new shape or dtype of an input, and when a parameter has got another array.
        fast: compile arithmetic on large NumPy arrays to loops with Numba, which takes some
            seconds at the first call; by default where ``minivae[fast]`` is installed. The
            results are the same.

    Returns:
        the compiled step. Its results are valid until its next call, and those that
        nothing else needed are computed only when they are read.

    Raises:
        InputError: ``fast`` is True without Numba.
    """
    installed = replay_numba.is_installed()
    if fast and not installed:
        raise InputError("fast is True, and Numba is not installed; install it with  pip install 'minivae[fast]'")
    return CompiledStep(function("step", step), installed if fast is None else fast)


class CompiledStep:
    """A step and its recordings, by the shapes and dtypes of the inputs. See :func:`compile`.

    Attributes:
        program: the program of the last call; ``print`` shows what runs.
    """

    def __init__(self, step: Callable, fast: bool) -> None:
        self.step, self._fast = step, fast
        self.program: Program | None = None
        self._recordings: dict[tuple, Recording] = {}

    def __call__(self, *inputs: Any) -> Any:
        """Run the step on ``inputs``; unrecorded, as it is, while a hook (anomaly mode) watches."""
        if mode.hooks:
            return self.step(*inputs)
        tensors = [x if isinstance(x, Tensor) else tensor(x) for x in inputs]
        signature = tuple((x.shape, x.dtype, type(x.data)) for x in tensors)
        recording = self._recordings.get(signature)
        if recording is None or recording.is_stale():
            return self._record(signature, tensors)
        self.program = recording.program
        for place, x in zip(recording.inputs, tensors, strict=True):
            if place is not x.data:
                place[...] = x.data
        self.program.run()
        return recording.results()

    def _record(self, signature: tuple, tensors: Sequence[Tensor]) -> Any:
        inputs = [backend.namespace(x.data).array(x.data) for x in tensors]
        calls: list[Call] = []
        parameters: dict[int, tuple[Parameter, Any]] = {}

        def write_down(primitive: Primitive, operands: Sequence[Any], attributes: dict, output: Tensor) -> None:
            arrays = tuple(x._data if isinstance(x, Tensor) else x for x in operands)
            if primitive.kind == "assignment" and any(overlap(arrays[0], x) for x in inputs):
                raise InputError(
                    "a compiled step assigns to its input; expected state that it does not get as an input"
                )
            calls.append(Call(primitive, arrays, attributes, output.data))
            parameters.update({id(x): (x, x.data) for x in operands if isinstance(x, Parameter)})

        with hooked(write_down), set_mode(trace=Tensor):
            result = self.step(*[Tensor(x) for x in inputs])
        self.program = Program(calls, [leaf.data for leaf in _leaves(result)], self._fast)
        structure = _map(result, lambda _: Tensor(None))  # not the recorded values, which it would keep
        self._recordings[signature] = Recording(self.program, inputs, structure, list(parameters.values()))
        return result

    def __reduce__(self) -> NoReturn:
        """Refused: a recording works in arrays of its own process, and of its own parameters."""
        raise InputError("a compiled step cannot be copied or pickled; compile the step where it is to run")


class Recording(NamedTuple):
    """A program, the buffers of its inputs, the structure of its results, and the arrays of the parameters."""

    program: Program
    inputs: list[Any]
    structure: Any
    parameters: list[tuple[Parameter, Any]]

    def is_stale(self) -> bool:
        """Whether a parameter has got another array since, as a new optimizer gives it."""
        return any(p.data is not array for p, array in self.parameters)

    def results(self) -> Any:
        """The results of the last run, arranged as the step arranged them."""
        numbers = count()
        return _map(self.structure, lambda _: Result(self.program, next(numbers)))


class Result(Tensor):
    """A result of a replayed step, computed when it is first read."""

    __slots__ = ("_number", "_program", "_run")

    def __init__(self, program: Program, number: int) -> None:
        self._program, self._number, self._run = program, number, program.runs
        self.requires_grad, self.node = False, None

    @property
    def data(self) -> Any:
        """The array.

        Raises:
            InputError: the step has run again since; its buffers hold newer values.
        """
        if self._run != self._program.runs:
            raise InputError("this result is of an earlier run of the compiled step; read it before the next run")
        return self._program.read(self._number)

    _data = data


def _leaves(structure: Any) -> list[Tensor]:
    found: list[Tensor] = []
    _map(structure, found.append)
    return found


def _map(structure: Any, f: Callable) -> Any:
    """The same nest of lists, tuples and dicts with ``f`` of each tensor in it."""
    if isinstance(structure, Tensor):
        return f(structure)
    if isinstance(structure, dict):
        return {name: _map(value, f) for name, value in structure.items()}
    if isinstance(structure, list | tuple):
        return [_map(value, f) for value in structure]
    if structure is None:
        return None
    raise InputError(f"the step returned {type(structure).__name__}; expected tensors, in lists, tuples or dicts")
