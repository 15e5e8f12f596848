"""Rows that are written to an ``.npy`` file as they come, so that all of them need not fit into memory."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from .atomic import atomic_path
from .folders import make_folder


def write_rows(path: Path, batches: Any, shape: tuple[int, ...], dtype: Any) -> None:
    """Write arrays of ``(some rows, *shape)`` one below the other into one ``.npy`` file, atomically.

    Args:
        batches: yields the arrays.
    """
    count = 0
    make_folder(path.parent)
    with atomic_path(path) as temporary, open(temporary, "wb+") as file:
        _write_header(file, (0, *shape), dtype)
        for batch in batches:
            file.write(np.ascontiguousarray(batch, dtype).tobytes())
            count += len(batch)
        file.seek(0)
        _write_header(file, (count, *shape), dtype)  # as long as the first: NumPy leaves room for the rows


def _write_header(file: Any, shape: tuple[int, ...], dtype: Any) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def key_of(paths: list[Path], *others: Any) -> str:
    """A name for what is read from files: another one when a file has changed, or another option."""
    stats = [(os.path.realpath(path), status.st_size, status.st_mtime_ns) for path in paths for status in [path.stat()]]
    return sha256(repr((stats, others)).encode()).hexdigest()[:24]
