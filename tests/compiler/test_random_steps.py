"""Recorded random steps give what the steps give, bit for bit, and nothing that was given changes afterwards.

``python -m tests.compiler.test_random_steps SEED [KIND]`` prints the smallest part of a program that
differs (in that way: see :func:`differences`), and how it does.
"""

from __future__ import annotations

import re
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations, cycle, islice
from typing import Any, NamedTuple

import numpy as np
import pytest

import minivae as mv
from minivae import backend
from minivae.errors import InputError

from .steps import INPUTS, N, Pair, Program, RandomStep, shrunk, written

# Other programs in every release.
FIRST = zlib.crc32(mv.__version__.encode()) * 100_000

# ------------------------------------------------- a step and its compiled twin


def differences(seed: int, calls: int = 4, **options: Any) -> Iterator[str]:
    """Where a compiled random step does otherwise than the step itself: lines that begin with the kind.

    The kinds are "value", of results, state, moments and generators; "changed", of what was given
    and read; "late", of a result that is read after the next call; "structure"; "raised".

    Args:
        seed: of the program.
        calls: of both.
        options: for :class:`Twins`.
    """
    twins = Twins(seed, **options)
    for _ in range(calls):
        yield from twins.call()


class Given(NamedTuple):
    """A result of the compiled step, or an input for it, and the values that it must have.

    Attributes:
        where: of a result, for messages; of an input "array" or "tensor", as what it is passed.
        tensor: what the compiled step gave or gets.
        right: a copy of what the step itself gave or gets.
    """

    where: str
    tensor: mv.Tensor
    right: np.ndarray


