"""Tables as text: CSV and TSV, with a line of names or without, with gzip or without.

The separator is a tab, a semicolon or a comma, else blanks; the first in this order that
parts the lines alike. Fields may be quoted. Empty lines and a byte-order mark are passed over.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError
from .idx import GZIP_MAGIC
from .reading import Room, read_at_most, reading, require_file

SUFFIXES = frozenset((".csv", ".tsv", ".tab", ".txt", ".dat", ".data"))
MISSING = frozenset(("", "na", "n/a", "nan", "null", "none", "?", "-"))  # in any case of letters
HEAD = 200  # lines that are looked at to find out how a table is written
BATCH = 1000  # lines that become numbers together
DECIMAL_COMMA = re.compile(r"-?\d+,\d+")


@dataclass(frozen=True)
class Layout:
    """How a table is written.

    Attributes:
        separator: between fields; a blank for any number of them.
        names: of the columns, where there is a line of them.
        width: the number of columns.
        text: the positions of columns without a number.
        marked: whether the names are behind a #, as NumPy writes them.
        whole: the positions of columns whose numbers looked at have neither point nor exponent.
    """

    separator: str
    names: tuple[str, ...] | None
    width: int
    text: frozenset[int]
    whole: frozenset[int]
    marked: bool

    def called(self, column: int) -> str:
        """A column as messages call it: by its name, else its position from 0."""
        return repr(self.names[column]) if self.names else str(column)


@dataclass(frozen=True)
class Line:
    """A line with something in it: its number from 1, and its fields."""

    number: int
    fields: list[str]


def layout_of(path: Path) -> Layout:
    """Find out how the table in a file is written.

    Raises:
        InputError: missing, empty, not text, or its lines have different numbers of fields.
    """
    with reading(path, "table"), _text(path) as file:
        head = [line.rstrip("\r\n") for line, _ in zip(file, range(HEAD), strict=False)]
    remarks = [line for line in head if line.startswith("#")]
    head = [line for line in head if line.strip() and not line.startswith("#")]
    if not head:
        raise InputError(f"{path} is a table without a line; expected rows of numbers")
    separator = _separator(head)
    lines = [*_fields(head, separator)]
    names, marked = _names(path, lines), False
    rows = lines[1:] if names else lines
    if remarks and names is None:
        above = next(_fields([remarks[-1].lstrip("# ")], separator), [])
        marked = len(above) == len(rows[0]) and not any(map(_is_number, above))
        names = tuple(field.strip() for field in above) if marked else None
    columns = [*zip(*(row for row in rows if len(row) == len(rows[0])), strict=True)]
    text = frozenset(i for i, column in enumerate(columns) if not any(map(_is_number, column)))
    text -= {i for i in text if all(map(is_missing, columns[i]))}
    whole = frozenset(i for i, column in enumerate(columns) if _numbers_alone(column) and not _pointed(column))
    return Layout(separator, names, len(rows[0]), text, whole, marked)


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
    with reading(path, "table"):
        numbers: list[list[float]] = []
        words: list[list[str]] = []
        for row, line in enumerate(_lines(path, layout)):
            if len(line.fields) != layout.width:
                fields = f"{len(line.fields)} fields; expected {layout.width}, as in the first"
                raise InputError(f"{path}: line {line.number} has {fields}")
            try:
                numbers.append([number(line.fields[i]) for i in columns])
            except ValueError:
                raise _no_number(path, layout, row, line, columns) from None
            words.append([line.fields[i].strip() for i in text])
            if len(numbers) == BATCH:
                yield _batch(path, layout, columns, numbers, row), words
                numbers, words = [], []
        if numbers:
            yield _batch(path, layout, columns, numbers, row), words


def is_missing(field: str) -> bool:
    """Whether a field says that there is no value."""
    return field.strip().lower() in MISSING


def _batch(path: Path, layout: Layout, columns: list[int], numbers: list[list[float]], last: int) -> np.ndarray:
    batch = np.array(numbers, np.float64).reshape(len(numbers), len(columns))
    if len(at := np.argwhere(~np.isfinite(batch))):
        row, column = last + 1 - len(batch) + int(at[0, 0]), layout.called(columns[int(at[0, 1])])
        value = "is missing" if np.isnan(batch[tuple(at[0])]) else "is infinite"
        raise InputError(f"{path}: row {row}, column {column} {value}; expected a finite number")
    return batch


def _no_number(path: Path, layout: Layout, row: int, line: Line, columns: list[int]) -> InputError:
    """The error of the first field of a line that is no number."""
    column = next(i for i in columns if not _is_number(line.fields[i]))
    field = line.fields[column].strip()
    where = f"{path}: row {row} (line {line.number}), column {layout.called(column)}"
    if is_missing(field):
        return InputError(f"{where} is missing ({field!r}); expected a number (fill the gaps, or leave such rows out)")
    if DECIMAL_COMMA.fullmatch(field):
        return InputError(f"{where} holds {field!r}; expected a number with a decimal point")
    return InputError(f"{where} holds {field!r:.60}; expected a number, as above it")


def _lines(path: Path, layout: Layout) -> Iterator[Line]:
    """The lines of values."""
    with _text(path) as file:
        first = layout.names is not None and not layout.marked
        reader = _fields(file, layout.separator)
        for number, fields in enumerate(reader, 1):
            if not fields or (len(fields) == 1 and not fields[0].strip()) or fields[0].startswith("#"):
                continue
            if not first:
                yield Line(number, fields)
            first = False


def _fields(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    if separator == " ":
        return (line.split() for line in lines)
    return csv.reader(lines, delimiter=separator, skipinitialspace=True)


def _separator(head: list[str]) -> str:
    """What parts these lines into equally many fields, of two at least; a comma where nothing does."""
    for separator in "\t;, ":
        # Line by line: of a quote that another separator opens, the reader would wait for the end over all lines.
        counts = [len(fields) for line in head for fields in _fields([line], separator)]
        usual = max(set(counts), key=counts.count)
        if usual > 1 and counts.count(usual) > len(counts) / 2:
            return separator
    return ","


def _names(path: Path, lines: list[list[str]]) -> tuple[str, ...] | None:
    """The first line, if it names columns: some field of it is no number, and below it are only numbers."""
    first, *rest = [[field.strip() for field in line] for line in lines]
    rest = [row for row in rest if len(row) == len(first)]
    named = [
        i
        for i, field in enumerate(first)
        if not is_missing(field) and not _is_number(field) and rest and _numbers_alone([row[i] for row in rest])
    ]
    counted = not first[0] and len(first) > 2 and all(_is_number(field) for field in first[1:])  # pandas' own names
    if not named and not counted:
        return None
    if any("." in field and _is_number(field) for field in first):
        raise InputError(f"{path}: line 1 mixes names and numbers ({first[named[0]]!r:.40}); expected one or the other")
    return tuple(first)


def _numbers_alone(fields: Sequence[str]) -> bool:
    known = [field for field in fields if not is_missing(field)]
    return bool(known) and all(map(_is_number, known))


def _pointed(fields: Sequence[str]) -> bool:
    return any("." in field or "e" in field.lower() for field in fields if not is_missing(field))


def number(field: str) -> float:
    """The number that a field is; ValueError if it is none. (Python takes 1_23 for 123: here it is a name.)"""
    if "_" in field:
        raise ValueError(field)
    return float(field)


def _is_number(field: str) -> bool:
    try:
        number(field)
    except ValueError:
        return False
    return field.strip().lower() != "nan"


@contextmanager
def _text(path: Path) -> Iterator[io.TextIOBase]:
    """The file's text, unpacked if it is packed."""
    with open(require_file(path), "rb") as raw:
        start = raw.read(2)
        raw.seek(0)
        if start == GZIP_MAGIC:
            room = Room(path)
            with gzip.GzipFile(fileobj=raw) as unpacked:
                content = read_at_most(unpacked, room.left + 1)
            room.take(len(content))
            raw = io.BytesIO(content)
        coding = "utf-16" if start in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        yield io.TextIOWrapper(raw, encoding=coding, newline="")
