"""Of check 2: what moves numbers and computes none: take, scatter, copies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .capture import Row, normal

SHAPE = (100, 784)


def _rows_and_indices(kind: str) -> Callable[[np.random.Generator], list[np.ndarray]]:
    return lambda rng: [rng.integers(0, 256, (1000, 784), "uint8"), rng.integers(0, 1000, 100).astype(kind)]


def takes() -> dict[str, Row]:
    """Rows of bytes by index, as a minibatch is taken; entries along an axis."""
    import cupy as xp

    out, at = xp.empty((100, 784), "uint8"), {kind: _rows_and_indices(kind) for kind in ("int32", "int64")}
    entries = lambda rng: [rng.standard_normal(SHAPE).astype("float32"), rng.integers(0, 784, (100, 1))]  # noqa: E731
    rows = lambda x, i: x[i]  # noqa: E731
    return {
        "rows, int64": Row(lambda x, i: xp.take(x, i, axis=0), rows, at["int64"]),
        "rows, int32": Row(lambda x, i: xp.take(x, i, axis=0), rows, at["int32"]),
        "rows, into an array": Row(lambda x, i: xp.take(x, i, axis=0, out=out), rows, at["int64"]),
        "columns": Row(lambda x, i: xp.take(x.T, i, axis=1), lambda x, i: x.T[:, i], at["int64"]),
        "rows, as an index": Row(rows, rows, at["int64"]),
        "along an axis": Row(
            lambda x, i: xp.take_along_axis(x, i, axis=1), lambda x, i: np.take_along_axis(x, i, axis=1), entries
        ),
    }


def scatters() -> dict[str, Row]:
    """Sums at places, some of which come twice, as the gradient of a take has them."""
    import cupy as xp
    import cupyx

    def inputs(dtype: str) -> Callable[[np.random.Generator], list[np.ndarray]]:
        return lambda rng: [rng.standard_normal((100, 784)).astype(dtype), rng.integers(0, 30, 100)]

    def added(x: Any, i: Any) -> Any:
        out = xp.zeros((30, 784), x.dtype)
        cupyx.scatter_add(out, i, x)
        return out

    def reference(x: np.ndarray, i: np.ndarray) -> np.ndarray:
        out = np.zeros((30, 784))
        np.add.at(out, i, x)
        return out

    rows = {f"sums, {dtype}": Row(added, reference, inputs(dtype)) for dtype in ("float32", "float64")}
    reverse = lambda x: x[::-1]  # noqa: E731
    backwards = xp.arange(100)[::-1].copy()

    def set_at(x: Any) -> Any:
        out = xp.zeros(x.shape, x.dtype)
        out[backwards] = x
        return out

    return rows | {"put by index": Row(set_at, reverse, normal((100, 784)))}


def copies() -> dict[str, Row]:
    """Copies on the device: cast, broadcast, of parts, of transposed arrays, one beside the other."""
    import cupy as xp

    def into(shape: tuple[int, ...], dtype: str, put: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
        out = xp.zeros(shape, dtype)

        def call(x: Any) -> Any:
            put(out, x)
            return out

        return call

    def part(out: Any, x: Any) -> None:
        out[:, 10:794] = x
        out[:50, :10] = x[50:, :10]

    def parted(x: np.ndarray) -> np.ndarray:
        out = np.zeros((100, 800))
        part(out, x)
        return out

    single = normal(SHAPE)
    return {
        "the same": Row(into(SHAPE, "float32", xp.copyto), lambda x: x, single),
        "to float64": Row(into(SHAPE, "float64", xp.copyto), lambda x: x.astype("float32"), single),
        "broadcast": Row(into((3, *SHAPE), "float32", xp.copyto), lambda x: np.broadcast_to(x, (3, *SHAPE)), single),
        "transposed": Row(lambda x: xp.ascontiguousarray(x.T), lambda x: x.T, single),
        "parts": Row(into((100, 800), "float32", part), parted, single),
        "filled": Row(lambda x: xp.full(SHAPE, 2.5, "float32") + x, lambda x: x + 2.5, single),
        "one beside the other": Row(
            lambda x: xp.concatenate([x, x], axis=1), lambda x: np.concatenate([x, x], axis=1), single
        ),
    }
