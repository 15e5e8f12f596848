"""The primitives with an effect beside their result: draws, which move a generator on, and ``assign``, which writes.

A recorded step repeats both each time it is replayed: noise is drawn anew, arrays are written in their order.

Which memory has been assigned to is kept, so that ``backward`` notices what a derivative rule would read too late.
PyTorch counts the versions of each tensor. Here an optimizer writes one vector of which all its parameters are
views, so what counts is memory: assignments are numbered, and of each stretch of memory the last one is kept. A
node of the tape holds how many there had been when it was made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from typing import Any
from weakref import finalize

from .. import backend
from ..checks import instance, lengths
from ..errors import InputError
from .messages import READ_IN_TRANSFORM, overwritten
from .primitives import Primitive, operation
from .tape import apply, assignments, primitive
from .tensor import Tensor, is_traced

# ------------------------------------------------------------------------- draws

_AT_ONCE = nullcontext()


def _draws_of(name: str) -> Callable:
    def value(xp: Any, generator: backend.Generator, shape: Sequence[int], dtype: Any, out: Any = None) -> Any:
        with backend.no_direct_draws(False) if backend.refuses_direct_draws() else _AT_ONCE:
            made = getattr(generator, name)(shape, dtype, out)
        if made is not out and (made.shape != shape or made.dtype != dtype):  # of a generator of the user's own
            raise InputError(
                f"generator drew {made.dtype} of shape {made.shape}; expected {dtype} of shape {tuple(shape)}"
            )
        return made

    return value


_standard_normal = primitive("standard_normal", "draws from N(0, 1)", _draws_of("standard_normal"), kind="draw")
_uniform = primitive("uniform", "draws from the uniform distribution on [0, 1)", _draws_of("uniform"), kind="draw")


@operation
def standard_normal(generator: backend.Generator, shape: Sequence[int], dtype: Any = None) -> Tensor:
    """Draws from N(0, 1): the noise epsilon of section 2.4."""
    return _draw(_standard_normal, generator, shape, dtype)


@operation
def uniform(generator: backend.Generator, shape: Sequence[int], dtype: Any = None) -> Tensor:
    """Draws from the uniform distribution on [0, 1)."""
    return _draw(_uniform, generator, shape, dtype)


def _draw(row: Primitive, generator: backend.Generator, shape: Sequence[int], dtype: Any) -> Tensor:
    backend.require_generator("generator", generator)
    return apply(row, generator=generator, shape=lengths("shape", shape), dtype=backend.float_dtype(dtype))


# -------------------------------------------------------------------- assignment


def _assign_value(xp: Any, target: Any, value: Any, out: Any = None) -> Any:
    target[...] = value
    note_assigned(target)
    return target


_assign = primitive(
    "assign", "the value, written into the target's array", _assign_value, kind="assignment", differentiable=False
)


def assign(target: Tensor, value: Any) -> Tensor:
    """Write ``value`` into the array of ``target`` and return the new contents.

    No gradient flows through an assignment. What was computed from the old contents
    cannot be differentiated any more where that needs them: so assign after the
    backward sweep, which refuses otherwise.

    Raises:
        InputError: shapes or backends differ; or ``value`` is being differentiated
            (by ``grad``, ``vjp``, ...) and not detached.
    """
    instance("target", target, Tensor, "a Tensor")
    if isinstance(value, Tensor) and is_traced(value):
        raise InputError(READ_IN_TRANSFORM)
    return apply(_assign, target, value)


# ----------------------------------------------------- which memory was assigned to


class _Stretch:
    """The number of the last assignment to a stretch of memory."""

    __slots__ = ("last",)

    def __init__(self) -> None:
        self.last = 0


_stretches: dict[int, _Stretch] = {}  # by the id of an array that was assigned to
_inside: dict[int, dict[tuple[int, int], _Stretch]] = {}  # by the id of the array that owns the memory, and addresses


def note_assigned(array: Any) -> None:
    """Note that the memory of ``array`` has been written."""
    stretch = _stretches.get(id(array)) or _stretch_of(array)
    assignments.count = stretch.last = assignments.count + 1


def stretches_of(arrays: Iterable[Any]) -> list[_Stretch]:
    """The stretches of memory that arrays are, each once: to be noted together, again and again."""
    return list({id(s): s for s in map(_stretch_of, arrays)}.values())


def note_stretches(stretches: Sequence[_Stretch]) -> None:
    """Note that stretches of memory have been written, as a replayed step does."""
    assignments.count += 1
    for stretch in stretches:
        stretch.last = assignments.count


def assigned_since(array: Any, count: int) -> bool:
    """Whether memory of ``array`` was assigned to after the first ``count`` assignments."""
    stretches = _inside.get(id(_owner(array)))
    if not stretches:
        return False
    start, stop = backend.backend_of(array).bounds(array)
    return any(s.last > count and a < stop and start < b for (a, b), s in list(stretches.items()))


def _stretch_of(array: Any) -> _Stretch:
    owner = _owner(array)
    if id(owner) not in _inside:
        _inside[id(owner)] = {}
        finalize(owner, _inside.pop, id(owner), None)
    bounds = backend.backend_of(array).bounds(array)
    stretch = _inside[id(owner)].setdefault(bounds, _Stretch())
    if id(array) not in _stretches:
        _stretches[id(array)] = stretch
        finalize(array, _stretches.pop, id(array), None)
    return stretch


def _owner(array: Any) -> Any:
    """The array whose memory this is a view of; the array itself if it owns it or its backend does not tell."""
    while backend.is_array(base := getattr(array, "base", None)):
        array = base
    return array


# ------------------------------------------------------------------- in the sweep


class Overwritten(Tensor):
    """Stands before a derivative rule for a tensor whose values are gone: the rule may ask for its shape."""

    __slots__ = ("_refusal", "_tensor")

    shape = property(lambda self: self._tensor.shape)
    dtype = property(lambda self: self._tensor.dtype)
    ndim = property(lambda self: self._tensor.ndim)
    size = property(lambda self: self._tensor.size)

    def __init__(self, tensor: Tensor, refusal: str) -> None:
        self._tensor, self._refusal = tensor, refusal
        self.requires_grad, self.node = tensor.requires_grad, tensor.node

    @property
    def data(self) -> Any:
        """Refused."""
        raise InputError(self._refusal)

    _data = data


def unless_overwritten(
    result: Tensor, primitive: Primitive, inputs: Sequence[Any], attributes: dict[str, Any], count: int
) -> list[Any]:
    """The result of an operation and its inputs, with stand-ins for those assigned to since the assignment ``count``.

    Raises:
        InputError: an array among the attributes (an index) was assigned to.
    """
    for name, value in attributes.items():
        for part in value if isinstance(value, tuple) else (value,):
            if backend.is_array(part) and assigned_since(part, count):
                raise InputError(overwritten(primitive, name, part))
    return [
        Overwritten(x, overwritten(primitive, i, x)) if isinstance(x, Tensor) and assigned_since(x._data, count) else x
        for i, x in enumerate((result, *inputs), -1)
    ]
