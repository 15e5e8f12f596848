"""Tables and pictures of training curves: ours on top of the paper's."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minivae.files import atomic_path
from minivae.plots.canvas import LABEL_SIZE, PALETTE, SMALL_SIZE, TITLE_SIZE, picture

COLORS = {"aevb": PALETTE[0], "wake_sleep": PALETTE[1]}
COLORS |= dict.fromkeys(("mcem", "aevb_adam", "aevb_500"), PALETTE[2])
LABELS = {"aevb": "AEVB", "wake_sleep": "wake-sleep", "mcem": "Monte Carlo EM"}
LABELS |= {"aevb_adam": "AEVB, Adam", "aevb_500": "AEVB, M = 500"}
DASHES = {"train": "-", "test": (0, (4, 1.5))}
Row = dict[str, Any]


# ------------------------------------------------------------------- tables


def read_table(path: Path) -> list[Row]:
    """The rows of a CSV file, numbers as numbers; none if there is no such file."""
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return [{name: _number(value) for name, value in row.items()} for row in csv.DictReader(file)]


def update_table(path: Path, rows: Sequence[Row], keys: Sequence[str]) -> list[Row]:
    """Put rows into a CSV file; they take the place of all that agree with one of them in ``keys``.

    So several processes can each add their own results. Returns all rows, sorted by the keys.
    """
    new = {_key(row, keys) for row in rows}
    kept = [row for row in read_table(path) if _key(row, keys) not in new]
    merged = sorted([*kept, *rows], key=lambda row: [(isinstance(v, str), v) for v in _key(row, keys)])
    with atomic_path(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(merged[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(merged)
    return merged


def _key(row: Row, keys: Sequence[str]) -> tuple:
    return tuple(row[name] for name in keys)


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


# ----------------------------------------------------------------- pictures


class Panel(NamedTuple):
    """One pair of axes.

    Attributes:
        title: above it.
        ours, paper: rows of the tables, of this panel; ``value`` names their column of nats.
        value: the column that is drawn.
        limits: of the vertical axis.
    """

    title: str
    ours: list[Row]
    paper: list[Row]
    value: str
    limits: tuple[float, float]


def draw_panels(panels: Sequence[Panel], path: Path, columns: int, title: str, ylabel: str) -> None:
    """Draw panels in rows of ``columns``: our curves, and under them, paler and broader, the paper's."""
    rows = -(-len(panels) // columns)
    with picture(path, figsize=(max(3.0 * columns, 6.5), 2.7 * rows + 1.2), layout="constrained") as figure:
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes in grid.flat[len(panels) :]:
            axes.set_axis_off()
        for axes, panel in zip(grid.flat, panels, strict=False):
            _draw_panel(axes, panel)
        for axes in grid[:, 0]:
            axes.set_ylabel(ylabel, fontsize=LABEL_SIZE)
        lines = {line.get_label(): line for axes in grid.flat for line in axes.get_lines()}
        place = {"loc": "outside lower center", "ncols": max(2, columns - 1), "frameon": False}
        figure.legend(lines.values(), lines, fontsize=SMALL_SIZE, **place)
        figure.suptitle(title, fontsize=TITLE_SIZE)


def _draw_panel(axes: Any, panel: Panel) -> None:
    for source, rows, style in (
        ("the paper's", panel.paper, {"alpha": 0.3, "linewidth": 3.0}),
        ("ours", panel.ours, {"linewidth": 1.2}),
    ):
        for (algorithm, split), curve in grouped(rows, ("algorithm", "split")).items():
            seen = np.array([[row["samples"], row[panel.value]] for row in curve], float)
            seen = seen[seen[:, 0].argsort()]
            label = f"{LABELS[algorithm]}, {split}, {source}"
            axes.plot(*seen.T, color=COLORS[algorithm], linestyle=DASHES[split], label=label, **style)
    log_axis(axes)
    axes.set_ylim(*panel.limits)
    axes.set_title(panel.title, fontsize=LABEL_SIZE)
    axes.set_xlabel("training samples seen", fontsize=SMALL_SIZE)
    axes.tick_params(labelsize=SMALL_SIZE)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)


def log_axis(axes: Any) -> None:
    """Samples on a log axis, labelled at the powers of ten alone."""
    from matplotlib.ticker import NullFormatter

    axes.set_xscale("log")
    axes.xaxis.set_minor_formatter(NullFormatter())


def grouped(rows: Iterable[Row], keys: Sequence[str]) -> dict[tuple, list[Row]]:
    """The rows by what they hold in ``keys``."""
    groups: dict[tuple, list[Row]] = {}
    for row in rows:
        groups.setdefault(_key(row, keys), []).append(row)
    return groups
