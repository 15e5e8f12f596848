"""Discrete latent variables: how often each value is used."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from ..backend import get_backend
from ..backend.memory import memory_for
from ..checks import positive_integer
from ..errors import InputError, shown
from .canvas import LABEL_SIZE, SMALL_SIZE, TITLE_SIZE, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def codebook_usage(
    codes: np.ndarray, count: int, path: str | os.PathLike | None = None, ax: Axes | None = None
) -> Figure:
    """Draw, for each place in the code, how often the data have each of its ``count`` values.

    The title gives the perplexity of all codes together, e to their entropy: as many values
    as would, used equally often, vary as much.

    Args:
        codes: ``(N, num_codes)`` integers from 0 to ``count`` - 1.
        count: how many values there are.
        path, ax: see :mod:`minivae.plots`.

    Raises:
        InputError: other codes, or an unusable path.
    """
    count = positive_integer("count", count)
    try:
        codes = np.asarray(codes)
    except Exception as error:
        raise InputError(f"codes are {shown(codes)}; expected an array of integers ({error})") from error
    if codes.ndim != 2 or not codes.size or codes.dtype.kind not in "iu" or not 0 <= codes.min() <= codes.max() < count:
        raise InputError(
            f"codes are {codes.dtype} {codes.shape}, count is {count}; expected (N, num_codes) integers below {count}"
        )
    with memory_for(f"the shares of {count} values", get_backend("numpy")):
        shares = np.stack([np.bincount(column, minlength=count) for column in codes.T]) / len(codes)
    whole = shares.mean(axis=0)
    used = whole[whole > 0]
    perplexity = np.exp(-(used * np.log(used)).sum())
    with picture(path, ax, figsize=(6.5, 4.2), layout="constrained") as figure:
        axes = figure.add_subplot() if ax is None else ax
        image = axes.imshow(shares, aspect="auto", cmap="viridis", vmin=0, interpolation="none")
        bar = figure.colorbar(image, ax=axes)
        bar.set_label("share of the data points", fontsize=LABEL_SIZE)
        bar.ax.tick_params(labelsize=SMALL_SIZE)
        title = f"Codes of {len(codes):,} data points: {len(used)} of {count} used, perplexity {perplexity:.1f}"
        axes.set_title(title, fontsize=TITLE_SIZE)
        axes.set_xlabel("value of the code", fontsize=LABEL_SIZE)
        axes.set_ylabel("place in the code", fontsize=LABEL_SIZE)
        axes.tick_params(labelsize=SMALL_SIZE)
    return figure
