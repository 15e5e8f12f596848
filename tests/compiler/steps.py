"""Random training steps: straight-line code that computes, views, draws, assigns, differentiates and optimizes.

A program is text. It is written line by line, and each line is run as it is written, on NumPy
arrays, so that only what runs stays; what is chosen depends on shapes and on shared memory alone, so
that the text is right for every input. Three things are never written: an assignment to an input,
a derivative through memory that has changed since, and whatever the step itself refuses.

``str(RandomStep(17))`` is the text of program 17.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

import minivae as mv
from minivae.errors import InputError

N = 4
INPUTS = ((N, N), (N,), ())
NAME = re.compile(r"\b[a-z]\d+\b")  # x inputs, s state, p parameters, r rows, o optimizers, v what a line makes

# ------------------------------------------------------------------ the text

HEADER = """
import numpy as np
import minivae as mv
import minivae.autodiff as ad
from minivae import backend, optim
from tests.compiler.steps import Pair

def values(number, *shape, dtype="float32"):
    return backend.asarray(np.random.default_rng([seed, number]).standard_normal(shape), dtype, where)

noise = backend.generator(seed, where)
""".strip()
SETUP = (
    "shared = values(0, n + 2, n)",
    "s0 = ad.Tensor(shared[:n])",
    "s1 = ad.Tensor(shared[2:])",
    "s2 = ad.Tensor(values(2, n, n))",
    "s3 = ad.Tensor(values(3, n, n).T)",
    "s4 = ad.Tensor(shared[3])",
    "s5 = ad.Tensor(values(5))",
    "s6 = ad.Tensor(values(6, n, dtype='float64'))",
    "s7 = ad.tensor(0, 'float32', where)",
    "p0 = ad.Parameter(values(10, n, n))",
    "p1 = ad.Parameter(values(11, n))",
    "p2 = ad.Parameter(values(12, n, n).T)",
    "r0 = ad.tensor([2, 0, 2, 3], 'int64', where)",
    "r1 = ad.tensor([1, 0, 3, 2], 'int64', where)",  # the one that is assigned
)
OPTIMIZERS = ("Adam({}, 0.05, eps=0.1", "Adamax({}, 0.05, eps=0.1", "Adagrad({}, 0.05, eps=0.1")
OPTIMIZERS += ("SGD({}, 0.05, momentum=0.9", "SGD({}, 0.1")
OPTIONS = (")", ")", ", weight_decay=0.1)", ", max_norm=0.5)")
# The parameters of each optimizer. Where two share some, those of the later lie in one piece in the earlier.
TRAINED = (
    (),
    ("[p0, p1]",),
    ("[p0, p1]", "[p0, p1]"),
    ("[p0, p1]", "[p2]"),
    ("[p0, p1]", "[p1]", "[p2]"),
    ("[p2, p0, p1]", "[p2, p0]", "[p0, p1]"),
)

UNARY = (
    *("ad.tanh({x})", "ad.sin({x})", "ad.sigmoid({x})", "-{x}", "{x} * 0.5", "1 - {x}", "ad.relu({x})"),
    *("ad.identity({x})", "ad.stop_gradient({x})", "ad.sqrt(ad.square({x}) + 1)", "ad.exp(-ad.square({x}))"),
    *("ad.clip({x}, -1.0, 1.0)", "ad.softplus({x}) * 0.5"),
)
BINARY = (
    *("({x} + {y}) * 0.5", "ad.sin({x} * {y})", "{x} - {y} * 0.1", "ad.maximum({x}, {y})"),
    "ad.where({x} > {y}, {x}, -{y})",
)
VIEWS = (
    *("ad.transpose({x})", "{x}[::-1]", "{x}[1:3]", "{x}[1:]", "{x}[0]", "{x}[:, 0]", "{x}[..., ::2]", "{x}.T[:2]"),
    *("ad.reshape({x}, -1)", "ad.reshape({x}, n, -1)", "ad.reshape({x}, 2, -1)", "ad.expand_dims({x}, 0)"),
    "ad.broadcast_to({x}, (n, n))",
)
OTHERS = (
    *("ad.mean({x}, 0)", "ad.mean({x})", "ad.max({x})", "ad.max({x}, 0)", "ad.var({x}, 0)", "ad.logsumexp({x}, 0)"),
    *("ad.tanh({x} @ {y})", "ad.tanh({x} @ p0)", "ad.tanh({x} @ {x})", "ad.softmax({x})"),
    "ad.grad(lambda t: ad.mean(ad.sin(t) * t))({x})",
    *("ad.take({x}, r0)", "ad.take({x}, r1)", "ad.take(ad.stop_gradient({x}), ad.astype({y} > 0, 'int64'))"),
    *("ad.pad({x}[1:2], ((1, 2), (0, 0)))", "ad.pad({x}[1:2], ((1, 2),))"),
    *("ad.concatenate([{x}[2:], {x}[:2]])", "ad.concatenate([{x}, {y}])", "ad.stack([{x}, {y}])"),
    *("ad.astype({x} > 0, 'float32') - {x}", "ad.astype({x}, 'float64')", "ad.astype({x}, 'float32')"),
)
DRAWS = ("ad.standard_normal(noise, {x}.shape)", "ad.uniform(noise, (n, n))", "ad.standard_normal(noise, ())")
SHIFTS = (
    *("ad.assign({x}[1:], {x}[:-1])", "ad.assign({x}[::-1], {x})", "ad.assign({x}, ad.transpose({x}))"),
    *("ad.assign({x}[:2], {x}[1:3])", "ad.assign({x}, {x}[0])", "ad.assign({x}[..., 0], {x}[0])"),
)
CONSTANTS = ("ad.constant_like({x}, 0.5, (n, n))", "ad.constant_like({x}, 0.25)", "ad.constant_like({x}, 0, {x}.shape)")
COUNTS = ("{x} + 1", "{x} * 0.5", "1 - {x}")
COUNTED = ("{x} * 1.0", "{x} * {y}", "{y} / ({x} * {x} + 1)")
FORMS = (
    *("[{0}, {1}, {2}, {3}]", "({0}, {1}, {2}, {3})", "Pair({0}, {1})", "Pair({0}, [{1}, None, ({2}, {3})])"),
    *("{{'a': {0}, 'b': ({1}, {2}), 'c': Pair({3}, {0})}}", "{0}", "({0},)", "[{0}, {0}, {{'a': []}}]", "None"),
)


class Pair(NamedTuple):
    """A structure that programs return."""

    first: Any
    second: Any


@dataclass(frozen=True)
class Program:
    """The text of a step: lines that make its state, its own lines, and the expression that it returns."""

    seed: int
    setup: tuple[str, ...]
    lines: tuple[str, ...]
    returned: str
    size: int = N

    def parts(self, backend: str = "numpy") -> list[str]:
        """All of its text, as Python runs it."""
        head = f"seed, n, where = {self.seed}, {self.size}, {backend!r}"
        step = "\n    ".join(["\ndef step(x0, x1, x2):", *self.lines, f"return {self.returned}"])
        return [head, HEADER, *self.setup, step]

    def run(self, backend: str = "numpy") -> dict[str, Any]:
        """What its text defines."""
        scope: dict[str, Any] = {}
        for part in self.parts(backend):
            exec(_code(part), scope)
        return scope


# ------------------------------------------------------------------ the step


class RandomStep:
    """A step with its own copy of the state; call it, or give it to ``compile``. ``str`` gives its text.

    Args:
        seed: of the program, its values and its noise.
        backend: where its state lives.
        nested: whether it returns all kinds of structures, not a list of four tensors.
        program: another than that of the seed.
        size: of the axes of its arrays.

    Attributes:
        state: tensors that it assigns.
        parameters: tensors that it differentiates by, trains and assigns.
        optimizers: that it applies; they have been advanced once.
        generator: of the noise that it draws.
    """

    def __init__(
        self, seed: int, backend: str = "numpy", nested: bool = False, program: Program | None = None, size: int = N
    ) -> None:
        self.program = program or written(seed, nested, size)
        self.backend = backend
        scope = self.program.run(backend)
        self._step = scope["step"]
        self.state, self.parameters, self.optimizers = (
            [scope[name] for name in _names(scope, kinds)] for kinds in ("sr", "p", "o")
        )
        self.generator = scope["noise"]
        self.advance()

    def __call__(self, *inputs: mv.Tensor) -> Any:
        return self._step(*inputs)

    def __str__(self) -> str:
        return "\n".join(self.program.parts(self.backend))

    def advance(self) -> None:
        """What belongs before each step, outside of it."""
        for optimizer in self.optimizers:
            optimizer.advance()


def _names(scope: dict[str, Any], kinds: str) -> list[str]:
    return [name for name in scope if re.fullmatch(rf"[{kinds}]\d+", name)]


@lru_cache(256)
def _code(text: str) -> Any:
    return compile(text, "<random step>", "exec")


# --------------------------------------------------------------- writing one


@lru_cache(8)
def written(seed: int, nested: bool = False, size: int = N) -> Program:
    """The program of a seed."""
    return _Writer(seed, size).program(nested)


class _Writer:
    """Writes a program while running it.

    Attributes:
        lines: written so far.
        names: of all values that a line may read.
    """

    def __init__(self, seed: int, size: int) -> None:
        self.rng = np.random.default_rng([seed, 1 << 20])
        trained = self._any(TRAINED)
        optimizers = (f"optim.{self._any(OPTIMIZERS)}{self._any(OPTIONS)}".format(names) for names in trained)
        setup = *SETUP, *(f"o{i} = {text}" for i, text in enumerate(optimizers))
        self._blank = Program(seed, setup, (), "None", size)
        self._scope = self._blank.run()
        rng = np.random.default_rng([seed, 1 << 21])
        inputs = (rng.standard_normal([size] * len(shape)).astype("float32") for shape in INPUTS)
        self._scope.update({f"x{i}": mv.tensor(array) for i, array in enumerate(inputs)})
        self.lines: list[str] = []
        self.names = _names(self._scope, "xsp")
        self._first = tuple(self.names)
        self._optimizers = _names(self._scope, "o")
        self._count = 0
        # What a name was computed from, where the engine keeps a graph of it; and whether that has changed since.
        self._graphs = {name: {name} for name in (*self.names, "r0", "r1")}
        self._stale: set[str] = set()

    def program(self, nested: bool) -> Program:
        for _ in range(self.rng.integers(3, 16)):
            self._any(RECIPES)(self)
        names = [self._operand() for _ in range(4)]
        form = self._any(FORMS if nested else FORMS[:1])
        return replace(self._blank, lines=tuple(self.lines), returned=form.format(*names))

    # ---------------------------------------------------------- what to take

    def _any(self, choices: Sequence[Any]) -> Any:
        return choices[int(self.rng.integers(len(choices)))]

    def _chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def _operand(self) -> str:
        """A name: of something recent, of something that was there before the step, or any."""
        kind = self.rng.random()
        return self._any(self.names[-4:] if kind < 0.4 else self._first if kind < 0.7 else self.names)

    def _target(self) -> str:
        return self._any([name for name in self._first if name[0] == "s" or (name[0] == "p" and self._chance(0.3))])

    def _like(self, target: str) -> str | None:
        """Something of the shape of the target, if there is."""
        shape = self._value(target).shape
        fitting = [name for name in self.names if self._value(name).shape == shape and name != target]
        return self._any(fitting[-6:]) if fitting else None

    def _value(self, expression: str) -> mv.Tensor:
        return self._scope[expression] if expression in self._scope else eval(expression, self._scope)

    def _expression(self, templates: Sequence[str], x: str | None = None, y: str | None = None) -> str:
        return self._any(templates).format(x=x or self._operand(), y=y or self._operand())

    # --------------------------------------------------------- what to write

    def make(self, expression: str) -> str | None:
        """The name of the value of an expression; None if it does not run, or is large or empty."""
        if not self._has_rows(expression):
            return None
        try:
            value = self._value(expression)
        except (InputError, IndexError, TypeError):
            return None
        if not 0 < value.size <= 8 * self._blank.size**2 or value.ndim > 3:
            return None
        (name,) = self._named(expression, value)
        self.lines.append(f"{name} = {expression}")
        return name

    def _has_rows(self, expression: str) -> bool:
        """Whether what is taken from has all the rows that may be asked for, whatever their numbers are by then."""
        taken = re.match(r"ad\.take\((?:ad.stop_gradient\()?(\w+)", expression)
        return not taken or self._value(taken[1]).shape[:1] >= (N,)

    def _named(self, expression: str, *values: mv.Tensor) -> list[str]:
        names = [f"v{self._count + i}" for i in range(len(values))]
        self._count += len(values)
        operands = [name for name in NAME.findall(expression) if name in self._graphs]
        for name, value in zip(names, values, strict=True):
            self._scope[name] = value
            self._graphs[name] = {name}.union(*(self._graphs[x] for x in operands)) if value.requires_grad else {name}
            if value.requires_grad and self._stale.intersection(operands):
                self._stale.add(name)
        self.names += names
        return names

    def one(self, *templates: Sequence[str]) -> str | None:
        """A value by one of some templates, of one of some tuples of them."""
        tries = (self.make(self._expression(self._any(templates))) for _ in range(8))
        return next((name for name in tries if name), None)

    def assign(self, target: str, value: str | None, named: float = 0.4) -> None:
        """A line that assigns, and often a name for what it gives; nothing if that may not be."""
        if value is not None and self._may_change(target):
            self._assign(f"ad.assign({target}, {value})", named)

    def _assign(self, expression: str, named: float) -> None:
        try:
            result = self._value(expression)
        except (InputError, IndexError):
            return
        if self._chance(named):
            expression = f"{self._named('', result)[0]} = {expression}"
        self.lines.append(expression)
        self._changed(result.data)

    def _may_change(self, target: str) -> bool:
        """Whether no input lies in the target's memory, and no two of its elements in one place."""
        try:
            array = self._value(target).data
        except (InputError, IndexError):
            return False
        alone = all(n == 1 or stride for n, stride in zip(array.shape, array.strides, strict=True))
        return alone and not any(np.shares_memory(array, self._scope[x].data) for x in ("x0", "x1", "x2"))

    def _changed(self, array: Any) -> None:
        """Note what cannot be differentiated any more."""
        changed = {name for name in self._graphs if np.shares_memory(self._scope[name].data, array)}
        self._stale |= {name for name, graph in self._graphs.items() if name[0] == "v" and graph & changed}

    # ---------------------------------------------------------------- recipes

    def compute(self) -> None:
        for _ in range(self.rng.integers(1, 4)):
            self.one(UNARY, BINARY)

    def view(self) -> None:
        self.one(VIEWS)

    def move(self) -> None:
        self.one(OTHERS)

    def draw(self) -> None:
        name = self.one(DRAWS)
        if self._chance(0.5):
            self.assign(self._any([self._target(), name]), name or self._operand())

    def constant(self) -> None:
        name = self.one(CONSTANTS)
        if name and self._chance(0.6):
            self.assign(name, self._like(name))

    def assign_any(self) -> None:
        target = self._target() if self._chance(0.6) else self._operand()
        self.assign(target, self._operand() if self._chance(0.4) else self._like(target))

    def assign_again(self) -> None:
        """One target assigned twice, read in between; what is read is at hand later."""
        target = self._target()
        for _ in range(2):
            value = self.make(self._expression((*UNARY, *BINARY), self._like(target)))
            self.assign(target, value)
            self.make(self._expression((*UNARY, *BINARY, *VIEWS, *OTHERS), target))

    def assign_ready(self) -> None:
        """Two values computed first, then assigned one after the other."""
        target = self._target()
        made = [self.make(self._expression(UNARY, x)) for x in (self._like(target), target)]
        self.assign(target, made[0], named=0.2)
        self.make(self._expression((*UNARY, *OTHERS), target))
        self.assign(target, made[1], named=0.2)

    def undercut(self) -> None:
        """A value is assigned, and then its own array changes."""
        target = self._target()
        value = self.make(self._expression((*UNARY, *BINARY), self._like(target), target))
        self.assign(target, value)
        if value:
            self.assign(value, self._like(value))

    def swap(self) -> None:
        a = self._target()
        b = self._like(a)
        if b is None or not self._may_change(b):
            return
        before = self.make(self._any(("{} * 1.0", "{} + 0.0", "ad.tanh({})")).format(a))
        self.assign(a, b)
        self.assign(b, before)

    def through_view(self) -> None:
        """A view of a target is assigned, maybe another that overlaps it, and the whole is read."""
        target = self._target() if self._chance(0.7) else self._operand()
        for _ in range(self.rng.integers(1, 3)):
            view = self._expression(VIEWS, target)
            if self._chance(0.6):
                view = self.make(view)
            if view is not None and self._runs(view):
                self.assign(view, self._like(view) if self._chance(0.7) else self._operand())
            self.make(self._expression(UNARY, target))

    def _runs(self, expression: str) -> bool:
        with suppress(InputError, IndexError):
            return bool(self._value(expression).size)
        return False

    def shift(self) -> None:
        """A part of a target is assigned another, that may overlap it."""
        target = self._target() if self._chance(0.7) else self._operand()
        if self._may_change(target):
            self._assign(self._expression(SHIFTS, target), 0.4)
            self.make(self._expression(UNARY, target))

    def count(self) -> None:
        number = self._any(("s5", "s7"))
        for _ in range(self.rng.integers(1, 3)):
            self.assign(number, self._expression(COUNTS, number))
            if self._chance(0.6):
                self.make(self._expression(COUNTED, number))

    def running_mean(self) -> None:
        target = self._target()
        value = self._like(target)
        if value:
            self.assign(target, f"{target} * 0.9 + {value} * 0.1")
            self.make(f"ad.mean(ad.square(ad.tanh({target}) - ad.tanh({self._operand()})))")

    def project(self) -> None:
        target = self._any(("p0", "p1", "p2", "s2"))
        clipped = self.make(f"ad.clip({target}, -0.5, 0.5)")
        self.make(f"ad.absolute({target} - {clipped})")
        self.assign(target, clipped)

    def rows(self) -> None:
        self.assign("r1", self._any(("ad.take(r0, r1)", "ad.take(r1, r0)", "ad.astype(x1[:4] > 0, 'int64')", "r0")), 0)
        self.make(f"ad.take({self._operand()}, r1)")

    def differentiate(self, wanted: Sequence[str] | None = None) -> list[str]:
        """The names of the gradients of a loss by parameters; empty if nothing is at hand to differentiate."""
        wanted = wanted or self._any((("p0",), ("p0", "p1"), ("p2",), ("p1", "p2")))
        fresh = [v for v in self.names if self._value(v).requires_grad and v not in self._stale]
        x = self._any(fresh[-3:] if self._chance(0.5) else fresh)
        inner = self._expression(BINARY, x, wanted[0]) if self._chance(0.7) else x
        loss = self.make(f"ad.mean(ad.square(ad.tanh({inner})))")
        if loss is None or loss in self._stale or not self._value(loss).requires_grad:
            return []
        kept = self._chance(0.3)
        expression = f"ad.backward({loss}, [{', '.join(wanted)}]{', retain_graph=True' if kept else ''})"
        try:
            gradients = self._value(expression)
        except InputError:
            return []
        if not kept:
            self._stale |= {name for name in self._graphs[loss] if name[0] == "v"}
        names = self._named("", *gradients)
        self.lines.append(f"[{', '.join(names)}] = {expression}")
        return names

    def descend(self) -> None:
        """One or two steps of gradient descent, by assignment, maybe with a running mean of the weights."""
        p = self._any(("p0", "p1", "p2"))
        for _ in range(self.rng.integers(1, 3)):
            for gradient in self.differentiate((p,)):
                self.assign(p, f"{p} - {gradient} * 0.1")
                if self._chance(0.4):
                    mean = {"p0": "s2", "p1": "s6", "p2": "s3"}[p]
                    self.assign(mean, f"{mean} * 0.9 + {p} * 0.1")

    def train(self) -> None:
        """Optimizers are applied: to gradients, to the same again, or to whatever has their shapes."""
        if not self._optimizers:
            return self.descend()
        for _ in range(self.rng.integers(1, 3)):
            optimizer = self._any(self._optimizers)
            wanted = self._names_of(optimizer)
            gradients = self.differentiate(wanted)
            if self._chance(0.2):
                gradients = [self._like(p) or p for p in wanted]
            if gradients:
                self._apply(optimizer, gradients)
                twins = [o for o in self._optimizers if self._names_of(o) == wanted]
                if self._chance(0.3):
                    self._apply(self._any(twins), gradients)

    def _names_of(self, optimizer: str) -> list[str]:
        trained = self._scope[optimizer].parameters
        return [next(name for name in self._first if self._scope[name] is p) for p in trained]

    def _apply(self, optimizer: str, gradients: Sequence[str]) -> None:
        self.lines.append(f"{optimizer}.apply([{', '.join(gradients)}])")
        for p in self._scope[optimizer].parameters:
            self._changed(p.data)


