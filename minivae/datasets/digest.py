"""A digest of a data set's values: whether a run's data are still those that it was trained on."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import numpy as np

from .dataset import Dataset, Split
from .mapped import MappedRows

ROWS_READ = 1024  # of data that are too large for memory: evenly spread, the first and the last among them


def digest(dataset: Dataset) -> str:
    """The SHA-256 of all values and labels with their order and parts, in hexadecimal.

    The same for the same values wherever their file lies and whatever its format is. Of rows that
    stay in their file only ``ROWS_READ`` are read: a change between them goes unseen.
    """
    found = sha256()
    parts = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    for name, part in parts.items():
        if part is not None:
            found.update(f"{name} {part.images.shape} {dataset.scale!r}".encode())
            for array in _arrays(part):
                found.update(str(array.dtype.newbyteorder("<")).encode())
                found.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data)
    return found.hexdigest()


def _arrays(part: Split) -> Iterator[np.ndarray]:
    images = part.images
    if isinstance(images, MappedRows):
        images = images[np.unique(np.linspace(0, len(images) - 1, ROWS_READ).astype(int))]
    yield images
    if part.labels is not None:
        yield part.labels
