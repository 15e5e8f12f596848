"""Rows parted into train, validation and test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..checks import integer_from_zero, one_of
from ..errors import InputError, shown
from .choices import SPLITS
from .dataset import Dataset, Split
from .mapped import MappedRows, in_order

VALIDATION_STREAM = 1  # beside the seed, so that the validation part is not drawn as the test part is


def split_rows(
    images: np.ndarray | MappedRows, labels: np.ndarray | None, *, test_size: int, split: str | None, seed: int
) -> tuple[Split, Split, str]:
    """Part rows into train and test and say how in one line.

    Args:
        split: "random" (also for None): the test rows are drawn by ``seed``;
            "contiguous": they are the last ones, as suits the frames of a video.

    Raises:
        InputError: unknown ``split``, or a seed that is not an integer of at least 0.
    """
    kind = one_of("split", split or "random", SPLITS)
    integer_from_zero("seed", seed)
    train_size = len(images) - test_size
    order = in_order(len(images))
    note = f"contiguous: the first {train_size} rows train, the last {test_size} test"
    if kind == "random":
        order = np.random.default_rng(seed).permutation(order)
        note = f"random, seed {seed}: {train_size} rows train, {test_size} test"
    whole = Split(images, labels) if isinstance(images, MappedRows) else (images, labels)
    parts = [_taken(whole, rows) for rows in (order[:train_size], order[train_size:])]
    return parts[0], parts[1], note


def with_validation(dataset: Dataset, validation: float | None, *, split: str | None, seed: int) -> Dataset:
    """The data set with a validation part of ``validation`` of its training rows, at least one.

    They are drawn by ``seed``, or with ``split="contiguous"`` are the last ones. The test part is the same as without.

    Raises:
        InputError: there is a validation part already, or no row would be left to train.
    """
    if validation is None:
        return dataset
    if dataset.validation is not None:
        raise InputError(f"validation is {validation:g}, but {dataset.name} comes with its own part; expected None")
    count, rows = max(1, round(validation * len(dataset.train))), len(dataset.train)
    if count >= rows:
        raise InputError(f"validation is {validation:g} of {rows} training rows; expected some left to train")
    found, how = set_apart(dataset, count, split == "contiguous", seed)
    return replace(found, split=f"{dataset.split}; {count} of the training rows validate, {how}")


def set_apart(dataset: Dataset, count: int, contiguous: bool, seed: int) -> tuple[Dataset, str]:
    """The data set with ``count`` of its training rows as the validation part, and which these are, in words."""
    rows = len(dataset.train)
    order, how = in_order(rows), "the last ones"
    if not contiguous:
        order, how = np.random.default_rng([seed, VALIDATION_STREAM]).permutation(order), f"drawn by seed {seed}"
    train, held = (_taken(dataset.train, np.sort(part)) for part in (order[: rows - count], order[rows - count :]))
    return replace(dataset, train=train, validation=held), how


def no_choice_of_split(name: str, split: str | None) -> None:
    """Refuse ``split`` for data that come in a train and a test part already."""
    if split is not None:
        raise InputError(f"split is {shown(split)}, but {name} comes with its own train and test parts; expected None")


def own_parts(sizes: Sequence[tuple[str, int]]) -> str:
    """How data that come in parts are parted, in one line."""
    words = {"train": "rows train", "validation": "validation", "test": "test"}
    return "the file's own: " + ", ".join(f"{size} {words[name]}" for name, size in sizes)


def _taken(whole: Split | tuple[np.ndarray, np.ndarray | None], rows: np.ndarray) -> Split:
    images, labels = (whole.images, whole.labels) if isinstance(whole, Split) else whole
    take = images.subset if isinstance(images, MappedRows) else images.__getitem__
    known = whole.rows if isinstance(whole, Split) else None
    return Split(take(rows), None if labels is None else labels[rows], rows if known is None else known[rows])