RECIPES = (
    *[_Writer.compute] * 5,
    *[_Writer.view] * 2,
    *[_Writer.move] * 3,
    *[_Writer.assign_any] * 2,
    *[_Writer.assign_again] * 2,
    *[_Writer.through_view] * 2,
    *[_Writer.train] * 4,
    *(_Writer.assign_ready, _Writer.undercut, _Writer.swap, _Writer.draw, _Writer.constant, _Writer.count),
    *(_Writer.running_mean, _Writer.project, _Writer.shift, _Writer.rows, _Writer.differentiate, _Writer.descend),
)


# ---------------------------------------------------------- making one smaller


def shrunk(program: Program, fails: Callable[[Program], bool]) -> Program:
    """A smallest program that still fails: without any one line of it, or with less returned, it does not.

    ``fails`` must be False for a text that does not run.
    """
    smaller: Program | None = program
    while smaller is not None:
        program = smaller
        smaller = next((candidate for candidate in _smaller(program) if fails(candidate)), None)
    return program


def _smaller(program: Program) -> Iterator[Program]:
    """Less returned; fewer lines, many at once first; fewer optimizers and states."""
    names = dict.fromkeys(NAME.findall(program.returned))
    if program.returned != "None":
        yield replace(program, returned="None")
    for returned in names:
        if len(returned) < len(program.returned):
            yield replace(program, returned=returned)
    for part in ("lines", "setup"):
        lines = getattr(program, part)
        for count in (8, 4, 2, 1):
            for end in range(len(lines), count - 1, -1):
                yield replace(program, **{part: lines[: end - count] + lines[end:]})
    if not any("backward" in line for line in program.lines):  # else it might go through memory that has changed
        for name, expression in (line.split(" = ", 1) for line in program.lines if re.match(r"v\d+ = ", line)):
            for operand in dict.fromkeys(NAME.findall(expression)):
                if operand != name and operand[0] != "x":
                    yield _without(program, name, operand)


def _without(program: Program, name: str, operand: str) -> Program:
    """The program with another name in the place of the value of a line."""
    lines = (re.sub(rf"\b{name}\b", operand, line) for line in program.lines if not line.startswith(f"{name} = "))
    return replace(program, lines=tuple(lines), returned=re.sub(rf"\b{name}\b", operand, program.returned))
