"""The user's own data: a file, a folder, or arrays.

Every format is first read into named arrays (``formats.py``), which then become a data set
by the same rules (see :func:`load`).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from ..checks import sequence
from ..errors import InputError, shown
from ..files.headers import distinct
from ..files.sparse import dense, in_words, is_sparse
from . import frey_faces
from .choices import NO_LABELS, Choices
from .dataset import Dataset, Split
from .formats import Found, read
from .frames import is_frame, numbers_of
from .labels import classes_in_words, classes_of, count_of
from .splitting import no_choice_of_split, own_parts, split_rows
from .values import as_points, image_shape_of, require_alike, stored
from .which import Part, labels_first, parts_of, points_axis, points_first

HELD_OUT = 0.1  # share of the rows that become the test part of data without one


def load(path: Path, choices: Choices) -> Dataset:
    """Return the data set in a file or folder; ``docs/data.md`` has the rules for people.

    Which arrays of a file that has several, and their axes: ``which.py``. What labels become:
    ``labels.py``. What values become: ``values.py``. Without a test part a tenth of the rows is
    held out: drawn by the seed, or with ``split="contiguous"`` the last ones.

    A ``.npy`` file longer than ``npy.MAP_ABOVE`` stays where it is: its rows are read
    when a minibatch takes them (see ``mapped.py``), and in blocks to find the range of the values.

    Raises:
        InputError: the file cannot be read, or is not covered by these rules, or leaves two readings.
    """
    found = read(path, choices)
    if frey_faces.holds_faces(found.arrays) and choices.array is choices.points_axis is None:
        return frey_faces.from_pixels(str(path), found.arrays["ff"].T, choices.split, choices.seed)
    return made_of(path, found, choices)


def from_arrays(
    train: Any, test: Any, validation: Any, labels: dict[str, Any], columns: Any, name: str, choices: Choices
) -> Dataset:
    """What :meth:`Dataset.from_arrays` is: by the same rules as a file with arrays of these names."""
    given = {"validation": validation, "test": test}
    parts = {"train": train} | {part: array for part, array in given.items() if array is not None}
    arrays = {f"{part}_images": _array(part, array) for part, array in parts.items()}
    facts = {"sparse": in_words(train)} if is_sparse(train) else {}
    for part, of_part in labels.items():
        if of_part is not None:
            if part not in parts:
                raise InputError(f"{part}_labels is {shown(of_part)} without {part}; expected None")
            arrays[f"{part}_labels"] = _labels_of(f"{part}_labels", of_part)
    names = getattr(train, "columns", None) if columns is None else columns
    for part, array in parts.items():
        theirs = getattr(array, "columns", None)
        if names is not None and theirs is not None and list(theirs) != list(names):
            raise InputError(f"{part} has the columns {list(theirs)}; expected {list(names)}, as train has them")
    wide = math.prod(arrays["train_images"].shape[1:])
    given_names = None if names is None else distinct([*map(str, sequence("columns", names, "a name for each value"))])
    if given_names is not None and len(given_names) != wide:
        raise InputError(f"columns is {shown(names)}; expected {wide} names, one for each value")
    return made_of(Path(name), Found(arrays, columns=given_names, facts=facts), choices)


def _labels_of(name: str, given: Any) -> np.ndarray:
    """An array; of objects, as a data frame's column of text is, what they are as text if they are no numbers."""
    try:
        labels = np.asarray(given)
        if labels.dtype.kind != "O":
            return labels
        found = np.asarray(each := list(labels.tolist()))
        return found if found.dtype.kind in "biufU" else np.array(["" if one is None else str(one) for one in each])
    except Exception:
        raise InputError(f"{name} is {shown(given)}; expected an array, with a label for each point") from None


def _array(name: str, given: Any) -> np.ndarray:
    """An array, or what becomes one: lists, a data frame, a sparse matrix."""
    if is_frame(given):
        return numbers_of(name, given)
    if is_sparse(given):
        return dense(name, given)
    if np.ma.is_masked(given):
        raise InputError(f"{name} is a masked array with values that are missing; expected numbers everywhere")
    why = ""
    try:
        array = given if isinstance(given, np.memmap) else np.asarray(given)
    except Exception as error:  # a tensor's says what to write instead
        array, why = np.zeros(0, object), f" ({' '.join(str(error).split()):.200})"
    if array.dtype.kind not in "biuf" or array.ndim < 2:
        expected = "an array of numbers, (N, D) or (N, rows, columns[, 3])"
        raise InputError(f"{name} is {shown(given)}; expected {expected}{why}")
    return array


