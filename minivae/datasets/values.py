"""Stored values: their shape as data points, their type in memory, and what they are parts of."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np

from ..errors import InputError
from .dataset import first_beyond
from .mapped import MappedRows, as_type, blocks

SMALLEST_SQUARE = 4  # pixels of the side of a square that is taken for a picture
EXACT_IN_FLOAT32 = 1 << 24
DEEP = (1023, 4095, 16383, 65535)  # largest levels of 10, 12, 14 and 16 bits
PIXEL = re.compile(r"(pixels?|pix|px|p|x|v)?[-_. ]?\d+([-_. x]\d+)?", re.IGNORECASE)  # a column's name


def as_points(path: Path, array: np.ndarray) -> np.ndarray:
    """``(N, D)``, ``(N, rows, columns)`` or ``(N, rows, columns, 3)``; one channel has no axis."""
    if array.ndim == 4 and 3 not in array.shape[3:] and array.shape[1] == 3 and not isinstance(array, np.memmap):
        return np.moveaxis(array, 1, 3)
    if array.ndim == 4 and 3 not in array.shape[3:] and 1 in (array.shape[1], array.shape[3]):
        array = array[:, 0] if array.shape[1] == 1 else array[..., 0]  # squeeze() would forget that it is mapped
    if array.ndim not in (2, 3) and not (array.ndim == 4 and array.shape[3] == 3):
        raise InputError(
            f"{path} holds an array of shape {array.shape}; expected (N, D), (N, rows, columns) or "
            "(N, rows, columns, 3) for N points"
        )
    return array


def require_alike(path: Path, parts: list[np.ndarray]) -> list[np.ndarray]:
    """Return the arrays of all parts, if those belong together and have a row each, two if there is one."""
    first = parts[0]
    if any(part.shape[1:] != first.shape[1:] or part.dtype.kind != first.dtype.kind for part in parts):
        kinds = " and ".join(f"{part.dtype} {part.shape}" for part in parts)
        differ = f"{path}: train and test differ in image size or type: {kinds}"
        raise InputError(f"{differ}; expected them alike (or --points-axis N)")
    if len(first) + len(parts) < 3 or any(0 in part.shape for part in parts):
        raise InputError(
            f"{path} holds arrays of shape {' and '.join(str(part.shape) for part in parts)}; "
            "expected at least 2 rows (to train and to test alone, 1) of at least 1 value"
        )
    return parts


def image_shape_of(shape: tuple[int, ...], columns: tuple[str, ...] | None) -> tuple[int, ...] | None:
    """(rows, columns[, 3]) if ``shape`` says so or has as many values as a square from 4 x 4 on.

    Values with names are a picture only if those are names of pixels ("pixel17", "3x5").
    """
    if len(shape) > 1:
        return shape
    size = math.prod(shape)
    side = math.isqrt(size)
    square = side >= SMALLEST_SQUARE and side * side == size
    return (side, side) if square and _are_of_pixels(columns or ()) else None


def _are_of_pixels(columns: tuple[str, ...]) -> bool:
    """Whether names of columns are names of pixels; numbers alone if they count from 0 or 1: others are years."""
    numbers = [name for name in columns if name.isdecimal()]
    counted = [[str(i + first) for i in range(len(numbers))] for first in (0, 1)]
    return all(map(PIXEL.fullmatch, columns)) and (not numbers or numbers in counted)


def stored(
    path: Path,
    parts: list[np.ndarray],
    *,
    whole: bool,
    deep: bool,
    picture: bool,
    columns: tuple[str, ...] | None,
) -> tuple[list[np.ndarray | MappedRows], float, tuple[float, float], str]:
    """The rows of each part as they are kept, their common scale, their range as they came, and what they came as.

    The last is "bits", "real", "deep" for levels of ``deep`` pictures, or "whole" for other whole numbers: of two files
    that came as the same the scale has to be the same, too, which is taken here from one's largest number.

    Whole numbers in 0..255 are kept as uint8, of pictures with scale 255 (scale 1 if none is above 1). Levels of
    ``deep`` pictures are float32, the scale the largest of 10, 12, 14 or 16 bits. Other whole numbers are
    float32 where that holds them exactly, else float64, and floats as they come, all with scale 1.

    Args:
        parts: ``(N, D)`` each.
        whole: whether floats were written as whole numbers.
        deep: whether these are pictures of more than 8 bits.
        picture: whether rows are pictures, whose whole numbers are grey levels.
    """
    came = np.dtype(parts[0].dtype)
    kind = came.kind
    if kind not in "buif":
        raise InputError(f"{path} holds values of type {came}; expected integers or real numbers")
    if kind == "f":
        _require_finite(path, parts, columns)
    rows = [MappedRows(part, part.dtype) if isinstance(part, np.memmap) else part for part in parts]
    low, high = float(min(part.min() for part in rows)), float(max(part.max() for part in rows))
    integers = kind != "f" or (whole and all(map(_is_whole, rows)))
    scale, dtype = 1.0, came.newbyteorder("=")
    if integers and low >= 0 and high <= 255:
        scale, dtype = 255.0 if picture and high > 1 else 1.0, np.dtype(np.uint8)
    elif integers:
        scale = float(next(level for level in DEEP if high <= level)) if deep and 0 <= low <= high <= DEEP[-1] else 1.0
        dtype = np.dtype(np.float32 if max(-low, high) <= EXACT_IN_FLOAT32 else np.float64)
    elif dtype.itemsize not in (4, 8):
        dtype = np.dtype(np.float32 if dtype.itemsize < 4 else np.float64)
    came_as = "bits" if kind == "b" else "deep" if deep and came == np.uint16 else "whole" if integers else "real"
    return [as_type(part, dtype) for part in parts], scale, (low, high), came_as


def _is_whole(rows: np.ndarray | MappedRows) -> bool:
    return all(np.array_equal(part, np.rint(part)) for part in map(rows.__getitem__, blocks(rows)))


def _require_finite(path: Path, parts: list[np.ndarray], columns: tuple[str, ...] | None) -> None:
    for part in parts:
        at = first_beyond(part, float(np.finfo(np.float32).max) if part.dtype.itemsize >= 4 else math.inf)
        if at is not None:
            value = f"value {at[1]}" if columns is None else f"column {columns[at[1]]!r}"
            raise InputError(f"{path} holds {part[at]} in row {at[0]}, {value}; expected finite float32 numbers")
