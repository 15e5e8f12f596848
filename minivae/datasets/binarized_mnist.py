"""Statically binarized MNIST: each pixel drawn once from its grey level, and fixed since.

Salakhutdinov and Murray (ICML 2008), Larochelle and Murray (AISTATS 2011). There are
no labels, the order is not that of MNIST, and **the test part is sorted by digit**: a
leading slice of it is no fair sample (see :meth:`minivae.datasets.Split.sample`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..files.mat import read_mat
from ..files.npy import read_npz
from ..files.reading import read_bytes
from .dataset import Dataset, Split
from .splitting import no_choice_of_split
from .storage import Wanted, find, obtain, require_sha256

FOLDER = "binarized_mnist"
PACKED = "binarized_mnist.npz"
MIRRORS = (
    "https://raw.githubusercontent.com/mingzhang-yin/ARM-gradient/bac893cfcec486bbd00b755b12cf8402053b0e84/",
    "http://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist/",
)

# Part: rows, SHA-256 of the pixels packed eight to a byte, the first in the highest bit.
CONTENT = {
    "train": (50000, "727146c35424b019f3e350e1e69faa05644a0abaf787e3f4e1a9632220a13906"),
    "valid": (10000, "a256ac44ae26be720fad8616a05ed6ecfd1619930d9a208379bb2a4405df5b6d"),
    "test": (10000, "9fcd8da6f0fdf09b2ba30fe63a0bb784042a0de82563172530229b983e294ff2"),
}


def load(split: str | None = None, seed: int = 0) -> Dataset:
    """Return 60,000 rows to train (the published train and valid parts) and 10,000 to test.

    Pixels are 0 or 1. ``seed`` changes nothing. Read from the packed ``.npz`` where there
    is one, else from the three original ``.amat`` files.

    Raises:
        InputError: the files cannot be had or do not hold these pixels.
    """
    no_choice_of_split("binarized-mnist", split)
    path = find(FOLDER, (PACKED,))
    packed = _read_packed(path) if path else _read_originals()
    pixels = {part: np.unpackbits(rows, axis=1) for part, rows in packed.items()}
    train = Split(np.concatenate([pixels["train"], pixels["valid"]]))
    note = "the set's own: 60000 rows train (train and valid), 10000 test (sorted by digit)"
    return Dataset("binarized-mnist", train, Split(pixels["test"]), image_shape=(28, 28), scale=1.0, split=note)


def found() -> Path | None:
    """The packed file, or the folder of the three originals, if on this machine."""
    originals = [path for part in CONTENT if (path := find(FOLDER, _wanted(part).names))]
    return find(FOLDER, (PACKED,)) or (originals[0].parent if len(originals) == len(CONTENT) else None)


def _read_packed(path: Path) -> dict[str, np.ndarray]:
    arrays = read_npz(path)
    if missing := CONTENT.keys() - arrays.keys():
        raise InputError(f"{path} has no array {', '.join(sorted(missing))}")
    return {part: _verified(path, part, arrays[part]) for part in CONTENT}


def _read_originals() -> dict[str, np.ndarray]:
    files = [_wanted(part) for part in CONTENT]
    paths = obtain(FOLDER, files)
    return {part: file.verify(path) for part, file, path in zip(CONTENT, files, paths, strict=True)}


def _wanted(part: str) -> Wanted:
    name = f"binarized_mnist_{part}.amat"
    return Wanted((name,), tuple(mirror + name for mirror in MIRRORS), partial(read_amat, part))


def read_amat(part: str, path: Path) -> np.ndarray:
    """Return the ``(rows, 98)`` packed pixels of one original file.

    The home page has text (0 and 1 parted by spaces, a line to a row); a mirror has
    MATLAB files under the same names, with one variable X.

    Raises:
        InputError: the file is neither, or does not hold the published pixels.
    """
    data = read_bytes(path)
    if data.startswith(b"MATLAB"):
        pixels = read_mat(path).get("X", np.empty(0))
    else:
        pixels = np.frombuffer(data, np.uint8)[::2] - ord("0")  # digit, separator, digit, ...
        separators = np.frombuffer(data, np.uint8)[1::2]
        if pixels.size != separators.size or not _all_among(separators, b" \n"):
            raise InputError(f"{path}: expected lines of 784 digits 0 or 1 parted by single spaces")
    rows = CONTENT[part][0]
    if pixels.size != rows * 784 or not _all_among(pixels, (0, 1)):
        raise InputError(f"{path} holds {pixels.size} values; expected {rows} x 784 of 0 or 1")
    return _verified(path, part, np.packbits(pixels.reshape(rows, 784).astype(np.uint8), axis=1))


def _all_among(values: np.ndarray, allowed: Sequence[int]) -> bool:
    """Whether every element is one of the two ``allowed`` (numpy.isin would sort 40 million)."""
    first, second = allowed
    return bool(((values == first) | (values == second)).all())


def _verified(path: Path, part: str, packed: np.ndarray) -> np.ndarray:
    rows, digest = CONTENT[part]
    if packed.shape != (rows, 98) or packed.dtype != np.uint8:
        raise InputError(f"{path}: {part} is {packed.dtype} {packed.shape}; expected uint8 {(rows, 98)}")
    return require_sha256(f"{path}, {part}", packed, digest)
