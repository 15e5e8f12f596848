"""What a user may decide about reading data, where a file alone does not say."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from ..checks import fraction, integer, integer_from_zero, one_of, positive_integer, sequence, switch
from ..errors import InputError, shown

SPLITS = ("random", "contiguous")
COLOURS = ("grey", "rgb")
NO_LABELS = "none"


@dataclass(frozen=True)
class Choices:
    """The options of :func:`minivae.datasets.load`, which says what each means; checked here.

    Raises:
        InputError: one of them is of a wrong kind.
    """

    split: str | None = None
    seed: int = 0
    validation: float | None = None
    array: str | None = None
    points_axis: int | None = None
    labels: str | None = None
    colour: str | None = None
    size: Any = None
    header: bool | None = None
    labelled: int | None = None
    sequence_length: int | None = None

    def __post_init__(self) -> None:
        integer_from_zero("seed", self.seed)
        for name, value, check in (
            ("split", self.split, lambda name, value: one_of(name, value, SPLITS)),
            ("validation", self.validation, fraction),
            ("array", self.array, _name),
            ("points_axis", self.points_axis, integer),
            ("labels", self.labels, _name),
            ("colour", self.colour, lambda name, value: one_of(name, value, COLOURS)),
            ("size", self.size, _size),
            ("header", self.header, switch),
            ("labelled", self.labelled, positive_integer),
            ("sequence_length", self.sequence_length, positive_integer),
        ):
            if value is not None:
                object.__setattr__(self, name, check(name, value))

    def refuse(self, path: Any, *names: str, expected: str) -> None:
        """Refuse those of these options that were given, as what lies at ``path`` has no use for them."""
        for name in names:
            if (value := getattr(self, name)) is not None:
                raise InputError(f"{name} is {shown(value)}, but {path} {expected}; expected None")


def _name(name: str, value: Any) -> str:
    try:
        return os.fsdecode(value)
    except Exception:
        raise InputError(f"{name} is {shown(value)}; expected a name") from None


def _size(name: str, value: Any) -> tuple[int, ...]:
    sizes = tuple(positive_integer(name, one) for one in sequence(name, value, "(rows, columns)"))
    if len(sizes) != 2:
        raise InputError(f"{name} is {shown(value)}; expected (rows, columns)")
    return sizes
