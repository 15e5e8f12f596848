"""Of check 2: reductions and scans, by CUB and by CuPy's own kernels."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .capture import Row, errors, normal
from .found import Failure

SHAPE = (100, 784)


def reductions(dtype: str) -> dict[str, Row]:
    """By CUB and by CuPy's own kernels, over all and along each axis, of rows and of columns."""
    import cupy as xp

    calls: dict[str, Callable[[Any, Any], Any]] = {
        "sum": lambda m, x: m.sum(x),
        "sum, axis 0": lambda m, x: m.sum(x, axis=0),
        "sum, axis 1": lambda m, x: m.sum(x, axis=1),
        "sum of the transposed": lambda m, x: m.sum(x.T, axis=0),
        "mean": lambda m, x: m.mean(x, axis=1),
        "product": lambda m, x: m.prod(1 + x / 1000, axis=1),
        "max": lambda m, x: m.max(x),
        "max, axis 0": lambda m, x: m.max(x, axis=0),
        "min, axis 1": lambda m, x: m.min(x, axis=1),
        "argmax, axis 1": lambda m, x: m.argmax(x, axis=1),
        "argmin, axis 0": lambda m, x: m.argmin(x, axis=0),
        "any": lambda m, x: m.any(x > 3, axis=1),
        "all": lambda m, x: m.all(x > -3, axis=1),
        "log of sums": lambda m, x: m.log(m.sum(m.exp(x - m.max(x, axis=1, keepdims=True)), axis=1)),
    }
    inputs = normal(SHAPE, dtype=dtype)
    return {name: Row(partial(call, xp), partial(call, np), inputs) for name, call in calls.items()}


def scans() -> dict[str, Row]:
    """Running sums along each axis, and over all."""
    import cupy as xp

    calls: dict[str, Callable[[Any, Any], Any]] = {
        "all": lambda m, x: m.cumsum(x),
        "axis 0": lambda m, x: m.cumsum(x, axis=0),
        "axis 1": lambda m, x: m.cumsum(x, axis=1),
    }
    return {name: Row(partial(call, xp), partial(call, np), normal(SHAPE)) for name, call in calls.items()}


def reductions_into() -> dict[str, Any]:
    """Into arrays that are there; extremes only have to be right: where CUB is on, CuPy 14.2 refuses some by mistake.

    Raises:
        Failure: a sum or a mean raises, or anything is wrong.
    """
    import cupy as xp

    def row(name: str) -> Row:
        into = partial(getattr(xp, name), axis=1, out=xp.empty(SHAPE[0], "float32"))
        return Row(into, partial(getattr(np, name), axis=1), normal(SHAPE))

    found, refused = errors({name: row(name) for name in ("sum", "mean")}), {}
    for name in ("max", "min"):
        try:
            found["errors_over_tolerance"] |= errors({name: row(name)})["errors_over_tolerance"]
        except Failure as failure:
            if "TypeError" not in failure.args[0]:
                raise
            refused[name] = "TypeError"
    return found | {"refused_by_cupy": refused}
