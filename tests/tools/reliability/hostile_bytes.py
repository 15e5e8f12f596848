"""Making files that no writer would: headers, archives and pictures that lie."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from minivae.files.npy import digest

from .formats import IMAGES

Write = Callable[[Path], object]


class Trap:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return open, (str(self.path), "w")


def this(content: Callable[[], bytes]) -> Write:
    """Write these bytes, made when they are wanted."""
    return lambda path: path.write_bytes(content())


def trapped(pack: Callable[[bytes], bytes]) -> Write:
    """Write a file with a pickle in it that would leave another file beside it."""
    return lambda path: path.write_bytes(pack(pickle.dumps(np.array([Trap(path.with_name("trap"))], object))))


def zeros(mebibytes: int, wbits: int = -15, before: bytes = b"") -> bytes:
    """So many MiB of zeros, ``before`` before them, as a stream of a thousandth of that; its checksum is wrong."""
    packer = zlib.compressobj(9, wbits=wbits)
    head = packer.compress(before) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * mebibytes + b"\x03\0" + bytes(8)


def npy(header: object, values: bytes = b"", version: int = 1) -> bytes:
    """An .npy file with this header, given as a mapping or as text."""
    text = (header if isinstance(header, str) else repr(header)).encode() + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + values


def npy_of(shape: object, dtype: object = "|u1", values: bytes = IMAGES.tobytes(), order: object = False) -> bytes:
    """An .npy file that claims this shape and type."""
    return npy({"descr": dtype, "fortran_order": order, "shape": shape}, values)


def plain(array: np.ndarray) -> bytes:
    """An .npy file as NumPy writes it."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def archive(*members: tuple[str, bytes], method: int = 0, size: int | None = None, flags: int = 0) -> bytes:
    """A zip file of packed members, which may lie about their method and size."""
    body, directory = b"", b""
    for name, packed in members:
        raw, crc = name.encode(), zlib.crc32(packed)
        about = (flags | 0x800, method, 0, 33, crc, len(packed), len(packed) if size is None else size, len(raw), 0)
        directory += b"PK\1\2" + struct.pack("<HHHHHHIIIHHHHHII", 45, 45, *about, 0, 0, 0, 0, len(body)) + raw
        body += b"PK\3\4" + struct.pack("<HHHHHIIIHH", 45, *about) + raw + packed
    counts = (len(members), len(members), len(directory), len(body), 0)
    return body + directory + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, *counts)


def pickled(array: bytes) -> bytes:
    """An object array of NumPy's."""
    return npy({"descr": "|O", "fortran_order": False, "shape": (1,)}, array)


def checkpoint(meta: Any, **arrays: np.ndarray) -> bytes:
    """A checkpoint with a checksum that is right."""
    members = {"meta": np.array(meta if isinstance(meta, str) else json.dumps(meta)), **arrays}
    members["sha256"] = np.array(digest(members))
    return archive(*((f"{name}.npy", plain(array)) for name, array in members.items()))


def sparse(size: int) -> Write:
    """A file of so many zero bytes, which takes no place on the disk."""
    return lambda path: os.truncate(path, size) if not path.write_bytes(b"") else None


def idx(*sizes: int, kind: int = 8) -> bytes:
    """The header of an IDX file."""
    return struct.pack(f">HBB{len(sizes)}I", 0, kind, len(sizes), *sizes)


def element(kind: int, data: bytes, size: int | None = None) -> bytes:
    """A tag, which may lie about the size, and data."""
    return struct.pack("<II", kind, len(data) if size is None else size) + data + bytes(-len(data) % 8)


def variable(*shape: int, name: bytes = b"images", kind: int = 9, stored: int = 2, values: bytes = b"") -> bytes:
    """A variable of this shape and class."""
    terms = (
        element(6, struct.pack("<II", kind, 0)),
        element(5, struct.pack(f"<{len(shape)}i", *shape)),
        element(1, name),
    )
    return element(14, b"".join(terms) + element(stored, values))


def mat(*elements: bytes) -> bytes:
    """A file of these elements."""
    return b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x100) + b"IM" + b"".join(elements)


def packed(data: bytes) -> bytes:
    """A compressed element."""
    return struct.pack("<II", 15, len(data)) + data


def chunk(kind: bytes, data: bytes, size: int | None = None) -> bytes:
    """A chunk of a PNG with its checksum."""
    length = len(data) if size is None else size
    return struct.pack(">I", length) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    *chunks: bytes, width: int = 4, height: int = 4, depth: int = 8, colour: int = 0, end: bytes = chunk(b"IEND", b"")
) -> bytes:
    """A PNG of this size with these chunks."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + end