def made_of(path: Path, found: Found, choices: Choices) -> Dataset:
    """The data set that arrays make. Raises as :func:`load`."""
    parts = parts_of(path, found, choices)
    axis = points_axis(path, found, parts, choices)
    images = require_alike(path, [as_points(path, points_first(path, part, axis)) for part in parts])
    shape = image_shape_of(images[0].shape[1:], found.columns)
    deep = found.pictures or (images[0].ndim > 2 and images[0].dtype == np.uint16)
    rows = [part.reshape(len(part), -1) for part in images]
    columns = found.columns if found.columns and len(found.columns) == rows[0].shape[1] else None
    values, scale, extent, came_as = stored(
        path, rows, whole=found.whole, deep=deep, picture=shape is not None, columns=columns
    )
    labels, names, said = _labels(path, parts, [len(part) for part in rows], found, choices)
    splits = [Split(part, of_part) for part, of_part in zip(values, labels, strict=True)]
    train, validation, test, note = _parted(path, [part.name for part in parts], splits, choices)
    account = _account(found, parts, axis, choices) | {"range": list(extent), "came_as": came_as, "labels": said}
    if shape is not None and images[0].ndim == 2:
        account["square"] = True
    return Dataset(
        str(path), train, test, shape, scale, note, validation=validation, columns=columns, class_names=names,
        account=account,
    )  # fmt: skip


def _account(found: Found, parts: list[Part], axis: int, choices: Choices) -> dict[str, Any]:
    used = {name for part in parts for name in part.arrays}
    unused = [f"{name!r:.60} {array.shape}" for name, array in found.arrays.items() if name not in used]
    account: dict[str, Any] = {"points_axis": axis, **found.facts, "passed_over": [*unused, *found.passed_over]}
    if found.named:
        account["array"] = ", ".join(part.arrays[0] for part in parts)
    return account


def _labels(
    path: Path, parts: list[Part], counts: list[int], found: Found, choices: Choices
) -> tuple[list[np.ndarray | None], tuple[str, ...] | None, str]:
    """The numbers of classes of each part, their names, and what there is to say."""
    absent: list[np.ndarray | None] = [None] * len(parts)
    name = found.facts.get("labels_from", ", ".join(part.arrays[1] for part in parts if len(part.arrays) > 1))
    each = [
        _as_many(path, name, labels_first(part.labels, count), count)
        for part, count in zip(parts, counts, strict=True)
        if part.labels is not None
    ]
    if not each:
        return absent, None, "none, as asked for" if choices.labels == NO_LABELS else "none"
    if len(each) < len(parts):
        return absent, None, f"none: {name} passed over, as not all parts have some"
    try:
        classes = classes_of(np.concatenate(each))
    except (ValueError, TypeError):  # parts whose labels are of different shapes or kinds
        return absent, None, f"none: {name} passed over (not alike in all parts)"
    if classes.labels is None:
        if choices.labels is not None:
            raise InputError(f"labels is {choices.labels!r}: {classes.why}; expected a class for each point")
        return absent, None, f"none: {name} passed over ({classes.why})"
    ends = np.cumsum([len(labels) for labels in each])[:-1]
    names = found.class_names or classes.names
    return list(np.split(classes.labels, ends)), names, f"{classes_in_words(names, classes.labels)} from {name}"


def _as_many(path: Path, name: str, labels: np.ndarray, count: int) -> np.ndarray:
    """The labels, if there is one for each point."""
    if count_of(labels) != count:
        raise InputError(
            f"{path} holds labels {name!r:.60} of shape {labels.shape}; expected {count}, one for each point "
            "(or --labels none, or --points-axis N)"
        )
    return labels


def _parted(
    path: Path, names: list[str], parts: list[Split], choices: Choices
) -> tuple[Split, Split | None, Split, str]:
    """Train, validation and test, and how they were parted."""
    named = dict(zip(names, parts, strict=True))
    if not named.keys() & {"train", "all"}:
        raise InputError(f"{path} holds {' and '.join(named)}; expected a part to train, or --array NAME")
    validation = named.get("validation")
    if "test" in named:
        no_choice_of_split(str(path), choices.split)
        return named["train"], validation, named["test"], own_parts([(n, len(p)) for n, p in named.items()])
    whole = named.get("train") or named["all"]
    test_size = max(1, round(HELD_OUT * len(whole)))
    train, test, note = split_rows(
        whole.images, whole.labels, test_size=test_size, split=choices.split, seed=choices.seed
    )
    if validation is not None:
        note += f"; {len(validation)} of the file's own validate"
    return train, validation, test, note
