"""The validation part: which report was the best, and when to stop. The test part has no say in either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..checks import instance
from ..datasets import Dataset
from ..datasets.splitting import set_apart
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
    rows = len(dataset.train)
    size = max(least, round(SHARE * rows))
    if size >= rows:
        raise InputError(f"{dataset.name} has {rows} training rows; expected more than {size}, to validate on so many")
    found, how = set_apart(dataset, size, dataset.split.startswith("contiguous"), seed)
    return replace(found, account={**dataset.account, "set_apart": f"{size} of {rows} training rows, {how}"})


def measure(row: Mapping[str, float]) -> float:
    """What a report is judged by: the validation objective, where a model has another than the bound, or the bound."""
    return row["validation_objective" if "validation_objective" in row else "validation_bound"]


class Judge:
    """The best of a list of reports that grows; each is looked at once, however many there will be.

    Args:
        rows: the reports.
    """

    def __init__(self, rows: Sequence[Mapping[str, float]]) -> None:
        self.rows, self._seen, self._best = rows, 0, 0

    def best(self) -> int:
        """The number of the best report, of equals the first; -1 if there is none yet."""
        for number in range(self._seen, len(self.rows)):
            if measure(self.rows[number]) > measure(self.rows[self._best]):
                self._best = number
        self._seen = len(self.rows)
        return self._best if self.rows else -1

    def out_of_patience(self, patience: int | None) -> bool:
        """Whether the last ``patience`` reports are no better than the best before them."""
        return patience is not None and len(self.rows) > patience and len(self.rows) - 1 - self.best() >= patience
