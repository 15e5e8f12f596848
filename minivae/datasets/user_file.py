"""The user's own data: ``.npy``, ``.npz``, ``.mat``, IDX, or a folder.

Every format is first read into named arrays, which then become a data set by the same
rules (see :func:`load`).
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..files.idx import GZIP_MAGIC, read_idx
from ..files.mat import read_mat
from ..files.npy import read_npy, read_npz
from ..files.reading import reading, require_file
from . import frey_faces
from .dataset import Dataset, Split, first_beyond, no_choice_of_split, split_rows
from .image_folder import read_png_folder
from .mapped import MappedRows, as_type

# Names of arrays, lower case; {} stands for train or test.
PART_IMAGES = ("{}_images", "x_{}", "{}_x", "{}_data", "{}")
PART_LABELS = ("{}_labels", "y_{}", "{}_y")
ALL_IMAGES = ("images", "x", "data")
ALL_LABELS = ("labels", "y", "target")
# Our names of the arrays in a folder with IDX files named as MNIST's.
IDX_FILES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}
HELD_OUT = 0.1  # share of the rows that become the test part of data without one


def load(path: Path, split: str | None = None, seed: int = 0) -> Dataset:
    """Return the data set in a file or folder.

    Which arrays of an ``.npz`` or ``.mat`` file (in any case of letters):

    - ``train_images`` and ``test_images``, or ``x_train``, ``train_x``, ``train_data``,
      plain ``train`` (and so for test), with ``train_labels``, ``y_train`` or ``train_y``;
    - or ``images``, ``x`` or ``data``, with ``labels``, ``y`` or ``target``;
    - or the only array there is of two or more dimensions.

    Shapes: ``(N, D)``, ``(N, rows, columns)``, or the latter with an axis for one channel.
    Where D alone is known and is a square of at least 16, images are taken to be square.

    Values: whole numbers in 0..255 are kept as uint8 with scale 255 (scale 1 if none is
    above 1). Floats, and whole numbers beyond that, are kept as float32 with scale 1,
    whatever their range (``require_domain`` tells whether that is [0, 1]).

    A folder holds PNGs (see ``png_folder.py``) or IDX files named as MNIST's. Without a test
    part a tenth of the rows is held out: drawn by ``seed``, or with ``split="contiguous"``
    the last ones.

    A ``.npy`` file longer than ``numpy_file.MAP_ABOVE`` stays where it is: its rows are read
    when a minibatch takes them (see ``mapped.py``), and in blocks to find the range of the values.

    Raises:
        InputError: the file cannot be read, or is not covered by these rules.
    """
    arrays = _read(path)
    if frey_faces.holds_faces(arrays):
        return frey_faces.from_pixels(str(path), arrays["ff"].T, split, seed)
    parts = _parts(path, {name.lower(): array for name, array in arrays.items()})
    images = _require_alike(path, [_as_images(path, images) for images, _ in parts])
    shape = _image_shape(images[0].shape[1:])
    values, scale = _values(path, [part.reshape(len(part), -1) for part in images])
    labels = [_labels(path, labels, len(images)) for images, labels in parts]
    if len(parts) == 1:
        test_size = max(1, round(HELD_OUT * len(images[0])))
        train, test, note = split_rows(values[0], labels[0], test_size=test_size, split=split, seed=seed)
    else:
        no_choice_of_split(str(path), split)
        if any(part is None for part in labels):
            labels = [None, None]
        train, test = map(Split, values, labels)
        note = f"the file's own: {len(train)} rows train, {len(test)} test"
    return Dataset(str(path), train, test, shape, scale, note)


def _read(path: Path) -> dict[str, np.ndarray]:
    """Read any format into named arrays."""
    if path.is_dir():
        return _read_folder(path)
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return {"images": read_npy(path)}
    if suffix == ".npz":
        return read_npz(path)
    if suffix == ".mat":
        return read_mat(path)
    with reading(path, "file"), open(require_file(path), "rb") as file:
        start = file.read(2)
    if start not in (b"\0\0", GZIP_MAGIC):
        raise InputError(f"{path}: unknown format; expected .npy, .npz, .mat, IDX or a folder of PNGs")
    return {"images": read_idx(path)}


def _read_folder(folder: Path) -> dict[str, np.ndarray]:
    files = {
        array: path
        for array, name in IDX_FILES.items()
        for path in (folder / name, folder / f"{name}.gz")
        if path.is_file()
    }
    if "train_images" in files:
        return {array: read_idx(path) for array, path in files.items()}
    return read_png_folder(folder)


def _parts(path: Path, arrays: dict[str, np.ndarray]) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """Return the images and labels of all rows, or of train and of test."""
    found = []
    for part in ("train", "test"):
        images, labels = (
            _pick(arrays, [pattern.format(part) for pattern in patterns]) for patterns in (PART_IMAGES, PART_LABELS)
        )
        if images is not None:
            found.append((images, labels))
    if found:
        return found
    images = _pick(arrays, ALL_IMAGES)
    return [(_only(path, arrays) if images is None else images, _pick(arrays, ALL_LABELS))]


def _pick(arrays: dict[str, np.ndarray], names: list[str] | tuple[str, ...]) -> np.ndarray | None:
    return next((arrays[name] for name in names if name in arrays), None)


def _only(path: Path, arrays: dict[str, np.ndarray]) -> np.ndarray:
    candidates = [array for array in arrays.values() if array.ndim >= 2 or len(arrays) == 1]
    if len(candidates) != 1:
        names = ", ".join(sorted(arrays)).encode("unicode_escape").decode()  # in one line, whatever they are
        raise InputError(
            f"{path} holds the arrays {names[:200] or '(none)'}; "
            "expected images (and labels), or train_images and test_images (and *_labels)"
        )
    return candidates[0]


def _as_images(path: Path, array: np.ndarray) -> np.ndarray:
    """Return the array as ``(N, D)`` or ``(N, rows, columns)``, without an axis for one channel."""
    if array.ndim == 4 and 1 in (array.shape[1], array.shape[3]):
        array = array[:, 0] if array.shape[1] == 1 else array[..., 0]  # squeeze() would forget that it is mapped
    if array.ndim not in (2, 3):
        raise InputError(
            f"{path} holds an array of shape {array.shape}; expected (N, D) or (N, rows, columns) for N images"
        )
    return array


def _require_alike(path: Path, images: list[np.ndarray]) -> list[np.ndarray]:
    """Return the images of all rows, or of train and of test, if those belong together."""
    first, last = images[0], images[-1]
    if first.shape[1:] != last.shape[1:] or first.dtype.kind != last.dtype.kind:
        kinds = " and ".join(f"{array.dtype} {array.shape}" for array in images)
        raise InputError(f"{path}: train and test differ in image size or type: {kinds}")
    if len(first) + len(images) < 3 or 0 in (*first.shape, *last.shape):
        raise InputError(
            f"{path} holds arrays of shape {' and '.join(str(array.shape) for array in images)}; "
            "expected at least 2 rows (to train and to test alone, 1) of at least 1 value"
        )
    return images


def _image_shape(shape: tuple[int, ...]) -> tuple[int, int] | None:
    """Return (rows, columns) if ``shape`` says so or has as many values as a square from 4 x 4 on."""
    if len(shape) == 2:
        return shape
    side = math.isqrt(shape[0])
    return (side, side) if side >= 4 and side * side == shape[0] else None


def _values(path: Path, parts: list[np.ndarray]) -> tuple[list[np.ndarray | MappedRows], float]:
    """Return the rows of each part as uint8 or finite float32, and their common scale; not copied where they are it."""
    kind = parts[0].dtype.kind
    if kind not in "buif":
        raise InputError(f"{path} holds values of type {parts[0].dtype}; expected integers or real numbers")
    largest = max(part.max() for part in parts)
    if kind != "f" and largest <= 255 and min(part.min() for part in parts) >= 0:
        return [as_type(part, np.uint8) for part in parts], 255.0 if largest > 1 else 1.0
    return [_real(path, part) for part in parts], 1.0


def _real(path: Path, rows: np.ndarray) -> np.ndarray | MappedRows:
    with np.errstate(over="ignore"):
        values = as_type(rows, np.float32)
        at = first_beyond(values, math.inf)
    if at is not None:
        raise InputError(f"{path} holds {rows[at]} in row {at[0]}, value {at[1]}; expected finite float32 numbers")
    return values


def _labels(path: Path, labels: np.ndarray | None, count: int) -> np.ndarray | None:
    """Return ``(N,)`` int64 labels; a column or a row of whole floats, as MATLAB writes, will do."""
    if labels is None:
        return None
    whole = np.zeros(0, np.int64)
    if labels.dtype.kind in "buif" and labels.size == count == max(labels.shape, default=1):
        with np.errstate(invalid="ignore"):  # what does not fit is found by the comparison
            whole = labels.reshape(count).astype(np.int64)
    if not np.array_equal(whole, labels.reshape(-1)):
        raise InputError(
            f"{path} holds labels of type {labels.dtype} and shape {labels.shape}; expected {count} whole numbers"
        )
    return whole