class Twins:
    """Two copies of a random step, one of them compiled, called with the same inputs.

    The inputs are new arrays, or results of the last call: the tensor that the compiled
    step gave, read or not, or its array. Results are read at once, or before the next call, or
    after it, when they may be refused. All that was read must keep its values.

    Args:
        seed: of the program.
        record: ``compile``, or what stands in its place.
        program: another than that of the seed.
        size: of the axes of its arrays.

    Attributes:
        fed: how many results have been inputs.
        runs: how often the compiled step's own code has run, to be recorded.
    """

    def __init__(self, seed: int, record: Callable = mv.compile, program: Program | None = None, size: int = N) -> None:
        self._eager, self._twin = (RandomStep(seed, nested=True, program=program, size=size) for _ in "ab")
        self._compiled = record(self._counted)
        # What happens is the same for every size: numbers come from a generator of their own.
        self._rng, self._numbers = (np.random.default_rng([seed, n]) for n in (1 << 22, 1 << 23))
        self._size, self._calls, self.fed, self.runs = size, 0, 0, 0
        self._results: list[Given] = []  # of the last call, those that may be inputs
        self._unread: list[Given] = []
        self._held: list[tuple[str, np.ndarray, np.ndarray]] = []  # arrays that were read, and copies

    def call(self) -> Iterator[str]:
        """Call both once; yield what differs."""
        self._calls += 1
        for step in (self._eager, self._twin):
            step.advance()
        if self._chance(0.5):
            yield from self._read()
        given = [self._input(shape) for shape in INPUTS]
        inputs = [mv.tensor(x.right.copy()) for x in given]
        eager = self._eager(*inputs)
        right = [x.numpy().copy() for x in leaves(eager)]
        before, self._results = self._results, []
        try:
            found = self._compiled(*(x.tensor.data if x.where == "array" else x.tensor for x in given))
        except Exception as error:
            yield f"raised: call {self._calls}: {type(error).__name__}: {error}"
            return
        yield from self._read(late=True)
        if nest(found) != nest(eager):
            yield f"structure: call {self._calls}: {nest(found)}, not {nest(eager)}"
        where = (f"call {self._calls}, result {i}" for i in range(len(right)))
        self._unread = [Given(*each) for each in zip(where, leaves(found), right, strict=True)]
        # Another order in memory is another sum, in the last bit, and another reshape is a view.
        self._results = [x for x, y in zip(self._unread, leaves(eager), strict=True) if y.data.flags.c_contiguous]
        if not meet([x.data for x in inputs], [x.data for x in leaves(eager)]):
            yield from self._use_again([x for x in given if not any(x.tensor is y.tensor for y in before)])
        if self._chance(0.7):
            yield from self._read()
        yield from self._state()
        yield from self._changed()

    def _counted(self, *inputs: mv.Tensor) -> Any:
        self.runs += 1
        return self._twin(*inputs)

    def _chance(self, probability: float) -> bool:
        return self._rng.random() < probability

    def _input(self, shape: tuple[int, ...]) -> Given:
        """An input, as an array or as a tensor."""
        shape, where = (self._size,) * len(shape), "array" if self._chance(0.4) else "tensor"
        fitting = [x for x in self._results if x.right.shape == shape and x.right.dtype == np.float32]
        if fitting and self._chance(0.7):
            self.fed += 1
            return fitting[int(self._rng.integers(len(fitting)))]._replace(where=where)
        array = np.asarray(self._numbers.standard_normal(shape), "float64" if self._chance(0.01) else "float32")
        where = "tensor" if array.dtype == np.float64 else where  # as an array it would be float32 to the step itself
        return Given(where, mv.tensor(array), array.copy())

    def _use_again(self, given: list[Given]) -> Iterator[str]:
        """Overwrite inputs, as one does who fills the same array with minibatch after minibatch."""
        for _, tensor, right in given:
            if bits(tensor.data) != bits(right):
                yield f"value: call {self._calls}, an input is changed: {tensor.data}, not {right}"
            tensor.data[...] = 7

    def _read(self, late: bool = False) -> Iterator[str]:
        """Read what is unread; ``late``, after the next call, it may be refused."""
        for where, tensor, right in self._unread:
            try:
                arrays = tensor.numpy(), tensor.data
            except InputError as error:
                if not late:
                    yield f"raised: {where}: {error}"
                continue
            if any(bits(array) != bits(right) for array in arrays):
                yield f"{'late' if late else 'value'}: {where}: {arrays[0]}, not {right}"
            self._held += [(where, array, array.copy()) for array in arrays]
        self._unread = []

    def _state(self) -> Iterator[str]:
        right, found = map(_everything, (self._eager, self._twin))
        for name, value in right.items():
            if bits(found[name]) != bits(value):
                yield f"value: call {self._calls}, {name}: {found[name]}, not {value}"
        if self._eager.generator.state != self._twin.generator.state:
            yield f"value: call {self._calls}, generator"

    def _changed(self) -> Iterator[str]:
        """Results that have changed since they were read."""
        for where, array, copy in self._held:
            if bits(array) != bits(copy):
                yield f"changed: {where}, after call {self._calls}: {array}, not {copy}"


def _everything(step: RandomStep) -> dict[str, np.ndarray]:
    """All values that a step may have changed, by name."""
    state = {f"state {i}": x.numpy() for i, x in enumerate([*step.state, *step.parameters])}
    moments = [optimizer.state_dict() for optimizer in step.optimizers]
    return state | {f"o{i}.{name}": value for i, of in enumerate(moments) for name, value in of.items()}


def bits(array: np.ndarray) -> tuple:
    """Shape, dtype and bytes; every NaN is the same, since its sign and payload mean nothing."""
    array = np.where(np.isnan(array), np.array(np.nan, array.dtype), array) if array.dtype.kind == "f" else array
    return array.shape, array.dtype, array.tobytes()


def leaves(structure: Any) -> list[mv.Tensor]:
    """The tensors in a nest of lists, tuples and dicts."""
    if isinstance(structure, mv.Tensor):
        return [structure]
    parts = structure.values() if isinstance(structure, dict) else structure or ()
    return [leaf for part in parts for leaf in leaves(part)]


