"""Numbers as people write them in text: what is read, and what looks like a number and is refused.

A point or a comma parts the decimals; nothing parts the thousands. ``1,234`` alone may be 1234
or 1.234, and ``1.234`` beside ``70`` may be 1234: such are refused, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

MISSING = frozenset(("", "na", "n/a", "nan", "null", "none", "<na>", "?", "-"))  # in any case of letters
BARE = re.compile(r"[+-]?\d+")
WITH_COMMA = re.compile(r"[+-]?\d+,\d+(e[+-]?\d+)?", re.IGNORECASE)
_GROUPED = r"[1-9]\d{0,2}([.,'’\s])\d{3}(?:\1\d{3})*(?:[.,]\d+)?"  # 1,234,567.8 and its like
GROUPED = re.compile(rf"[+-]?{_GROUPED}")
# A currency, a percentage, a typographer's minus, a base of 16, an exponent as Fortran writes it.
NEARLY = re.compile(
    rf"[-+−]?\s*[$€£¥]?\s*(?:{_GROUPED}|\d+(?:[.,]\d*)?(?:[ed][-+]?\d+)?|0x[0-9a-f]+)\s*[%$€£¥]?", re.IGNORECASE
)
PLAIN = "a number such as 1234.5 (no sign between thousands, no unit)"


def number(field: str, decimal: str = ".") -> float:
    """The number that a field is; ValueError if it is none. (Python takes 1_23 for 123: here it is a name.)"""
    if decimal != ".":
        if "." in field:
            raise ValueError(field)
        field = field.replace(decimal, ".")
    if "_" in field:
        raise ValueError(field)
    return float(field)


def is_number(field: str, decimal: str = ".") -> bool:
    """Whether a field is one; that of a missing value is none."""
    try:
        number(field, decimal)
    except ValueError:
        return False
    return field.strip().lower() != "nan"


def is_missing(field: str) -> bool:
    """Whether a field says that there is no value."""
    return field.strip().lower() in MISSING


def is_nearly_one(field: str) -> bool:
    """Whether a field is a number for people that is none here: with signs between thousands, with a unit."""
    return NEARLY.fullmatch(field.strip()) is not None


def numbers_alone(fields: Sequence[str], decimal: str = ".") -> bool:
    """Whether there is a number, and all fields are numbers or missing."""
    known = [field for field in fields if not is_missing(field)]
    return bool(known) and all(is_number(field, decimal) for field in known)


def is_pointed(field: str, decimal: str = ".") -> bool:
    """Whether a number is written with decimals or an exponent."""
    return decimal in field or "e" in field.lower()


def unclear_thousands(columns: Iterable[Sequence[str]]) -> tuple[str, str] | None:
    """Two fields of a column, such as ``1.234`` and ``70``, whose point may part thousands; None if no column has such.

    Decimals are not always three, and thousands are not below 1: a field that is such says of all that they are none.
    """
    columns = [[field.strip() for field in column if is_number(field)] for column in columns]
    if not all(GROUPED.fullmatch(field) for column in columns for field in column if is_pointed(field)):
        return None
    for column in columns:
        pointed, bare = ([f for f in column if is_pointed(f) == whether] for whether in (True, False))
        if pointed and bare and all(abs(number(field)) < 1000 for field in bare):
            return pointed[0], bare[0]
    return None
