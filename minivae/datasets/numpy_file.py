"""Arrays out of NumPy's .npy and .npz files, never by unpickling."""

from __future__ import annotations

import io
import math
import zipfile
from pathlib import Path

import numpy as np

from ..errors import InputError
from .reading import read_bytes, reading, require_file

_NPY_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_npy(path: Path) -> np.ndarray:
    """Return the array of a ``.npy`` file.

    Raises:
        InputError: file missing, empty, truncated, damaged, or holding pickled objects.
    """
    content = read_bytes(path)
    with reading(path, ".npy file"):
        return _parse_npy(str(path), content)


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Return all arrays of an ``.npz`` file by name; errors as :func:`read_npy`."""
    with reading(path, ".npz file"), zipfile.ZipFile(require_file(path)) as archive:
        return {
            name.removesuffix(".npy"): _parse_npy(f"{path}, array {name}", archive.read(name))
            for name in archive.namelist()
        }


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
    values = np.frombuffer(data, dtype, offset=stream.tell())
    return values.reshape(shape, order="F" if column_major else "C")
