"""Labels as files have them (text, one-hot, from any base, some missing) as numbers of classes from 0."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from ..files.numerals import is_missing
from .natural import order

NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]*)(\.[0-9]*)?")  # as text: 01 and 1_0 are names, which would be 1 and 10
SPARSE = 2  # of numbers from 0, so many times as many as there are classes may stand for themselves


@dataclass(frozen=True)
class Classes:
    """What labels become.

    Attributes:
        labels: ``(N,)`` int64, -1 where one is missing; or None where they are no numbers of classes.
        names: what each class is called, where that is something else than its number.
        why: why there are none, in some words.
    """

    labels: np.ndarray | None
    names: tuple[str, ...] | None = None
    why: str = ""


def count_of(labels: np.ndarray) -> int:
    """How many data points an array of labels is for: a column or a row of them, or a row for each."""
    return max(labels.shape) if labels.ndim == 2 and 1 in labels.shape else len(labels) if labels.ndim else 0


def as_column(labels: np.ndarray) -> np.ndarray:
    """``(N,)`` where labels are a column or a row, as MATLAB has them; others as they are."""
    return labels.reshape(-1) if labels.ndim == 2 and 1 in labels.shape else labels


def classes_of(labels: np.ndarray) -> Classes:
    """Number the classes of ``(N,)`` labels or ``(N, K)`` rows of which one value is 1."""
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "replace")
    if labels.ndim == 2 and labels.dtype.kind in "biuf":
        alone = ((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1, dtype=np.int64) == 1).all()
        if alone:
            return Classes(labels.argmax(axis=1).astype(np.int64))
    if labels.ndim != 1:
        return Classes(None, why="several for each point")
    if labels.dtype.kind == "U":
        return _of_text(np.char.strip(labels))
    return _of_numbers(labels) if labels.dtype.kind in "biuf" else Classes(None, why=f"values of type {labels.dtype}")


def _of_text(labels: np.ndarray) -> Classes:
    missing = np.array([is_missing(label) for label in labels.tolist()], bool)
    if missing.any():
        return _of_those_there(labels, missing)
    if all(map(NUMBER.fullmatch, labels.tolist())):
        return _of_numbers(labels.astype(np.float64))
    found = sorted(set(labels.tolist()), key=order)
    if len(found) == len(labels) > 2:
        return Classes(None, why="another one for each point")
    places = {name: i for i, name in enumerate(found)}
    return Classes(np.array([places[name] for name in labels.tolist()], np.int64), tuple(found))


def _of_those_there(labels: np.ndarray, missing: np.ndarray) -> Classes:
    """The classes of the labels that are not missing, and -1 for those that are."""
    if missing.all():
        return Classes(None, why=f"{len(labels)} of {len(labels)} are missing")
    there = classes_of(labels[~missing])
    if there.labels is None:
        return there
    found = np.full(len(labels), -1, np.int64)
    found[~missing] = there.labels
    return replace(there, labels=found)


def _of_numbers(labels: np.ndarray) -> Classes:
    if labels.dtype.kind == "f":
        if np.isnan(labels).any():
            return _of_those_there(labels, np.isnan(labels))
        if not np.array_equal(labels, np.rint(labels)) or np.abs(labels).max(initial=0) >= 2**53:
            return Classes(None, why="real numbers")
        labels = labels.astype(np.int64)
    found, places = np.unique(labels, return_inverse=True)
    if not len(found) or (found[0] == 0 and int(found[-1]) < SPARSE * len(found)):
        return Classes(labels.astype(np.int64))
    return Classes(places.reshape(-1).astype(np.int64), tuple(str(int(value)) for value in found))


def classes_in_words(names: tuple[str, ...] | None, labels: np.ndarray | None) -> str:
    """How many classes there are, and how many of the labels are missing."""
    if labels is None:
        return "none"
    there = labels[labels >= 0]
    missing = f" ({len(labels) - len(there)} of {len(labels)} are missing)" if len(there) < len(labels) else ""
    return f"{len(names or np.unique(there))} classes{missing}"
