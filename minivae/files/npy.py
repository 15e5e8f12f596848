"""Arrays out of NumPy's .npy and .npz files, never by unpickling."""

from __future__ import annotations

import io
import math
import os
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..errors import InputError
from .reading import Room, read_at_most, read_bytes, reading, require_file

MAP_ABOVE = 1 << 28  # bytes, 256 MiB: a longer .npy file stays on the disk, and rows are read when they are needed
MOST_HEADER = 1 << 14  # bytes; NumPy itself takes no more than 10,000
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # that NumPy writes
END_RECORD = 22  # bytes at the end of a zip file, with the number of members in the 11th and 12th
_NPY_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


class Pickled(InputError):
    """The file holds pickled objects, which are never unpickled."""


def read_npy(path: Path) -> np.ndarray:
    """Return the array of a ``.npy`` file; of one longer than ``MAP_ABOVE`` a read-only memory map (``np.memmap``).

    Raises:
        InputError: file missing, empty, truncated, damaged, or holding pickled objects; or
            it is to be mapped and its rows do not lie one after the other.
    """
    with reading(path, ".npy file"):
        if (size := require_file(path).stat().st_size) > MAP_ABOVE:
            return _map_npy(path, size)
        return _parse_npy(str(path), read_bytes(path))


def read_npz(path: Path, passed_over: list[str] | None = None, packed: bool = True) -> dict[str, np.ndarray]:
    """Return all arrays of an ``.npz`` file by name.

    Args:
        passed_over: gets the members that hold pickled objects, which are refused without it.
        packed: whether it may be compressed.

    Raises:
        InputError: as :func:`read_npy`; or a name comes twice, or the file unpacks to far more than its size.
    """
    arrays = {}
    with reading(path, ".npz file"), zipfile.ZipFile(require_file(path)) as archive:
        members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
        _require_plain(path, archive.infolist(), list(members), METHODS if packed else METHODS[:1])
        for name, member in members.items():
            content = _read_member(archive, member)
            try:
                arrays[name] = _parse_npy(f"{path}, array {name!r:.60}", content)
            except Pickled:
                if passed_over is None:
                    raise
                passed_over.append(f"{name!r:.60} (pickled)")
    return arrays


def digest(arrays: Mapping[str, np.ndarray]) -> str:
    """The SHA-256 of the arrays' names, dtypes, shapes and values (in C order), whatever their order."""
    from hashlib import sha256

    total = sha256()
    for name, array in sorted(arrays.items()):
        total.update(repr((name, np.lib.format.dtype_to_descr(array.dtype), array.shape)).encode())
        total.update(array.tobytes())
    return total.hexdigest()


def _require_plain(path: Path, members: list[zipfile.ZipInfo], names: list[str], methods: Sequence[int]) -> None:
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
    if any(member.compress_type not in methods for member in members):
        if len(methods) == 1:
            raise InputError(f"{path} is compressed; expected a file that is not, as numpy.savez writes it")
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
    shape, column_major, dtype, start = _header(what, data[:MOST_HEADER], len(data))
    return np.frombuffer(data, dtype, offset=start).reshape(shape, order="F" if column_major else "C")


def _map_npy(path: Path, size: int) -> np.memmap:
    with open(path, "rb") as file:
        shape, column_major, dtype, start = _header(str(path), file.read(MOST_HEADER), size)
    if column_major:
        raise InputError(
            f"{path} is longer than {MAP_ABOVE} bytes and holds one column after the other; "
            "expected rows one after the other (save numpy.ascontiguousarray of it)"
        )
    return np.memmap(path, dtype, "r", start, shape)


def _header(what: str, data: bytes | bytearray, size: int) -> tuple[tuple[int, ...], bool, np.dtype, int]:
    """(shape, whether column-major, dtype, where the values start) of an ``.npy`` file that begins with ``data``."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version not in _NPY_HEADERS:
        raise InputError(f"{what} is of .npy version {version}; expected 1.0 or 2.0")
    shape, column_major, dtype = _NPY_HEADERS[version](stream)
    if dtype.hasobject:
        raise Pickled(f"{what} holds pickled Python objects; expected a plain array of numbers")
    promised, present = math.prod(shape) * dtype.itemsize, size - stream.tell()
    if promised != present:
        raise InputError(f"{what}: the header promises {promised} bytes of values, there are {present}")
    return shape, column_major, dtype, stream.tell()
