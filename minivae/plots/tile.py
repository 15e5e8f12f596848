"""Many small pictures side by side: the ground of samples, reconstructions, manifolds.

A tile is laid out in image pixels and shown with every image pixel as a whole
number of screen pixels, so that nothing is blurred and no row of pixels is
wider than its neighbour.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..checks import lengths
from ..errors import InputError
from .canvas import DPI, GREY, PALETTE, SMALL_SIZE, TITLE_SIZE, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAGE = (6.5, 9.0)  # inches: the widest and highest figure
NARROWEST = 4.6  # inches: the narrowest figure, which the titles need
LARGEST_CELL = 1.0  # inches of one small picture: three samples need not fill a page
NOTE = 0.19  # inches of a line below the title
CURVE_SHAPE = (20, 30)  # "image pixels" of a cell that shows a curve
BACKGROUND = 0.94  # its grey
UNITS = 1000.0  # between spreads of values that have one unit: a thousandth of the scale cannot be seen


@dataclass(frozen=True)
class Margins:
    """Room for text around a tile, in inches."""

    left: float = 0.2
    right: float = 0.2
    bottom: float = 0.2
    top: float = 0.36  # a title; the note below it takes NOTE more


@dataclass(frozen=True)
class Layout:
    """Where the cells of a tile lie, in image pixels from its top left corner."""

    shape: tuple[int, int]  # height and width of one cell
    tops: np.ndarray
    lefts: np.ndarray

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the whole tile."""
        return int(self.tops[-1]) + self.shape[0], int(self.lefts[-1]) + self.shape[1]


def check_image_shape(image_shape: tuple[int, ...] | None, data_dim: int) -> tuple[int, ...] | None:
    """Return ``image_shape`` as a tuple if its images have ``data_dim`` values, else raise."""
    if image_shape is None:
        return None
    shape = lengths("image_shape", image_shape)
    if len(shape) not in (2, 3) or shape[2:] not in ((), (3,)) or min(shape) < 1:
        raise InputError(f"image_shape is {shape}; expected (height, width) or (height, width, 3)")
    if math.prod(shape) != data_dim:
        raise InputError(f"image_shape is {shape}; expected one of {data_dim} values, as many as the data have")
    return shape


def in_rows(images: np.ndarray, columns: int) -> np.ndarray:
    """Lay images ``(N, D)`` out as cells ``(rows, columns, D)``, the last row filled with NaN."""
    rows = math.ceil(len(images) / columns)
    cells = np.full((rows * columns, images.shape[1]), np.nan)
    cells[: len(images)] = images
    return cells.reshape(rows, columns, -1)


def draw_tile(
    figure: Figure,
    cells: np.ndarray,
    image_shape: tuple[int, ...] | None,
    title: str,
    margins: Margins | None = None,
    gapless: bool = False,
    group: int = 1,
    ax: Axes | None = None,
) -> tuple[Axes, Layout]:
    """Draw ``cells`` ``(rows, columns, D)`` and size the figure to them; NaN cells stay empty.

    In axes of the user's own, ``ax``, they take the room that there is, smoothed.

    ``gapless`` leaves no line between cells; ``group`` rows at a time are set
    apart from the next. Values in [0, 1] run from black to white; other data
    are scaled by their common smallest and largest value, or curves whose values
    have units of their own each by its own (:func:`value_range`); a note says how.
    """
    image_shape = check_image_shape(image_shape, cells.shape[-1])
    rows, columns, _ = cells.shape
    height, width = image_shape[:2] if image_shape else CURVE_SHAPE
    layout = _layout((rows, columns), (height, width), gapless, group)
    low, high = value_range(cells, image_shape)
    scaled = (cells - low) / (high - low)
    note = ""
    if isinstance(low, np.ndarray):
        note = f"each cell: {cells.shape[-1]} values, each from its smallest to its largest"
    elif image_shape is None:
        note = f"each cell: {cells.shape[-1]} values, on a scale from {number(low)} to {number(high)}"
    elif (low, high) != (0, 1):
        note = f"black: {number(low)}, white: {number(high)}"
    axes, whole = (ax, False) if ax is not None else _lay_out(figure, layout, margins or Margins(), NOTE if note else 0)
    height, width = layout.size
    axes.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=2, pad=2, labelsize=SMALL_SIZE, color=GREY)
    if image_shape is None:
        _draw_images(axes, np.where(np.isnan(scaled[..., :1, None]), np.nan, BACKGROUND), layout, whole)
        _draw_curves(axes, scaled, layout)
    else:
        _draw_images(axes, scaled.reshape(*cells.shape[:2], *image_shape), layout, whole)
    if ax is None:
        _write_title(figure, title, note)
    else:
        ax.set_aspect("equal")
        ax.set_title("\n".join(filter(None, [title, note])), fontsize=TITLE_SIZE, wrap=True)
    return axes, layout


