"""What each latent dimension does: pictures along it, with the others held."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from ..checks import positive_integer, switch
from ..errors import InputError
from .canvas import LABEL_SIZE, decoded, matrix, picture
from .latent import Decoder
from .tile import Margins, draw_tile

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 20  # dimensions in a picture: as many rows as a page takes


def traversals(
    decode: Decoder,
    means: np.ndarray,
    image_shape: tuple[int, ...] | None,
    path: str | os.PathLike | None = None,
    steps: int = 10,
    ax: Axes | None = None,
    on_sphere: bool = False,
) -> Figure:
    """Draw a row for each latent dimension: it runs where the data's codes lie, all others stay.

    With ``on_sphere`` codes, vectors of length 1, the others are scaled so that the length stays 1: a row is a piece of
    the great circle through the code that is held and the dimension's axis.

    Args:
        decode: called once, with ``(rows * steps, latent)`` points.
        means: codes of data points, ``(N, latent)``. The first is the one held; each dimension
            runs from the 1st to the 99th percentile of its column. Of many dimensions those
            are drawn whose codes vary most, the first on top.
        image_shape, path, ax: see :mod:`minivae.plots`.
        steps: pictures in a row.

    Raises:
        InputError: another shape, values that are not finite, a ``on_sphere`` code held that is an axis, or an
            unusable path.
    """
    means, steps = matrix("means", means), positive_integer("steps", steps)
    chosen = np.argsort(-means.var(axis=0), kind="stable")[:MOST]
    low, high = np.percentile(means[:, chosen], [1, 99], axis=0)
    z = np.tile(means[0], (len(chosen), steps, 1))
    rows = np.arange(len(chosen))
    z[rows, :, chosen] = np.linspace(low, high, steps, axis=1)
    if switch("on_sphere", on_sphere):
        z = _on_sphere(z, chosen)
    with picture(path, ax) as figure:
        cells = decoded(decode, z.reshape(-1, means.shape[1])).reshape(len(chosen), steps, -1)
        of = "" if len(chosen) == means.shape[1] else f"\nthe {len(chosen)} of {means.shape[1]} that vary most"
        of = f", the others scaled to stay on the sphere{of}" if on_sphere else of
        margins = Margins(left=0.5, bottom=0.45, top=0.55 if len(chosen) < means.shape[1] else 0.36)
        axes, layout = draw_tile(figure, cells, image_shape, f"Along each latent dimension{of}", margins, ax=ax)
        axes.set_yticks(layout.tops + layout.shape[0] / 2, [f"$z_{{{i + 1}}}$" for i in chosen])
        axes.set_xlabel("from the 1st to the 99th percentile of the data's codes", fontsize=LABEL_SIZE)
        axes.tick_params(length=0)
    return figure


def _on_sphere(z: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Rows ``(dimensions, steps, latent)`` with the numbers beside the chosen one scaled: of length 1."""
    along = np.zeros_like(z)
    rows = np.arange(len(chosen))
    along[rows, :, chosen] = np.clip(z[rows, :, chosen], -1, 1)
    beside = z.copy()
    beside[rows, :, chosen] = 0
    length = np.linalg.norm(beside, axis=-1, keepdims=True)
    left = np.sqrt(1 - np.square(along).sum(-1, keepdims=True))
    if not length.all() or z.shape[-1] < 2:
        raise InputError("means[0] is an axis of latent space; expected a code with two numbers that are not 0")
    return along + beside / length * left
