"""Other data than a run's, brought into the run's units and order: columns and classes go by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..datasets import Dataset, Split
from ..errors import InputError
from .outputs import listed


def with_units(dataset: Dataset, facts: Mapping[str, Any]) -> Dataset:
    """The data in the units of the run's, ``facts``: bytes stand for parts of 255 only where they did so there.

    A file of whole numbers says by its shape alone whether they are pixels, and by its largest of what they are parts;
    the run's own numbers say it better: none are pixels where one is above 1 as it is, and levels that came in the same
    way are parts of the same, however dark these are.

    Raises:
        InputError: levels of 0 and 1 alone, which may be parts of the run's or black and white.
    """
    scale = facts.get("scale", 1)
    whole_there = scale == 1 and facts.get("range", (0.0, 0.0))[1] > 1
    came_as = dataset.account.get("came_as")
    levels = came_as in ("whole", "deep") and came_as == (facts.get("account") or {}).get("came_as")
    if scale == dataset.scale or not (whole_there or (levels and scale != 1)):
        return dataset
    if not whole_there and dataset.account["range"][1] == 1:
        raise InputError(
            f"{dataset.name} holds 0 and 1 alone, where the run's levels are parts of {scale:g}; "
            f"expected levels up to {scale:g}, booleans, or real numbers in [0, 1]"
        )
    parts_of = 1.0 if whole_there else scale
    return replace(dataset, scale=parts_of, account={**dataset.account, "scale": parts_of})


def with_columns(dataset: Dataset, known: Sequence[str] | None) -> Dataset:
    """The data with their columns in the order of ``known``, where both have names.

    Raises:
        InputError: the names are others; or the order is, of rows that are too large for memory.
    """
    if known is None or dataset.columns is None or list(dataset.columns) == list(known):
        return dataset
    there = f"{dataset.name} has the columns {listed(dataset.columns)}; expected {listed(known)}"
    if sorted(dataset.columns) != sorted(known) or not isinstance(dataset.train.images, np.ndarray):
        raise InputError(f"{there}, as the data of the run")
    order = [dataset.columns.index(name) for name in known]
    return _with_parts(replace(dataset, columns=tuple(known)), lambda part: replace(part, images=part.images[:, order]))


def with_classes(dataset: Dataset, known: Sequence[str] | None, told: int) -> Dataset:
    """The data with the labels that classes of their names have in the run.

    Args:
        known: the names of the run's classes; None if they are called by their numbers.
        told: how many classes the model is told; 0 for none, which then may have other classes.

    Raises:
        InputError: a model that is told its class would be told one that it does not know.
    """
    labels = [part.labels for part in dataset.parts.values()]
    if any(part is None for part in labels) or (known is None and dataset.class_names is None):
        return dataset
    count = 1 + max(int(part.max()) for part in labels if part is not None)
    if dataset.class_names is None and known is not None and count <= len(known):  # numbers from 0: places among them
        called = listed([f"{i} is {name}" for i, name in enumerate(known)])
        return replace(dataset, class_names=tuple(known), account={**dataset.account, "labels_by_number": called})
    theirs = dataset.class_names or tuple(map(str, range(count)))
    numbers = {name: i for i, name in enumerate(known)} if known else _numbers(theirs, told)
    unknown = [name for name in theirs if name not in numbers]
    if unknown and told:
        expected = listed(known or [str(i) for i in range(told)])
        raise InputError(f"{dataset.name} has the class {unknown[0]!r}; expected {expected}, which the model knows")
    if unknown:
        return dataset
    place = np.array([numbers[name] for name in theirs])
    names = None if known is None else tuple(known)
    return _with_parts(replace(dataset, class_names=names), lambda part: _placed(part, place))


def _placed(part: Split, place: np.ndarray) -> Split:
    """The part with the new numbers of its labels; those that are missing stay so."""
    labels = np.asarray(part.labels)
    return replace(part, labels=np.where(labels < 0, -1, place[labels]))


def _numbers(names: Sequence[str], told: int) -> dict[str, int]:
    """Those of the names that are numbers of classes."""
    found = {name: int(name) for name in names if name.isascii() and name.isdigit()}
    return {name: number for name, number in found.items() if not told or number < told}


def _with_parts(dataset: Dataset, change: Callable[[Split], Split]) -> Dataset:
    return replace(dataset, **{name: change(part) for name, part in dataset.parts.items()})
