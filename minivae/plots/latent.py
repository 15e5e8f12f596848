"""The latent space: its manifold (App. A), where the data lie in it, and ways through it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..backend import get_backend
from ..backend.memory import memory_for
from ..checks import positive_integer, sequence, switch
from ..errors import InputError
from .canvas import DPI, LABEL_SIZE, PALETTE, SMALL_SIZE, TITLE_SIZE, decoded, matrix, number, picture
from .tile import Margins, draw_tile

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Decoder = Callable[[np.ndarray], np.ndarray]


def manifold_grid(n: int) -> np.ndarray:
    """Return the ``(n * n, 2)`` latent points of Fig. 4, in the order of the picture.

    The middles of the n x n cells of the unit square go through the inverse
    Gaussian CDF, so that the points are spread as the prior N(0, I) is (App. A).
    The first row of the picture comes first: z1 grows from left to right and z2
    falls from top to bottom.
    """
    from scipy.special import ndtri

    with memory_for(f"a grid of {positive_integer('n', n)} x {n} points", get_backend("numpy")):
        values = ndtri((np.arange(n) + 0.5) / n)
        z2, z1 = np.meshgrid(values[::-1], values, indexing="ij")
        return np.stack([z1, z2], axis=-1).reshape(-1, 2)


def manifold(
    decode: Decoder,
    image_shape: tuple[int, ...] | None,
    path: str | os.PathLike | None = None,
    n: int = 20,
    ax: Axes | None = None,
) -> Figure:
    """Draw ``decode`` over the :func:`manifold_grid` of a 2-D latent space (Fig. 4).

    ``decode`` is called once, with the ``(n * n, 2)`` grid. z1 grows to the
    right, z2 upwards.

    Raises:
        InputError: n below 1, a wrong or non-finite result of ``decode``, or an unusable path.
    """
    from scipy.special import ndtr

    grid = manifold_grid(n)
    with picture(path, ax) as figure:
        cells = decoded(decode, grid).reshape(n, n, -1)
        title = f"What is decoded across the 2-D latent space ({n} × {n})"
        margins = Margins(left=0.65, bottom=0.55)
        gapless = image_shape is not None
        axes, layout = draw_tile(figure, cells, image_shape, title, margins, gapless=gapless, ax=ax)
        height, width = layout.size
        small = min(axes.bbox.size) < 3.5 * DPI  # the outer labels of seven would touch
        values = np.array([-1, 0, 1] if small else [-1.5, -1, -0.5, 0, 0.5, 1, 1.5])
        labels = [number(value) for value in values]
        axes.set_xticks(ndtr(values) * width, labels)
        axes.set_yticks(ndtr(-values) * height, labels)
        axes.set_xlabel("$z_1$ (both axes: equal steps of prior probability)", fontsize=LABEL_SIZE)
        axes.set_ylabel("$z_2$", fontsize=LABEL_SIZE)
    return figure


def way(z_start: np.ndarray, z_end: np.ndarray, steps: int = 10, on_sphere: bool = False) -> np.ndarray:
    """Points from each row of ``z_start`` to that of ``z_end``, ``(k, latent)`` each: ``(k, steps, latent)``.

    On the straight line, (1 - t) z_start + t z_end; ``on_sphere``, of codes that are vectors of length 1, on the great
    circle, in equal steps of its angle. (Of the many between two opposite ends one is taken.)

    Raises:
        InputError: other shapes, fewer than 2 steps, values that are not finite, or ``on_sphere`` ends whose length is
            not 1.
    """
    z_start = matrix("z_start", z_start)
    z_end = matrix("z_end", z_end, *z_start.shape)
    if positive_integer("steps", steps) < 2:
        raise InputError(f"steps is {steps}; expected at least 2, the two ends")
    t = np.linspace(0, 1, steps)[:, None]
    if not switch("on_sphere", on_sphere):
        return z_start[:, None] + t * (z_end - z_start)[:, None]
    first, last = (_directions(name, z) for name, z in (("z_start", z_start), ("z_end", z_end)))
    across = last - first * (first * last).sum(-1, keepdims=True)
    length = np.linalg.norm(across, axis=-1, keepdims=True)
    angle = np.arctan2(length, (first * last).sum(-1, keepdims=True))
    flat = length < 1e-6  # the same place or the opposite one: any direction across
    axes = np.eye(first.shape[1])[np.abs(first).argmin(-1)]
    other = axes - first * (first * axes).sum(-1, keepdims=True)
    across = np.where(flat, other / np.linalg.norm(other, axis=-1, keepdims=True), across / np.where(flat, 1, length))
    return np.cos(t * angle[:, None]) * first[:, None] + np.sin(t * angle[:, None]) * across[:, None]


def _directions(name: str, z: np.ndarray) -> np.ndarray:
    """Vectors of length 1, to rounding of float64; others are refused."""
    lengths = np.linalg.norm(z, axis=-1, keepdims=True)
    if z.shape[1] < 2 or (np.abs(lengths - 1) > 1e-3).any():
        raise InputError(f"{name} has shape {z.shape} and lengths up to {lengths.max():.4g}; expected rows of length 1")
    return z / lengths


def interpolation(
    decode: Decoder,
    z_start: np.ndarray,
    z_end: np.ndarray,
    image_shape: tuple[int, ...] | None,
    path: str | os.PathLike | None = None,
    steps: int = 10,
    ax: Axes | None = None,
    on_sphere: bool = False,
) -> Figure:
    """Draw what is decoded on the way from ``z_start`` to ``z_end``, at ``steps`` shares t of it from 0 to 1.

    One row of pictures for each row of ``z_start`` and ``z_end`` ``(k, latent)``,
    commonly the posterior means of two data points. ``decode`` is called once,
    with ``(k * steps, latent)`` points: those of :func:`way`.

    Raises:
        InputError: other shapes, fewer than 2 steps, values that are not finite, or an unusable path.
    """
    z = way(z_start, z_end, steps, on_sphere)
    with picture(path, ax) as figure:
        cells = decoded(decode, z.reshape(-1, z.shape[-1])).reshape(len(z), steps, -1)
        how = "along a great circle of latent space" if on_sphere else "straight through latent space"
        title = f"From one data point to another, {how}"
        axes, layout = draw_tile(figure, cells, image_shape, title, Margins(bottom=0.55), ax=ax)
        first, last = layout.lefts[[0, -1]] + layout.shape[1] / 2
        axes.set_xticks([first, (first + last) / 2, last], ["0", "0.5", "1"])
        axes.set_xlabel("share $t$ of the way", fontsize=LABEL_SIZE)
    return figure


def latent_scatter(
    means: np.ndarray,
    labels: np.ndarray | None = None,
    path: str | os.PathLike | None = None,
    ax: Axes | None = None,
    class_names: Sequence[str] | None = None,
) -> Figure:
    """Draw the posterior means ``(N, latent)`` as points, coloured by ``labels`` ``(N,)`` of numbers.

    Of more than two latent dimensions, those two are shown in which the means
    vary most; a single one is drawn against the number of the data point. Up to
    ten different labels get a colour each and a legend, more a colour bar. Where there are
    ``class_names``, the legend has those of labels 0, 1, ...

    Raises:
        InputError: other shapes, values that are not finite, or an unusable path.
    """
    means = matrix("means", means)
    if labels is not None:
        labels = matrix("labels", _column(labels), len(means), 1)[:, 0]
    if class_names is not None:
        class_names = _names_of(labels, class_names)
    x, y, names, title = _plane(means)
    with picture(path, ax, figsize=(6.0, 5.2), layout="constrained") as figure:
        axes = figure.add_subplot() if ax is None else ax
        size = float(np.clip(20_000 / len(means), 1.5, 20))  # a point's area: 60,000 must not blot
        style = {"s": size, "linewidths": 0, "alpha": 0.8, "rasterized": True}
        if labels is None:
            axes.scatter(x, y, color=PALETTE[0], **style)
        elif len(np.unique(labels)) <= len(PALETTE):
            keys = _scatter_classes(axes, x, y, labels, style, class_names)
            _legend(figure, ax, keys, "label" if class_names is None else "class")
        else:
            bar = figure.colorbar(axes.scatter(x, y, c=labels, cmap="cividis", **style), ax=axes)
            bar.set_label("label", fontsize=LABEL_SIZE)
            bar.ax.tick_params(labelsize=SMALL_SIZE)
        if means.shape[1] > 1:
            axes.set_aspect("equal", adjustable="datalim")  # a collapsed dimension must look collapsed
        axes.set_title(title, fontsize=TITLE_SIZE)
        axes.set_xlabel(names[0], fontsize=LABEL_SIZE)
        axes.set_ylabel(names[1], fontsize=LABEL_SIZE)
        axes.tick_params(labelsize=SMALL_SIZE)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _names_of(labels: np.ndarray | None, class_names: Sequence[str]) -> Sequence[str]:
    """``class_names``, if each label is the number of one."""
    names = sequence("class_names", class_names, "names of the labels 0, 1, ...")
    if labels is None or not np.isin(labels, np.arange(len(names))).all():
        found = "there are no labels" if labels is None else f"labels reach {labels.max():g}"
        raise InputError(f"class_names has {len(names)} names, and {found}; expected one for each of 0, 1, ...")
    return names


def _scatter_classes(
    axes: Axes, x: np.ndarray, y: np.ndarray, labels: np.ndarray, style: dict, names: Sequence[str] | None
) -> list:
    """Draw the points in the colours of their classes; what a legend says of them."""
    from matplotlib.lines import Line2D

    classes, members = np.unique(labels, return_inverse=True)
    # in the order of the data: class after class would hide the first under the last
    axes.scatter(x, y, c=np.array(PALETTE)[members], **style)
    return [
        Line2D(
            [], [], marker="o", linestyle="", color=colour, label=f"{label:g}" if names is None else names[int(label)]
        )
        for label, colour in zip(classes, PALETTE, strict=False)
    ]


def _legend(figure: Figure, ax: Axes | None, keys: list, title: str) -> None:
    """The legend: beside the axes of our figure, or within the user's, whose figure may hold others beside them."""
    text = {"title": title, "fontsize": SMALL_SIZE, "title_fontsize": SMALL_SIZE}
    if ax is None:
        figure.legend(handles=keys, loc="outside right center", frameon=False, **text)
    else:
        ax.legend(handles=keys, frameon=True, **text)


def _plane(means: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple[str, str], str]:
    """Return what to show of the means: x, y, their names and a title."""
    count, latent = means.shape
    title = f"Posterior means of {count:,} data points"
    if latent == 1:
        return means[:, 0], np.arange(count), ("mean of $z_1$", "data point"), title
    first, second = np.sort(np.argsort(-means.var(axis=0), kind="stable")[:2])
    if latent > 2:
        title += f"\nthe 2 of {latent} latent dimensions that vary most"
    names = (f"mean of $z_{{{first + 1}}}$", f"mean of $z_{{{second + 1}}}$")
    return means[:, first], means[:, second], names, title


def _column(labels: object) -> object:
    """Labels as a column; what is no array stays, to be refused."""
    try:
        return np.asarray(labels)[..., None]
    except Exception:
        return labels
