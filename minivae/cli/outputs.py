"""Arrays in a file: a table for a spreadsheet (.csv), arrays by name (.npz), or one array (.npy)."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from .. import datasets
from ..checks import one_of
from ..errors import InputError
from ..files import atomic_path

TABLES = (".csv", ".npz", ".npy")


def listed(names: Sequence[str], most: int = 12) -> str:
    """Names in a message: the first ones, and how many more there are."""
    more = [f"... {len(names) - most} more"] if len(names) > most else []
    return ", ".join([*names[:most], *more])


def checked_path(path: str, *suffixes: str) -> Path:
    """``path``, whose suffix must be one of ``suffixes``: found before the work is done."""
    one_of(f"the suffix of {path}", Path(path).suffix.lower(), suffixes)
    return Path(path)


def require_apart(option: str, path: str | None, *sources: object) -> None:
    """Raise :class:`InputError` if what is to be written there is a file of the data, or lies in their folder."""
    if path is None:
        return
    whole = Path(os.path.realpath(path))
    for source in sources:
        if not isinstance(source, str) or source in datasets.names() or not os.path.exists(source):
            continue
        if os.path.exists(path) and os.path.samefile(path, source):
            raise InputError(f"--{option} is {path}, which holds the data; choose another file to write")
        if Path(os.path.realpath(source)) in whole.parents:
            raise InputError(f"--{option} is {path}, which lies among the data; choose another place")


def write(
    path: Path, arrays: Mapping[str, np.ndarray], main: str = "", names: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Write arrays of as many rows, ``(N,)`` or ``(N, k)``, atomically, as the suffix of the path says.

    Args:
        path: see ``TABLES``.
        arrays: by name; in a table side by side.
        main: the one that a ``.npy`` holds.
        names: the columns of an array ``(N, k)`` in a table, as the data have them; its own name and a number from 1 by
            default. Where one of ours is called as one of these, an underscore comes before it.
    """
    suffix = path.suffix.lower()
    with atomic_path(path) as temporary:
        if suffix == ".csv":
            _write_table(temporary, arrays, names or {})
        else:
            with open(temporary, "wb") as file:
                np.savez(file, allow_pickle=False, **arrays) if suffix == ".npz" else np.save(file, arrays[main])


def _write_table(path: Path, arrays: Mapping[str, np.ndarray], names: Mapping[str, Sequence[str]]) -> None:
    header = [column for name, array in arrays.items() for column in _columns(name, array, names)]
    columns = [array[:, None] if array.ndim == 1 else array for array in arrays.values()]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        # Each number in the fewest digits that read back exactly in its own type.
        writer.writerows([str(value) for part in rows for value in part] for rows in zip(*columns, strict=True))


def _columns(name: str, array: np.ndarray, names: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """What the columns of an array are called."""
    if name in names:
        return names[name]
    theirs = {column for columns in names.values() for column in columns}
    ours = [name] if array.ndim == 1 else [f"{name}_{i + 1}" for i in range(array.shape[1])]
    while not theirs.isdisjoint(ours):
        ours = [f"_{column}" for column in ours]
    return ours
