"""Products of one size that do not need each other, two and two: cuBLAS then computes both in one call.

The two heads of an encoder are such products, in the forward and the backward computation, and so are the
sums for the gradients of their biases, which are products with a row of ones. The first waits for the second,
if nothing between has to do with the memory that it reads or writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..analysis import Call, Trace
from ..regions import meet
from .blas import suits

_NEAR = 8  # so many items apart, at most: the backward computation of two heads is interleaved


class Pair(NamedTuple):
    """Two products, or two sums of rows, of one size."""

    first: Call
    second: Call

    @property
    def arrays(self) -> list[Any]:
        """The arrays that are read."""
        return [*self.first.arrays, *self.second.arrays]

    @property
    def makes(self) -> list[Any]:
        """The arrays that are computed."""
        return [self.first.output, self.second.output]

    @property
    def calls(self) -> list[Call]:
        """What it does, one by one."""
        return list(self)


def join_products(trace: Trace, items: Sequence[Any]) -> Iterator[Any]:
    """The items of a program; of two products that go together, the first waits for the second."""
    taken: dict[int, int] = {}  # for the place of a second product, that of its first
    firsts: set[int] = set()
    for i, item in enumerate(items):
        if i not in taken and _is_product(item):
            j = _partner(trace, items, i, taken)
            if j is not None:
                taken[j] = i
                firsts.add(i)
    for j, item in enumerate(items):
        if j in taken:
            yield Pair(items[taken[j]], item)
        elif j not in firsts:
            yield item


def sums_rows(item: Any) -> bool:
    """Whether a call sums over all axes but the last, as the gradient of a bias is."""
    if not isinstance(item, Call) or item.primitive.combine != "add" or item.attributes.get("keepdims"):
        return False
    (terms,) = item.inputs
    over = item.attributes["axis"]
    return terms.ndim > 1 and over == tuple(range(terms.ndim - 1)) and suits(terms, terms, item.output)


def _is_product(item: Any) -> bool:
    if sums_rows(item):
        return item.inputs[0].ndim == 2
    if not isinstance(item, Call) or item.primitive.kind != "product" or len(item.arrays) != 2:
        return False
    return item.output.ndim == 2 and suits(item.arrays[0], item.arrays[1], item.output)


def _partner(trace: Trace, items: Sequence[Any], i: int, taken: dict[int, int]) -> int | None:
    """The place of the next product like that at ``i``, if the latter may wait for it."""
    first = items[i]
    for j in range(i + 1, min(i + 1 + _NEAR, len(items))):
        if not _free_of(trace, items[j], first):
            return None
        if j not in taken and _is_product(items[j]) and _alike(first, items[j]):
            return j
    return None


def _alike(first: Call, second: Call) -> bool:
    """Whether two products have operands of equal shapes that lie alike."""
    if first.primitive is not second.primitive:
        return False
    pairs = zip((*first.arrays, first.output), (*second.arrays, second.output), strict=True)
    return all(x.shape == y.shape and x.dtype == y.dtype and x.strides == y.strides for x, y in pairs)


def _free_of(trace: Trace, item: Any, product: Call) -> bool:
    """Whether an item neither reads what a product makes, nor writes what it reads or makes."""
    made = trace.cells(product.output)
    if any(trace.root(x) == id(product.output) or meet(trace.cells(x), made) for x in item.arrays):
        return False
    written = [trace.cells(call.inputs[0] if call.assigns else call.output) for call in item.calls]
    used = [made, *map(trace.cells, product.arrays)]
    return not any(meet(a, b) for a in written for b in used)
