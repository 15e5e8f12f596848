"""What lies in a file or folder: every format, read into arrays by name."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..files import npy, tables
from ..files.hdf5 import MAGIC, MAT_73, read_hdf5
from ..files.idx import GZIP_MAGIC, read_idx
from ..files.mat import read_mat
from ..files.reading import reading, require_file
from .choices import NO_LABELS, Choices
from .image_folder import read_picture_folder
from .natural import visible
from .table import read_table

FORMATS = ".npy, .npz, .mat, .h5, .csv, .tsv, IDX or a folder of pictures"
# MNIST's names of files and those of sets that follow it: (prefix) part, what, type.
IDX_NAME = re.compile(
    r"(?:.*[-_.])?(train|t10k|test|val|valid|validation)[-_.](images?|labels?)"
    r"([-_.]idx\d([-_.]\w+)?)?(\.idx)?(\.gz)?"
)


@dataclass
class Found:
    """What was read.

    Attributes:
        arrays: by name.
        named: whether the file itself has names for arrays, so that one can be picked.
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
        return _read_folder(path, choices)
    choices.refuse(path, "colour", "size", expected="is no folder of pictures")
    suffix = _suffix(path)
    if suffix in tables.SUFFIXES:
        choices.refuse(path, "array", "points_axis", expected="is a table, whose rows are the points")
        return Found(**read_table(path, choices))
    if suffix in (".npz", ".mat", ".h5", ".hdf5", ".hdf", ".he5"):
        return _read_named(path, suffix)
    choices.refuse(path, "array", expected="holds one array, without a name")
    if suffix == ".npy":
        return Found({"images": npy.read_npy(path)})
    if _start(path, 2) not in (b"\0\0", GZIP_MAGIC):
        raise InputError(f"{path}: unknown format; expected {FORMATS}")
    return Found({"images": read_idx(path)})


def _read_named(path: Path, suffix: str) -> Found:
    passed_over: list[str] = []
    matlab, start = suffix == ".mat", _start(path, len(MAT_73))
    if suffix not in (".npz", ".mat") or start == MAT_73 or start.startswith(MAGIC):
        arrays = read_hdf5(path, passed_over, npy.MAP_ABOVE)
    else:
        arrays = read_mat(path, passed_over) if matlab else npy.read_npz(path, passed_over)
    if {"indices", "indptr"} <= {name.rpartition("/")[2] for name in arrays}:
        raise InputError(f"{path} holds a sparse matrix; expected a plain array (save its toarray())")
    return Found(arrays, named=True, matlab=matlab, passed_over=passed_over)


def _suffix(path: Path) -> str:
    """In small letters, without that of a packed table."""
    inner = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return inner.suffix.lower() if inner.suffix.lower() in tables.SUFFIXES else path.suffix.lower()


def _start(path: Path, size: int) -> bytes:
    with reading(path, "file"), open(require_file(path), "rb") as file:
        return file.read(size)


def _read_folder(folder: Path, choices: Choices) -> Found:
    files = _idx_files(folder)
    if not files:
        choices.refuse(folder, "array", "points_axis", expected="is a folder of pictures")
        if choices.labels not in (None, NO_LABELS):
            folders = f"but {folder} is a folder of pictures, whose labels are its folders"
            raise InputError(f"labels is {choices.labels!r}, {folders}; expected 'none' or None")
        return Found(**read_picture_folder(folder, choices))
    choices.refuse(folder, "array", "colour", "size", expected="holds IDX files")
    return Found({name: read_idx(path) for name, path in files.items()}, facts={"files": "IDX"})


def _idx_files(folder: Path) -> dict[str, Path]:
    """The IDX files in the folder or, if there are none, in the only folder up to two below that has some."""
    below = [folder]
    for _ in range(3):
        holding = {inner: files for inner in below if (files := _idx_files_in(inner))}
        if len(holding) > 1:
            names = ", ".join(str(inner.relative_to(folder)) for inner in holding)
            raise InputError(f"{folder} has IDX files in several folders ({names:.200}); expected one of those")
        if holding:
            return next(iter(holding.values()))
        below = [child for inner in below for child in visible(inner) if child.is_dir()]
    return {}


def _idx_files_in(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in visible(folder):
        name = IDX_NAME.fullmatch(path.name.lower())
        if name is None or not path.is_file() or _start(path, 2) not in (b"\0\0", GZIP_MAGIC):
            continue
        part = {"t10k": "test", "train": "train", "test": "test"}.get(name[1], "validation")
        array = f"{part}_{name[2].rstrip('s')}s"
        twin = found.get(array)
        if twin is not None and twin.name.removesuffix(".gz") != path.name.removesuffix(".gz"):
            raise InputError(f"{folder} has two IDX files of {array}: {twin.name} and {path.name}; expected one")
        found[array] = path if twin is None or twin.suffix == ".gz" else twin
    return found if any(name.endswith("images") for name in found) else {}
