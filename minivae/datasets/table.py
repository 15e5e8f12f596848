"""A table of text as a matrix with names of columns, and labels."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..files import npy, tables
from ..files.layout import Layout, layout_of
from ..files.numerals import PLAIN, is_nearly_one
from ..files.rows import key_of, write_rows
from ..progress import progress_bar
from .choices import NO_LABELS, Choices
from .storage import cache_folder

LABEL_COLUMNS = ("label", "labels", "class", "target", "species")
INDEX = ("", "unnamed: 0", "index")  # what pandas and R write above the names of rows


def read_table(path: Path, choices: Choices) -> dict[str, Any]:
    """What :class:`~.formats.Found` is made of: ``table`` (N, D) and, where there are some, ``labels`` (N,) as text.

    A table of more than ``npy.MAP_ABOVE`` bytes is read once into a file of the user's cache, and mapped.

    Raises:
        InputError: it cannot be read, a value is missing, or a column holds text and nothing says what it is for.
    """
    layout = layout_of(path, choices.header)
    label = _labels_from(path, layout, choices)
    left_out = _left_out(path, layout, label, choices)
    kept = [i for i in range(layout.width) if i not in left_out and i != label]
    if not kept:
        raise InputError(f"{path} has no column of numbers; expected one at least")
    words: list[str] = []
    rows = _rows(path, layout, [] if label is None else [label], left_out, words)
    if path.stat().st_size > npy.MAP_ABOVE:
        values, kept_in = _cached(path, rows, len(kept), words, label, left_out)
    else:
        values, kept_in = np.concatenate([*rows]), None
    found: dict[str, Any] = {"arrays": {"table": values}, "whole": layout.whole.issuperset(kept)}
    if label is not None:
        found["arrays"]["labels"] = np.array(words)
    if layout.names:
        found["columns"] = tuple(layout.names[i] for i in kept)
    found["passed_over"] = [f"column {layout.called(i)}" for i in sorted(left_out)]
    found["facts"] = {"header": layout.names is not None}
    found["facts"] |= {"decimals": "with a comma"} if layout.decimal == "," else {}
    found["facts"] |= {"labels_from": layout.called(label)} if label is not None else {}
    found["facts"] |= {"kept_in": str(kept_in)} if kept_in else {}
    return found


def _labels_from(path: Path, layout: Layout, choices: Choices) -> int | None:
    """The position of the column that holds the labels: as asked for, else one that is called so."""
    asked, names = choices.labels, [name.lower() for name in layout.names or ()]
    if asked == NO_LABELS or (asked is not None and os.path.isfile(asked)):
        return None
    if asked is None:
        classes = [
            i for i, name in enumerate(names) if name in LABEL_COLUMNS and (i in layout.text or i in layout.integral)
        ]
        if len(classes) > 1:
            each = " or ".join(f"--labels {(layout.names or ())[i]}" for i in classes)
            raise InputError(f"{path} has {len(classes)} columns named as labels; expected {each}, or --labels none")
        return classes[0] if classes else None
    if asked in (layout.names or ()):
        return (layout.names or ()).index(asked)
    if asked.lower() in names:
        return names.index(asked.lower())
    if asked.lstrip("-").isdigit() and -layout.width <= int(asked) < layout.width:
        return int(asked) % layout.width
    there = ", ".join(layout.names) if layout.names else f"0 to {layout.width - 1}"
    raise InputError(f"labels is {asked!r}; expected a column of {path} ({there:.200}), a file, or none")


def _left_out(path: Path, layout: Layout, label: int | None, choices: Choices) -> set[int]:
    """Names of rows; and columns of text, once the user has said which the labels are."""
    first = (layout.names or ("a name",))[0].lower()
    found = {0} if first in INDEX and label != 0 and layout.width > 1 else set()
    text = sorted(layout.text.keys() - found - {label})
    for i in text:
        column, field = layout.called(i), layout.text[i]
        if is_nearly_one(field):  # to leave such a column out would be to lose numbers
            raise InputError(f"{path}: column {column} holds {field!r:.60}; expected {PLAIN}")
        if choices.labels is None:
            advice = "(these are the labels), or --labels none (columns of text are left out)"
            text_there = f"{path}: column {column} holds text ({field!r:.30})"
            raise InputError(f"{text_there}; expected numbers, or --labels {column.strip(chr(39))} {advice}")
    return found | set(text)


def _rows(path: Path, layout: Layout, text: list[int], left_out: set[int], words: list[str]) -> Iterator[np.ndarray]:
    for numbers, fields in tables.read_rows(path, layout, text, left_out):
        words += [field for row in fields for field in row]
        yield numbers


def _cached(
    path: Path, rows: Iterator[np.ndarray], width: int, words: list[str], *which: Any
) -> tuple[np.ndarray, Path]:
    """The rows as a mapped file of the cache, written now if it is not there, with the labels beside it."""
    target = cache_folder() / "tables" / f"{key_of([path], *map(repr, which))}.npy"
    beside = target.with_suffix(".labels.npy")
    if not (target.is_file() and beside.is_file()):
        with progress_bar(desc=f"reading {path.name}", unit=" rows", disable=None, leave=False) as bar:
            write_rows(target, _counted(rows, bar), (width,), np.float64)
        write_rows(beside, [np.array(words or [""])], (), np.array(words or [""]).dtype)
    words[:] = npy.read_npy(beside).tolist()
    return np.load(target, mmap_mode="r"), target


def _counted(rows: Iterator[np.ndarray], bar: Any) -> Iterator[np.ndarray]:
    for batch in rows:
        bar.update(len(batch))
        yield batch
