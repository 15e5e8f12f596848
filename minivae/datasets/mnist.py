"""MNIST: 60,000 + 10,000 handwritten digits, 28 x 28 (LeCun, Bottou, Bengio, Haffner 1998)."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..files.idx import read_idx
from .dataset import Dataset, Split
from .splitting import no_choice_of_split
from .storage import Wanted, find, obtain, require_sha256

FOLDER = "mnist"
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/master/",
    "http://yann.lecun.com/exdb/mnist/",
)

# File: shape, SHA-256 of the values (without the header).
CONTENT = {
    "train-images-idx3-ubyte": (
        (60000, 28, 28),
        "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    ),
    "train-labels-idx1-ubyte": (
        (60000,),
        "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    ),
    "t10k-images-idx3-ubyte": (
        (10000, 28, 28),
        "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    ),
    "t10k-labels-idx1-ubyte": (
        (10000,),
        "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
    ),
}


def load(split: str | None = None, seed: int = 0) -> Dataset:
    """Return MNIST with its own train and test parts and labels; ``seed`` changes nothing.

    Raises:
        InputError: the files cannot be had or are not those of MNIST.
    """
    no_choice_of_split("mnist", split)
    files = [_wanted(name) for name in CONTENT]
    arrays = [file.verify(path) for file, path in zip(files, obtain(FOLDER, files), strict=True)]
    train, test = (
        Split(images.reshape(len(images), -1), labels.astype(np.int64)) for images, labels in (arrays[:2], arrays[2:])
    )
    note = "the set's own: 60000 rows train, 10000 test"
    return Dataset("mnist", train, test, image_shape=(28, 28), scale=255.0, split=note)


def found() -> Path | None:
    """The folder of the files if they are all on this machine."""
    paths = [path for name in CONTENT if (path := find(FOLDER, _wanted(name).names))]
    return paths[0].parent if len(paths) == len(CONTENT) else None


def _wanted(name: str) -> Wanted:
    urls = tuple(f"{mirror}{name}.gz" for mirror in MIRRORS)
    # Some copies have a dot in place of the second hyphen.
    dotted = name.replace("-idx", ".idx")
    return Wanted((f"{name}.gz", name, dotted), urls, partial(_read, name))


def _read(name: str, path: Path) -> np.ndarray:
    array = read_idx(path)
    shape, digest = CONTENT[name]
    if array.shape != shape or array.dtype != np.uint8:
        raise InputError(f"{path} holds {array.dtype} values of shape {array.shape}; MNIST has uint8 {shape}")
    return require_sha256(str(path), array, digest)
