"""What all pictures share: the figure and its file, colours, and checks of arrays."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ..checks import function, instance, one_of, path_of
from ..errors import InputError, MinivaeError, shown
from ..files import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 200
FORMATS = (".png", ".svg", ".pdf")
TITLE_SIZE, LABEL_SIZE, SMALL_SIZE = 10, 9, 8  # points
GREY = "#5a5a5a"

# P. Tol's "muted" scheme ("Colour schemes", SRON/EPS/TN/09-002), which stays apart
# under the common kinds of colour blindness, and black; ordered so that the first
# two, train and test, differ in lightness too.
PALETTE = (
    *("#332288", "#cc6677", "#44aa99", "#ddcc77", "#882255"),
    *("#88ccee", "#117733", "#aa4499", "#999933", "#000000"),
)


_STYLE = threading.RLock()  # Matplotlib's parameters are the whole process's


@contextmanager
def own_style() -> Iterator[None]:
    """A ``with`` block in which Matplotlib is as it comes, whatever a matplotlibrc, a style or a program has set.

    For pictures of a command; one that a program asks for follows the program's own style. The
    parameters are the process's: threads take turns, and they are afterwards as they were.

    Raises:
        InputError: Matplotlib cannot be imported, or anything in the block fails; in one line.
    """
    try:
        import matplotlib

        with _STYLE, matplotlib.rc_context():
            # Not by item, where Matplotlib would warn of parameters that it is about to drop.
            default = {name: value for name, value in dict.items(matplotlib.rcParamsDefault) if name != "backend"}
            dict.update(matplotlib.rcParams, default)
            yield
    except MinivaeError:
        raise
    except Exception as error:
        said = " ".join(str(error).split())
        raise InputError(f"a picture cannot be drawn: {type(error).__name__}: {said:.300}") from error


@contextmanager
def picture(path: str | os.PathLike | None = None, ax: Axes | None = None, **options: Any) -> Iterator[Figure]:
    """Yield an empty figure, or that of ``ax``; write it to ``path``, if there is one, when the body succeeds.

    A new figure belongs to no pyplot state and opens no window, whatever the
    user's matplotlib backend is. ``options`` go to
    :class:`matplotlib.figure.Figure`.

    Raises:
        InputError: a suffix not in ``FORMATS``, a folder that cannot be written to, or an ``ax`` that is no Axes.
    """
    suffix = None if path is None else one_of(f"the suffix of path {shown(path)}", _suffix(path), FORMATS)
    figure = _new_figure(options) if ax is None else _figure_of(ax)
    try:
        yield figure
        if path is not None and suffix is not None:
            with atomic_path(path) as temporary:
                figure.savefig(temporary, format=suffix[1:], dpi=DPI)
    except BaseException:
        if ax is None:
            release(figure)
        raise


def _suffix(path: str | os.PathLike) -> str:
    return path_of("path", path).suffix.lower()


def _new_figure(options: dict[str, Any]) -> Figure:
    from matplotlib.figure import Figure

    return Figure(dpi=DPI, **options)


def _figure_of(ax: Any) -> Figure:
    from matplotlib.axes import Axes

    figure = instance("ax", ax, Axes, "Axes of Matplotlib").get_figure(root=True)
    if figure is None:
        raise InputError("ax is in no figure any more; expected Axes of Matplotlib that are")
    return figure


def release(figure: Figure) -> None:
    """Give a figure's memory back at once: its parts refer to each other, and would wait for the collector."""
    for axes in figure.axes:
        axes.remove()  # clear() alone warns of shared log axes (Matplotlib 3.10.0)
    figure.clear()


def matrix(name: str, values: object, rows: int | None = None, columns: int | None = None) -> np.ndarray:
    """Return ``values`` as a finite float array ``(rows, columns)``; None stands for any number from 1.

    Raises:
        InputError: naming the argument, what came and what was expected.
    """
    expected = f"({'rows' if rows is None else rows}, {'columns' if columns is None else columns})"
    try:
        array = np.asarray(values, dtype=float)
    except Exception as error:
        raise InputError(f"{name} is {shown(values)}; expected an array of numbers {expected} ({error})") from error
    fits = array.ndim == 2 and rows in (None, len(array)) and columns in (None, array.shape[1])
    if not fits or array.size == 0:
        raise InputError(f"{name} has shape {array.shape}; expected {expected}")
    wrong = np.count_nonzero(~np.isfinite(array))
    if wrong:
        raise InputError(f"{name} has {wrong} values that are NaN or infinite; expected finite numbers")
    return array


def number(value: float, form: str = ".3g") -> str:
    """Return ``value`` as text with a true minus sign, as the axes write it."""
    return format(value, form).replace("-", "\N{MINUS SIGN}")


def decoded(decode: Callable[[np.ndarray], np.ndarray], z: np.ndarray) -> np.ndarray:
    """Return ``decode(z)`` as a finite array with one row for each row of ``z``."""
    return matrix("the result of decode", function("decode", decode)(z), rows=len(z))
