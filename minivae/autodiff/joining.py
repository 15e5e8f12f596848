"""Operations that put tensors together, and cut, pad and repeat them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, islice, pairwise
from numbers import Integral, Real
from operator import index as index_of
from typing import Any

import numpy as np

from ..checks import MOST_AXES, MOST_ITEMS, axes_in_order, axis_of, integer_from_zero, one_of
from ..errors import InputError, shown
from .indexing import getitem, scatter
from .primitives import operation
from .shape import as_tensors, broadcast_to, expand_dims, flatten, reshape
from .tape import apply, as_tensor, constant_like, primitive
from .tensor import Axis, Tensor

# ----------------------------------------------------------------- joining


def _concatenate_rule(g: Tensor, y: Tensor, *inputs: Tensor, axis: int) -> Callable[[int], Tensor]:
    ends = list(accumulate((x.shape[axis] for x in inputs), initial=0))
    return lambda i: _slice(g, axis, slice(ends[i], ends[i + 1]))


_concatenate = primitive(
    "concatenate",
    "the inputs one after the other along an axis",
    lambda xp, *arrays, axis, out=None: xp.concatenate(arrays, axis=axis, out=out),
    each=_concatenate_rule,
    kind="join",
)


@operation
def concatenate(inputs: Sequence[Any], axis: int = 0) -> Tensor:
    """The inputs joined along an existing axis."""
    inputs = as_tensors(_several(inputs))
    axis = axis_of(axis, inputs[0].ndim)
    return apply(_concatenate, *inputs, axis=axis)


@operation
def stack(inputs: Sequence[Any], axis: int = 0) -> Tensor:
    """The inputs, all of one shape, joined along a new axis."""
    return concatenate([expand_dims(x, axis) for x in as_tensors(_several(inputs))], axis)


def _several(inputs: Any) -> Sequence[Any]:
    if not isinstance(inputs, list | tuple):
        raise InputError(f"inputs is {shown(inputs)}; expected a list of tensors to join")
    if not inputs:
        raise InputError("inputs is empty, []; expected at least one tensor to join")
    return inputs


# ----------------------------------------------------------------- cutting


@operation
def split(x: Any, sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """``x`` cut along ``axis`` into equal parts (an integer) or at given positions."""
    x = as_tensor(x)
    axis = axis_of(axis, x.ndim)
    length = x.shape[axis]
    given: Any = sections
    if isinstance(given, Integral):
        count = int(given)
        if count < 1 or length % count:
            raise InputError(f"sections is {shown(sections)}; expected a divisor of the axis length {length}")
        given = [i * (length // count) for i in range(1, count)]
    try:
        cuts = [0, *map(index_of, islice(given, MOST_ITEMS + 1)), length]
    except Exception:
        cuts = [-1]
    if cuts != sorted(cuts) or cuts[0] < 0 or len(cuts) > MOST_ITEMS + 2:
        raise InputError(f"sections is {shown(sections)}; expected a number of parts, or positions from 0 to {length}")
    return [_slice(x, axis, slice(a, b)) for a, b in pairwise(cuts)]


def _slice(x: Tensor, axis: int, part: slice) -> Tensor:
    return getitem(x, (slice(None),) * axis + (part,))


@operation
def roll(x: Any, shift: int | Sequence[int], axis: Axis = None) -> Tensor:
    """``x`` moved on by ``shift`` places along ``axis``, what falls off the end coming first.

    By default over all elements in a row; with several axes, each has its own shift, or all the same.
    """
    x = as_tensor(x)
    if axis is None:
        return reshape(roll(flatten(x), shift, 0), x.shape)
    axes = axes_in_order(axis, x.ndim)
    try:
        several = isinstance(shift, Sequence)
        shifts = list(map(index_of, islice(shift, MOST_AXES + 1))) if several else [index_of(shift)] * len(axes)
    except Exception:
        shifts = []
    if len(shifts) != len(axes):
        raise InputError(f"shift is {shown(shift)}; expected an integer, or one for each of the axes {axes}")
    for a, n in zip(axes, shifts, strict=True):
        cut = -n % x.shape[a] if x.shape[a] else 0
        if cut:
            x = concatenate([_slice(x, a, slice(cut, None)), _slice(x, a, slice(0, cut))], a)
    return x


# --------------------------------------------------------------- repeating


@operation
def repeat(x: Any, repeats: int, axis: int | None = None) -> Tensor:
    """Each element of ``x`` so many times along ``axis``; by default of all elements in a row."""
    repeats = integer_from_zero("repeats", repeats)
    x = as_tensor(x)
    x, axis = (flatten(x), 0) if axis is None else (x, axis_of(axis, x.ndim))
    before, after = x.shape[: axis + 1], x.shape[axis + 1 :]
    copies = broadcast_to(expand_dims(x, axis + 1), (*before, repeats, *after))
    return reshape(copies, (*before[:-1], before[-1] * repeats, *after))


@operation
def tile(x: Any, reps: int | Sequence[int]) -> Tensor:
    """``x`` laid side by side, ``reps`` times along each axis; of fewer numbers the last axes are meant."""
    x = as_tensor(x)
    given = islice(reps, MOST_AXES) if isinstance(reps, Sequence) else (reps,)
    counts = [integer_from_zero("reps", n) for n in given]
    ndim = max(len(counts), x.ndim)
    counts, shape = [1] * (ndim - len(counts)) + counts, (1,) * (ndim - x.ndim) + x.shape
    copies = broadcast_to(
        reshape(x, [k for n in shape for k in (1, n)]),
        [k for pair in zip(counts, shape, strict=True) for k in pair],
    )
    return reshape(copies, [count * n for count, n in zip(counts, shape, strict=True)])


# ----------------------------------------------------------------- padding

MODES = ("constant", "edge", "reflect", "symmetric", "wrap")


@operation
def pad(x: Any, widths: Any, value: float = 0.0, mode: str = "constant") -> Tensor:
    """``x`` with more elements before and after it along its axes.

    Args:
        x: a tensor.
        widths: how many: ``(before, after)`` for each axis, or for all; one number for both ends of
            all axes; or a dict from axes to pairs or numbers.
        value: what they are, where ``mode`` is "constant".
        mode: "constant"; or what NumPy's ``pad`` means by "edge" (the last element), "reflect" (as in
            a mirror on the last element), "symmetric" (a mirror behind it) or "wrap" (from the other end).

    Raises:
        InputError: the widths are no such numbers, ``value`` is no number, or there is nothing to repeat.
    """
    x = as_tensor(x)
    pairs, mode = _width_pairs(widths, x.ndim), one_of("mode", mode, MODES)
    if not _holds(x, value):
        raise InputError(f"value is {shown(value)}; expected a number that {x.dtype} holds")
    if mode == "constant" and value == 0:
        index = tuple(slice(before, before + n) for n, (before, _) in zip(x.shape, pairs, strict=True))
        return scatter(x, index, [before + n + after for n, (before, after) in zip(x.shape, pairs, strict=True)])
    for axis, widths in enumerate(pairs):
        if any(widths):
            same = mode == "constant"
            before, after = _constants(x, axis, widths, value) if same else _repeats(x, axis, widths, mode)
            x = concatenate([*before, x, *after], axis)
    return x


def _constants(x: Tensor, axis: int, widths: Sequence[int], value: float) -> list[list[Tensor]]:
    return [[constant_like(x, float(value), (*x.shape[:axis], n, *x.shape[axis + 1 :]))] for n in widths]


def _repeats(x: Tensor, axis: int, widths: tuple[int, int], mode: str) -> list[list[Tensor]]:
    """What comes before ``x`` and after it along an axis: pieces of ``x``, some of them backwards."""
    if not x.shape[axis]:
        raise InputError(f"x has shape {x.shape}; expected elements along axis {axis} to repeat")
    positions = np.pad(np.arange(x.shape[axis]), widths, mode).tolist()  # type: ignore[call-overload]  (a known mode)
    sides = positions[: widths[0]], positions[len(positions) - widths[1] :]
    return [[_run(x, axis, run) for run in _runs(side)] for side in sides]


def _runs(positions: Sequence[int]) -> list[list[int]]:
    """The positions cut into runs that go up by 1, down by 1, or stay."""
    runs: list[list[int]] = []
    for i in positions:
        run = runs[-1] if runs else []
        if run and abs(i - run[-1]) <= 1 and (len(run) == 1 or i - run[-1] == run[1] - run[0]):
            run.append(i)
        else:
            runs.append([i])
    return runs


def _run(x: Tensor, axis: int, run: list[int]) -> Tensor:
    first, step = run[0], (run[-1] > run[0]) - (run[-1] < run[0])
    if step == 0:
        one = _slice(x, axis, slice(first, first + 1))
        return broadcast_to(one, (*x.shape[:axis], len(run), *x.shape[axis + 1 :]))
    end = run[-1] + step
    return _slice(x, axis, slice(first, end if end >= 0 else None, step))


def _width_pairs(widths: Any, ndim: int) -> list[tuple[int, int]]:
    """``(before, after)`` for each axis, from any form of :func:`pad`."""
    try:
        given = widths
        if isinstance(widths, Mapping):
            named = {axis_of(axis, ndim): n for axis, n in widths.items()}
            given = [np.broadcast_to(named.get(axis, 0), (2,)).tolist() for axis in range(ndim)]
        pairs = [(index_of(a), index_of(b)) for a, b in np.broadcast_to(given, (ndim, 2)).tolist()] if ndim else []
    except Exception:  # NumPy looks into objects, and raises what it finds there
        pairs = [(-1, -1)]
    if any(n < 0 for pair in pairs for n in pair):
        raise InputError(f"widths is {shown(widths)}; expected two integers >= 0 for each of the {ndim} axes")
    return pairs


def _holds(x: Tensor, value: Any) -> bool:
    """Whether a number can be an element of ``x``."""
    try:
        return isinstance(value, Real) and (float(value).is_integer() or x.dtype.kind in "fc")
    except Exception:
        return False
