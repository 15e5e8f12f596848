"""Of check 2: products by cuBLAS, in every layout, one by one, in strided batches, and two in one call."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from minivae.compiler.cuda.blas import Blas, gemms

from .capture import Graph, beside, normal
from .found import unless

SINGLE = (((100, 64), (64, 50)), ((1, 64), (64, 50)), ((100, 64), (64, 1)))
PAIRS = (((100, 500), (500, 20)), ((1, 100), (100, 20)))
BATCHED = (
    ((5, 30, 40), (5, 40, 20)),
    ((5, 30, 40), (40, 20)),
    ((30, 40), (5, 40, 20)),
    ((2, 1, 30, 40), (5, 40, 20)),
    ((2, 5, 30, 40), (2, 5, 40, 20)),
)
LAYOUTS: dict[str, Callable[[Any, Any], Any]] = {
    "rows": lambda m, x: x,
    "columns": lambda m, x: m.ascontiguousarray(x.swapaxes(-1, -2)).swapaxes(-1, -2),
    "part of rows": lambda m, x: m.concatenate([x, x], -1)[..., : x.shape[-1]],
    "part of columns": lambda m, x: m.ascontiguousarray(m.concatenate([x, x], -2).swapaxes(-1, -2)).swapaxes(-1, -2)[
        ..., : x.shape[-2], :
    ],
}


def products(shapes: tuple) -> dict[str, Any]:
    """By cuBLAS through a handle of our own: each layout of each array, and one graph for all layouts of a shape."""
    import cupy as xp

    blas, found, failures = Blas(xp), {}, []
    for (shape_a, shape_b), dtype in product(shapes, ("float32", "float64")):
        case = _AllLayouts(shape_a, shape_b, dtype)
        graph, worst = Graph(case.call(blas), blas.use), {}
        for seed in (1, 2, 3):
            a, b = case.fill(seed)
            graph.launch()
            for layouts, _, _, out in case.triples:
                error = beside(out.get(), a.astype("float64") @ b.astype("float64"))
                worst[layouts] = max(worst.get(layouts, 0.0), error if error == error else np.inf)
        name = f"{shape_a} @ {shape_b}, {dtype}"
        found[name] = round(max(worst.values()), 3)
        failures += [f"{name}, {', '.join(layouts)}: wrong" for layouts, error in worst.items() if not error <= 1]
    return unless(failures, {"layouts_of_each": len(LAYOUTS) ** 3, "errors_over_tolerance": found})


def pairs() -> dict[str, Any]:
    """Two products in one call, whichever of them lies first; sums of rows, as products with ones, are among them."""
    import cupy as xp

    blas, found, failures = Blas(xp), {}, []
    for (shape_a, shape_b), dtype, order in product(PAIRS, ("float32", "float64"), (1, -1)):
        inputs = normal((2, *shape_a), (2, *shape_b), dtype=dtype)
        a, b = (xp.asarray(x) for x in inputs(np.random.default_rng(0)))
        out = xp.full((2, shape_a[0], shape_b[1]), np.nan, dtype)
        call = blas.prepare(*(gemms(a[i], b[i], out[::order][i])[0] for i in (0, 1)))  # kept, as it keeps addresses
        graph, worst = Graph(call, blas.use), 0.0
        for seed in (1, 2, 3):
            hosts = inputs(np.random.default_rng(seed))
            for place, host in zip((a, b), hosts, strict=True):
                place[...] = xp.asarray(host)
            graph.launch()
            expected = hosts[0].astype("float64") @ hosts[1].astype("float64")
            worst = max(worst, beside(out.get(), expected[::order]))
        name = f"{shape_a} @ {shape_b}, {dtype}, {'ahead' if order > 0 else 'behind'}"
        found[name] = round(worst, 3)
        failures += [] if worst <= 1 else [f"{name}: wrong"]
    return unless(failures, {"errors_over_tolerance": found})


class _AllLayouts:
    """Two matrices, or stacks of them, and their product, in each layout of each."""

    def __init__(self, shape_a: tuple[int, ...], shape_b: tuple[int, ...], dtype: str) -> None:
        import cupy as xp

        self.inputs = normal(shape_a, shape_b, dtype=dtype)
        shape = (*np.broadcast_shapes(shape_a[:-2], shape_b[:-2]), shape_a[-2], shape_b[-1])
        self.left = {name: lay(xp, xp.zeros(shape_a, dtype)) for name, lay in LAYOUTS.items()}
        self.right = {name: lay(xp, xp.zeros(shape_b, dtype)) for name, lay in LAYOUTS.items()}
        self.triples = [
            ((i, j, k), self.left[i], self.right[j], LAYOUTS[k](xp, xp.full(shape, np.nan, dtype)))
            for i, j, k in product(LAYOUTS, repeat=3)
        ]

    def call(self, blas: Blas) -> Callable[[], None]:
        """All of them, one after the other."""
        calls = [blas.prepare(gemm) for _, a, b, out in self.triples for gemm in gemms(a, b, out)]
        return lambda: [call() for call in calls] and None

    def fill(self, seed: int) -> list[np.ndarray]:
        """New numbers for the two."""
        import cupy as xp

        hosts = self.inputs(np.random.default_rng(seed))
        for places, host in zip((self.left, self.right), hosts, strict=True):
            for place in places.values():
                place[...] = xp.asarray(host)
        return hosts
