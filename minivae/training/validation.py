"""The validation part: which report was the best, and when to stop. The test part has no say in either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..checks import instance
from ..datasets import Dataset
from ..datasets.dataset import split_rows
from ..errors import InputError

SHARE = 0.1  # of the training rows, where patience needs a validation part and the data have none


def with_validation(dataset: Dataset, seed: int, least: int = 1) -> Dataset:
    """The data with a validation part: their own, or a tenth of the training rows, and at least so many.

    The rows are drawn by ``seed``; of data that were parted by their order they are the last ones, since
    neighbours of training rows would be no test of anything.

    Raises:
        InputError: there are too few training rows.
    """
    if instance("dataset", dataset, Dataset, "a Dataset").validation is not None:
        return dataset
    rows, kind = len(dataset.train), "contiguous" if dataset.split.startswith("contiguous") else "random"
    size = max(least, round(SHARE * rows))
    if size >= rows:
        raise InputError(f"{dataset.name} has {rows} training rows; expected more than {size}, to validate on so many")
    labels = dataset.train.labels
    train, apart, _ = split_rows(dataset.train.images, labels, test_size=size, split=kind, seed=seed)
    which = f"{size} of {rows} training rows, {f'drawn with seed {seed}' if kind == 'random' else 'the last ones'}"
    return replace(dataset, train=train, validation=apart, account={**dataset.account, "validation": which})


def measure(row: Mapping[str, float]) -> float:
    """What a report is judged by: the validation objective, where a model has another than the bound, or the bound."""
    return row["validation_objective" if "validation_objective" in row else "validation_bound"]


def is_best(rows: Sequence[Mapping[str, float]]) -> bool:
    """Whether the last of these reports is better than all before it; of equals the first is the best."""
    *before, last = map(measure, rows)
    return not before or last > max(before)


def out_of_patience(rows: Sequence[Mapping[str, float]], patience: int | None) -> bool:
    """Whether the last ``patience`` reports are no better than the best before them."""
    if patience is None or len(rows) <= patience:
        return False
    values = [measure(row) for row in rows]
    return max(values[-patience:]) <= max(values[:-patience])
