"""Rows of an array that stays in its file: data that are too large to be held in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

BLOCK = 1 << 23  # bytes of rows that are looked at together where all have to be


class MappedRows:
    """Rows of a memory-mapped array, read and converted when they are asked for.

    Stands for an array of shape ``(N, D)`` where :class:`~minivae.datasets.Split` has one:
    it has a length, a shape and a dtype, and an index of rows gives an array of those.

    Args:
        array: ``(all rows, D)``.
        dtype: that the rows have once they are read.
        rows: which rows these are; all in order by default.
    """

    def __init__(self, array: np.memmap, dtype: Any, rows: np.ndarray | None = None) -> None:
        self._array, self.dtype = array, np.dtype(dtype)
        self._all = rows is None
        self._rows = in_order(len(array)) if rows is None else rows

    shape = property(lambda self: (len(self), self._array.shape[1]), doc="``(N, D)``.")

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> np.ndarray:
        rows = np.asarray(self._rows[index])
        order = np.argsort(rows, axis=None)  # a disk is read forwards, whatever order is asked for
        found = np.empty((rows.size, self.shape[1]), self.dtype)
        found[order] = self._array[rows.reshape(-1)[order]]
        return found.reshape(*rows.shape, self.shape[1])

    def subset(self, rows: np.ndarray) -> MappedRows:
        """The rows of these at ``rows``; nothing is read."""
        return MappedRows(self._array, self.dtype, rows if self._all else self._rows[rows])

    def beside(self, others: Sequence[np.ndarray | MappedRows]) -> np.ndarray | MappedRows:
        """These rows and then those of ``others``: nothing is read if all are of one file."""
        rows = [other._rows for other in others if isinstance(other, MappedRows) and other._array is self._array]
        if len(rows) == len(others):
            return MappedRows(self._array, self.dtype, np.concatenate([self._rows, *rows]))
        return np.concatenate([self[:], *(other[:] for other in others)])

    def min(self) -> Any:
        """The smallest value."""
        return self._extent[0]

    def max(self) -> Any:
        """The largest value."""
        return self._extent[1]

    @cached_property
    def _extent(self) -> np.ndarray:
        """The smallest and the largest value, in one reading; NaN if one is NaN."""
        each = np.array([(block.min(), block.max()) for block in self._blocks()])
        return np.array([each[:, 0].min(), each[:, 1].max()], self.dtype)

    def _blocks(self) -> Iterator[np.ndarray]:
        """All rows, as they follow each other in the file."""
        held = np.zeros(len(self._array), bool)
        held[slice(None) if self._all else self._rows] = True
        for block in blocks(self._array):
            if held[block].any():  # compress is six times as fast as an index where a row is one value
                yield np.compress(held[block], self._array[block], axis=0).astype(self.dtype, copy=False)


def in_order(count: int) -> np.ndarray:
    """``arange(count)`` in 4 bytes each where that will do: of narrow rows their numbers take most of the memory."""
    return np.arange(count, dtype=np.int32 if count < 1 << 31 else np.int64)


def blocks(rows: np.ndarray | MappedRows) -> Iterator[slice]:
    """Slices of successive rows, all together all of them, of about ``BLOCK`` bytes each."""
    step = max(1, BLOCK // max(1, rows.shape[1] * rows.dtype.itemsize))
    for start in range(0, len(rows), step):
        yield slice(start, start + step)


def as_type(rows: np.ndarray, dtype: Any) -> np.ndarray | MappedRows:
    """``(N, D)`` as another dtype: at once, not copied where it is that one; of a mapped array when rows are read."""
    return MappedRows(rows, dtype) if isinstance(rows, np.memmap) else rows.astype(dtype, copy=False)


def joined(parts: Sequence[np.ndarray | MappedRows]) -> np.ndarray | MappedRows:
    """The rows of all parts, one after the other; those of one file stay there."""
    first, *others = parts
    if isinstance(first, MappedRows):
        return first.beside(others)
    return np.concatenate([part[:] for part in parts])
