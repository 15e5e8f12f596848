"""The learning curve: the bound and its terms against training samples seen (as Fig. 2)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..checks import instance
from ..errors import InputError
from .canvas import LABEL_SIZE, PALETTE, SMALL_SIZE, TITLE_SIZE, number, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.typing import HashableList

TERMS = {
    "bound": "lower bound",
    "objective": "objective, minus the loss",
    "reconstruction": "reconstruction",
    "kl": "KL divergence",
}
STYLES: dict[str, dict[str, Any]] = {
    "train": {"color": PALETTE[0], "linestyle": "-", "marker": "o"},
    "validation": {"color": PALETTE[2], "linestyle": "-.", "marker": "^"},
    "test": {"color": PALETTE[1], "linestyle": "--", "marker": "s"},
}
UNIT = "nats per data point"


def learning_curve(
    history: Mapping[str, Sequence[float]], path: str | os.PathLike | None = None, ax: Axes | None = None
) -> Figure:
    """Draw the bound on training and test data, and below it the terms that make it up; the bound alone in ``ax``.

    Without a bound the objective takes its place.

    ``history`` holds columns of one length: ``samples_seen``, and for ``train``
    and ``test`` each ``<split>_bound``, ``<split>_reconstruction`` and
    ``<split>_kl``, in nats per data point (bound = reconstruction - KL). Only
    ``samples_seen`` and ``train_bound`` (or ``train_objective``) must be there; in the others, empty cells
    (``""``, None, NaN) are passed over, and so is a part that is nowhere given.
    The horizontal axis is logarithmic, as in Fig. 2, when the samples span a
    factor of ten. First values far away from all others are left out of the
    frame, and the panel's title says how far they reach.

    Raises:
        InputError: a column missing, empty, of another length or not of numbers; an unusable path.
    """
    instance("history", history, Mapping, "columns by name")
    seen = _column(history, "samples_seen")
    without = "train_bound" not in history and "train_objective" in history
    top, other = ("objective", "bound") if without else ("bound", "objective")
    curves = {term: _curves(history, term, len(seen)) for term in TERMS if term != other}
    if not np.isfinite(seen).all() or "train" not in curves[top]:
        raise InputError("history has no finite train_bound, or samples_seen is not finite; expected both")
    terms = [term for term in curves if curves[term] and (ax is None or term == top)]
    with picture(path, ax, figsize=(6.5, 5.6 if len(terms) > 1 else 3.6), layout="constrained") as figure:
        panels = {top: ax} if ax is not None else _panels(figure, terms)
        for term in terms:
            _draw_panel(panels[term], TERMS[term], seen, curves[term])
        panels[top].legend(fontsize=SMALL_SIZE, loc="lower right", frameon=False)
        if ax is None:
            figure.suptitle(_headline(top, seen, curves[top]), fontsize=TITLE_SIZE)
    return figure


def _panels(figure: Figure, terms: Sequence[str]) -> dict[str, Axes]:
    """Axes for each of the terms: the first above, the others side by side below it."""
    mosaic: list[HashableList[str]] = [[terms[0]] * max(1, len(terms) - 1)]
    if terms[1:]:
        mosaic.append([*terms[1:]])
    return figure.subplot_mosaic(mosaic, height_ratios=[1.5, 1][: len(mosaic)])


def _column(history: Mapping[str, Sequence[float]], name: str) -> np.ndarray:
    """Return a column of the history as floats, empty cells as NaN."""
    if name not in history:
        others = ", ".join(map(str, history)) or "others"
        raise InputError(f"history has no column {name}; expected it beside {others}")
    try:
        column = np.array([np.nan if cell is None or cell == "" else float(cell) for cell in history[name]])
    except Exception as error:
        raise InputError(f"history column {name} is not a list of numbers: {error}") from error
    if not column.size:
        raise InputError(f"history column {name} is empty")
    return column


def _curves(history: Mapping[str, Sequence[float]], term: str, count: int) -> dict[str, np.ndarray]:
    """Return those of the train and test columns of ``term`` that have any finite value."""
    curves = {}
    for split in STYLES:
        name = f"{split}_{term}"
        if name in history or name == "train_bound":
            column = _column(history, name)
            if len(column) != count:
                raise InputError(f"history column {name} has {len(column)} rows; expected {count}, as samples_seen has")
            if np.isfinite(column).any():
                curves[split] = column
    return curves


def _draw_panel(axes: Axes, name: str, seen: np.ndarray, curves: Mapping[str, np.ndarray]) -> None:
    from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullLocator

    for split, values in curves.items():
        there = np.isfinite(values)
        size = 3 if np.count_nonzero(there) <= 40 else 0
        axes.plot(seen[there], values[there], label=split, linewidth=1.5, markersize=size, **STYLES[split])
    note = _frame(axes, np.concatenate(list(curves.values())))
    span = seen.max() / max(1.0, seen[seen > 0].min(initial=seen.max()))
    if span >= 10:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if span <= 100 else (1,)))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.set_title(name + note, fontsize=LABEL_SIZE)
    axes.set_xlabel("training samples seen", fontsize=LABEL_SIZE)
    axes.set_ylabel(UNIT, fontsize=LABEL_SIZE)
    axes.tick_params(labelsize=SMALL_SIZE)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)


def _frame(axes: Axes, values: np.ndarray) -> str:
    """Set the vertical limits to the bulk of the values; return a note on what lies outside.

    The bulk reaches from the 10th to the 90th percentile and 1.5 times that span
    beyond: a curve of ten points keeps a start at twice the distance of its later
    progress, but the first values of an untrained model do not flatten the rest.
    """
    values = values[np.isfinite(values)]
    tenth, ninetieth = np.percentile(values, [10, 90])
    reach = 1.5 * (ninetieth - tenth)
    low, high = max(values.min(), tenth - reach), min(values.max(), ninetieth + reach)
    pad = 0.06 * (high - low) or 0.05 * abs(high) or 0.5
    low, high = low - pad, high + pad
    axes.set_ylim(low, high)
    outside = [number(value, ",.4g") for value in (values.min(), values.max()) if not low <= value <= high]
    # on a line of its own: beside the name it is wider than the lower panels
    return f"\nout of frame: {' and '.join(outside)}" if outside else ""


def _headline(term: str, seen: np.ndarray, bounds: Mapping[str, np.ndarray]) -> str:
    last = ", ".join(f"{split} {number(values[np.isfinite(values)][-1], ',.5g')}" for split, values in bounds.items())
    return f"{term.capitalize()} after {seen.max():,.0f} samples: {last} {UNIT}"
