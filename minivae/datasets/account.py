"""What was assumed when data were read: as a dict, and in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .labels import classes_in_words

if TYPE_CHECKING:
    from .dataset import Dataset

MOST_NAMES = 100  # of columns and classes in an account
MOST_IN_LINE = 12  # of them in the line
# What else an account may hold, with the words before it; in this order.
OTHERS = {
    "sequence_length": "steps of a sequence:",
    "files": "read as",
    "sparse": "a sparse matrix:",
    "header": "line of names",
    "decimals": "decimals",
    "colour": "pictures in",
    "depth": "depth",
    "transparency": "transparency",
    "resized": "resized",
    "kept_in": "kept in",
    "choice": "chosen:",
    "labelled": "labels of training points that are kept:",
}


def facts(dataset: Dataset) -> dict[str, Any]:
    """What can be said of any data set: points, shape, range, scale, labels, classes, columns, parts; JSON can hold it.

    ``range`` is that of the stored values; what they stand for is ``range / scale``.
    """
    parts = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    sizes = {name: len(part) for name, part in parts.items() if part is not None}
    found: dict[str, Any] = {
        "points": sum(sizes.values()),
        "shape": list(dataset.image_shape or (dataset.data_dim,)),
        **({"sequence_length": dataset.sequence_length} if dataset.sequence_length > 1 else {}),
        "range": [value * dataset.scale for value in dataset.value_range],
        "scale": dataset.scale,
        "values": str(dataset.train.images.dtype),
        "labels": classes_in_words(dataset.class_names, dataset.train.labels),
        "parts": dataset.split,
        **sizes,
    }
    if dataset.class_names:
        found["classes"] = shortened(dataset.class_names)
    if dataset.columns:
        found["columns"] = shortened(dataset.columns)
    return found


def shortened(names: tuple[str, ...], most: int = MOST_NAMES) -> list[str]:
    """The first names, and how many more there are."""
    more = len(names) - most
    return [*names[:most], *([f"... {more} more"] if more > 0 else [])]


def in_words(name: str, account: Mapping[str, Any]) -> str:
    """An account in one line."""
    shape = " x ".join(map(str, account["shape"]))
    guessed = " (taken to be square)" if account.get("square") else ""
    words = [f"{account['points']} points of {shape}{' values' if len(account['shape']) == 1 else ''}{guessed}"]
    if "array" in account:
        axis = account.get("points_axis", 0)
        words[0] += f" from {account['array']}" + (f", whose axis {axis} is the points" if axis else "")
    words.append(_values(account))
    words += [f"{said} {_said(account[key])}" for key, said in OTHERS.items() if key in account]
    classes = f" ({', '.join(shortened(tuple(account['classes']), MOST_IN_LINE))})" if account.get("classes") else ""
    words.append(f"labels: {account['labels']}{classes}")
    if account.get("columns"):
        words.append(f"columns: {', '.join(shortened(tuple(account['columns']), MOST_IN_LINE))}")
    words.append(account["parts"])
    if account.get("passed_over"):
        words.append(f"passed over: {', '.join(shortened(tuple(account['passed_over']), MOST_IN_LINE))}")
    return " ".join(f"{name}: {'; '.join(words)}".split())


def _values(account: Mapping[str, Any]) -> str:
    low, high = account["range"]
    said = f"values from {low:.6g} to {high:.6g}"
    if account["scale"] == 1:
        return f"{said}, as they are"
    return f"{said}, grey levels taken as parts of {account['scale']:g}"


def _said(value: Any) -> str:
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
