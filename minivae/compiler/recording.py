"""One run of a step, written down: what its tensors are meanwhile, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import backend
from ..autodiff import Primitive, Tensor, as_tensor
from ..autodiff.modes import changes, hooked, set_mode
from ..autodiff.versions import note_stretches, stretches_of
from ..errors import InputError
from .analysis import Call, overlap
from .program import Program
from .results import Leaf, arranged, of_recording
from .script import Comparison, Script


class Traced(Tensor):
    """A tensor of a step that is recorded: an operand of operations, whose values Python code may not look at."""

    __slots__ = ("_array", "_trace")

    def __init__(self, array: Any, trace: Trace) -> None:
        self._array, self._trace = array, trace
        self.requires_grad, self.node = False, None

    @property
    def data(self) -> Any:
        """Refused: what NumPy computed from it would be that of this one call for ever."""
        raise InputError(
            "the array of a tensor is read inside a step that compile() records; use minivae's operations, "
            "take() for an index or a mask from the inputs, or return it and read it outside"
        )

    @property
    def _data(self) -> Any:
        if not self._trace.open:
            raise InputError(
                "a tensor that was computed inside a compiled step is used outside, where it holds the values of the "
                "call that was recorded; return it from the step"
            )
        return self._array


class Number(Tensor):
    """A Python float among the inputs: float32, as everywhere; in float64 it would be another number."""

    __slots__ = ("exact", "name")

    def __init__(self, name: str, value: float) -> None:
        super().__init__(as_tensor(value)._data)
        self.name, self.exact = name, float(self._data) == value or value != value


class Trace:
    """Makes the tensors of one recording, which work as long as it is open: a ``with`` block."""

    open = False

    def __enter__(self) -> Trace:
        self.open = True
        return self

    def __exit__(self, *_: Any) -> None:
        self.open = False

    def __call__(self, array: Any) -> Traced:
        return Traced(array, self)


class Recording:
    """A program with what it was made from, to tell whether it still stands for the step.

    Attributes:
        program: what runs.
        structure: of the results.
        script: what the step did.
    """

    def __init__(
        self, program: Program, inputs: Sequence[Any], structure: Any, script: Script, sources: list[tuple[Tensor, Any]]
    ) -> None:
        self.program, self.structure, self.script = program, structure, script
        self._inputs, self._sources, self._changes = list(inputs), sources, changes.count
        self._stretches = stretches_of(program.targets)

    def is_stale(self) -> bool:
        """Whether a tensor from outside has got another array since, or a module's attribute another value."""
        return self._changes != changes.count or any(x._data is not array for x, array in self._sources)

    def run(self, tensors: Sequence[Tensor | None]) -> None:
        """Replay the program on such inputs."""
        arrays = [x._data for x in tensors if x is not None]  # all first: one may be a result of the last run
        self.program.runs += 1  # from now on those are lost
        for place, array in zip(self._inputs, arrays, strict=True):
            if place is not array:
                place[...] = array
        self.program.run()
        note_stretches(self._stretches)


def record(
    step: Callable, tensors: Sequence[Tensor | None], fast: bool, known: Recording | None
) -> tuple[Recording, Any]:
    """Run a step on such inputs while it is written down; its recording and its results.

    Args:
        step: takes a list of tensors.
        tensors: the inputs.
        fast: see :func:`~minivae.compiler.step.compile`.
        known: an earlier recording, which the run is compared with; no other is made then.

    Raises:
        InputError: the step does what cannot be recorded, or something else than in ``known``.
    """
    given = [x for x in tensors if x is not None]
    inputs = [backend.namespace(x._data).array(x._data) for x in given]
    writer, trace = _Writer(inputs, known), Trace()
    traced = iter(_traced(trace, array, x) for array, x in zip(inputs, given, strict=True))
    with trace, hooked(writer), set_mode(trace=trace), backend.no_direct_draws():
        result = step([x if x is None else next(traced) for x in tensors])
        leaves: list[Tensor] = []
        structure = arranged(result, lambda x: leaves.append(x) or Leaf(x))
        outputs = [x._data for x in leaves]
        copies = of_recording(result)
    writer.script.end()
    if known is not None:
        return known, copies
    _require_exact(given, writer.calls)
    return Recording(Program(writer.calls, outputs, fast), inputs, structure, writer.script, writer.sources()), copies


def _traced(trace: Trace, array: Any, x: Tensor) -> Traced:
    made = trace(array)
    made.requires_grad = x.requires_grad
    return made


class _Writer:
    """The hook that writes calls down."""

    def __init__(self, inputs: Sequence[Any], known: Recording | None) -> None:
        self.calls: list[Call] = []
        self.script: Script = Script(inputs) if known is None else Comparison(known.script, inputs)
        self._inputs = inputs
        self._tensors: dict[int, tuple[Tensor, Any]] = {}

    def __call__(self, primitive: Primitive, operands: Sequence[Any], attributes: dict, output: Tensor) -> None:
        arrays = tuple(x._data if isinstance(x, Tensor) else x for x in operands)
        if primitive.kind == "assignment" and any(overlap(arrays[0], x) for x in self._inputs):
            raise InputError("a compiled step assigns to its input; expected state that it does not get as an input")
        self.script.note(primitive, operands, attributes, output)
        self.calls.append(Call(primitive, arrays, attributes, output._data))
        for x in operands:
            if isinstance(x, Tensor) and not isinstance(x, Traced):
                self._tensors[id(x)] = (x, x._data)

    def sources(self) -> list[tuple[Tensor, Any]]:
        """Tensors from outside, with their arrays."""
        return list(self._tensors.values())


def _require_exact(inputs: Sequence[Tensor], calls: Sequence[Call]) -> None:
    """A Python float that float32 rounds may not meet float64, where it would be another number than in the step."""
    for x in inputs:
        if isinstance(x, Number) and not x.exact and any(call.output.dtype == np.float64 for call in calls):
            raise InputError(
                f"{x.name} is a Python float in a step that computes in float64; expected a tensor of the dtype meant, "
                "such as minivae.tensor(0.1, 'float64')"
            )
