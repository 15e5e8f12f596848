"""Sequences, and how a model goes on with them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from ..checks import divisor, integer_from_zero
from ..errors import InputError
from .canvas import matrix, picture
from .tile import Margins, check_image_shape, draw_tile

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def rollouts(
    originals: np.ndarray,
    rollouts: np.ndarray,
    steps: int,
    seen: int,
    image_shape: tuple[int, ...] | None,
    path: str | os.PathLike | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw each sequence ``(N, D)`` in a row of its steps, above what a model makes of it ``(N, D)``.

    Args:
        originals: whole sequences, whose values are those of one step after the other.
        rollouts: reconstructions of the steps that were seen, and what was drawn after them.
        steps: of a sequence.
        seen: of how many the model knew.
        image_shape: of a sequence, see :mod:`minivae.plots`: its steps one below the other.
        path, ax: see :mod:`minivae.plots`.

    Raises:
        InputError: other shapes, values that are not finite, or an unusable path.
    """
    originals = matrix("originals", originals)
    drawn = matrix("rollouts", rollouts, *originals.shape)
    steps = divisor("steps", steps, originals.shape[1])
    if integer_from_zero("seen", seen) > steps:
        raise InputError(f"seen is {seen}; expected at most the {steps} steps of a sequence")
    shape = check_image_shape(image_shape, originals.shape[1])
    of_step = None if shape is None or shape[0] % steps else (shape[0] // steps, *shape[1:])
    cells = np.stack([originals, drawn], axis=1).reshape(2 * len(originals), steps, -1)
    with picture(path, ax) as figure:
        said = "their reconstructions" if seen == steps else f"how the model goes on after {seen} steps"
        title = f"Sequences, and {said}"
        axes, layout = draw_tile(figure, cells, of_step, title, Margins(left=0.8, bottom=0.45), group=2, ax=ax)
        axes.set_yticks(layout.tops + layout.shape[0] / 2, ["data", "model"] * len(originals))
        if 0 < seen < steps:
            axes.set_xticks(layout.lefts[[seen - 1]] + layout.shape[1] / 2, ["seen until here"])
        axes.tick_params(length=0)
    return figure
