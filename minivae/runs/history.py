"""What a run measured, row by row: a CSV file that a spreadsheet opens."""

from __future__ import annotations

import csv
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from numbers import Real
from sys import intern
from typing import TextIO

from ..checks import instance, path_of, sequence
from ..errors import InputError, shown
from ..files import atomic_path

MOST_CHARACTERS = 1 << 17  # in a line; no history has nearly as many columns
_NUMBER = re.compile(r"-?\d+(\.\d*)?(e[-+]?\d+)?|nan", re.ASCII)

# By which a row is the best one: the first that a history has.
_JUDGED = [f"{part}_{term}" for term in ("bound", "objective") for part in ("validation", "test", "train")]


class History:
    """Measurements against training samples seen.

    Columns: ``epoch``, ``samples_seen``, ``seconds`` (of training, without evaluation),
    and for train, test and, where there is one, validation the ``bound`` and its terms, in
    nats per data point. Train columns are averages over minibatches since the last row,
    evenly spread, measured while training; the others are measured at the row, on the whole
    part. ``objective`` is minus the loss, where that is something else: of train what was
    trained (with the KL's weight and free bits), of the others the model's own. With
    ``skip_nonfinite`` also ``skipped``: steps taken back since the run began.

    Attributes:
        rows: one mapping for each measurement.
    """

    def __init__(self, rows: Iterable[dict[str, float]] = ()) -> None:
        rows = sequence("rows", rows, "a list of mappings")
        self.rows = [dict(instance(f"rows[{i}]", row, Mapping, "a mapping")) for i, row in enumerate(rows)]

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        """How many rows, the last one, and the best of the bound (or objective) that was held out, with its epoch."""
        if not self.rows:
            return "History of 0 rows"
        said = f"History of {len(self)} rows; last: " + ", ".join(f"{k} {v:.6g}" for k, v in self.rows[-1].items())
        name = next((name for name in _JUDGED if name in self.rows[-1]), None)
        measured = [row for row in self.rows if name in row and not math.isnan(row[name])]
        if not measured:
            return said
        best = max(measured, key=lambda row: row[name])
        return f"{said}; best {name} {best[name]:.6g}" + (f" at epoch {best['epoch']:g}" if "epoch" in best else "")

    def append(self, **row: float) -> None:
        """Add a measurement."""
        for name, value in row.items():
            if not isinstance(value, Real):
                raise InputError(f"{name} is {shown(value)}; expected a number")
        # a name is in memory once for all rows
        self.rows.append({intern(str(name)): value for name, value in row.items()})

    def columns(self) -> dict[str, list[float]]:
        """The measurements by column; NaN where a row has no value."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        return {name: [row.get(name, math.nan) for row in self.rows] for name in names}

    def save(self, path: str | os.PathLike) -> None:
        """Write the rows as CSV, atomically, with numbers that read back exactly."""
        columns = self.columns()
        with atomic_path(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))

    @classmethod
    def load(cls, path: str | os.PathLike) -> History:
        """Read what :meth:`save` wrote.

        Raises:
            InputError: there is no such file, or it is not a history: cut within a line, a name or
                a number that is none.
        """
        try:
            with open(path_of("path", path), newline="", encoding="utf-8") as file:
                table = csv.DictReader(_lines(file), strict=True)
                names = table.fieldnames or []
                if len({name for name in names if name.isidentifier()}) < len(names):
                    raise ValueError("its first line is not a list of column names")
                return cls({name: _number(value) for name, value in row.items()} for row in table)
        except InputError:
            raise
        except (OSError, ValueError, TypeError, csv.Error) as error:
            raise InputError(f"{path} is not a history of a run: {error!s:.300}") from error


def _lines(file: TextIO) -> Iterator[str]:
    """The lines of a file; ValueError if it has none, or for one that is cut or very long."""
    line = file.readline(MOST_CHARACTERS)
    while True:
        if not line.endswith("\n"):
            raise ValueError(f"a line is cut, or longer than {MOST_CHARACTERS} characters")
        yield line
        if not (line := file.readline(MOST_CHARACTERS)):
            return


def _number(text: str) -> float:
    """A number as :meth:`History.save` writes it: finite, or NaN where a row has no value."""
    if not _NUMBER.fullmatch(text) or math.isinf(float(text)):
        raise ValueError(f"{text!r:.60} is not a number")
    return float(text)
