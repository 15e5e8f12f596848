"""Named arrays out of NumPy and MATLAB files, never by unpickling."""

from __future__ import annotations

import io
import math
import zipfile
from pathlib import Path

import numpy as np

from ..errors import InputError
from .reading import reading, require_file

_NPY_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_npy(path: Path) -> np.ndarray:
    """Return the array of a ``.npy`` file.

    Raises:
        InputError: file missing, empty, truncated, damaged, or holding pickled objects.
    """
    with reading(path, ".npy file"):
        return _parse_npy(str(path), require_file(path).read_bytes())


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Return all arrays of an ``.npz`` file by name; errors as :func:`read_npy`."""
    with reading(path, ".npz file"), zipfile.ZipFile(require_file(path)) as archive:
        return {
            name.removesuffix(".npy"): _parse_npy(f"{path}, array {name}", archive.read(name))
            for name in archive.namelist()
        }


def read_mat(path: Path) -> dict[str, np.ndarray]:
    """Return all variables of a MATLAB file (up to version 7) by name.

    Raises:
        InputError: file missing, empty, truncated, damaged, or of version 7.3 (HDF5).
    """
    with open(require_file(path), "rb") as file:
        if file.read(10) == b"MATLAB 7.3":
            raise InputError(f"{path} is a MATLAB 7.3 (HDF5) file; save it with the option -v7")
    with reading(path, "MATLAB .mat file"):
        from scipy.io import loadmat

        variables = loadmat(path, appendmat=False)
    return {name: np.asarray(value) for name, value in variables.items() if not name.startswith("__")}


def _parse_npy(what: str, data: bytes) -> np.ndarray:
    """Return the array in the bytes of an ``.npy`` file, as a view of them.

    ``numpy.load`` would ask for the memory that a damaged header promises before it
    looks whether the bytes are there.
    """
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version not in _NPY_HEADERS:
        raise InputError(f"{what} is of .npy version {version}; expected 1.0 or 2.0")
    shape, column_major, dtype = _NPY_HEADERS[version](stream)
    if dtype.hasobject:
        raise InputError(f"{what} holds pickled Python objects; expected a plain array of numbers")
    promised, present = math.prod(shape) * dtype.itemsize, len(data) - stream.tell()
    if promised != present:
        raise InputError(f"{what}: the header promises {promised} bytes of values, there are {present}")
    values = np.frombuffer(data, dtype, offset=stream.tell()) if present else np.empty(0, dtype)
    return values.reshape(shape, order="F" if column_major else "C")
