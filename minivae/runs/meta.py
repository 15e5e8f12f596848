"""What the metadata of a run's checkpoint must be, field by field, before any of it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any

from ..checks import instance
from ..errors import InputError, shown

MOST = 2**63  # JSON's integers have no end; beyond this one nothing here is counted or measured


def require_meta(meta: Mapping[str, Any], *names: str) -> None:
    """Check the fields of these names, all of :data:`FIELDS` if there are none.

    Raises:
        InputError: a field is missing or of a wrong kind; names it.
    """
    instance("meta", meta, Mapping, "fields by name")
    for name in names or FIELDS:
        if name not in meta:
            raise InputError(f"meta has no {name}; expected {', '.join(FIELDS)}")
        FIELDS[name](name, meta[name])


def _mapping(name: str, value: Any) -> None:
    instance(name, value, dict, "settings by name")


def _count(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 0 or not value < MOST:
        raise InputError(f"{name} is {shown(value)}; expected an integer of at least 0")


def _seconds(name: str, value: Any) -> None:
    if not _is_number(value) or value < 0:
        raise InputError(f"{name} is {shown(value)}; expected a finite number of at least 0")


def _rows(name: str, value: Any) -> None:
    instance(name, value, list, "a list of rows")
    for i, row in enumerate(value):
        instance(f"{name}[{i}]", row, dict, "numbers by name")
        wrong = [column for column, number in row.items() if not _is_number(number)]
        if wrong:
            raise InputError(f"{name}[{i}][{shown(wrong[0])}] is {shown(row[wrong[0]])}; expected a finite number")


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and value < MOST and not value <= -MOST


def _anything(name: str, value: Any) -> None:
    """The generator itself says whether a state is one of its own."""


FIELDS: dict[str, Callable[[str, Any], Any]] = {
    "settings": _mapping,
    "model": _mapping,
    "run": _mapping,
    "step": _count,
    "seconds": _seconds,
    "running_steps": _count,
    "generator": _anything,
    "history": _rows,
}
