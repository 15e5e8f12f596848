"""What lies in a file or folder: every format, read into arrays by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..files import npy, sparse, tables
from ..files.hdf5 import MAGIC, MAT_73, read_hdf5
from ..files.idx import GZIP_MAGIC, read_idx
from ..files.mat import read_mat
from ..files.reading import start_of
from .choices import NO_LABELS, Choices
from .idx_folder import idx_files, labels_beside
from .image_folder import read_picture_folder
from .table import read_table

FORMATS = ".npy, .npz, .mat, .mtx, .h5, .csv, .tsv, IDX or a folder of pictures"


@dataclass
class Found:
    """What was read.

    Attributes:
        arrays: by name.
        named: whether the file itself has names for arrays, so that one can be picked.
        any_axis: whether the only array, which has no name, may have the points along any axis.
        matlab: whether columns may be the points, as MATLAB's users have it.
        columns: names of the values, where there are some.
        class_names: what labels 0, 1, ... are called, where the folders say.
        passed_over: what was there and is not among the arrays.
        facts: what else there is to say of how it was read, for the account.
        whole: whether floats are numbers that were written as integers.
        picture_bits: of pictures with more than 8 bits.
    """

    arrays: dict[str, np.ndarray]
    named: bool = False
    any_axis: bool = False
    matlab: bool = False
    columns: tuple[str, ...] | None = None
    class_names: tuple[str, ...] | None = None
    passed_over: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    whole: bool = False
    pictures: bool = False


def read(path: Path, choices: Choices) -> Found:
    """Read any format.

    Raises:
        InputError: the file cannot be read, is of no format known here, or an option does not go with its format.
    """
    if path.is_dir():
        choices.refuse(path, "header", expected="is no table")
        return _read_folder(path, choices)
    choices.refuse(path, "colour", "size", expected="is no folder of pictures")
    suffix = _suffix(path)
    if suffix in tables.SUFFIXES:
        choices.refuse(path, "array", "points_axis", expected="is a table, whose rows are the points")
        return Found(**read_table(path, choices))
    choices.refuse(path, "header", expected="is no table")
    if suffix in (".npz", ".mat", ".h5", ".hdf5", ".hdf", ".he5"):
        return _read_named(path, suffix, choices)
    choices.refuse(path, "array", expected="holds one array, without a name")
    if suffix == ".mtx":
        return _read_matrix_market(path, choices)
    if suffix == ".npy":
        return Found({"images": npy.read_npy(path)}, any_axis=True)
    if start_of(path, 2) not in (b"\0\0", GZIP_MAGIC):
        raise InputError(f"{path}: unknown format; expected {FORMATS}")
    return _read_idx_file(path, choices)


def _read_named(path: Path, suffix: str, choices: Choices) -> Found:
    passed_over: list[str] = []
    matlab, start = suffix == ".mat", start_of(path, len(MAT_73))
    if suffix not in (".npz", ".mat") or start == MAT_73 or start.startswith(MAGIC):
        arrays = read_hdf5(path, passed_over, npy.MAP_ABOVE)
    else:
        arrays = read_mat(path, passed_over) if matlab else npy.read_npz(path, passed_over)
    if suffix == ".npz" and (matrix := sparse.of_arrays(path, arrays)) is not None:
        choices.refuse(path, "array", expected="holds one sparse matrix")
        return of_sparse(str(path), matrix)
    if any(pair <= {name.rpartition("/")[2] for name in arrays} for pair in ({"indices", "indptr"}, {"ir", "jc"})):
        raise InputError(f"{path} holds a sparse matrix; expected a plain array, or what scipy.sparse.save_npz writes")
    return Found(arrays, named=True, matlab=matlab, passed_over=passed_over)


def of_sparse(name: str, matrix: Any) -> Found:
    """A sparse matrix as the only array."""
    return Found({"images": sparse.dense(name, matrix)}, facts={"sparse": sparse.in_words(matrix)})


def _read_matrix_market(path: Path, choices: Choices) -> Found:
    """Either axis is the points: of documents mostly the rows, of cells in biology the columns."""
    matrix = sparse.read_matrix_market(path)
    if choices.points_axis is None:
        shape = tuple(map(int, matrix.shape))
        raise InputError(f"{path} holds a matrix of shape {shape}; expected --points-axis 0 if rows are points, else 1")
    return of_sparse(str(path), matrix) if sparse.is_sparse(matrix) else Found({"images": matrix})


def _suffix(path: Path) -> str:
    """In small letters, without that of a packed text."""
    inner = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return inner.suffix.lower() if inner.suffix.lower() in (*tables.SUFFIXES, ".mtx") else path.suffix.lower()


def _read_folder(folder: Path, choices: Choices) -> Found:
    files = idx_files(folder)
    if not files:
        choices.refuse(folder, "array", "points_axis", expected="is a folder of pictures")
        if choices.labels not in (None, NO_LABELS):
            folders = f"but {folder} is a folder of pictures, whose labels are its folders"
            raise InputError(f"labels is {choices.labels!r}, {folders}; expected 'none' or None")
        return Found(**read_picture_folder(folder, choices))
    choices.refuse(folder, "array", "colour", "size", expected="holds IDX files")
    return Found({name: read_idx(path) for name, path in files.items()}, facts={"files": "IDX"})


def _read_idx_file(path: Path, choices: Choices) -> Found:
    """A file of pictures, with the labels that lie beside it under the name that goes with its own."""
    found = Found({"images": read_idx(path)}, facts={"files": "IDX"})
    beside = labels_beside(path) if choices.labels is None else None
    if beside is not None:
        found.arrays["labels"] = read_idx(beside)
        found.facts["labels_from"] = beside.name
    return found
