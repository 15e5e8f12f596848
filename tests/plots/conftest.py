"""Every picture that a test here writes is looked at: texts apart, inside the figure, on a page."""

from itertools import combinations
from types import SimpleNamespace

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

PAGE = (6.5, 9.0)  # inches
STEP = 2 / 255  # matplotlib's grey map has 256 colours, and so has the file: each may round


def ticks_shown(axis):
    """The tick labels that are drawn: those inside the axis' limits."""
    low, high = sorted(axis.get_view_interval())
    ticks = [tick for tick in axis.get_major_ticks() if low - 1e-9 <= tick.get_loc() <= high + 1e-9]
    return [label for tick in ticks for label in (tick.label1, tick.label2) if label.get_visible()]


def texts_shown(figure):
    texts = [*figure.texts, *(text for legend in figure.legends for text in legend.get_texts())]
    for axes in figure.axes:
        texts += [axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts]
        texts += [axes.xaxis.offsetText, axes.yaxis.offsetText]
        texts += ticks_shown(axes.xaxis) + ticks_shown(axes.yaxis)
        texts += axes.get_legend().get_texts() if axes.get_legend() else []
    return [text for text in texts if text.get_visible() and text.get_text()]


def faults(figure):
    """Return what is wrong with a figure at a glance: texts that collide, are cut off or cover a picture."""
    figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts_shown(figure)]
    found = [f"{a!r} over {b!r}" for (a, one), (b, other) in combinations(boxes, 2) if one.overlaps(other)]
    page = figure.bbox
    for name, box in boxes:
        if box.x0 < 0 or box.y0 < 0 or box.x1 > page.x1 or box.y1 > page.y1:
            found.append(f"{name!r} is cut off: {box.extents} in {page.extents}")
    # texts in a plot may be there on purpose; over a tile of pictures none is
    tiles = [axes.bbox for axes in figure.axes if axes.images]
    found += [f"{name!r} over a picture" for name, box in boxes for tile in tiles if box.overlaps(tile)]
    if (figure.get_size_inches() > np.array(PAGE) + 1e-6).any():
        found.append(f"{figure.get_size_inches()} inches do not fit on the page")
    return found


def summary(figure):
    """What a test asks about a figure, kept after the figure is cleared."""
    panels = [
        SimpleNamespace(
            title=axes.get_title(),
            labels=(axes.get_xlabel(), axes.get_ylabel()),
            scale=axes.get_xscale(),
            ylim=axes.get_ylim(),
            lines=[line.get_xydata().copy() for line in axes.lines],
            points=[np.asarray(dots.get_offsets()) for dots in axes.collections if len(dots.get_offsets()) > 1],
            ticks=([t.get_text() for t in ticks_shown(axes.xaxis)], [t.get_text() for t in ticks_shown(axes.yaxis)]),
        )
        for axes in figure.axes
    ]
    pixels = tuple(round(length) for length in figure.get_size_inches() * figure.dpi)
    return SimpleNamespace(pixels=pixels, texts=[text.get_text() for text in texts_shown(figure)], panels=panels)


@pytest.fixture(autouse=True)
def drawn(monkeypatch):
    """Check each figure as it is saved; return the list of their summaries."""
    summaries, save = [], Figure.savefig

    def checked(figure, *args, **kwargs):
        assert faults(figure) == []
        summaries.append(summary(figure))
        save(figure, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", checked)
    return summaries


@pytest.fixture
def path(tmp_path):
    """Where a test writes its picture, alone in its folder."""
    folder = tmp_path / "figures"
    folder.mkdir()
    return folder / "picture.png"


def read(path):
    """Return the pixels of a PNG as ``(height, width, 3)`` in [0, 1]."""
    return matplotlib.image.imread(path)[..., :3]


def find_tile(pixels, shown):
    """Return the smallest rectangle of ``pixels`` around those where ``shown`` is true."""
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
