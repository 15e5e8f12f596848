"""What a run measured, row by row: a CSV file that a spreadsheet opens."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterable

from ..errors import InputError
from ..files import atomic_path


class History:
    """Measurements against training samples seen.

    Columns: ``epoch``, ``samples_seen``, ``seconds`` (of training, without evaluation),
    and for train and test the ``bound`` and its parts, in nats per data point. Train
    columns are averages over minibatches since the last row, evenly spread, measured
    while training; test columns are measured at the row, on the whole test set. With
    ``skip_nonfinite`` also ``skipped``: steps taken back since the run began.

    Attributes:
        rows: one mapping for each measurement.
    """

    def __init__(self, rows: Iterable[dict[str, float]] = ()) -> None:
        self.rows = [dict(row) for row in rows]

    def __len__(self) -> int:
        return len(self.rows)

    def append(self, **row: float) -> None:
        """Add a measurement."""
        self.rows.append(row)

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
            InputError: there is no such file, or it is not a history.
        """
        try:
            with open(path, newline="", encoding="utf-8") as file:
                return cls({name: float(value) for name, value in row.items()} for row in csv.DictReader(file))
        except (OSError, ValueError, TypeError, csv.Error) as error:
            raise InputError(f"{path} is not a history of a run: {error}") from error