def nest(structure: Any) -> Any:
    """The nest itself: types and names, a star for each tensor."""
    if structure is None:
        return None
    if isinstance(structure, mv.Tensor):
        return "*"
    if isinstance(structure, dict):
        return {name: nest(part) for name, part in structure.items()}
    return type(structure).__name__, [nest(part) for part in structure]


def smallest(seed: int, kind: str | None = None, **options: Any) -> str:
    """The smallest part of a program that differs in the way given, or that comes first, and how it does."""

    def found(program: Program) -> list[str]:
        try:
            with np.errstate(all="ignore"):
                return [x for x in differences(seed, program=program, **options) if x.startswith(kind or "")]
        except Exception:  # the step itself does not run
            return []

    program = written(seed, nested=True, size=options.get("size", N))
    kind = kind or next(iter(found(program)), "").split(":")[0]
    program = shrunk(program, lambda smaller: bool(found(smaller)))
    return "\n".join([str(RandomStep(seed, program=program)), "", *found(program)[:3]])


# -------------------------------------------------------------------- the tests


def assert_same(seeds: range, **options: Any) -> None:
    """No program differs; else the seeds of those that do, and the smallest part of the first."""
    with np.errstate(all="ignore"):
        wrong = {seed: first for seed in seeds if (first := next(differences(seed, **options), None))}
    if wrong:
        lines = (f"seed {seed}: {first[:80]!r}" for seed, first in wrong.items())
        text = smallest(next(iter(wrong)), **options)
        pytest.fail(
            "\n".join([f"{len(wrong)} of {len(seeds)} programs differ", *islice(lines, 20), "", text]), pytrace=False
        )


def chunks(start: int, stop: int, count: int) -> Any:
    """So many programs in each test; every second with blocks of few elements."""
    cases = [(n, count, block) for n, block in zip(range(start, stop, count), cycle((None, 5)))]
    return pytest.mark.parametrize(("start", "count", "block"), cases)


