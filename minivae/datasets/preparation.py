"""How raw values become what a model sees, and back: one object, stored with the run.

    x = (f(raw) - shift) / scale        f the identity, or log(1 + raw)

column by column, or alike for all pixels of a picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..checks import instance, one_of, positive_integer, positive_number, sequence
from ..errors import InputError, shown
from .mapped import MappedRows, blocks

PREPARATIONS = ("none", "unit", "standardize", "log1p")


class Preparation:
    """What turns raw values into model values. Made by :func:`fitted`.

    Args:
        kind: one of ``PREPARATIONS`` but "none".
        shift, scale: ``(D,)``, float64; the scale is positive.

    Raises:
        InputError: an unknown kind, or numbers that are not finite, or no positive scale.
    """

    def __init__(self, kind: str, shift: Any, scale: Any) -> None:
        self.kind = one_of("kind", kind, PREPARATIONS[1:])
        self.shift, self.scale = _numbers("shift", shift), _numbers("scale", scale)
        for name, given, value in (("shift", shift, self.shift), ("scale", scale, self.scale)):
            if value.ndim != 1 or value.shape != self.shift.shape or not np.isfinite(value).all():
                raise InputError(f"{name} is {shown(given)}; expected finite numbers, (D,), as many as the other has")
        if not (self.scale > 0).all():
            raise InputError(f"scale is {shown(scale)}; expected numbers above 0")

    def __len__(self) -> int:
        """D."""
        return len(self.shift)

    @property
    def takes_logarithms(self) -> bool:
        """Whether f is log(1 + raw), for raw values of at least 0."""
        return self.kind == "log1p"

    def apply(self, raw: Any) -> np.ndarray:
        """``(..., D)`` raw values -> ``(..., D)`` model values, float64."""
        raw = self._points("raw", raw)
        return ((np.log1p(raw) if self.takes_logarithms else raw) - self.shift) / self.scale

    def undo(self, x: Any) -> np.ndarray:
        """``(..., D)`` model values -> ``(..., D)`` raw values, float64."""
        values = self._points("x", x) * self.scale + self.shift
        return np.expm1(values) if self.takes_logarithms else values

    def log_jacobian(self, raw: Any) -> np.ndarray:
        """log |dx / draw| of each of ``(..., D)`` raw points, in nats: ``(...,)``.

        A density of model values plus this is that of the raw values.
        """
        raw = self._points("raw", raw)
        slopes = -np.log(self.scale) - (np.log1p(raw) if self.takes_logarithms else np.zeros_like(raw))
        return slopes.sum(axis=-1)

    def state(self) -> dict[str, np.ndarray]:
        """Arrays by name, which :meth:`of_state` takes back."""
        return {"kind": np.array(PREPARATIONS.index(self.kind)), "shift": self.shift, "scale": self.scale}

    @classmethod
    def of_state(cls, arrays: Mapping[str, np.ndarray]) -> Preparation:
        """What :meth:`state` gave.

        Raises:
            InputError: something is missing, or no such number.
        """
        instance("state", arrays, Mapping, "arrays by name")
        if arrays.keys() != {"kind", "shift", "scale"} or arrays["kind"] not in range(1, len(PREPARATIONS)):
            found = ", ".join(f"{name} {shown(array)}" for name, array in sorted(arrays.items()))
            raise InputError(f"the preparation has {found}; expected a known kind, scale and shift")
        return cls(PREPARATIONS[int(arrays["kind"])], arrays["shift"], arrays["scale"])

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Preparation)
            and self.kind == other.kind
            and np.array_equal(self.shift, other.shift)
            and np.array_equal(self.scale, other.scale)
        )

    def _points(self, name: str, values: Any) -> np.ndarray:
        array = _numbers(name, values)
        if array.shape[-1:] != (len(self),):
            raise InputError(f"{name} is {shown(values)}; expected numbers, (..., {len(self)})")
        return array


def for_columns(preparation: Preparation | None, columns: int) -> Preparation | None:
    """``preparation`` if it is for so many columns, or None.

    Raises:
        InputError: it is for others, or no preparation.
    """
    if preparation is None:
        return None
    prepared = len(instance("preparation", preparation, Preparation, "a Preparation"))
    if prepared != positive_integer("columns", columns):
        raise InputError(f"preparation is one of {prepared} values; expected {columns}, as data points have")
    return preparation


def _numbers(name: str, value: Any) -> np.ndarray:
    """``value`` as an array, float64."""
    try:
        return np.asarray(value, np.float64)
    except Exception:
        raise InputError(f"{name} is {shown(value)}; expected numbers") from None


def fitted(
    kind: str, parts: Sequence[np.ndarray | MappedRows], scale: float = 1.0, whole: bool = False
) -> Preparation | None:
    """The preparation of a kind for the raw values ``rows / scale`` of each part; None for "none".

    - "unit": from the smallest to the largest value of all parts becomes [0, 1];
    - "standardize": the first part, which trains, gets mean 0 and variance 1;
    - "log1p": x = log(1 + raw), for counts; neither shifted nor scaled.

    A column of one value becomes 0 by "unit" and "standardize".

    Args:
        kind: one of ``PREPARATIONS``.
        parts: ``(N, D)`` each, the training part first.
        scale: what the rows are divided by to be the raw values.
        whole: one shift and one scale for all columns, as for the pixels of a picture.

    Raises:
        InputError: an unknown kind, or "log1p" with values below 0.
    """
    positive_number("scale", scale)
    shapes: list[tuple[int, ...]] = [
        getattr(rows, "shape", ()) for rows in sequence("parts", parts, "arrays, (N, D) each")
    ]
    if not shapes or {len(shape) for shape in shapes} != {2} or len({shape[1] for shape in shapes}) > 1:
        raise InputError(f"parts has arrays of shape {shown(shapes)}; expected (N, D) each, of one D")
    if one_of("prepare", kind, PREPARATIONS) == "none":
        return None
    low, high = _extremes(parts)
    if kind == "log1p":
        if not low.min() >= 0:
            raise InputError(f"prepare is log1p, and the data have {low.min():g}; expected values of at least 0")
        return Preparation(kind, np.zeros_like(low), np.ones_like(low))
    if whole:
        low, high = np.full_like(low, low.min()), np.full_like(high, high.max())
    rows = parts[0]
    moments = moments_of(lambda: map(rows.__getitem__, blocks(rows)), whole) if kind == "standardize" else None
    shift, spread = moments or (low, high - low)
    first, last = (low, high) if whole or kind == "unit" else _extremes(parts[:1])
    alike = first == last  # a column of one value: its mean is that but for rounding, its variance rounding alone
    return Preparation(kind, np.where(alike, first, shift) / scale, np.where(alike, 1.0, spread / scale))


def _extremes(parts: Sequence[np.ndarray | MappedRows]) -> np.ndarray:
    """Of each column the smallest and the largest value of all parts, ``(2, D)``."""
    found = [(rows.min(axis=0), rows.max(axis=0)) for part in parts for rows in map(part.__getitem__, blocks(part))]
    lows, highs = np.array(found, np.float64).transpose(1, 0, 2)
    return np.stack([lows.min(axis=0), highs.max(axis=0)])


def moments_of(read: Callable[[], Iterable[np.ndarray]], whole: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Of each column mean and standard deviation, in two passes: the values may be far from 0.

    Args:
        read: gives all rows, ``(n, D)`` at a time; called once for each pass.
        whole: of all columns together.
    """

    origin = np.asarray(next(iter(read()))[0], np.float64)  # from which a column of one value differs by exactly 0

    def mean_of(f: Callable[[np.ndarray], np.ndarray], start: Any = 0.0) -> np.ndarray:
        total, count = 0.0, 0
        for rows in read():
            total, count = total + f(np.asarray(rows, np.float64)).sum(axis=0), count + len(rows)
        mean = np.asarray(start + total / count)
        return np.full_like(mean, mean.mean()) if whole else mean

    mean = mean_of(lambda x: x - origin, origin)
    return mean, np.sqrt(mean_of(lambda x: np.square(x - mean)))
