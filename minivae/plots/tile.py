"""Many small pictures side by side: the ground of samples, reconstructions, manifolds.

A tile is laid out in image pixels and shown with every image pixel as a whole
number of screen pixels, so that nothing is blurred and no row of pixels is
wider than its neighbour.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from .canvas import DPI, GREY, PALETTE, SMALL_SIZE, TITLE_SIZE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LARGEST = (6 * DPI, 8 * DPI)  # of the tile alone: width and height in screen pixels
NARROWEST = 4.6  # inches of the whole figure: what the titles need
CURVE_SHAPE = (20, 30)  # "image pixels" of a cell that shows a curve


@dataclass(frozen=True)
class Margins:
    """Room for text around a tile, in inches."""

    left: float = 0.2
    right: float = 0.2
    bottom: float = 0.2
    top: float = 0.55


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

    @property
    def row_centres(self) -> np.ndarray:
        return self.tops + self.shape[0] / 2

    @property
    def column_centres(self) -> np.ndarray:
        return self.lefts + self.shape[1] / 2


def check_image_shape(image_shape: tuple[int, ...] | None, data_dim: int) -> tuple[int, ...] | None:
    """Return ``image_shape`` as a tuple if its images have ``data_dim`` values, else raise."""
    if image_shape is None:
        return None
    shape = tuple(int(length) for length in image_shape)
    if len(shape) not in (2, 3) or shape[2:] not in ((), (3,)) or min(shape) < 1:
        raise InputError(f"image_shape is {shape}; expected (height, width) or (height, width, 3)")
    if math.prod(shape) != data_dim:
        raise InputError(f"image_shape {shape} has {math.prod(shape)} values, but the data have {data_dim}")
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
) -> tuple[Axes, Layout]:
    """Draw ``cells`` ``(rows, columns, D)`` and size the figure to them; NaN cells stay empty.

    ``gapless`` leaves no line between cells; ``group`` rows at a time are set
    apart from the next. Values in [0, 1] run from black to white; other data
    are scaled by their common smallest and largest value, which the title then
    tells.
    """
    image_shape = check_image_shape(image_shape, cells.shape[-1])
    layout = _layout(cells.shape[:2], (image_shape or CURVE_SHAPE)[:2], gapless, group)
    axes, whole = _place(figure, layout.size, margins or Margins())
    low, high = _value_range(cells)
    scaled = (cells - low) / (high - low)
    _draw_images(
        axes, scaled if image_shape else np.full((*cells.shape[:2], 1), 0.94), image_shape, layout, whole
    )
    if image_shape is None:
        _draw_curves(axes, scaled, layout)
        note = f"each cell: {cells.shape[-1]} values, on a scale from {low:.3g} to {high:.3g}"
    else:
        note = "" if (low, high) == (0, 1) else f"black: {low:.3g}, white: {high:.3g}"
    _write_title(figure, title, note)
    return axes, layout


def _layout(count: tuple[int, int], shape: tuple[int, int], gapless: bool, group: int) -> Layout:
    gap = 0 if gapless else max(1, shape[1] // 16)
    rows, columns = np.arange(count[0]), np.arange(count[1])
    apart = 0 if group == 1 else 3 * gap
    return Layout(shape, rows * (shape[0] + gap) + rows // group * apart, columns * (shape[1] + gap))


def _place(figure: Figure, size: tuple[int, int], margins: Margins) -> tuple[Axes, bool]:
    """Size the figure around a tile; also say if image pixels are whole screen pixels."""
    height, width = size
    factor = min(LARGEST[0] / width, LARGEST[1] / height)
    whole = factor >= 1
    factor = math.floor(factor) if whole else factor
    height, width = height * factor / DPI, width * factor / DPI
    left = margins.left + max(0, NARROWEST - margins.left - width - margins.right) / 2
    left, bottom = round(left * DPI) / DPI, round(margins.bottom * DPI) / DPI
    total = max(NARROWEST, left + width + margins.right), bottom + height + margins.top
    # whole screen pixels here too, or the tile would be resampled by a fraction
    total = tuple(math.ceil(round(inches * DPI, 3)) / DPI for inches in total)
    figure.set_size_inches(total)
    axes = figure.add_axes((left / total[0], bottom / total[1], width / total[0], height / total[1]))
    axes.set(xlim=(0, size[1]), ylim=(size[0], 0), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=2, pad=2, labelsize=SMALL_SIZE, color=GREY)
    return axes, whole


def _value_range(cells: np.ndarray) -> tuple[float, float]:
    low, high = float(np.nanmin(cells)), float(np.nanmax(cells))
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _draw_images(
    axes: Axes, cells: np.ndarray, image_shape: tuple[int, ...] | None, layout: Layout, whole: bool
) -> None:
    colour = (image_shape or ())[2:]
    canvas = np.ones((*layout.size, *colour))
    height, width = layout.shape
    for row, top in enumerate(layout.tops):
        for column, left in enumerate(layout.lefts):
            cell = cells[row, column]
            if not np.isnan(cell).any():
                image = cell.reshape(*layout.shape, *colour) if image_shape else cell
                canvas[top : top + height, left : left + width] = image
    total_height, total_width = layout.size
    axes.imshow(
        canvas,
        cmap="gray",
        vmin=0,
        vmax=1,
        aspect="auto",
        extent=(0, total_width, total_height, 0),
        # only a tile too large for the page is smoothed, for it must lose pixels
        interpolation="none" if whole else "antialiased",
    )


def _draw_curves(axes: Axes, scaled: np.ndarray, layout: Layout) -> None:
    from matplotlib.collections import LineCollection

    height, width = layout.shape
    steps = np.linspace(0, width, scaled.shape[-1] + 1).repeat(2)[1:-1]
    x = layout.lefts[None, :, None] + steps
    y = layout.tops[:, None, None] + height * (0.95 - 0.9 * scaled.repeat(2, axis=-1))
    x, y = (part.reshape(-1, steps.size) for part in np.broadcast_arrays(x, y))
    shown = ~np.isnan(y).any(axis=1)
    axes.add_collection(LineCollection(np.stack([x, y], axis=-1)[shown], colors=PALETTE[0], linewidths=0.8))


def _write_title(figure: Figure, title: str, note: str) -> None:
    height = figure.get_size_inches()[1]
    figure.text(0.5, 1 - 0.08 / height, title, ha="center", va="top", fontsize=TITLE_SIZE)
    if note:
        figure.text(0.5, 1 - 0.29 / height, note, ha="center", va="top", fontsize=SMALL_SIZE, color=GREY)
