"""Sparse matrices, made dense: as SciPy saves them, in Matrix Market's format, as MATLAB has them, and as arguments.

Every value is held, the zeros too, in the smallest whole numbers that hold them; up to ``MOST_DENSE`` bytes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from .idx import GZIP_MAGIC
from .reading import read_bytes, reading
from .text import unpacked

MOST_DENSE = 1 << 30  # bytes, 1 GiB
NO_NUMBER = re.compile(rb"[^-+.\dEe\s]+")  # infinities and NaN are none, either


def is_sparse(given: Any) -> bool:
    """Whether an argument is one of SciPy's sparse matrices or arrays."""
    return callable(getattr(given, "toarray", None)) and hasattr(given, "nnz")


def dense(name: str, matrix: Any) -> np.ndarray:
    """All values of one of SciPy's sparse matrices.

    Raises:
        InputError: they are more than ``MOST_DENSE`` bytes, or no real numbers.
    """
    matrix = matrix.tocsr(copy=True)
    matrix.sum_duplicates()
    dtype = matrix.dtype
    if dtype.kind not in "biuf":
        raise InputError(f"{name} holds values of type {dtype}; expected integers or real numbers")
    if dtype.kind in "iu":
        low, high = (min(0, matrix.min()), max(0, matrix.max())) if matrix.nnz else (0, 0)
        dtype = np.result_type(np.min_scalar_type(low), np.min_scalar_type(high))
    _require_room(name, matrix.shape, dtype)
    return matrix.astype(dtype).toarray()


def in_words(matrix: Any) -> str:
    """How many of a sparse matrix' values are stored."""
    return f"{matrix.nnz / max(1, math.prod(matrix.shape)):.3g} of the values stored, made dense"


def _require_room(name: str, shape: tuple[int, ...], dtype: np.dtype) -> None:
    size = math.prod(map(int, shape)) * dtype.itemsize
    if size > MOST_DENSE:
        raise InputError(
            f"{name} is a sparse matrix of shape {tuple(map(int, shape))}, {size} bytes with its zeros; "
            f"expected at most {MOST_DENSE}: choose among its columns"
        )


def of_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> Any:
    """The matrix whose parts ``scipy.sparse.save_npz`` wrote, or None if these arrays are no such parts.

    Raises:
        InputError: they do not fit together.
    """
    if not {"format", "shape", "data"} <= arrays.keys():
        return None
    from scipy import sparse

    with reading(path, "sparse matrix"):
        kind = arrays["format"].item()
        kind = kind.decode() if isinstance(kind, bytes) else kind
        data, shape = arrays["data"], tuple(arrays["shape"].tolist())
        if kind in ("csr", "csc", "bsr"):
            made = getattr(sparse, f"{kind}_matrix")((data, arrays["indices"], arrays["indptr"]), shape=shape)
            made.check_format(full_check=True)
        elif kind == "dia":
            made = sparse.dia_matrix((data, arrays["offsets"]), shape=shape)
        elif kind == "coo":
            places = arrays["coords"] if "coords" in arrays else (arrays["row"], arrays["col"])
            made = sparse.coo_matrix((data, tuple(places)), shape=shape)
        else:
            raise ValueError(f"of format {kind!r:.20}")
    return made


def of_columns(data: np.ndarray, rows: np.ndarray, starts: np.ndarray, shape: tuple[int, ...]) -> Any:
    """The matrix of MATLAB's parts: values, their rows, and where the columns start; ValueError if they do not fit."""
    from scipy import sparse

    stored = int(starts[-1])  # MATLAB may have room for more
    made = sparse.csc_matrix((data[:stored], rows[:stored], starts), shape=shape)
    made.check_format(full_check=True)
    return made


def read_matrix_market(path: Path) -> Any:
    """The matrix in a ``.mtx`` file, packed with gzip or not: sparse, or an array where the file lists all values.

    Our own reader and not scipy.io.mmread, which ends the process on some damaged files (SciPy 1.17.1). The format:
    Boisvert, Pozo and Remington, "The Matrix Market Exchange Formats", NISTIR 5935.

    Raises:
        InputError: file missing, empty, damaged, of complex numbers, or too large.
    """
    with reading(path, "Matrix Market file"):
        content = read_bytes(path)
        content = bytes(unpacked(path)) if content[:2] == GZIP_MAGIC else content
        banner, _, rest = content.partition(b"\n")
        words = banner.decode("ascii", "replace").lower().split()
        if words[:2] != ["%%matrixmarket", "matrix"] or words[2:3] not in (["coordinate"], ["array"]):
            raise ValueError("it does not begin with %%MatrixMarket matrix coordinate, or array")
        while rest.startswith(b"%") or rest[:1].isspace():
            rest = rest.partition(b"\n")[2]
        sizes, _, rest = rest.partition(b"\n")
        if found := NO_NUMBER.search(rest):  # of which older NumPys would make the end
            raise ValueError(f"it holds {found[0]!r} among its numbers")
        numbers = np.fromstring(rest, sep=" ")
        field, symmetry = (*words[3:5], "", "")[:2]
        read = _coordinates if words[2] == "coordinate" else _all_values
        return read([*map(int, sizes.split())], field, symmetry, numbers)


def _coordinates(sizes: list[int], field: str, symmetry: str, numbers: np.ndarray) -> Any:
    """A row, a column, both from 1, and a value in each line; of pattern matrices no value, which then is 1."""
    from scipy import sparse

    rows, columns, entries = sizes
    width = {"real": 3, "integer": 3, "pattern": 2}[field]
    lines = numbers.reshape(entries, width)
    places = lines[:, :2].astype(np.int64) - 1
    if not (places + 1 == lines[:, :2]).all() or (places < 0).any() or (places >= [rows, columns]).any():
        raise ValueError(f"it has entries outside of {rows} rows and {columns} columns")
    values = lines[:, 2] if width == 3 else np.ones(entries)
    values = values if field == "real" else values.astype(np.int64)
    made = sparse.coo_matrix((values, (places[:, 0], places[:, 1])), shape=(rows, columns))
    below = {"general": 0, "symmetric": 1, "skew-symmetric": -1}[symmetry]
    return made + below * (made - sparse.diags_array(made.diagonal(), dtype=values.dtype)).T if below else made


def _all_values(sizes: list[int], field: str, symmetry: str, numbers: np.ndarray) -> np.ndarray:
    """A value in each line, column by column."""
    if field not in ("real", "integer") or symmetry != "general":
        raise ValueError(f"it is an array, {field} and {symmetry}; expected real or integer, and general")
    rows, columns = sizes
    return numbers.astype(np.float64 if field == "real" else np.int64).reshape(columns, rows).T
