"""How many bytes a program reads and writes: counted from its items, not measured."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any


def bytes_moved(items: Iterable[Any]) -> int:
    """The bytes of all arrays that the items of a program read and write, each array once for each item.

    What a kernel computes and only itself reads is not among them, and neither is what lies in a cache in
    between: it is what would move if each item began and ended in main memory.
    """
    return sum(_bytes_of(item) for item in items)


def _bytes_of(item: Any) -> int:
    made = {id(x): x for call in item.calls if call.assigns for x in call.inputs[:1]} | {id(x): x for x in item.makes}
    written = sum(map(_size, made.values()))
    read = {id(x): x for x in item.arrays if id(x) not in made or not item.calls[0].assigns}
    # What is neither a product nor a reduction nor element-wise takes some elements, or puts them somewhere.
    some = item.calls[0].primitive.kind == "other"
    return written + sum(min(_size(x), written) if some else _size(x) for x in read.values())


def _size(array: Any) -> int:
    """The bytes of its elements, those that are repeated by broadcasting once."""
    return array.itemsize * math.prod(n for n, stride in zip(array.shape, array.strides, strict=True) if stride)
