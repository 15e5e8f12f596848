"""One run of a step, written down: what its tensors are meanwhile, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from weakref import ref

import numpy as np

from .. import backend
from ..autodiff import Primitive, Tensor, as_tensor
from ..autodiff.attributes import NOTHING, changes, is_same
from ..autodiff.effects import note_stretches, stretches_of
from ..autodiff.modes import hooked, set_mode
from ..errors import InputError
from .analysis import Call, overlap
from .program import Program
from .results import Leaf, arranged, of_trace
from .script import Comparison, Script

ALIAS = (
    "an input of a compiled step is also what the step assigns to, or differentiates by, from outside, and a replay "
    "works on a copy of it; use the one or the other, or give a copy"
)


class Traced(Tensor):
    """A tensor of a step that is recorded: an operand of operations, whose values Python code may not look at."""

    __slots__ = ("_array", "_tracer")

    def __init__(self, array: Any, tracer: Tracer) -> None:
        self._array, self._tracer = array, tracer
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
        if not self._tracer.open:
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


class Wide(Tensor):
    """An array of float64 among the inputs, and no tensor: the step itself would take it in a model's float32."""

    __slots__ = ("name",)

    def __init__(self, name: str, value: Any) -> None:
        super().__init__(as_tensor(value)._data)
        self.name = name


class Tracer:
    """Makes the tensors of one recording, which work as long as it is open: a ``with`` block.

    Attributes:
        writes: for each attribute that the step has set (:mod:`minivae.autodiff.attributes`), its owner and old value.
        indices: tensors from outside that it indexes by.
    """

    open = False

    def __init__(self) -> None:
        self.writes: dict[tuple[int, str], tuple[Any, Any]] = {}
        self.indices: list[Tensor] = []

    def __enter__(self) -> Tracer:
        self.open = True
        return self

    def __exit__(self, *_: Any) -> None:
        self.open = False

    def __call__(self, array: Any) -> Traced:
        return Traced(array, self)


class Guarded:
    """A program with what it was made from, to tell whether it still stands for the step.

    Attributes:
        program: what runs.
        structure: of the results.
        script: what the step did.
    """

    def __init__(
        self,
        program: Program,
        inputs: Sequence[Any],
        structure: Any,
        script: Script,
        sources: list[tuple[Tensor, Any, bool]],
    ) -> None:
        self.program, self.structure, self.script = program, structure, script
        self._inputs, self._sources, self._changes = list(inputs), sources, changes.count
        self._stretches = stretches_of(program.targets)
        # What may not be an input: what is assigned, or differentiated by, would be two things in a replay.
        self._own = {id(x) for x in program.targets} | {id(array) for _, array, wanted in sources if wanted}

    def is_stale(self) -> bool:
        """Whether a tensor from outside has got another array since, or a module's attribute another value."""
        if self._changes != changes.count:
            return True
        for x, array, wanted in self._sources:  # noqa: SIM110 (any() of a generator takes twice as long)
            if x._data is not array or x.requires_grad is not wanted:
                return True
        return False

    def run(self, tensors: Sequence[Tensor | None]) -> None:
        """Replay the program on such inputs."""
        arrays = [x._data for x in tensors if x is not None]  # all first: one may be a result of the last run
        if not self._own.isdisjoint(map(id, arrays)):
            raise InputError(ALIAS)
        self.program.runs += 1  # from now on those are lost
        for place, array in zip(self._inputs, arrays, strict=True):
            if place is not array:
                place[...] = array
        self.program.run()
        note_stretches(self._stretches)


def trace_step(
    step: Callable, tensors: Sequence[Tensor | None], fast: bool, known: Guarded | None
) -> tuple[Guarded, Any]:
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
    inputs = [backend.backend_of(x._data).copy(x._data) for x in given]
    writer, tracer = _Writer(inputs, known), Tracer()
    before = known.script.snapshot(known.program.targets) if known is not None else []
    traced = iter(_traced(tracer, array, x) for array, x in zip(inputs, given, strict=True))
    with tracer, hooked(writer), set_mode(tracer=tracer), backend.no_direct_draws():
        result = step([x if x is None else next(traced) for x in tensors])
        leaves: list[Tensor] = []
        structure = arranged(result, lambda x: leaves.append(x) or Leaf(x))
        outputs = [x._data for x in leaves]
        copies = of_trace(result)
        writer.script.returns(structure, outputs)
        del result, leaves[:]
    writer.script.end()
    writer.require_separate(given)
    writer.require_let_go()
    _require_no_state(tracer, writer)
    if known is not None:
        known.script.require_unchanged(before)
        return known, copies
    sources = writer.sources(tracer)
    _require_exact(given, writer, sources)
    program = Program(writer.calls, outputs, fast)
    return Guarded(program, inputs, structure, writer.script, sources), copies


