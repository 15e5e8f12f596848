"""Whether the first line of a table names the columns, also where the names are numbers.

Years and wavelengths are names that look like values, and so are the 0, 1, 2, ... that pandas writes
above columns without names. Where evidence is lacking the user is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from ..errors import InputError
from .numerals import BARE, is_missing, is_nearly_one, is_number, is_pointed, number, numbers_alone

YEARS = range(1800, 2201)
FEWEST = 3  # columns whose growing whole names, or whose names in steps of 1, are no chance
FEWEST_STEPS = 5  # columns whose names in other steps are no chance
FEWEST_ROWS = 10  # from which on a first row that is twice as large as all others is odd


def names_of(
    path: Path, first: Sequence[str], rows: Sequence[Sequence[str]], decimal: str = ".", asked: bool | None = None
) -> tuple[str, ...] | None:
    """The first line as names of columns, or None if it holds values.

    Args:
        first: the fields of the first line.
        rows: those of some lines below it, as many in each.
        decimal: what parts the decimals.
        asked: what the user said, if anything.

    Raises:
        InputError: it mixes both; or both readings are plausible.
    """
    first = [field.strip() for field in first]
    if asked is None:
        asked = _has_names(path, first, [[row[i].strip() for row in rows] for i in range(len(first))], decimal)
    return distinct(first) if asked else None


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Names of which none comes twice, as pandas has them: a, a.1; and one for each column but the first without."""
    taken = set(names)
    found: dict[str, None] = {}
    for i, name in enumerate(names):
        name = name or (f"x_{i + 1}" if i else "")
        other, count = name, 0
        while other in found or (count and other in taken):
            count += 1
            other = f"{name}.{count}"
        found[other] = None
    return tuple(found)


def _has_names(path: Path, first: list[str], below: list[list[str]], decimal: str) -> bool:
    named = [
        field
        for field, column in zip(first, below, strict=True)
        if not is_missing(field) and not is_number(field, decimal) and _mostly_numbers(column, decimal)
    ]
    counted = not first[0] and len(first) > 2 and numbers_alone(first[1:], decimal)  # pandas' own, after the rows'
    if named and any(is_number(field, decimal) and is_pointed(field, decimal) for field in first):
        raise InputError(f"{path}: line 1 mixes names and numbers ({named[0]!r:.40}); expected one or the other")
    return bool(named or counted) or _has_numbered_names(path, first, below, decimal)


def _mostly_numbers(column: list[str], decimal: str) -> bool:
    known = [field for field in column if not is_missing(field)]
    return sum(is_number(field, decimal) or is_nearly_one(field) for field in known) > len(known) / 2


def _has_numbered_names(path: Path, first: list[str], below: list[list[str]], decimal: str) -> bool:
    """Whether numbers in the first line are names of the columns of numbers."""
    pairs = [(f, column) for f, column in zip(first, below, strict=True) if any(is_number(f, decimal) for f in column)]
    if not pairs or not all(is_number(field, decimal) for field, _ in pairs):
        return False
    values = [number(field, decimal) for field, _ in pairs]
    rows = [
        [number(f, decimal) for f in row if is_number(f, decimal)] for row in zip(*(c for _, c in pairs), strict=True)
    ]
    if len(set(values)) < len(values) or sum(map(_in_steps, rows)) > len(rows) / 2:
        return False  # names are not twice the same; and the rows of some data grow in steps
    bare = all(map(BARE.fullmatch, (field for field, _ in pairs)))
    unlike = bare and all(is_pointed(f, decimal) or is_missing(f) for _, column in pairs for f in column)
    if unlike and len(values) >= FEWEST and _grows(values):
        return True
    years = bare and len(values) > 1 and _are_years(values) and sum(map(_are_years, rows)) <= len(rows) / 2
    if unlike or years or _in_steps(values) or (bare and _is_larger(values, rows)):
        shown = ", ".join(field for field, _ in pairs)
        raise InputError(f"{path}: line 1 ({shown:.40}) may be names or values; expected --header or --no-header")
    return False


def _grows(values: list[float]) -> bool:
    return all(a < b for a, b in pairwise(values))


def _are_years(values: list[float]) -> bool:
    return _grows(values) and all(value in YEARS for value in values)


def _in_steps(values: list[float]) -> bool:
    """Whether these are 1, 2, 3, or five or more in steps of another size."""
    if len(values) < FEWEST:
        return False
    steps = [b - a for a, b in pairwise(values)]
    step, rounding = steps[0], 1e-9 * max(map(abs, values))
    return all(abs(s - step) <= rounding for s in steps) and (step == 1 or (step != 0 and len(values) >= FEWEST_STEPS))


def _is_larger(values: list[float], rows: list[list[float]]) -> bool:
    """Whether each value is more than twice as large as all below it."""
    whole = [row for row in rows if len(row) == len(values)]
    if len(whole) < FEWEST_ROWS:
        return False
    return all(abs(v) > 2 * max(map(abs, column)) for v, column in zip(values, zip(*whole, strict=True), strict=True))
