"""Which values a likelihood is for: all real numbers, [0, 1], counts, grey levels, numbers of categories."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ..checks import instance, positive_integer
from ..errors import InputError, shown

ROUNDING = 1e-3  # of a step below 1: values that are stored as float32 are not quite its multiples


class Domain(NamedTuple):
    """The values from ``low`` to ``high``; if there is a ``step``, its multiples alone.

    Attributes:
        words: what a message says that was expected.
    """

    words: str
    low: float = -math.inf
    high: float = math.inf
    step: float | None = None

    def require(self, name: str, parts: Iterable[Any], advice: str = "") -> None:
        """Check that all values of some arrays, of any backend, belong to it.

        Args:
            name: whose values they are, for the message.
            parts: the arrays, looked at one after the other.
            advice: what the message says at its end.

        Raises:
            InputError: a value is not finite, or lies outside, or between two steps.
        """
        try:
            arrays = iter(parts)
        except Exception:
            raise InputError(f"parts is {shown(parts)}; expected arrays") from None
        for x in arrays:
            if getattr(getattr(x, "dtype", None), "kind", "") not in tuple("biuf"):
                raise InputError(f"parts holds {shown(x)}; expected arrays of numbers")
            low, high = (float(x.min()), float(x.max())) if x.size else (0.0, 0.0)
            if not -math.inf < low <= high < math.inf:
                raise InputError(f"{name} has a NaN or an infinity; expected finite numbers")
            if not self.low <= low <= high <= self.high:
                raise InputError(f"{name} has values from {low:g} to {high:g}; expected {self.words}{advice}")
            if self.step is not None and x.dtype.kind == "f":
                steps = x / self.step
                if bool((abs(steps - steps.round()) > (ROUNDING if self.step < 1 else 0)).any()):
                    raise InputError(f"{name} has values that are no {self.words}{advice}")


REAL = Domain("real numbers")
UNIT = Domain("values in [0, 1]", 0.0, 1.0)
COUNTS = Domain("whole numbers of at least 0", 0.0, step=1.0)
LEVELS = Domain("multiples of 1/255 in [0, 1]", 0.0, 1.0, 1 / 255)


def categories(count: int) -> Domain:
    """The numbers 0 to ``count`` - 1."""
    positive_integer("count", count)
    return Domain(f"whole numbers from 0 to {count - 1}", 0.0, count - 1.0, 1.0)


def holds(domain: Domain, parts: Iterable[np.ndarray]) -> bool:
    """Whether all values belong to it."""
    instance("domain", domain, Domain, "a Domain")
    try:
        domain.require("", parts)
    except InputError:
        return False
    return True
