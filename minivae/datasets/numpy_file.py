"""Arrays out of NumPy's .npy and .npz files, never by unpickling."""

from __future__ import annotations

import io
import math
import os
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..errors import InputError
from .reading import Room, read_at_most, read_bytes, reading, require_file

MOST_HEADER = 1 << 14  # bytes; NumPy itself takes no more than 10,000
END_RECORD = 22  # bytes at the end of a zip file, with the number of members in the 11th and 12th
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
    """Return all arrays of an ``.npz`` file by name.

    Raises:
        InputError: as :func:`read_npy`; or a name comes twice, or the file unpacks to far more than its size.
    """
    with reading(path, ".npz file"), zipfile.ZipFile(require_file(path)) as archive:
        members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
        _require_plain(path, archive.infolist(), list(members))
        return {
            name: _parse_npy(f"{path}, array {name!r:.60}", _read_member(archive, member))
            for name, member in members.items()
        }


def digest(arrays: Mapping[str, np.ndarray]) -> str:
    """The SHA-256 of the arrays' names, dtypes, shapes and values (in C order), whatever their order."""
    from hashlib import sha256

    total = sha256()
    for name, array in sorted(arrays.items()):
        total.update(repr((name, np.lib.format.dtype_to_descr(array.dtype), array.shape)).encode())
        total.update(array.tobytes())
    return total.hexdigest()


def _require_plain(path: Path, members: list[zipfile.ZipInfo], names: list[str]) -> None:
    """Refuse what NumPy does not write, before anything is unpacked."""
    with open(path, "rb") as file:
        file.seek(-END_RECORD, os.SEEK_END)
        end = file.read()
    # zipfile does not look at the number, and takes members for comments where a length is damaged.
    if end[:4] != b"PK\5\6" or int.from_bytes(end[10:12], "little") != min(len(members), 0xFFFF):
        raise InputError(f"{path} is damaged: its directory does not list as many arrays as it says")
    if len(names) < len(members):
        twice = Counter(member.filename.removesuffix(".npy") for member in members).most_common(1)[0][0]
        raise InputError(f"{path} holds two arrays of the name {twice!r:.60}")
    if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
        raise InputError(f"{path} is compressed by another method than NumPy's; expected one of numpy.savez_compressed")
    Room(path).take(sum(member.file_size for member in members))


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytearray:
    with archive.open(member) as stream:
        # In pieces, since zipfile unpacks all there is before it cuts what is more than the size it promised.
        return read_at_most(stream, member.file_size)


def _parse_npy(what: str, data: bytes | bytearray) -> np.ndarray:
    """Return the array in the bytes of an ``.npy`` file, as a view of them.

    ``numpy.load`` would ask for the memory that a damaged header promises before it
    looks whether the bytes are there.
    """
    stream = io.BytesIO(data[:MOST_HEADER])
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
