"""A recorded step as a straight-line program with planned memory.

From the list of calls to what runs:

1. results that are *views* (reshape, transpose, ...) become views of fixed buffers, made
   once; results that depend on nothing but numbers are *constants*, kept as they are;
2. *dead* calls are dropped, and those that only a returned value needs are put off until
   that value is read (both in :mod:`.analysis`);
3. a result that is only assigned is computed *in place*, in the memory of its target
   (:mod:`.placement`);
4. neighbouring element-wise calls of one shape are *fused* (:mod:`.fuse`);
5. values that do not live at the same time share the memory of one *arena* (:mod:`.memory`).

The recorded values themselves are let go with the plan: a program keeps the arrays that it
works in, and the text that it prints.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from inspect import signature
from typing import Any, NamedTuple

import numpy as np

from .. import backend
from ..autodiff.formula import Formula
from ..autodiff.messages import misfit
from ..backend.memory import memory_for, out_of_memory
from ..backend.numpy import Backend
from ..errors import InputError
from . import numba as numba_loops
from . import numpy as blocks
from .analysis import Call, Trace
from .cuda.graph import Replay
from .cuda.pairs import join_products
from .cuda.replay import Device, join_sums
from .fuse import Kernel, group_calls
from .memory import Arena
from .placement import place
from .traffic import bytes_moved

Item = Any  # a Kernel, a Call, or on CUDA a MappedSum or a Pair of products
UNFIT = (ValueError, TypeError, IndexError, np.linalg.LinAlgError)


class Step(NamedTuple):
    """What is called at each replay.

    Attributes:
        run: computes something in its place; or gives the value, where there is an ``out``.
        out: where that value belongs. What cannot be computed there is copied.
        item: what was recorded, for messages.
    """

    run: Callable[[], Any]
    out: Any = None
    item: Any = None


class Program:
    """What a compiled step runs; ``print`` shows it, one line an operation.

    Args:
        calls: every call of ``apply`` in the step, in order.
        outputs: the arrays that the step returned.
        fast: whether large kernels become compiled loops, where the arrays are NumPy's.

    Attributes:
        runs: how often the program has begun to run.
        targets: arrays that it assigns to.
        outside: the numbers of those returned values whose memory is not the program's own.
        lives: when and where its values lie in memory, as in :class:`~minivae.compiler.memory.Arena`.
        nbytes: of that memory.
        launches: how many calls a run is: of NumPy's functions, of compiled loops, or the nodes of a CUDA graph.
        moved: the bytes that they read and write, as :func:`~minivae.compiler.traffic.bytes_moved` counts them.
    """

    def __init__(self, calls: Sequence[Call], outputs: Sequence[Any], fast: bool = False) -> None:
        trace = Trace(calls, outputs)
        place(trace)
        main, late = _items(trace)
        self._backend = _backend_of(trace)
        with memory_for("the buffers of a recorded step", self._backend):
            arena = Arena(trace, [*main, *late])
            prepare = _preparation(arena, fast, self._backend)
            self._main, self._late = prepare(main), prepare(late)
        self._results = [arena.place(array) for array in outputs]
        self.outside = {n for n, array in enumerate(outputs) if trace.is_outside(array)}
        self.targets = list({id(x): x for x in trace.targets if trace.is_outside(x)}.values())
        self.runs, self._last_read = 0, 0
        self.lives, self.nbytes = arena.lives, arena.nbytes
        self.launches = sum(len(s.run) if isinstance(s.run, Replay) else 1 for s in self._main)
        self.moved = bytes_moved(main)
        self._listing = _listing({"": main, "when a result is read:": late}, arena)

    def run(self) -> None:
        """Replay the step, for which ``runs`` has been counted up. What only returned values need is not computed."""
        self._call(self._main)

    def read(self, number: int) -> Any:
        """The array of a returned value of the last run, computing what was put off."""
        if self._last_read != self.runs:
            self._call(self._late)
            self._last_read = self.runs
        return self._results[number]

    # Machine code of its own raises no flags, products raise false ones (autodiff/linalg.py): a replay tells of none.
    @np.errstate(all="ignore")
    def _call(self, steps: Sequence[Step]) -> None:
        try:
            _perform(steps)
        except MemoryError as error:  # of a value that cannot be computed in place
            raise out_of_memory("a recorded step", self._backend, error) from error

    def __str__(self) -> str:
        """One line for each operation: its result, what it is computed from, and where the result lies."""
        return "\n".join([f"{self.launches} calls a run, {self.nbytes} bytes of memory", *self._listing])


def _backend_of(trace: Trace) -> Backend:
    return backend.backend_of(*(call.output for call in trace.calls[:1]))


def _items(trace: Trace) -> list[list[Item]]:
    """What runs at each replay, and what when a returned value is read: kernels and single calls."""
    groups = [group_calls(trace, numbers) for numbers in (trace.main, trace.late)]
    if not _backend_of(trace).cuda:
        return groups
    return [list(join_products(trace, list(join_sums(trace, items)))) for items in groups]


def _preparation(arena: Arena, fast: bool, where: Backend) -> Callable[[Sequence[Item]], list[Step]]:
    """What turns items into the steps that run them: one by one, or as one CUDA graph."""
    plain = partial(_prepare, arena, fast)
    if not where.cuda:
        return lambda items: [step for item in items for step in plain(item)]
    device = Device(where.xp, arena, lambda item: [partial(_perform, plain(item))])
    return lambda items: [Step(device.replay(items))]


def _prepare(arena: Arena, fast: bool, item: Item) -> list[Step]:
    if isinstance(item, Kernel):
        replay = numba_loops if fast and numba_loops.pays(item) else blocks
        return [Step(call) for call in replay.prepare(item, arena)]
    inputs = [x if isinstance(x, float | int) else arena.place(x) for x in item.inputs]
    xp = backend.xp_of(item.output)
    if item.assigns:
        return [Step(partial(xp.copyto, *inputs, casting="unsafe"))]
    out, value = arena.place(item.output), partial(item.primitive.value, xp, *inputs, **item.attributes)
    if _takes_out(item.primitive.value):
        value = partial(value, out=out)
    return [Step(value, out, item._replace(inputs=tuple(inputs), output=None))]


@lru_cache(None)
def _takes_out(value: Callable) -> bool:
    """Whether a primitive's function can be told where its result goes; a user's may not."""
    if isinstance(value, Formula):
        return True
    return any(p.name == "out" or p.kind is p.VAR_KEYWORD for p in signature(value).parameters.values())


def _perform(steps: Sequence[Step]) -> None:
    """Run one after the other."""
    item = None
    try:
        for run, out, item in steps:
            made = run()
            if out is not None and made is not out:
                _copy(item, made, out)
    except UNFIT as error:
        if item is None or isinstance(error, InputError):
            raise
        raise misfit(item.primitive, item.inputs, item.attributes, error) from error


def _copy(item: Call, made: Any, out: Any) -> None:
    if made.shape != out.shape:
        raise InputError(
            f"{item.primitive.name} gives shape {made.shape} now, and gave {out.shape} when the step was recorded; "
            "expected an index of as many elements as then"
        )
    out[...] = made


def _listing(parts: Mapping[str, Sequence[Item]], arena: Arena) -> list[str]:
    """The lines of titled lists of items; those of a fused kernel are marked."""
    names, lines = _Names(arena), []
    for title, items in parts.items():
        lines += [title] if title and items else []
        for item in items:
            lines += [f"{'| ' if len(item.calls) > 1 else '  '}{names.line(call)}" for call in item.calls]
    return lines


class _Names:
    """Names for recorded arrays, for printing: %1 is computed, @1 comes from outside."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._names: dict[int, str] = {}

    def line(self, call: Call) -> str:
        """``%3 float32[100, 500] = add(%2, @1)   at 51200``."""
        operands = ", ".join(self._operand(x) for x in call.inputs)
        self._names.setdefault(id(call.output), f"%{len(self._names)}")
        result = f"{self._names[id(call.output)]} {call.output.dtype}{list(call.output.shape)}"
        return f"{result} = {call.primitive.name}({operands})   {self._arena.where(call.output)}"

    def _operand(self, x: Any) -> str:
        if isinstance(x, float | int):
            return f"{x:g}"
        root = self._arena.root(x)
        if root in self._names and root != id(x):
            return f"{self._names[root]} as {list(x.shape)}"
        return self._names.setdefault(id(x), f"@{len(self._names)}{list(x.shape)}")
