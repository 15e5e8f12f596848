"""The 8 x 8 handwritten digits that ship with minivae: 1,797 real images.

The test part of the UCI set "Optical Recognition of Handwritten Digits" (E. Alpaydin
and C. Kaynak, CC BY 4.0; see ``data/LICENSE.digits``), as scikit-learn carries it:
ink in each 4 x 4 block of a 32 x 32 bitmap, 0..16. Needs no network.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import InputError
from ..files.npy import digest, read_npz
from .dataset import Dataset, Split
from .splitting import no_choice_of_split

FILE = Path(__file__).parent / "data" / "digits.npz"
SHA256 = "da34b7e5b3873b0041268a3c3e85aba9068886b2ce6320b04b04a0520b152ecf"  # of its four arrays


def load(split: str | None = None, seed: int = 0) -> Dataset:
    """Return the 1,500 training and 297 test digits with their labels 0..9.

    The split was drawn once and lies in the file, so that test bounds of different
    runs compare; ``seed`` does not change it.
    """
    no_choice_of_split("digits", split)
    arrays = read_npz(FILE)
    if digest(arrays) != SHA256:
        raise InputError(f"{FILE} is not the file that minivae shipped; install minivae again")
    train, test = (
        Split(arrays[f"{part}_images"], arrays[f"{part}_labels"].astype(np.int64)) for part in ("train", "test")
    )
    note = "fixed random split of the shipped file: 1500 rows train, 297 test"
    return Dataset("digits", train, test, image_shape=(8, 8), scale=16.0, split=note)


def found() -> Path:
    """The shipped file."""
    return FILE
