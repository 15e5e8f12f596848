"""What an operation takes besides tensors, drawn at random to fit the arrays: for :mod:`.programs`.

Each function takes a generator and the arrays, and returns a tuple of arguments, or None
where nothing fits.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def none(rng: np.random.Generator, *arrays: np.ndarray) -> tuple:
    """No arguments."""
    return ()


def number(rng: np.random.Generator, x: np.ndarray) -> tuple:
    """A Python number."""
    return (float(rng.choice([-1.5, -1, 0.5, 2, 2.5, 3])),)


def axis(rng: np.random.Generator, x: np.ndarray, *others: np.ndarray) -> tuple | None:
    """One axis, counted from the front or the back."""
    return (int(rng.integers(-x.ndim, x.ndim)),) if x.ndim else None


def axes(rng: np.random.Generator, x: np.ndarray) -> tuple | None:
    """Some axes, and whether to keep them."""
    if not x.ndim:
        return None
    some = rng.permutation(x.ndim)[: rng.integers(1, x.ndim + 1)]
    return tuple(some.tolist()), bool(rng.integers(2))


def order(rng: np.random.Generator, x: np.ndarray) -> tuple:
    """An order of the axes."""
    return (tuple(rng.permutation(x.ndim).tolist()),)


def sizes(rng: np.random.Generator, x: np.ndarray) -> tuple:
    """A shape of as many elements."""
    shapes: list[tuple[int, ...]] = [(x.size,), (1, x.size), x.shape[::-1], (*x.shape, 1)]
    shapes += [(n, x.size // n) for n in (2, 3) if x.size % n == 0]
    return (shapes[rng.integers(len(shapes))],)


def to_broadcast(rng: np.random.Generator, x: np.ndarray) -> tuple:
    """A shape with longer axes where they were 1, or with one more in front."""
    shape = tuple(int(rng.integers(1, 4)) if n == 1 else n for n in x.shape)
    return ((2, *shape) if rng.integers(2) else shape,)


def mask(rng: np.random.Generator, a: np.ndarray, b: np.ndarray) -> tuple:
    """Booleans of the shape that the two have together."""
    return (rng.random(np.broadcast_shapes(a.shape, b.shape)) < 0.5,)


def positions(rng: np.random.Generator, x: np.ndarray) -> tuple | None:
    """Positions to take, some of them twice, and the axis."""
    at = int(rng.integers(x.ndim)) if x.ndim else 0
    return (rng.integers(0, x.shape[at], rng.integers(1, 4)), at) if x.ndim else None


def diagonal(rng: np.random.Generator, x: np.ndarray) -> tuple | None:
    """The number of a diagonal of a matrix."""
    return (int(rng.integers(-1, 2)),) if x.ndim > 1 else None


def widths(rng: np.random.Generator, x: np.ndarray) -> tuple | None:
    """Zeros before and after along each axis."""
    return ([tuple(pair) for pair in rng.integers(0, 2, (x.ndim, 2)).tolist()],) if x.ndim else None


def index(rng: np.random.Generator, x: np.ndarray) -> tuple | None:
    """An index: integers and slices, or one array of integers or booleans among slices; perhaps a new axis.

    Not integers beside arrays: where those go the two libraries do not agree.
    """
    if not x.ndim:
        return None
    parts: list[Any] = [_slice(rng, n) for n in x.shape]
    at = int(rng.integers(x.ndim))
    n = x.shape[at]
    chosen = rng.integers(4)
    if chosen == 0:
        parts[at] = int(rng.integers(-n, n))
    elif chosen == 1:
        parts[at] = rng.integers(-n, n, rng.integers(1, 5))
    elif chosen == 2:
        parts[at] = np.arange(n) != rng.integers(n)
    else:
        parts.insert(at, None)
    return (tuple(parts),)


def _slice(rng: np.random.Generator, n: int) -> slice:
    start = int(rng.integers(0, n))
    return slice(start, None, int(rng.integers(1, 3))) if rng.integers(2) else slice(None)
