"""Which arrays of a file are the data and the labels, and which axis is the points."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError
from .choices import NO_LABELS, Choices
from .formats import Found
from .labels import as_column, count_of

# Names of arrays as public files have them: in small letters, with _ for other signs; {} is the name of a part.
PARTS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing"),
}
PART_IMAGES = (
    *("{}_images", "images_{}", "{}_imgs", "x_{}", "{}_x", "{}x", "x{}", "{}_set_x"),
    *("{}_data", "data_{}", "{}"),
)
PART_LABELS = (
    *("{}_labels", "labels_{}", "{}_label", "y_{}", "{}_y", "{}y", "y{}", "{}_set_y"),
    *("{}_target", "{}_targets"),
)
ALL_IMAGES = ("images", "imgs", "x", "data", "fea", "table")
ALL_LABELS = ("labels", "label", "y", "target", "targets", "gnd", "class", "classes")
ELONGATED, SQUARE = 4, 2  # longer side of a picture over the shorter: what is odd, and what is not


@dataclass
class Part:
    """The rows of one part, or of all where there is one: their array, their labels, and the names of both."""

    name: str
    values: np.ndarray
    labels: np.ndarray | None
    arrays: tuple[str, ...]


def parts_of(path: Path, found: Found, choices: Choices) -> list[Part]:
    """The parts of what was found, in order; one of the name "all" where it comes in one piece.

    Raises:
        InputError: it does not say which array is meant, or an option names none.
    """
    plain = {_plain(name): name for name in reversed(found.arrays)}
    if choices.array is not None:
        name = _named(path, "array", choices.array, found)
        parts = [Part("all", found.arrays[name], None, (name,))]
        label = _label_of(plain, name)
    else:
        parts = _by_part(found, plain)
        label = _first(plain, ALL_LABELS)
        if not parts:
            name = _only(path, found, plain, label)
            parts = [Part("all", found.arrays[name], None, (name,))]
    if choices.labels == NO_LABELS:
        for part in parts:
            part.labels, part.arrays = None, part.arrays[:1]
    elif choices.labels is not None:
        parts = [_with_labels(path, parts, found, choices.labels)]
    elif len(parts) == 1 and parts[0].labels is None and label is not None and label not in parts[0].arrays:
        parts[0].labels, parts[0].arrays = found.arrays[label], (*parts[0].arrays, label)
    return parts


def _by_part(found: Found, plain: dict[str, str]) -> list[Part]:
    parts = []
    for part, words in PARTS.items():
        names, labels = (
            _first(plain, [pattern.format(word) for pattern in patterns for word in words])
            for patterns in (PART_IMAGES, PART_LABELS)
        )
        if names is not None:
            also = () if labels is None else (labels,)
            parts.append(Part(part, found.arrays[names], found.arrays[labels] if labels else None, (names, *also)))
    if len(parts) == 1 and parts[0].name != "train":
        parts[0].name = "all"
    return parts


def _label_of(plain: dict[str, str], name: str) -> str | None:
    """The labels that go with an array: by its part, if its name says one, else those of all."""
    for words in PARTS.values():
        for word in words:
            if _plain(name) in [pattern.format(word) for pattern in PART_IMAGES]:
                return _first(plain, [pattern.format(word) for pattern in PART_LABELS])
    return _first(plain, ALL_LABELS)


def _only(path: Path, found: Found, plain: dict[str, str], label: str | None) -> str:
    """The array of all points: by its name, or as the only one of two axes or more."""
    arrays = found.arrays
    known = [plain[name] for name in ALL_IMAGES if name in plain and arrays[plain[name]].ndim > 1]
    numbers = {name: array for name, array in arrays.items() if array.dtype.kind not in "US"}
    large = [name for name, array in numbers.items() if array.ndim > 1 and name != label]
    large = [name for name in large if sum(side > 1 for side in numbers[name].shape) > 1] or large  # MATLAB's numbers
    candidates = known or large or (list(arrays) if len(arrays) == 1 else [])
    if found.passed_over and candidates == [label] and sum(side > 1 for side in arrays[candidates[0]].shape) < 2:
        candidates = []  # the labels of what cannot be read
    if len(candidates) != 1:
        held = ", ".join(f"{name} {array.shape}" for name, array in sorted(arrays.items())) or "(none)"
        held += f"; passed over: {', '.join(found.passed_over)}" if found.passed_over else ""
        held = held.encode("unicode_escape").decode()  # in one line, whatever they are
        raise InputError(
            f"{path} holds the arrays {held[:300]}; expected images (and labels), or train_images and "
            "test_images (and *_labels), or --array NAME"
        )
    return candidates[0]


def _with_labels(path: Path, parts: list[Part], found: Found, asked: str) -> Part:
    """The only part with the labels that ``--labels`` names: an array of the file, or a file."""
    if len(parts) > 1:
        own = f"but {path} comes in parts with labels of their own"
        raise InputError(f"labels is {asked!r}, {own}; expected None, or 'none'")
    (part,) = parts
    if "labels" in found.arrays and not found.named:  # the column of a table, read under this name
        name, labels = "labels", found.arrays["labels"]
    elif found.named and (asked in found.arrays or not Path(asked).is_file()):
        name = _named(path, "labels", asked, found)
        labels = found.arrays[name]
    elif Path(asked).is_file():
        name, labels = asked, _from_file(Path(asked), len(part.values))
    else:
        raise InputError(f"labels is {asked!r}; expected a file, or none: {path} holds one array")
    return Part(part.name, part.values, labels, (part.arrays[0], name))


def _from_file(path: Path, count: int) -> np.ndarray:
    """The only array in a file of labels; of text, a line each, with a line above them or without."""
    from ..files import tables
    from ..files.reading import read_bytes
    from .formats import read

    if path.suffix.lower() in tables.SUFFIXES:
        lines = [line.strip() for line in read_bytes(path).decode("utf-8-sig", "replace").splitlines()]
        while lines and not lines[-1]:
            lines.pop()
        _require_one_field(path, lines)
        lines = [line.strip("\"'") for line in lines]
        return np.array(lines[1:] if len(lines) == count + 1 else lines)
    arrays = read(path, Choices()).arrays
    if len(arrays) != 1:
        raise InputError(f"labels is {str(path)!r}, which holds {len(arrays)} arrays; expected one")
    return next(iter(arrays.values()))


def _require_one_field(path: Path, lines: list[str]) -> None:
    """Refuse a table, which has as many fields in every line: a label with a comma in it is alone, or in quotes."""
    for sign in "\t;|,":
        fields = {len(row) for row in csv.reader(lines, delimiter=sign)}
        if len(lines) > 1 and len(fields) == 1 and (count := fields.pop()) > 1:
            raise InputError(f"labels is {str(path)!r}, whose lines have {count} fields; expected a label each")


def _named(path: Path, option: str, asked: str, found: Found) -> str:
    """The name of the array that an option asks for."""
    name = asked if asked in found.arrays else next((n for n in found.arrays if _plain(n) == _plain(asked)), None)
    if name is None:
        there = ", ".join(sorted(found.arrays)).encode("unicode_escape").decode()
        raise InputError(f"{option} is {asked!r:.60}; expected one of the arrays of {path}: {there[:200]}")
    return name


def _first(plain: dict[str, str], names: list[str] | tuple[str, ...]) -> str | None:
    return next((plain[name] for name in names if name in plain), None)


def _plain(name: str) -> str:
    """A name without what files differ in: the case of letters, and signs between words."""
    return "".join(c if c.isalnum() else "_" for c in name.lower()).strip("_")


# ------------------------------------------------------------ the axis of the points


def points_axis(path: Path, found: Found, parts: list[Part], choices: Choices) -> int:
    """Which axis is the points: as asked for, else the first, unless the labels or the shapes speak against it.

    Raises:
        InputError: two readings are plausible; names --points-axis.
    """
    axes = range(min(part.values.ndim for part in parts))
    if choices.points_axis is not None:
        if choices.points_axis not in axes:
            shapes = " and ".join(str(part.values.shape) for part in parts)
            raise InputError(f"points_axis is {choices.points_axis}; expected an axis of {path}'s {shapes}, from 0 on")
        return choices.points_axis
    if len(axes) < 2 or not (found.named or found.any_axis):
        return 0
    told = [part for part in parts if part.labels is not None]
    if told:
        fitting = [a for a in axes if all(p.values.shape[a] in _counts(p.labels) for p in told)]
        if fitting == [0] or not fitting or (0 in fitting and not found.matlab):
            return 0
        if len(fitting) == 1:
            return fitting[0]
        raise _unclear(path, parts, f"as long as the labels are {len(fitting)} of its axes")
    return _without_labels(path, found, parts)


def _without_labels(path: Path, found: Found, parts: list[Part]) -> int:
    shapes = [part.values.shape for part in parts]
    shape = shapes[0]
    # Several parts are alike along all axes but that of the points.
    fitting = [a for a in range(len(shape)) if len({(*one[:a], *one[a + 1 :]) for one in shapes}) == 1]
    if len(parts) > 1 and len(fitting) == 1:
        return fitting[0] if found.matlab else 0
    if found.matlab and len(shape) == 2 and shape[1] > shape[0] > 1:
        raise _unclear(path, parts, "it has more columns than rows, and in MATLAB either are points")
    if len(shape) > 2 and _stacked_last(shape):
        raise _unclear(path, parts, "the last axis looks like that of the points")
    return 0


def _stacked_last(shape: tuple[int, ...]) -> bool:
    """Whether pictures look to be stacked along the last axis, as MATLAB has them."""
    if len(shape) == 4:
        return shape[-2] in (1, 3) and shape[-1] not in (1, 3) and shape[1] not in (1, 3)
    return len(shape) == 3 and _odd(shape[1:]) > ELONGATED and _odd(shape[:-1]) <= SQUARE


def _odd(sides: tuple[int, ...]) -> float:
    return max(sides) / max(1, min(sides))


def _counts(labels: np.ndarray | None) -> tuple[int, ...]:
    """How many points labels may be for: one-hot labels may lie either way, too."""
    if labels is None:
        return ()
    return labels.shape if labels.ndim == 2 and 1 not in labels.shape else (count_of(labels),)


def _unclear(path: Path, parts: list[Part], why: str) -> InputError:
    shapes = " and ".join(f"{part.arrays[0]!r:.60} of shape {part.values.shape}" for part in parts)
    return InputError(f"{path} holds {shapes}: {why}; expected --points-axis N to say which axis is the points")


def points_first(path: Path, part: Part, axis: int) -> np.ndarray:
    """The array with the points along the first axis.

    Raises:
        InputError: its file is mapped, and would have to be read whole.
    """
    if axis == 0:
        return part.values
    if isinstance(part.values, np.memmap):
        raise InputError(f"points_axis is {axis}, and {path} is too large to be turned; expected points along axis 0")
    return np.moveaxis(part.values, axis, 0)


def labels_first(labels: np.ndarray, count: int) -> np.ndarray:
    """``(N,)``, or ``(N, K)`` also where they lie as ``(K, N)``."""
    labels = as_column(labels)
    return labels.T if labels.ndim == 2 and len(labels) != count == labels.shape[1] else labels
