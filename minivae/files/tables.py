"""The rows of tables as text: CSV and TSV, with a line of names or without, with gzip or without.

How one is written: ``layout.py``. Fields may be quoted. Empty lines and a byte-order mark are passed over.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError
from .layout import Layout, require_no_thousands
from .numerals import PLAIN, is_missing, is_nearly_one, is_number, number
from .reading import reading
from .text import fields_of, text_of

SUFFIXES = frozenset((".csv", ".tsv", ".tab", ".txt", ".dat", ".data"))
BATCH = 1000  # lines that become numbers together


@dataclass(frozen=True)
class Line:
    """A line with something in it: its number from 1, and its fields."""

    number: int
    fields: list[str]


def read_rows(
    path: Path, layout: Layout, text: list[int], left_out: set[int]
) -> Iterator[tuple[np.ndarray, list[list[str]]]]:
    """Yield batches of rows: ``(n, columns)`` float64, and the fields of the columns ``text``.

    Args:
        left_out: positions of columns that are neither numbers nor wanted.

    Raises:
        InputError: a field is missing or no number, or a line has another number of fields; names line and column.
    """
    columns = [i for i in range(layout.width) if i not in left_out and i not in text]
    with reading(path, "table"), closing(_lines(path, layout)) as lines:
        numbers: list[list[float]] = []
        waiting: list[Line] = []
        last = -1
        for last, line in enumerate(lines):
            if len(line.fields) != layout.width:
                fields = f"{len(line.fields)} fields; expected {layout.width}, as in the first"
                raise InputError(f"{path}: line {line.number} has {fields}")
            try:
                numbers.append([number(line.fields[i], layout.decimal) for i in columns])
            except ValueError:
                raise _no_number(path, layout, last, line, columns) from None
            waiting.append(line)
            if len(waiting) == BATCH:
                yield _batch(path, layout, columns, numbers, waiting, last), _words(waiting, text)
                numbers, waiting = [], []
        if numbers:
            yield _batch(path, layout, columns, numbers, waiting, last), _words(waiting, text)


def _words(lines: list[Line], text: list[int]) -> list[list[str]]:
    return [[line.fields[i].strip() for i in text] for line in lines]


def _batch(
    path: Path, layout: Layout, columns: list[int], numbers: list[list[float]], lines: list[Line], last: int
) -> np.ndarray:
    batch = np.array(numbers, np.float64).reshape(len(numbers), len(columns))
    if len(at := np.argwhere(~np.isfinite(batch))):
        row, column = last + 1 - len(batch) + int(at[0, 0]), layout.called(columns[int(at[0, 1])])
        value = "is missing" if np.isnan(batch[tuple(at[0])]) else "is infinite"
        raise InputError(f"{path}: row {row}, column {column} {value}; expected a finite number")
    # Where the first lines had whole numbers alone, a point further down may be one between thousands.
    changed = (batch != np.rint(batch)).any(axis=0)
    late = [i for i, pointed in zip(columns, changed, strict=True) if pointed and i in layout.whole]
    if late and layout.decimal == ".":
        require_no_thousands(path, [["0", *(line.fields[i] for line in lines)] for i in late])
    return batch


def _no_number(path: Path, layout: Layout, row: int, line: Line, columns: list[int]) -> InputError:
    """The error of the first field of a line that is no number."""
    column = next(i for i in columns if not is_number(line.fields[i], layout.decimal))
    field = line.fields[column].strip()
    where = f"{path}: row {row} (line {line.number}), column {layout.called(column)}"
    if is_missing(field):
        return InputError(f"{where} is missing ({field!r}); expected a number (fill the gaps, or leave such rows out)")
    if layout.decimal == "," and is_number(field):
        return InputError(f"{where} holds {field!r}; expected a number with a decimal comma, as above it")
    expected = PLAIN if is_nearly_one(field) else "a number, as above it"
    return InputError(f"{where} holds {field!r:.60}; expected {expected}")


def _lines(path: Path, layout: Layout) -> Generator[Line, None, None]:
    """The lines of values."""
    with text_of(path) as file:
        first = layout.names is not None and not layout.marked
        reader = fields_of(file, layout.separator)
        for number, fields in enumerate(reader, 1):
            if not fields or (len(fields) == 1 and not fields[0].strip()) or fields[0].startswith("#"):
                continue
            if not first:
                yield Line(number, layout.fitted(fields))
            first = False
