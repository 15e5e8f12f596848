"""Frey Face: 1,965 grey images of one face, 28 x 20, successive frames of a short video.

Data by Brendan Frey, distributed by Sam Roweis (https://cs.nyu.edu/~roweis/data.html).
Pixels are divided by 256, as the paper's own code did: densities are compared on that
scale (dividing by 255 would shift them by 560 log(256/255) = 2.19 nats).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import InputError
from ..files.mat import read_mat
from .dataset import Dataset
from .splitting import split_rows
from .storage import Wanted, find, obtain, require_sha256

FOLDER = "frey"
FILE = "frey_rawface.mat"
URLS = (
    "https://cs.nyu.edu/~roweis/data/frey_rawface.mat",
    "https://raw.githubusercontent.com/vilhess/projet_meth_ia/"
    "4935816fb0a32c05a7a4d54d5945a83f1f1bd5c0/dataset/frey_rawface.mat",
    "http://www.cs.nyu.edu/~roweis/data/frey_rawface.mat",
)
# Of the pixels, one image after the other: copies of the file differ in their dated header.
SHA256 = "2438ba4f0d2a6bd8bac43de756141eaa33c8d248dd613d464bdb1210d9b7af78"


def load(split: str | None = None, seed: int = 0) -> Dataset:
    """Return Frey Face: 1,600 rows to train, 365 to test, no labels.

    Neither split is innocent, as the frames are a video: with "random" (the default, by
    ``seed``) a test image has near-copies in the training part; with "contiguous" the
    last 365 frames, which differ in distribution, are the test part.

    Raises:
        InputError: the file cannot be had or does not hold these pixels; bad ``split``.
    """
    (path,) = obtain(FOLDER, [Wanted((FILE,), URLS, read)])
    return from_pixels("frey", read(path), split, seed)


def found() -> Path | None:
    """The file if it is on this machine."""
    return find(FOLDER, (FILE,))


def read(path: Path) -> np.ndarray:
    """Return the ``(1965, 560)`` uint8 pixels, one row-major image to a row, or raise InputError."""
    arrays = read_mat(path)
    if not holds_faces(arrays):
        raise InputError(f"{path} has no 560 x 1965 uint8 variable ff; it is not the Frey Face file")
    return require_sha256(str(path), np.ascontiguousarray(arrays["ff"].T), SHA256)


def holds_faces(arrays: dict[str, np.ndarray]) -> bool:
    """Whether these variables are those of the Frey Face file, in which columns are images."""
    ff = arrays.get("ff")
    return ff is not None and ff.shape == (560, 1965) and ff.dtype == np.uint8


def from_pixels(name: str, images: np.ndarray, split: str | None, seed: int) -> Dataset:
    """Split the ``(1965, 560)`` pixels into 1,600 and 365 rows."""
    train, test, note = split_rows(images, None, test_size=365, split=split, seed=seed)
    return Dataset(name, train, test, image_shape=(28, 20), scale=256.0, split=note)