def assert_chunk_same(start: int, count: int, block: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if block is not None:
        monkeypatch.setattr(backend.get_backend("numpy"), "cache_block", block)
    assert_same(range(FIRST + start, FIRST + start + count))


@chunks(0, 1_000, 125)
def test_recorded_steps_give_what_the_steps_give(start, count, block, monkeypatch):
    assert_chunk_same(start, count, block, monkeypatch)


@pytest.mark.slow
@chunks(1_000, 20_000, 1_000)
def test_many_recorded_steps_give_what_the_steps_give(start, count, block, monkeypatch):
    assert_chunk_same(start, count, block, monkeypatch)


def test_checked_steps_give_what_the_steps_give():
    assert_same(range(FIRST + 40_000, FIRST + 40_100), record=partial(mv.compile, check=True))


@pytest.mark.parametrize("count", [6, pytest.param(100, marks=pytest.mark.slow)])
def test_compiled_loops_give_what_the_steps_give(count):
    """On arrays of a size for which loops are compiled, each in its seconds."""
    pytest.importorskip("numba", reason="needs Numba: pip install 'minivae[fast]'")
    assert_same(range(FIRST + 50_000, FIRST + 50_000 + count), record=partial(mv.compile, fast=True), size=128)


# ------------------------------------------------------ what the programs contain

# In how many of a hundred programs at least.
IN_THE_TEXT = {
    "gradient": (60, r"ad.backward"),
    "optimizer": (40, r"o\d.apply"),
    "two optimizers": (15, r"(?s)(o\d).apply.*(?!\1)o\d.apply"),
    "one optimizer twice": (25, r"(?s)(o\d).apply.*\1.apply"),
    "descent by assignment": (20, r"assign\((p\d), \1 - "),
    "counter": (10, r"assign\((s[57]), \1 \+ 1|assign\((s[57]), 1 - "),
    "running mean": (25, r"assign\((\w+), \1 \* 0.9 "),
    "something computed is assigned to": (40, r"assign\(v\d+"),
    "rows are assigned": (12, r"assign\(r1"),
    "noise": (10, r"noise"),
    "constant": (12, r"constant_like"),
    "product": (6, r"@"),
    "gather": (20, r"ad.take"),
    "join": (5, r"concatenate|stack"),
    "cast": (15, r"astype"),
    "choice": (50, r"where|maximum"),
    "reduction": (70, r"mean|max\(|var|logsumexp"),
    "returns a tuple": (10, r"return \("),
    "returns a dict": (4, r"return \{"),
    "returns a named tuple": (15, r"return .*Pair"),
    "returns nothing": (4, r"return None"),
    "returns state itself": (30, r"return .*\b[sp]\d"),
    "returns an input itself": (10, r"return .*\bx\d"),
    "returns a tensor twice": (15, r"return .*(\b[vspx]\d+\b).*\b\1\b"),
}


# And by what its calls of apply do to memory.
IN_MEMORY = {
    "assigned again": 70,
    "read between two assignments": 70,
    "value read after its target changed again": 15,
    "value's own array assigned later": 18,
    "assigned through a view and read whole": 35,
    "assigned through views that overlap": 25,
    "assigned what overlaps it": 8,
    "input's value assigned": 6,
    "swapped": 12,
}


class Event(NamedTuple):
    """A call of ``apply``: the arrays that it reads, and the one that it changes. The last reads what is returned."""

    reads: list[np.ndarray]
    changes: np.ndarray | None = None


def events_of(step: RandomStep, inputs: list[mv.Tensor]) -> list[Event]:
    events = []

    def note(primitive: Any, operands: Any, _: Any, output: mv.Tensor) -> None:
        arrays = [x.data for x in operands if isinstance(x, mv.Tensor)]
        events.append(Event(arrays[1:], output.data) if primitive.name == "assign" else Event(arrays))

    with mv.hooked(note), np.errstate(all="ignore"):
        result = step(*inputs)
    return [*events, Event([x.data for x in leaves(result)])]


def kinds_in_memory(seed: int) -> set[str]:
    """Which of the kinds a program contains."""
    step = RandomStep(seed)
    inputs = [mv.tensor(np.ones(shape, "float32")) for shape in INPUTS]
    events = events_of(step, inputs)
    state = [x.data for x in (*step.state, *step.parameters)]
    changes = [n for n, event in enumerate(events) if event.changes is not None and meet([event.changes], state)]
    found = {kind for n in changes for kind in _kinds_alone(events, n, state, [x.data for x in inputs])}
    return found.union(*(_kinds_of_two(events, i, j) for i, j in combinations(changes, 2)))


def _kinds_alone(events: list[Event], n: int, state: list[np.ndarray], inputs: list[np.ndarray]) -> Iterator[str]:
    values, target = events[n]
    after = [x for event in events[n + 1 :] for x in event.reads]
    whole = [x for x in state if meet([x], [target])]
    if not any(same(x, target) for x in whole) and any(x is y for x in whole for y in after):
        yield "assigned through a view and read whole"
    if meet(values, [target]) and not same(values[0], target):
        yield "assigned what overlaps it"
    if meet(values, inputs):
        yield "input's value assigned"
    if any(event.changes is not None and meet(values, [event.changes]) for event in events[n + 1 :]):
        yield "swapped" if meet(values, state) else "value's own array assigned later"


def _kinds_of_two(events: list[Event], i: int, j: int) -> Iterator[str]:
    values, target = events[i]
    if not meet([target], [events[j].changes]):
        return
    yield "assigned again"
    if not same(target, events[j].changes):
        yield "assigned through views that overlap"
    if any(meet(event.reads, [target]) for event in events[i + 1 : j]):
        yield "read between two assignments"
    if not meet(values, [target]) and any(meet(event.reads, values) for event in events[j + 1 :]):
        yield "value read after its target changed again"


def meet(some: list[np.ndarray], others: list[np.ndarray]) -> bool:
    """Whether one of some arrays shares memory with one of the others."""
    return any(np.shares_memory(x, y) for x in some for y in others)


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays are the same elements in the same order."""
    return (a.ctypes.data, a.shape, a.strides) == (b.ctypes.data, b.shape, b.strides)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    programs = (written(seed, nested=True) for seed in range(FIRST, FIRST + 300))
    return ["\n".join([*program.lines, f"return {program.returned}"]) for program in programs]


@pytest.mark.parametrize("kind", IN_THE_TEXT)
def test_programs_contain(kind, texts):
    percent, pattern = IN_THE_TEXT[kind]
    assert sum(bool(re.search(pattern, text)) for text in texts) >= percent / 100 * len(texts)


def test_programs_do_what_is_hard_to_memory():
    counts = Counter(kind for seed in range(FIRST, FIRST + 200) for kind in kinds_in_memory(seed))
    rare = {kind: counts[kind] for kind, percent in IN_MEMORY.items() if counts[kind] < percent / 100 * 200}
    assert not rare


def copied(structure: Any) -> Any:
    """The nest with copies of its tensors."""
    if isinstance(structure, mv.Tensor):
        return mv.Tensor(structure.data.copy())
    if isinstance(structure, dict):
        return {name: copied(part) for name, part in structure.items()}
    if isinstance(structure, Pair):
        return Pair(*map(copied, structure))
    return structure if structure is None else type(structure)(map(copied, structure))


def called(step: Callable, inputs: Any) -> Any:
    """What a step gives for copies of arrays or tensors."""
    return step(*(mv.tensor(np.array(x.data if isinstance(x, mv.Tensor) else x)) for x in inputs))


WRONG = {
    "value": lambda step: lambda *inputs: (called(step, inputs), copied(called(step, inputs)))[1],
    "changed": lambda step: lambda *inputs: called(step, inputs),  # the state itself, not what it was
    "late": lambda step: lambda *inputs: called(step, inputs),
    "structure": lambda step: lambda *inputs: [copied(called(step, inputs))],
    "raised": lambda step: lambda *inputs: called(step, inputs[:2]),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_twin_differs(kind):
    with np.errstate(all="ignore"):
        found = (x.split(":")[0] for seed in range(500) for x in differences(seed, record=WRONG[kind]))
        assert kind in found


def test_a_faithful_twin_does_not_differ():
    """So that what is found is the compiler's: copies of inputs and results are all that it needs."""

    def faithful(step: Callable) -> Callable:
        return lambda *inputs: copied(called(step, inputs))

    with np.errstate(all="ignore"):
        assert not [x for seed in range(FIRST, FIRST + 100) for x in differences(seed, record=faithful)]


def test_results_become_inputs_and_most_calls_are_replayed():
    fed = runs = 0
    for seed in range(FIRST, FIRST + 50):
        twins = Twins(seed)
        for _ in range(4):
            list(twins.call())
        fed, runs = fed + (twins.fed > 0), runs + twins.runs
    assert fed > 30
    assert runs < 100


def test_a_program_is_the_same_in_every_process():
    """So that a seed that is printed can be looked at."""
    assert written(17).lines == written.__wrapped__(17).lines
    assert str(RandomStep(17)).startswith("seed, n, where = 17, 4, 'numpy'\nimport numpy as np\n")


def test_the_smallest_program_that_fails():
    program = written(FIRST, nested=True)
    part = shrunk(program, lambda p: any("assign" in line for line in p.lines))
    assert (len(part.lines), part.returned, part.setup) == (1, "None", ())


def test_numbers_stay_finite():
    """Otherwise all that follows would be alike."""
    step_seeds = range(FIRST, FIRST + 100)
    rng = np.random.default_rng(0)
    for seed in step_seeds:
        step = RandomStep(seed)
        for _ in range(4):
            step.advance()
            step(*(mv.tensor(rng.standard_normal(shape).astype("float32")) for shape in INPUTS))
        assert all(np.isfinite(x.numpy()).all() for x in (*step.state, *step.parameters)), seed


if __name__ == "__main__":
    print(smallest(int(sys.argv[1]), *sys.argv[2:]))
