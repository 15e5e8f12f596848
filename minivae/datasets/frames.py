"""Data frames (of pandas and its like) as arrays of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import InputError


def is_frame(given: Any) -> bool:
    """Whether an argument is a data frame: it has columns with names, and a type for each."""
    return hasattr(given, "columns") and hasattr(given, "dtypes")


def numbers_of(name: str, frame: Any) -> np.ndarray:
    """The values of a data frame, ``(N, D)``: whole numbers, real ones, and True as 1.

    Raises:
        InputError: some columns hold text, dates or other things than numbers; names them.
    """
    columns = [_column(frame, i, called) for i, called in enumerate(frame.columns)]
    wrong = {
        str(called): _kind(column)
        for called, column in zip(frame.columns, columns, strict=True)
        if column.dtype.kind not in "biuf"
    }
    if wrong:
        held = ", ".join(f"{called!r} ({kind})" for called, kind in [*wrong.items()][:5])
        held += f", and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise InputError(
            f"{name} has columns without numbers: {held:.300}; expected numbers: drop them, or make them numbers "
            "(pandas.get_dummies, fillna)"
        )
    return np.column_stack(columns) if columns else np.zeros((len(frame), 0))


def _column(frame: Any, place: int, called: Any) -> np.ndarray:
    column = np.asarray(frame.iloc[:, place] if hasattr(frame, "iloc") else frame[called])  # names may come twice
    listed = np.asarray(column.tolist()) if column.dtype.kind == "O" else column  # objects may be numbers
    return listed if listed.dtype.kind in "biuf" else column


def _kind(column: np.ndarray) -> str:
    """What a column without numbers holds, in a word."""
    if column.dtype.kind in "Mmc":
        return {"M": "dates", "m": "durations", "c": "complex numbers"}[column.dtype.kind]
    example = next((one for one in column.tolist() if not isinstance(one, int | float)), "")
    return f"such as {str(example)!r:.20}"
