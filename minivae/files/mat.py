"""Numeric arrays out of MATLAB level 5 files, the .mat of MATLAB 5 to 7.

Our own reader and not scipy.io.loadmat, which ends the process on some damaged files, and
a file of a user may be damaged: of the 2,112 files with one wrong bit behind the header that
a file of two small arrays has, 29 were a segmentation fault or a bus error (SciPy 1.17.1).
Nor does it limit what a file may unpack to. The format: The MathWorks, "MAT-File Format",
chapter 1. After a header of 128 bytes come elements, each a tag
(type, number of bytes), its data and padding to 8 bytes; a variable is an element of
elements: flags, dimensions, name, real part, imaginary part.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np

from ..errors import InputError
from .reading import Room, read_bytes, reading
from .sparse import dense, of_columns

HEADER_BYTES, TAG_BYTES = 128, 8
PIECE = 4096  # bytes that are unpacked at once, to a thousand times as many at most
MATRIX, COMPRESSED = 14, 15  # types of elements that are no plain numbers
# How numbers are stored, by type of element, and what they stand for, by class of array:
# MATLAB stores the doubles 0..255 as bytes.
STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
SPARSE = 5  # the class of sparse arrays
COMPLEX_FLAG = 0x0800
MOST_PARTS = 6  # flags, dimensions, name; real and imaginary part, or rows, columns and values
MOST_NAME = 1 << 16  # bytes of a name; MATLAB writes 63 at most

Order = Literal["<", ">"]
ORDERS: dict[bytes, Order] = {b"IM": "<", b"MI": ">"}


@dataclass(frozen=True)
class _Element:
    kind: int
    data: memoryview


def read_mat(path: Path, passed_over: list[str] | None = None) -> dict[str, np.ndarray]:
    """Return the numeric and logical variables of a MATLAB file by name; sparse ones made dense (``sparse.py``).

    Other variables (text, cells, structures) are passed over.

    Args:
        passed_over: gets the names of those.

    Raises:
        InputError: file missing, empty, truncated, damaged, or of another version.
    """
    path = Path(path)
    content = read_bytes(path)
    if content.startswith(b"MATLAB 7.3"):
        raise InputError(f"{path} is a MATLAB 7.3 (HDF5) file; save it with the option -v7")
    order = ORDERS.get(content[126:128])
    if order is None:
        raise InputError(f"{path} is not a whole MATLAB file of level 5 (versions 5 to 7)")
    arrays: dict[str, np.ndarray] = {}
    with reading(path, "MATLAB file"):
        room = Room(path)
        for element in _elements(memoryview(content)[HEADER_BYTES:], order):
            if element.kind == COMPRESSED:
                element = _unpack(element.data, order, room)
            if element.kind != MATRIX:
                raise ValueError(f"an element of type {element.kind} stands where a variable is expected")
            other = _add_variable(path, arrays, element.data, order, room)
            if other is not None and passed_over is not None:
                passed_over.append(f"{other!r:.60} (no array of numbers)")
    return arrays


def _unpack(data: memoryview, order: Order, room: Room) -> _Element:
    """Return the element in a compressed one; its tag says how long it is, and no more than that is unpacked."""
    stream, content, end = zlib.decompressobj(), bytearray(), None
    for start in range(0, len(data), PIECE):
        content += stream.decompress(data[start : start + PIECE])
        if end is None:
            end = TAG_BYTES + _tag(content, order)[1]
            room.take(end)
        if len(content) > end:
            break
    if len(content) != end or not stream.eof:
        raise ValueError(f"a compressed element does not unpack to the {end} bytes that it promises")
    (element,) = _elements(memoryview(content), order)
    return element


def _elements(data: memoryview, order: Order) -> Iterator[_Element]:
    """Yield the elements in ``data``; ValueError if the last one is cut."""
    while len(data):
        kind, size = _tag(data, order)
        if kind >> 16:  # a small element: size and type share one word, the data are the next
            kind, size, start, room = kind & 0xFFFF, kind >> 16, 4, 8
        else:
            start, room = 8, len(data)
        if start + size > room:
            raise ValueError(f"an element promises {size} bytes, there are {room - start}")
        yield _Element(kind, data[start : start + size])
        data = data[start + size + (0 if kind == COMPRESSED else -(start + size) % 8) :]


def _tag(data: bytearray | memoryview, order: Order) -> tuple[int, int]:
    kind, size = np.frombuffer(data[:TAG_BYTES], f"{order}u4", count=2).tolist()
    return kind, size


def _add_variable(path: Path, arrays: dict[str, np.ndarray], data: memoryview, order: Order, room: Room) -> str | None:
    """Add one variable to the arrays by name, if it is a numeric array; else return its name."""
    flags, dimensions, name, *parts = islice(_elements(data, order), MOST_PARTS + 1)
    if len(name.data) > MOST_NAME or len(dimensions.data) > MOST_NAME:
        raise ValueError(f"a variable with a name of {len(name.data)} bytes and dimensions of {len(dimensions.data)}")
    word = int(_numbers(flags, order)[0])
    kind, imaginary = word & 0xFF, bool(word & COMPLEX_FLAG)
    if kind not in CLASSES and (kind != SPARSE or imaginary):
        return bytes(name.data).decode("ascii", "replace")
    name, shape = bytes(name.data).decode("ascii"), tuple(_numbers(dimensions, order).tolist())
    if name in arrays:
        raise ValueError(f"two variables have the name {name!r:.60}")
    stored = [_numbers(part, order) for part in parts]
    if kind == SPARSE:
        rows, starts, values = stored
        arrays[name] = dense(f"{path}, array {name!r:.60}", of_columns(values, rows, starts, shape))
        return None
    dtype = np.dtype(CLASSES[kind])
    if len(stored) != 1 + imaginary or any(part.size != math.prod(shape) for part in stored):
        raise ValueError(f"a variable of shape {shape} with {[part.size for part in stored]} values")
    room.take(sum(part.size * dtype.itemsize for part in stored if part.dtype != dtype))
    values = [part.astype(dtype, copy=False) for part in stored]
    array = values[0] if len(values) == 1 else values[0] + 1j * values[1]
    arrays[name] = array.reshape(shape, order="F")
    return None


def _numbers(element: _Element, order: Order) -> np.ndarray:
    return np.frombuffer(element.data, np.dtype(STORED[element.kind]).newbyteorder(order))
