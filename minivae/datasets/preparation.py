"""How raw values become what a model sees, and back: one object, stored with the run.

    x = (f(raw) - shift) / scale        f the identity, or log(1 + raw)

column by column. It is fitted to the training part alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..checks import one_of
from ..errors import InputError, shown
from .mapped import MappedRows, blocks

PREPARATIONS = ("none", "unit", "standardize", "log1p")


class Preparation:
    """What turns raw values into model values. Made by :func:`fitted`.

    Args:
        kind: one of ``PREPARATIONS``; "none" changes nothing.
        shift, scale: ``(D,)``, float64; the scale is positive.

    Raises:
        InputError: an unknown kind, or numbers that are not finite, or no positive scale.
    """

    def __init__(self, kind: str, shift: Any, scale: Any) -> None:
        self.kind = one_of("kind", kind, PREPARATIONS)
        self.shift, self.scale = np.asarray(shift, np.float64), np.asarray(scale, np.float64)
        for name, value in (("shift", self.shift), ("scale", self.scale)):
            if value.ndim != 1 or value.shape != self.shift.shape or not np.isfinite(value).all():
                raise InputError(f"{name} is {shown(value)}; expected finite numbers, (D,)")
        if not (self.scale > 0).all():
            raise InputError(f"scale is {shown(self.scale)}; expected numbers above 0")

    @property
    def changes(self) -> bool:
        """Whether it does anything."""
        return self.kind != "none"

    @property
    def takes_logarithms(self) -> bool:
        """Whether f is log(1 + raw), for raw values of at least 0."""
        return self.kind == "log1p"

    def apply(self, raw: Any) -> np.ndarray:
        """``(..., D)`` raw values -> ``(..., D)`` model values, float64."""
        raw = np.asarray(raw, np.float64)
        return ((np.log1p(raw) if self.takes_logarithms else raw) - self.shift) / self.scale

    def undo(self, x: Any) -> np.ndarray:
        """``(..., D)`` model values -> ``(..., D)`` raw values, float64."""
        values = np.asarray(x, np.float64) * self.scale + self.shift
        return np.expm1(values) if self.takes_logarithms else values

    def log_jacobian(self, raw: Any) -> np.ndarray:
        """log |dx / draw| of each of ``(..., D)`` raw points, in nats: ``(...,)``.

        A density of model values plus this is that of the raw values.
        """
        raw = np.asarray(raw, np.float64)
        slopes = -np.log(self.scale) - (np.log1p(raw) if self.takes_logarithms else np.zeros_like(raw))
        return slopes.sum(axis=-1)

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Arrays, and what JSON can hold: what :meth:`of_state` takes back."""
        return {"shift": self.shift, "scale": self.scale}, {"kind": self.kind}

    @classmethod
    def of_state(cls, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> Preparation:
        """What :meth:`state` gave."""
        return cls(meta["kind"], arrays["shift"], arrays["scale"])

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Preparation)
            and self.kind == other.kind
            and np.array_equal(self.shift, other.shift)
            and np.array_equal(self.scale, other.scale)
        )


def fitted(kind: str, rows: np.ndarray | MappedRows, scale: float = 1.0) -> Preparation:
    """The preparation of a kind for the raw values ``rows / scale``, ``(N, D)``.

    - "none": x = raw;
    - "unit": each column from its smallest to its largest value becomes [0, 1];
    - "standardize": each column has mean 0 and variance 1;
    - "log1p": x = log(1 + raw), for counts; neither shifted nor scaled.

    A column of one value becomes 0 by all but the last.

    Raises:
        InputError: an unknown kind, or "log1p" with values below 0.
    """
    kind, columns = one_of("prepare", kind, PREPARATIONS), rows.shape[1]
    if kind == "log1p" and not rows.min() >= 0:
        raise InputError(f"prepare is log1p, and the data have a value {rows.min():g}; expected values of at least 0")
    if kind in ("none", "log1p"):
        return Preparation(kind, np.zeros(columns), np.ones(columns))
    shift, spread = _extent(rows) if kind == "unit" else _moments(rows)
    # Of a column of one value the rounding of a mean is all that is left: relative to what it is a mean of.
    alike = spread <= 1e-12 * np.abs(shift)
    return Preparation(kind, shift / scale, np.where(alike | (spread == 0), 1.0, spread / scale))


def _extent(rows: np.ndarray | MappedRows) -> tuple[np.ndarray, np.ndarray]:
    """Of each column the smallest value, and how far the largest is from it."""
    extremes = [(part.min(axis=0), part.max(axis=0)) for part in map(rows.__getitem__, blocks(rows))]
    low, high = np.array(extremes, np.float64).transpose(1, 0, 2)
    return low.min(axis=0), high.max(axis=0) - low.min(axis=0)


def _moments(rows: np.ndarray | MappedRows) -> tuple[np.ndarray, np.ndarray]:
    """Of each column mean and standard deviation, in two passes, as far from 0 as the values may be."""
    total, squares = np.zeros(rows.shape[1]), np.zeros(rows.shape[1])
    for block in blocks(rows):
        total += np.asarray(rows[block], np.float64).sum(axis=0)
    mean = total / len(rows)
    for block in blocks(rows):
        squares += np.square(np.asarray(rows[block], np.float64) - mean).sum(axis=0)
    return mean, np.sqrt(squares / len(rows))
