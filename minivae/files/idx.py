"""The IDX format of the MNIST files, with gzip or without.

Two zero bytes, a type code, the number of dimensions, each dimension as a big-endian
32-bit integer, then the values in C order (http://yann.lecun.com/exdb/mnist/).
"""

from __future__ import annotations

import gzip
import math
import struct
from pathlib import Path

import numpy as np

from ..errors import InputError
from .reading import Readable, Room, read_at_most, reading, require_file

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
GZIP_MAGIC = b"\x1f\x8b"


def read_idx(path: Path) -> np.ndarray:
    """Return the array in the file at ``path``, of the shape that its header states.

    Raises:
        InputError: file missing, empty, truncated, too long, damaged or of another format.
    """
    path = Path(path)
    with reading(path, "IDX file"), open(require_file(path), "rb") as raw:
        zipped = raw.read(2) == GZIP_MAGIC
        raw.seek(0)
        with gzip.GzipFile(fileobj=raw) if zipped else raw as stream:
            dtype, shape = _read_header(path, stream)
            expected = math.prod(shape) * dtype.itemsize
            if zipped:
                Room(path).take(expected)
            values = read_at_most(stream, expected + 1)  # to the end: gzip checks its sum there
        if len(values) != expected:
            found = f"only {len(values)}" if len(values) < expected else "more"
            raise InputError(f"{path}: the header promises {expected} bytes of values, there are {found}")
        return np.frombuffer(values, dtype).reshape(shape)


def _read_header(path: Path, stream: Readable) -> tuple[np.dtype, tuple[int, ...]]:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in TYPES or magic[3] == 0:
        raise InputError(f"{path}: wrong magic number 0x{magic.hex()}; expected an IDX file (0x0000 08 03, ...)")
    sizes = stream.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise InputError(f"{path} is truncated: it ends within its header")
    return np.dtype(TYPES[magic[2]]), struct.unpack(f">{magic[3]}I", sizes)