def _traced(tracer: Tracer, array: Any, x: Tensor) -> Traced:
    made = tracer(array)
    made.requires_grad = x.requires_grad
    return made


class _Writer:
    """The hook that writes calls down."""

    def __init__(self, inputs: Sequence[Any], known: Guarded | None) -> None:
        self.calls: list[Call] = []
        self.script: Script = Script(inputs) if known is None else Comparison(known.script, inputs)
        self._inputs = inputs
        self._tensors: dict[int, tuple[Tensor, Any, bool]] = {}
        self.targets: list[Any] = []
        self._made: list[ref[Traced]] = []  # targets that the step has made itself

    def __call__(self, primitive: Primitive, operands: Sequence[Any], attributes: dict, output: Tensor) -> None:
        arrays = tuple(x._data if isinstance(x, Tensor) else x for x in operands)
        if primitive.kind == "assignment" and any(overlap(arrays[0], x) for x in self._inputs):
            raise InputError("a compiled step assigns to its input; expected state that it does not get as an input")
        if primitive.kind == "assignment":
            self.targets.append(arrays[0])
            self._made += [ref(x) for x in operands[:1] if isinstance(x, Traced)]
        self.script.note(primitive, operands, attributes, output)
        self.calls.append(Call(primitive, arrays, attributes, output._data))
        for x in operands:
            if isinstance(x, Tensor) and not isinstance(x, Traced):
                self._tensors[id(x)] = (x, x._data, x.requires_grad)

    def reads(self, x: Any) -> bool:
        """Whether a tensor from outside was an operand."""
        return id(x) in self._tensors

    def sources(self, tracer: Tracer) -> list[tuple[Tensor, Any, bool]]:
        """Tensors from outside, with their arrays, and whether they are differentiated by."""
        indices = [(x, x._data, x.requires_grad) for x in tracer.indices]
        return [*self._tensors.values(), *indices]

    def require_let_go(self) -> None:
        """A tensor that the step makes and assigns to may not be kept: its next call would go on with it."""
        if any(x() is not None for x in self._made):
            raise InputError(
                "the step assigns to a tensor that it makes itself and that is kept outside, and a replay begins with "
                "it anew at each call; make what lasts before the step"
            )

    def require_separate(self, given: Sequence[Tensor]) -> None:
        """An input may not be what the step assigns to, or what it also has from outside to differentiate by."""
        differentiated = {id(array) for _, array, wanted in self._tensors.values() if wanted}
        for x in given:
            if id(x._data) in differentiated or any(overlap(x._data, target) for target in self.targets):
                raise InputError(ALIAS)


def _require_no_state(tracer: Tracer, writer: _Writer) -> None:
    """What the step has set and not put back, a replay does not set: a result that is kept is no harm, state is."""
    for (_, name), (owner, old) in tracer.writes.items():
        new = getattr(owner, name, None)
        if isinstance(new, Traced):
            kept = not writer.reads(old) and all(new._array is not x for x in writer.targets)
        else:
            kept = old is NOTHING or (old is None and isinstance(new, Tensor))  # made when it is first needed
        if not kept and old is not new and not is_same(old, new):
            raise InputError(
                f"the step sets {type(owner).__name__}.{name}, which a replay does not do again; "
                "keep what changes from step to step in a tensor, and change that with assign()"
            )


def _require_exact(inputs: Sequence[Tensor], writer: _Writer, sources: Sequence[tuple[Tensor, Any, bool]]) -> None:
    """Numbers and arrays, which are no tensors, must be in the step what they are to the step itself.

    A Python float that float32 rounds may not meet float64; an array of float64 not tensors of float32.
    """
    advice = "expected a tensor of the dtype meant, such as minivae.tensor(x, 'float32')"
    for x in inputs:
        if isinstance(x, Number) and not x.exact and any(call.output.dtype == np.float64 for call in writer.calls):
            raise InputError(f"{x.name} is a Python float in a step that computes in float64; {advice}")
        if isinstance(x, Wide) and any(array.dtype == np.float32 for _, array, _ in sources):
            raise InputError(f"{x.name} is an array of float64 in a step whose tensors are float32; {advice}")
