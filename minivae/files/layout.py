"""How a table of text is written: found out from its first lines.

The separator is a tab, a semicolon, a bar or a comma, else blanks; the first in this order that
parts the lines alike. Decimals have a comma where the separator leaves no doubt of it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from .headers import names_of
from .numerals import (
    BARE,
    GROUPED,
    WITH_COMMA,
    is_missing,
    is_number,
    is_pointed,
    number,
    numbers_alone,
    unclear_thousands,
)
from .reading import reading
from .text import fields_of, text_of

HEAD, HEAD_TEXT = 200, 1 << 22  # lines, and characters, that are looked at


@dataclass(frozen=True)
class Layout:
    """How a table is written.

    Attributes:
        separator: between fields; a blank for any number of them.
        decimal: what parts the decimals of a number, a point or a comma.
        names: of the columns, where there is a line of them.
        marked: whether the names are behind a #, as NumPy writes them.
        width: the number of columns.
        text: a field of each column without a number, by its position.
        whole: the positions of columns whose numbers looked at have neither point nor exponent.
        integral: the positions of columns whose numbers looked at are whole, however they are written.
    """

    separator: str
    decimal: str
    names: tuple[str, ...] | None
    marked: bool
    width: int
    text: dict[int, str]
    whole: frozenset[int]
    integral: frozenset[int]

    def called(self, column: int) -> str:
        """A column as messages call it: by its name, else its position from 0."""
        return repr(self.names[column]) if self.names else str(column)

    def fitted(self, fields: list[str]) -> list[str]:
        """The fields of a line without what is behind a last separator."""
        return fields[:-1] if len(fields) == self.width + 1 and not fields[-1].strip() else fields


def layout_of(path: Path, header: bool | None = None) -> Layout:
    """Find out how the table in a file is written.

    Args:
        header: whether its first line names the columns; None to find that out, too.

    Raises:
        InputError: missing, empty, not text; its lines have different numbers of fields; or two readings are plausible.
    """
    with reading(path, "table"), text_of(path) as file:
        head = _head(file)
    remarks = [line for line in head if line.startswith("#")]
    head = [line for line in head if line.strip() and not line.startswith("#")]
    if not head:
        raise InputError(f"{path} is a table without a line; expected rows of numbers")
    separator = _separator(head)
    lines = _alike([*fields_of(head, separator)])
    width = _usual([len(fields) for fields in lines[1:]] or [len(lines[0])])
    first, below = lines[0], [fields for fields in lines[1:] if len(fields) == width]
    decimal = _decimal(path, separator, below or [first])
    first = _as_wide(path, first, width, decimal, below)
    names, marked = names_of(path, first, below, decimal, header), False
    if remarks and names is None and header is None:
        names = _marked_names(remarks[-1], separator, width)
        marked = names is not None
    rows = below if names and not marked else [first, *below]
    if names is None and separator in ", ":
        _require_no_decimal_commas(path, rows)
    return _looked_at(path, separator, decimal, names, marked, [*zip(*rows, strict=True)], width)


def _head(file: Iterable[str]) -> list[str]:
    head, length = [], 0
    for line in file:
        head.append(line.rstrip("\r\n"))
        length += len(line)
        if len(head) == HEAD or (len(head) > 1 and length > HEAD_TEXT):
            break
    return head


def _looked_at(
    path: Path,
    separator: str,
    decimal: str,
    names: tuple[str, ...] | None,
    marked: bool,
    columns: list[tuple[str, ...]],
    width: int,
) -> Layout:
    """The layout, with what its columns hold."""
    text = {
        i: next(field for field in column if not is_missing(field))
        for i, column in enumerate(columns)
        if not any(is_number(field, decimal) for field in column) and not all(map(is_missing, column))
    }
    numbers = {i: column for i, column in enumerate(columns) if numbers_alone(column, decimal)}
    require_no_thousands(path, columns if decimal == "." else ())
    whole = frozenset(i for i, column in numbers.items() if not any(is_pointed(f, decimal) for f in _known(column)))
    integral = frozenset(
        i for i, column in numbers.items() if all(number(f, decimal).is_integer() for f in _known(column))
    )
    return Layout(separator, decimal, names, marked, width, text, whole, integral)


def _known(column: Sequence[str]) -> list[str]:
    return [field for field in column if not is_missing(field)]


def require_no_thousands(path: Path, columns: Sequence[Sequence[str]]) -> None:
    """Refuse fields whose point may part thousands (:func:`~.numerals.unclear_thousands`)."""
    if found := unclear_thousands(columns):
        large, small = found
        both = f"{path} holds {large!r} beside {small!r}: {large.replace('.', '')} or {large}"
        raise InputError(f"{both}? Expected no point between thousands, and decimals in all of a column ({small}.000)")


# ------------------------------------------------------------ separators


def _separator(head: list[str]) -> str:
    """What parts these lines into equally many fields, of two at least; a comma where nothing does."""
    blanks = head[1:] and all(_are_with_commas(line.split()) for line in head[1:])
    for separator in "\t;| " if blanks else "\t;|, ":
        # Line by line: of a quote that another separator opens, the reader would wait for the end over all lines.
        counts = [_count(line, separator) for line in head]
        usual = _usual(counts)
        if usual > 1 and counts.count(usual) > len(counts) / 2:
            return separator
    return ","


def _count(line: str, separator: str) -> int:
    """How many fields a line has."""
    try:
        return sum(len(fields) for fields in fields_of([line], separator))
    except csv.Error:  # one that is longer than the library takes: this does not part it
        return 1


def _usual(counts: list[int]) -> int:
    return max(sorted(set(counts)), key=counts.count)


def _are_with_commas(fields: list[str]) -> bool:
    """Whether several fields, between blanks, are numbers with a decimal comma or whole ones."""
    commas = sum(WITH_COMMA.fullmatch(field) is not None for field in fields)
    return len(fields) > 1 and commas > 0 and all(WITH_COMMA.fullmatch(f) or BARE.fullmatch(f) for f in fields)


def _alike(lines: list[list[str]]) -> list[list[str]]:
    """The lines without a last field that is empty in all of them: each ends with a separator."""
    width = _usual([len(fields) for fields in lines])
    ended = [fields for fields in lines if len(fields) == width]
    if width < 3 or len(ended) < 2 or any(fields[-1].strip() for fields in ended):
        return lines
    return [fields[:-1] if len(fields) == width else fields for fields in lines]


def _as_wide(path: Path, first: list[str], width: int, decimal: str, below: list[list[str]]) -> list[str]:
    """The first line as wide as those below it: R writes no name above the names of the rows."""
    if len(first) == width:
        return first
    found = f"{path}: line 1 has {len(first)} fields, and most below it {width}"
    if width == 2 * len(first) and all(BARE.fullmatch(field.strip()) for row in below for field in row):
        raise InputError(f"{found}, as where decimals have a comma: {_WITHOUT_COMMAS}")
    if len(first) == width - 1 and not any(is_number(field, decimal) for field in first):
        return ["", *first]
    raise InputError(f"{found}; expected a line of names at most above rows of values")


# ------------------------------------------------------------ decimal commas

_WITHOUT_COMMAS = "expected decimal points, or semicolons or tabs between the columns"


def _decimal(path: Path, separator: str, rows: list[list[str]]) -> str:
    """What parts decimals: a comma where some field has one, none has a point, and no doubt is left.

    Raises:
        InputError: both are there; or the comma may part columns, or thousands.
    """
    fields = [field.strip() for row in rows for field in row]
    commas = [field for field in fields if WITH_COMMA.fullmatch(field)]
    if not commas:
        return "."
    if separator not in "\t;|":
        raise InputError(f"{path} holds {commas[0]!r}, a number with a comma; {_WITHOUT_COMMAS}")
    if pointed := next((field for field in fields if "." in field and is_number(field)), None):
        raise InputError(f"{path} holds {commas[0]!r} and {pointed!r}; expected decimal points alone, or commas alone")
    if all(map(GROUPED.fullmatch, commas)):
        either = f"{commas[0].replace(',', '')} or {commas[0].replace(',', '.')}"
        raise InputError(
            f"{path} holds {commas[0]!r}: {either}? Expected decimal points, and nothing between thousands"
        )
    return ","


def _require_no_decimal_commas(path: Path, rows: list[list[str]]) -> None:
    """Refuse whole numbers in pairs of which the second is never signed and begins with 0 as decimals do, ``5,07``."""
    if len(rows[0]) % 2 or not all(BARE.fullmatch(field.strip()) for row in rows for field in row):
        return
    wholes = [field.strip() for row in rows for field in row[::2]]
    decimals = [field.strip() for row in rows for field in row[1::2]]
    zeros = next((i for i, field in enumerate(decimals) if len(field) > 1 and field[0] == "0"), None)
    zeros = next((i for i, field in enumerate(wholes) if field == "-0"), None) if zeros is None else zeros
    plain = all(len(field.lstrip("+-")) == 1 or field.lstrip("+-")[0] != "0" for field in wholes)
    if zeros is None or not plain or any(field[0] in "+-" for field in decimals):
        return
    pair = f"{wholes[zeros]},{decimals[zeros]}"
    raise InputError(f"{path} holds {pair}, which looks like a number with a decimal comma; {_WITHOUT_COMMAS}")


def _marked_names(remark: str, separator: str, width: int) -> tuple[str, ...] | None:
    """Names behind a #, if they are as many as the columns."""
    above = next(fields_of([remark.lstrip("# ")], separator), [])
    named = len(above) == width and not any(map(is_number, above))
    return tuple(field.strip() for field in above) if named else None
