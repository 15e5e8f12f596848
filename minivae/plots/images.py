"""Data points and what the model makes of them: reconstructions and samples."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

import numpy as np

from ..checks import positive_integer
from .canvas import matrix, picture
from .tile import Margins, draw_tile, in_rows, value_range

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAIRS_IN_A_ROW = 10


def reconstructions(
    originals: np.ndarray,
    reconstructions: np.ndarray,
    image_shape: tuple[int, ...] | None,
    path: str | os.PathLike | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw each original ``(N, D)`` above its reconstruction ``(N, D)``, ten pairs in a row.

    The title gives the root mean squared difference of a value (no bound: the
    mean of the decoder against the data), where values have units of their own as a share of
    their range.

    Raises:
        InputError: other shapes, values that are not finite, or an unusable path.
    """
    originals = matrix("originals", originals)
    rebuilt = matrix("reconstructions", reconstructions, *originals.shape)
    columns = min(PAIRS_IN_A_ROW, len(originals))
    pairs = np.stack([in_rows(originals, columns), in_rows(rebuilt, columns)], axis=1)
    cells = np.concatenate(pairs)
    low, high = value_range(cells, image_shape)
    own = isinstance(low, np.ndarray)
    error = math.sqrt(np.mean(((originals - rebuilt) / (high - low if own else 1.0)) ** 2))
    differ = f"RMS {error:.3g} of a value's range" if own else f"RMS difference {error:.3g}"
    with picture(path, ax) as figure:
        title = f"Originals above reconstructions ({differ})"
        axes, layout = draw_tile(figure, cells, image_shape, title, Margins(left=1.0), group=2, ax=ax)
        axes.set_yticks(layout.tops + layout.shape[0] / 2, ["original", "reconstruction"] * len(pairs))
        axes.tick_params(length=0)
    return figure


def samples(
    images: np.ndarray,
    image_shape: tuple[int, ...] | None,
    path: str | os.PathLike | None = None,
    columns: int | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw samples ``(N, D)`` of the model in a tile that is as square as may be (as Fig. 5), or so wide.

    Raises:
        InputError: another shape, values that are not finite, or an unusable path.
    """
    images = matrix("images", images)
    cells = in_rows(
        images, math.ceil(math.sqrt(len(images))) if columns is None else positive_integer("columns", columns)
    )
    with picture(path, ax) as figure:
        draw_tile(figure, cells, image_shape, f"{len(images)} samples from the model", ax=ax)
    return figure
