"""Kernels as compiled loops: with Numba, neighbouring arithmetic passes over memory once.

The same operations that :mod:`.replay_numpy` runs one by one are written out as the body
of one loop, in Python, and compiled. Exponentials and the like stay calls of NumPy, whose
vector code is faster than the scalar ones that Numba would call; between them the values
of a block stay in the cache. Without reordering or contraction of the arithmetic, so
results have the bits of NumPy's.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from itertools import groupby
from typing import Any

import numpy as np

from .. import backend
from ..optional import import_optional
from . import numpy as blocks
from .fuse import Kernel, Result
from .memory import Arena
from .numpy import Prepared, call_of, prepare_blocks

logger = logging.getLogger("minivae")
# What each function is in a loop. Comparisons with | and not with or, which would branch.
EXPRESSIONS = {
    "add": "({} + {})",
    "subtract": "({} - {})",
    "multiply": "({} * {})",
    "divide": "({} / {})",
    "negative": "(-{})",
    "square": "({0} * {0})",
    "sqrt": "np.sqrt({})",
    "absolute": "abs({})",
    "maximum": "({0} if ({0} > {1}) | ({0} != {0}) else {1})",
    "minimum": "({0} if ({0} < {1}) | ({0} != {0}) else {1})",
    "where": "({1} if {0} else {2})",
    "greater": "({} > {})",
    "greater_equal": "({} >= {})",
    "isnan": "({0} != {0})",
    "isfinite": "({0} - {0} == {0} - {0})",
    "floor": "np.floor({})",
    "ceil": "np.ceil({})",
    "rint": "np.rint({})",
    "less": "({} < {})",
    "less_equal": "({} <= {})",
    "equal": "({} == {})",
    "not_equal": "({} != {})",
}
# Compiling takes as long as some ten thousand passes over smaller arrays.
LEAST_SIZE = 1 << 14
LEAST_OPERATIONS = 2
MOST_OPERATIONS = 150  # of a kernel: each takes some 14 ms to compile, and a long chain gains least


_said: list[str] = []  # why Numba, or its cache, is not used: each is said once


def is_installed() -> bool:
    """Whether Numba is there: ``pip install 'minivae[fast]'``. Importing it takes long: :func:`usable` does."""
    return importlib.util.find_spec("numba") is not None


@cache
def usable() -> bool:
    """Whether Numba can be imported; where it is there and cannot be, that is said once, and NumPy does its work."""
    try:
        import_optional("numba", "njit", "typeof")
    except ImportError as error:
        _say(f"Numba cannot be used ({error}); NumPy does its work, slower")
        return False
    return True


def _say(text: str) -> None:
    if text not in _said:
        _said.append(text)
        logger.warning("%s", text)


def pays(kernel: Kernel) -> bool:
    """Whether the kernel is large enough, and arithmetic enough, to be worth compiling."""
    if backend.backend_of(kernel.calls[0].output).xp is not np or math.prod(kernel.shape) < LEAST_SIZE:
        return False
    if len(kernel.operations) > MOST_OPERATIONS:
        return False
    runs = groupby(range(len(kernel.operations)), partial(_in_loop, kernel))
    return any(inside and len(list(run)) >= LEAST_OPERATIONS for inside, run in runs)


def prepare(kernel: Kernel, arena: Arena) -> list[Callable[[], Any]]:
    """The calls that run the kernel once: compiled loops, and NumPy's functions between them.

    NumPy's alone where Numba cannot be used, or cannot compile them: the numbers are the same.
    """
    try:
        return _calls_of(kernel, arena) if usable() else blocks.prepare(kernel, arena)
    except _NumbaError as error:
        _say(f"Numba cannot compile ({error}); NumPy does its work, slower")
        return blocks.prepare(kernel, arena)


class _NumbaError(Exception):
    """Numba failed where it compiles what is right."""


def _calls_of(kernel: Kernel, arena: Arena) -> list[Callable[[], Any]]:
    alone = all(_in_loop(kernel, n) for n in range(len(kernel.operations)))
    size = None if alone else backend.backend_of(kernel.calls[0].output).cache_block
    return [call for block in prepare_blocks(kernel, arena, size) for call in _calls(kernel, block)]


def _calls(kernel: Kernel, block: Sequence[Prepared]) -> Iterator[Callable[[], Any]]:
    for inside, run in groupby(block, lambda prepared: _in_loop(kernel, prepared.number)):
        if inside and block[0].place.size > 1:
            yield _Loop(kernel, list(run)).call()
            continue
        for n, operands, place in run:
            yield call_of(np, kernel.operations[n].function, operands, place)


def _in_loop(kernel: Kernel, number: int) -> bool:
    """Whether an operation is arithmetic on one floating-point dtype, as NumPy would do it."""
    function, operands, dtype, _ = kernel.operations[number]
    dtypes = [_dtype(kernel, operand) for operand in operands]
    if function == "cast":
        return dtype.kind == "f" and dtypes[0] is not None and dtypes[0].kind in "biuf"
    if function == "where":
        condition, *dtypes = dtypes
        if condition != np.bool_:
            return False
    known = {d for d in dtypes if d is not None}
    floating = all(d.kind == "f" for d in known)
    return function in EXPRESSIONS and floating and len(known) == 1 and dtype in {*known, np.dtype(bool)}


def _dtype(kernel: Kernel, operand: Any) -> np.dtype | None:
    """The dtype of an operand; None of a number, which takes that of the others."""
    if isinstance(operand, float | int):
        return None
    return (kernel.operations if isinstance(operand, Result) else kernel.loads)[operand.number].dtype


class _Loop:
    """Consecutive operations of a block as one function."""

    def __init__(self, kernel: Kernel, run: Sequence[Prepared]) -> None:
        self._kernel = kernel
        self._numbers = {prepared.number for prepared in run}
        self._block = run[0].place.shape
        self._names: dict[tuple, str] = {}
        self._arrays: list[Any] = []  # the arguments
        self._lines = [line for prepared in run for line in self._lines_of(prepared)]  # for each element

    def call(self) -> Callable[[], Any]:
        """The compiled function with its arguments."""
        shape = tuple(n for n in self._block if n != 1)
        if all(a.shape in ((), shape) and a.flags.c_contiguous for a in self._arrays):
            self._arrays = [a.reshape(-1) if a.ndim else a for a in self._arrays]
            shape = (math.prod(shape),)
        return partial(_ready(self._source(shape), self._arrays), *self._arrays)

    def _source(self, shape: tuple[int, ...]) -> str:
        """The text of the function. Arrays of any length will do, so that one text serves many."""
        whole = next(n for n, a in enumerate(self._arrays) if a.shape == shape)
        head = [f"def loop({', '.join(f'x{n}' for n in range(len(self._arrays)))}):"]
        head += [f"    s{n} = x{n}[()]" for n, a in enumerate(self._arrays) if not a.ndim]
        head += [f"{'    ' * (k + 1)}for i{k} in range(x{whole}.shape[{k}]):" for k in range(len(shape))]
        elements = {f"x{n}": _element(n, a, len(shape)) for n, a in enumerate(self._arrays)}
        indent = "    " * (len(shape) + 1)
        return "\n".join([*head, *(indent + line.format_map(elements) for line in self._lines)])

    def _lines_of(self, prepared: Prepared) -> Iterator[str]:
        function, operands, dtype, store = self._kernel.operations[prepared.number]
        known = [_dtype(self._kernel, o) for o in operands[function == "where" :]]
        beside = next((d for d in known if d is not None), dtype)
        given = [self._operand(o, x, beside) for o, x in zip(operands, prepared.operands, strict=True)]
        value = f"np.{dtype}({given[0]})" if function == "cast" else EXPRESSIONS[function].format(*given)
        yield f"t{prepared.number} = {value}"
        if store is not None or self._is_read_after(prepared.number):
            yield f"{self._argument(prepared.place)} = t{prepared.number}"

    def _operand(self, operand: Any, array: Any, dtype: np.dtype) -> str:
        if isinstance(operand, float | int):
            return f"np.{dtype}({float(operand)!r})"
        if isinstance(operand, Result) and operand.number in self._numbers:
            return f"t{operand.number}"
        return self._argument(array)

    def _is_read_after(self, number: int) -> bool:
        others = (o for n, o in enumerate(self._kernel.operations) if n not in self._numbers)
        return any(Result(number) in other.operands for other in others)

    def _argument(self, array: Any) -> str:
        """A placeholder for the element of an array. One that is read and written is one argument."""
        # A constant without axes may be a NumPy scalar, which has no address of its own.
        scalar = isinstance(array, np.generic)
        key = (id(array),) if scalar else (array.__array_interface__["data"][0], array.shape, array.strides)
        if key not in self._names:
            self._names[key] = f"{{x{len(self._arrays)}}}"
            own = self._block[len(self._block) - array.ndim :]
            shape = [n for n, whole in zip(array.shape, own, strict=True) if whole != 1] if array.size > 1 else ()
            self._arrays.append(np.reshape(array, shape) if not scalar else np.asarray(array))
        return self._names[key]


def _element(n: int, array: Any, axes: int) -> str:
    """The element of argument ``n``, which is broadcast to so many axes."""
    first = axes - array.ndim
    index = ", ".join("0" if length == 1 else f"i{first + k}" for k, length in enumerate(array.shape))
    return f"x{n}[{index}]" if index else f"s{n}"


def _ready(source: str, arrays: Sequence[Any]) -> Callable:
    """The function of that text, compiled for such arguments: now, so that what fails does not fail in a step.

    Machine code is kept in Numba's cache; where that cannot be read or written (damaged, full, not allowed), without.
    """
    import numba

    types = tuple(map(numba.typeof, arrays))
    try:
        loop = _compiled(source, True)
        loop.compile(types)
    except Exception as error:
        try:
            loop = _compiled(source, False)
            loop.compile(types)
        except Exception as without:
            raise _NumbaError(_in_short(without)) from without
        _say(f"Numba's cache cannot be used ({_in_short(error)}); loops are compiled in each process anew")
    return loop


def _in_short(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split()):.200}"


@cache
def _compiled(source: str, cached: bool) -> Any:
    """The function of that text, to be compiled on this machine and Python; kept in Numba's cache, or not."""
    import numba

    # Numba keeps its machine code by the name of the function and the file that it is in.
    name = f"loop_{hashlib.sha256(source.encode()).hexdigest()[:16]}"
    namespace = {"np": np, "inf": np.inf, "nan": np.nan, "__name__": __name__}
    code = compile(source.replace("def loop(", f"def {name}(", 1), __file__, "exec")
    exec(code, namespace)  # the text is ours: names, operators and numbers
    return numba.njit(namespace[name], error_model="numpy", cache=cached)
