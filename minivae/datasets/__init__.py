"""Data sets by name, or the user's own file by path.

``load("digits")`` needs no network, nor do the sequences ``load("moving-digits")`` and
``load("linear-gaussian-sequences")``; ``load("mnist")``, ``load("frey")`` and
``load("binarized-mnist")`` look into the folder ``MINIVAE_DATA``, then into the user's
cache, then download. Pixels stay uint8: a model sees ``images / scale``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..checks import one_of
from ..errors import InputError, shown
from . import binarized_mnist, digits, frey_faces, linear_gaussian, mnist, moving_digits, user_file
from .choices import COLOURS, NO_LABELS, SPLITS, Choices
from .dataset import Dataset, Split, first_beyond, one_hot, require_domain, require_finite
from .formats import FORMATS
from .partly import keep_labels
from .splitting import with_validation

__all__ = [
    "COLOURS",
    "FORMATS",
    "NO_LABELS",
    "SPLITS",
    "Dataset",
    "Split",
    "available",
    "first_beyond",
    "keep_labels",
    "load",
    "names",
    "one_hot",
    "require_domain",
    "require_finite",
]

_SETS: dict[str, Any] = {
    "digits": digits,
    "mnist": mnist,
    "frey": frey_faces,
    "binarized-mnist": binarized_mnist,
    "moving-digits": moving_digits,
    "linear-gaussian-sequences": linear_gaussian,
}
OF_FILES = ("array", "points_axis", "labels", "colour", "size", "header", "sequence_length")  # nothing for those


def names() -> tuple[str, ...]:
    """The names that :func:`load` knows."""
    return tuple(_SETS)


def available() -> dict[str, Path | None]:
    """Where each named data set lies on this machine; None if it would be downloaded."""
    return {name: module.found() for name, module in _SETS.items()}


def load(
    name_or_path: str | os.PathLike,
    *,
    split: str | None = None,
    seed: int = 0,
    validation: float | None = None,
    array: str | None = None,
    points_axis: int | None = None,
    labels: str | None = None,
    colour: str | None = None,
    size: Sequence[int] | None = None,
    header: bool | None = None,
    labelled: int | None = None,
    sequence_length: int | None = None,
) -> Dataset:
    """Return a data set by its name, or from the user's own file or folder (docs/data.md).

    Args:
        name_or_path: one of :func:`names`, or a path (``./mnist`` if a folder has such a name).
        split: "random" or "contiguous" for data that come in one piece (frey, most files).
        seed: seed of the random split, and of the validation part.
        validation: share of the training rows that become a validation part.
        array: the name of the array in a file that has several.
        points_axis: which axis of it is the points, from 0.
        labels: the labels' array, column or file; "none" for no labels.
        colour: "grey" or "rgb", for a folder of pictures; as they are by default.
        size: (rows, columns) that the pictures of a folder are resized to.
        header: whether the first line of a table names its columns; found out by default.
        labelled: how many labels of training points are kept (:func:`keep_labels`); all by default.
        sequence_length: T, where a data point is a sequence: its values are those of T steps, one after the other.

    Raises:
        InputError: unknown name, or data that are missing, damaged or of a wrong kind, or
            that leave two readings; or an option that these data have no use for.
    """
    name = _text(name_or_path)
    choices = Choices(
        split, seed, validation, array, points_axis, labels, colour, size, header, labelled, sequence_length
    )
    dataset = _load(name, choices)
    source = {**vars(choices), "data": name if name in _SETS else os.path.abspath(os.path.expanduser(name))}
    source["split_seed"] = source.pop("seed")
    dataset = with_validation(dataset, choices.validation, split=split, seed=seed)
    dataset = dataset if choices.labelled is None else keep_labels(dataset, choices.labelled, seed)
    return replace(dataset.with_account(), source=source)


def _load(name: str, choices: Choices) -> Dataset:
    if name in _SETS:
        choices.refuse(name, *OF_FILES, expected="is a set with a name")
        return _SETS[name].load(choices.split, choices.seed)
    path = os.path.expanduser(name)
    if os.path.exists(path):
        return replace(user_file.load(Path(path), choices), sequence_length=choices.sequence_length or 1)
    if os.path.basename(path) != path or os.path.splitext(path)[1]:
        raise InputError(f"data is {name!r}; expected a file or folder, and there is none")
    try:
        one_of("data", name, names())
    except InputError as error:
        raise InputError(f"{error} (and there is no file or folder of that name)") from None
    raise AssertionError(name)


def _text(name_or_path: str | os.PathLike) -> str:
    try:
        return os.fsdecode(name_or_path)
    except Exception:
        raise InputError(f"data is {shown(name_or_path)}; expected a name or a path") from None