def _layout(count: tuple[int, int], shape: tuple[int, int], gapless: bool, group: int) -> Layout:
    gap = 0 if gapless else max(1, shape[1] // 16)
    rows, columns = np.arange(count[0]), np.arange(count[1])
    apart = 0 if group == 1 else 3 * gap
    return Layout(shape, rows * (shape[0] + gap) + rows // group * apart, columns * (shape[1] + gap))


def _lay_out(figure: Figure, layout: Layout, margins: Margins, note: float) -> tuple[Axes, bool]:
    """Size the figure around a tile; also say if image pixels are whole screen pixels."""
    height, width = layout.size
    room = PAGE[0] - margins.left - margins.right, PAGE[1] - margins.bottom - margins.top - note
    magnified = max(1, LARGEST_CELL * DPI / max(layout.shape))
    factor = min(room[0] * DPI / width, room[1] * DPI / height, magnified)
    whole = factor >= 1
    factor = math.floor(factor) if whole else factor
    tile = np.array([width, height]) * factor
    total = np.array([margins.left + margins.right, margins.bottom + margins.top + note]) * DPI + tile
    total = np.ceil(np.maximum(total.round(3), [NARROWEST * DPI, 0]))
    while (inexact := total / DPI * DPI != total).any():  # in inches, or Matplotlib 3.10 cuts off a pixel
        total += inexact
    spare = (total[0] - tile[0]) / DPI - margins.left - margins.right
    # whole screen pixels here too, or the tile would be resampled by a fraction
    corner = np.round(np.array([margins.left + spare / 2, margins.bottom]) * DPI)
    figure.set_size_inches(*total / DPI)
    return figure.add_axes((*corner / total, *tile / total)), whole


def value_range(cells: np.ndarray, image_shape: tuple[int, ...] | None) -> tuple[Any, Any]:
    """The smallest and the largest value of cells ``(..., D)``, which differ; [0, 1] for values that lie there.

    Of the values of a curve that have units of their own, as columns of a table do (their spreads differ by more
    than ``UNITS``), each has its own, ``(D,)``: on one scale nothing but the largest would be seen.
    """
    spread = np.ptp(cells[~np.isnan(cells).any(axis=-1)], axis=0)
    if image_shape is None and spread.max() > UNITS * spread[spread > 0].min(initial=np.inf):
        lows = np.nanmin(cells, axis=tuple(range(cells.ndim - 1)))
        alike = np.where(spread > 0, 0.0, 0.5)
        return lows - alike, lows + spread + alike
    low, high = float(np.nanmin(cells)), float(np.nanmax(cells))
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _draw_images(axes: Axes, images: np.ndarray, layout: Layout, whole: bool) -> None:
    """Draw ``images`` ``(rows, columns, height, width[, 3])`` of values in [0, 1], white where they are NaN.

    As bytes, each looked up: on a whole page that takes 11 MiB at its peak, resampled floats 48.
    """
    from matplotlib.colors import NoNorm
    from matplotlib.image import PcolorImage

    canvas = np.full((*layout.size, *images.shape[4:]), 255, np.uint8)
    height, width = layout.shape
    for row, top in enumerate(layout.tops):
        for column, left in enumerate(layout.lefts):
            image = images[row, column]
            canvas[top : top + height, left : left + width] = np.rint(255 * np.where(np.isnan(image), 1, image))
    total_height, total_width = layout.size
    grey = {"cmap": "gray", "norm": NoNorm()}
    if whole:
        edges = np.arange(total_width + 1), np.arange(total_height + 1)
        image = PcolorImage(axes, *edges, canvas, **grey)
        image.set_in_layout(False)  # it has no extent to ask for (Matplotlib 3.11), and fills its axes
        axes.add_image(image)
    else:  # a tile too large for the page is smoothed, for it must lose pixels
        extent = (0, total_width, total_height, 0)
        axes.imshow(canvas, aspect="auto", extent=extent, interpolation="antialiased", **grey)


def _draw_curves(axes: Axes, scaled: np.ndarray, layout: Layout) -> None:
    from matplotlib.collections import LineCollection

    height, width = layout.shape
    steps = np.linspace(0, width, scaled.shape[-1] + 1).repeat(2)[1:-1]
    x = layout.lefts[None, :, None] + steps
    y = layout.tops[:, None, None] + height * (0.95 - 0.9 * scaled.repeat(2, axis=-1))
    x, y = (part.reshape(-1, steps.size) for part in np.broadcast_arrays(x, y))
    shown = ~np.isnan(y).any(axis=1)
    curves = [*np.stack([x, y], axis=-1)[shown]]
    axes.add_collection(LineCollection(curves, colors=PALETTE[0], linewidths=0.8))


def _write_title(figure: Figure, title: str, note: str) -> None:
    height = figure.get_size_inches()[1]
    figure.text(0.5, 1 - 0.08 / height, title, ha="center", va="top", fontsize=TITLE_SIZE)
    if note:
        figure.text(0.5, 1 - (0.1 + NOTE) / height, note, ha="center", va="top", fontsize=SMALL_SIZE, color=GREY)
