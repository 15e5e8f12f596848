"""Tables: what a model makes of each column, by its name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..checks import sequence
from ..errors import InputError, shown
from .canvas import PALETTE, SMALL_SIZE, TITLE_SIZE, matrix, number, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACROSS, MOST = 4, 20  # panels in a row, and on a page
LONGEST = 16  # letters of a name above a panel


def columns(
    originals: np.ndarray,
    reconstructions: np.ndarray,
    names: Sequence[str] | None = None,
    path: str | os.PathLike | None = None,
) -> Figure:
    """Draw for each column of a table its reconstructions against its values, ``(N, D)`` both; with the name and R².

    R² = 1 - Var(x - x̂) / Var(x) is 1 where nothing is lost and 0 where a constant would do as well; a column of one
    value has none. Of many columns the first 20 are drawn, and the title says so.

    Args:
        originals, reconstructions: data points and what the model makes of them.
        names: of the columns; x_1 to x_D by default.
        path: see :mod:`minivae.plots`.

    Raises:
        InputError: other shapes, values that are not finite, another number of names, or an unusable path.
    """
    x = matrix("originals", originals)
    rebuilt = matrix("reconstructions", reconstructions, *x.shape)
    count = min(MOST, x.shape[1])
    called = [f"x_{i + 1}" for i in range(x.shape[1])] if names is None else sequence("names", names, "a name each")
    if len(called) != x.shape[1]:
        raise InputError(f"names is {shown(names)}; expected {x.shape[1]}, one for each column")
    across = min(ACROSS, count)
    down = -(-count // across)
    with picture(path, figsize=(6.5, 0.8 + 1.6 * down), layout="constrained") as figure:
        panels = figure.subplots(down, across, squeeze=False).flat
        for axes in [*panels][count:]:
            axes.set_visible(False)
        for axes, name, values, made in zip(panels[:count], called, x.T, rebuilt.T, strict=False):
            _draw(axes, str(name), values, made)
        of = "" if count == x.shape[1] else f", the first {count} of {x.shape[1]} columns"
        figure.suptitle(f"Reconstructions against values{of}", fontsize=TITLE_SIZE)
        figure.supxlabel("value", fontsize=SMALL_SIZE)
        figure.supylabel("reconstruction", fontsize=SMALL_SIZE)
    return figure


def _draw(axes: Axes, name: str, values: np.ndarray, made: np.ndarray) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.plot(values, made, ".", markersize=2, color=PALETTE[0], rasterized=True)
    short = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
    axes.set_title(f"{short}\n{_kept(values, made)}", fontsize=SMALL_SIZE, parse_math=False)
    axes.set_box_aspect(1)
    axis: Any
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(2))
        # Each with its own exponent: a common one would stand in the title.
        axis.set_major_formatter(FuncFormatter(lambda value, _: number(value, ".6g")))
    axes.tick_params(labelsize=SMALL_SIZE - 1)


def _kept(values: np.ndarray, made: np.ndarray) -> str:
    scale = np.ptp(values)
    if scale == 0:
        return "one value"
    return f"R² {number(float(1 - np.var((values - made) / scale) / np.var(values / scale)))}"
