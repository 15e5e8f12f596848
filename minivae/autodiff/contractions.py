"""Products over any axes, made of matrix products: ``einsum`` and ``tensordot``."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..checks import axes_in_order, integer_from_zero
from ..errors import InputError, shown
from .linalg import matmul
from .matrices import diagonal
from .primitives import operation
from .shape import as_tensors, expand_dims, reshape, sum, transpose
from .tensor import Tensor

# The name of an axis: a letter; a number for those that "..." stands for, counted from the last.
Label = Any


@operation
def einsum(subscripts: str, *operands: Any) -> Tensor:
    """The sum of products that Einstein's notation names: ``einsum("ij,jk->ik", a, b)`` is ``a @ b``.

    Args:
        subscripts: a letter for each axis of each operand, and after "->" for each axis of the result; over the
            other letters is summed. A letter that comes twice in one operand takes its diagonal, "..." stands
            for any axes, which broadcast. Without "->" the result has the letters that come once, in order.
        operands: tensors; more than two are multiplied from left to right.

    Raises:
        InputError: the subscripts are no such notation, or do not fit the operands.
    """
    tensors = as_tensors(operands, [f"operands[{i}]" for i in range(len(operands))])
    terms, result = _parsed(subscripts, [x.ndim for x in tensors])
    parts = [_without_repeats(subscripts, x, labels) for x, labels in zip(tensors, terms, strict=True)]
    _require_lengths(subscripts, parts)
    x, labels = parts[0]
    for i, (y, others) in enumerate(parts[1:], start=2):
        kept = set(result).union(*(later for _, later in parts[i:]))
        x, labels = _product(x, labels, y, others, kept)
    x, labels = _summed(x, labels, set(result))
    return _in_order(x, labels, result)


@operation
def tensordot(a: Any, b: Any, axes: int | Sequence[Any] = 2) -> Tensor:
    """The sum of products of the elements of ``a`` and ``b`` over some axes of each.

    Args:
        a, b: tensors.
        axes: so many, the last of ``a`` and the first of ``b``; or a pair, the axes of ``a`` and those of ``b``.

    Returns:
        a tensor with the other axes of ``a``, then those of ``b``.
    """
    a, b = as_tensors((a, b), ("a", "b"))
    if isinstance(axes, Sequence) and len(axes) == 2:
        of_a, of_b = (axes_in_order(part, x.ndim, "axes") for part, x in zip(axes, (a, b), strict=True))
    else:
        n = integer_from_zero("axes", axes)
        of_a, of_b = list(range(max(a.ndim - n, 0), a.ndim)), list(range(min(n, b.ndim + 1)))
    if len(of_b) > b.ndim or [a.shape[i] for i in of_a] != [b.shape[i] for i in of_b]:
        raise InputError(
            f"axes is {shown(axes)}, and a has shape {a.shape}, b {b.shape}; expected axes of equal lengths"
        )
    summed = dict(zip(of_b, of_a, strict=True))
    labels_a, labels_b = list(range(a.ndim)), [summed.get(i, a.ndim + i) for i in range(b.ndim)]
    return _product(a, labels_a, b, labels_b, {*labels_a, *labels_b} - set(of_a))[0]


# ---------------------------------------------------------------- notation


def _parsed(subscripts: Any, ndims: Sequence[int]) -> tuple[list[list[Label]], list[Label]]:
    """The labels of each operand and of the result."""
    if not isinstance(subscripts, str):
        raise InputError(f"subscripts is {shown(subscripts)}; expected a string such as 'ij,jk->ik'")
    inputs, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if len(terms) != len(ndims):
        raise _error(subscripts, f"as many terms as there are operands, {len(ndims)}")
    labels = [_labels(subscripts, term, ndim) for term, ndim in zip(terms, ndims, strict=True)]
    count = Counter(label for term in labels for label in term)
    dots = sorted((label for label in count if isinstance(label, int)), reverse=True)
    if not arrow:
        return labels, [*dots, *sorted(x for x in count if isinstance(x, str) and count[x] == 1)]
    if dots and "..." not in result:
        raise _error(subscripts, "'...' in the result, as in the operands")
    output = _labels(subscripts, result, len(result.replace("...", "")) + len(dots))
    if len(set(output)) < len(output) or not count.keys() >= set(output):
        raise _error(subscripts, "in the result letters of the operands, each once")
    return labels, output


def _labels(subscripts: str, term: str, ndim: int) -> list[Label]:
    before, dots, after = term.partition("...")
    letters = before + after
    if not all(x.isascii() and x.isalpha() for x in letters):
        raise _error(subscripts, "letters, ',', '...' once in a term, and '->' once")
    hidden = ndim - len(letters)
    if hidden < 0 or (hidden and not dots):
        raise _error(subscripts, f"{ndim} axes in {shown(term)}, as the operand has")
    return [*before, *reversed(range(hidden)), *after]


def _error(subscripts: str, expected: str) -> InputError:
    return InputError(f"subscripts is {shown(subscripts)}; expected {expected}")


def _without_repeats(subscripts: str, x: Tensor, labels: list[Label]) -> tuple[Tensor, list[Label]]:
    """The diagonals that a label names which comes more than once."""
    while len(set(labels)) < len(labels):
        label = next(name for name in labels if labels.count(name) > 1)
        first, second = [i for i, name in enumerate(labels) if name == label][:2]
        if x.shape[first] != x.shape[second]:
            raise _error(subscripts, f"one length for {label!r}, which has {x.shape[first]} and {x.shape[second]}")
        x = diagonal(x, 0, first, second)
        labels = [*(name for i, name in enumerate(labels) if i not in (first, second)), label]
    return x, labels


def _require_lengths(subscripts: str, parts: Sequence[tuple[Tensor, list[Label]]]) -> None:
    lengths: dict[Label, int] = {}
    for x, labels in parts:
        for label, n in zip(labels, x.shape, strict=True):
            if n != lengths.setdefault(label, n):
                if 1 not in (n, lengths[label]):
                    name = repr(label) if isinstance(label, str) else "an axis of '...'"
                    raise _error(subscripts, f"one length for {name}, which has {lengths[label]} and {n}")
                lengths[label] = n if lengths[label] == 1 else lengths[label]


# ---------------------------------------------------------------- products


def _summed(x: Tensor, labels: list[Label], kept: set[Label]) -> tuple[Tensor, list[Label]]:
    """The sum over the axes that are not kept."""
    gone = [i for i, label in enumerate(labels) if label not in kept]
    return (sum(x, gone), [label for label in labels if label in kept]) if gone else (x, labels)


def _in_order(x: Tensor, labels: Sequence[Label], order: Sequence[Label]) -> Tensor:
    return x if list(labels) == list(order) else transpose(x, [labels.index(label) for label in order])


def _product(
    a: Tensor, labels_a: list[Label], b: Tensor, labels_b: list[Label], kept: set[Label]
) -> tuple[Tensor, list[Label]]:
    """The product of two tensors, summed over the axes that are not kept; and its labels."""
    lengths_a, lengths_b = dict(zip(labels_a, a.shape, strict=True)), dict(zip(labels_b, b.shape, strict=True))
    # What one alone has is summed first; so is an axis of length 1, which the other repeats.
    shared = {x for x, n in lengths_a.items() if n == lengths_b.get(x)}
    (a, labels_a), (b, labels_b) = _summed(a, labels_a, kept | shared), _summed(b, labels_b, kept | shared)
    batch = [x for x in labels_a if x in labels_b and x in kept]
    inner = [x for x in labels_a if x in labels_b and x not in kept]
    free_a = [x for x in labels_a if x not in labels_b]
    free_b = [x for x in labels_b if x not in labels_a]
    a, b = _in_order(a, labels_a, [*batch, *free_a, *inner]), _in_order(b, labels_b, [*batch, *inner, *free_b])
    at, rest = len(batch), len(free_a)
    lengths = [*(lengths_a[x] for x in free_a), *(lengths_b[x] for x in free_b)]
    if inner and (free_a or free_b or not batch):
        depth = math.prod(lengths_a[x] for x in inner)
        left = reshape(a, (*a.shape[:at], math.prod(lengths[:rest]), depth))
        right = reshape(b, (*b.shape[:at], depth, math.prod(lengths[rest:])))
        y = matmul(left, right)
        y = reshape(y, (*y.shape[:at], *lengths))
    else:  # element by element
        left, right = expand_dims(a, range(a.ndim, a.ndim + len(free_b))), expand_dims(b, range(at, at + rest))
        y = left * right
        y = sum(y, range(at, y.ndim)) if inner else y
    return y, [*batch, *free_a, *free_b]
