"""A part of a data set, or all of it in the order of its file."""

from __future__ import annotations

import numpy as np

from ..checks import one_of
from ..errors import InputError, shown
from .dataset import Dataset, Split
from .mapped import joined

PARTS = ("train", "validation", "test", "all")


def part_of(dataset: Dataset, part: str) -> tuple[Split, np.ndarray]:
    """The data points of a part, and for each the name of the part that it is of, ``(N,)``.

    "all" are in the order of the file where that came in one piece (``Split.rows``), else train, validation,
    test; labels are kept where every part has them.

    Raises:
        InputError: an unknown part, or one that the data do not have.
    """
    found = {name: split for name in PARTS[:3] if (split := getattr(dataset, name)) is not None}
    if one_of("part", part, PARTS) != "all":
        if part not in found:
            there = ", ".join(found)
            raise InputError(f"part is {shown(part)}, but {dataset.name} has {there}; expected one of them, or all")
        return found[part], np.repeat(part, len(found[part]))
    splits = list(found.values())
    names = np.repeat(list(found), [len(split) for split in splits])
    images = joined([split.images for split in splits])
    labels = [split.labels for split in splits if split.labels is not None]
    whole = np.concatenate(labels) if len(labels) == len(splits) else None
    rows = [split.rows for split in splits if split.rows is not None]
    if len(rows) < len(splits):
        return Split(images, whole), names
    order = np.argsort(np.concatenate(rows))
    taken = images[order] if isinstance(images, np.ndarray) else images.subset(order)
    return Split(taken, None if whole is None else whole[order], np.concatenate(rows)[order]), names[order]
