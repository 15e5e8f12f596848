"""Check 2: everything that a captured step needs, each by itself, launched three times against float64."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from minivae import backend
from minivae.compiler.cuda.blas import Blas, gemms

from . import micro_errors, warm
from .capture import Graph, Row, errors, normal
from .found import Context, unless
from .micro_moves import copies, scatters, takes
from .micro_products import BATCHED, SINGLE, pairs, products
from .micro_reductions import reductions, reductions_into, scans

SHAPE = (100, 784)


def items(context: Context) -> dict[str, Callable[[], dict[str, Any]]]:
    """Its items; those that might leave a broken device come last."""
    jobs = [(__name__, "rows", (name,)) for name in ROWS]
    return {
        "kernels, by several processes": lambda: warm.kernels(jobs, (context.deadline - time.monotonic()) / 4),
        "pool allocation": pool,
        **{name: partial(rows, name) for name in ROWS},
        "reductions into arrays": reductions_into,
        "draws": draws,
        "state put back": state_put_back,
        "products": partial(products, SINGLE),
        "products, batched": partial(products, BATCHED),
        "products, two in one call": pairs,
        "denormals": denormals,
        **micro_errors.ITEMS,
    }


ROWS: dict[str, Callable[[], dict[str, Row]]] = {
    "reductions, float32": partial(reductions, "float32"),
    "reductions, float64": partial(reductions, "float64"),
    "scans": scans,
    "take": takes,
    "scatter": scatters,
    "copies": copies,
}


def rows(name: str) -> dict[str, Any]:
    """The rows of a table of :data:`ROWS`."""
    return errors(ROWS[name]())


# ------------------------------------------------------------------- memory


def pool() -> dict[str, Any]:
    """Temporaries of a captured call lie in its own pool, which no other array gets memory from."""
    import cupy as xp

    rows = {
        "element-wise": Row(
            lambda x: xp.exp(xp.tanh(x) * 2) + xp.sqrt(abs(x)),
            lambda x: np.exp(np.tanh(x) * 2) + np.sqrt(abs(x)),
            normal(SHAPE),
        ),
        "small and large": Row(
            lambda x: (xp.concatenate([x, x]) * x.sum(0)).sum(1) + xp.zeros(200, "float32"),
            lambda x: (np.concatenate([x, x]) * x.sum(0)).sum(1),
            normal(SHAPE),
        ),
    }
    found = errors(rows)
    x = xp.ones(SHAPE, "float32")
    graph = Graph(lambda: xp.exp(xp.log(x * 3) * 2))
    others = [xp.full(SHAPE, 7, "float32") for _ in range(20)]
    graph.launch()
    kept = all(bool((other == 7).all()) for other in others)
    return unless([] if kept else ["a launch wrote to memory of others"], found | {"memory_of_others_kept": kept})


# -------------------------------------------------------------------- noise


def draws() -> dict[str, Any]:
    """Philox draws into arrays that are there: other numbers at each launch, those that eager draws give."""
    found, failures = {}, []
    for name, dtype in product(("standard_normal", "uniform"), ("float32", "float64")):
        seen, twins = _drawn(name, dtype)
        what = f"{name}, {dtype}"
        found[what] = [round(float(x.mean()), 4) for x in seen]
        failures += [f"{what}: a launch repeats the draw of another"] if len({x.tobytes() for x in seen}) < 3 else []
        failures += [f"{what}: others than eagerly"] if not np.array_equal(seen, twins) else []
        mean, deviation = (0.0, 1.0) if name == "standard_normal" else (0.5, 12**-0.5)
        off = [abs(x.mean() - mean) / deviation * x.size**0.5 for x in seen]
        failures += [f"{what}: a mean is {max(off):.1f} standard errors off"] if max(off) > 6 else []
    return unless(failures, {"means": found})


def _drawn(name: str, dtype: str) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Three launches of a draw, and what a generator with the same seed draws eagerly, after that of the warm-up."""
    import cupy as xp

    shape, out = (100, 50), xp.empty((100, 50), dtype)
    generator, twin = backend.generator(5, "cupy"), backend.generator(5, "cupy")
    graph, seen, twins = Graph(lambda: getattr(generator, name)(shape, dtype, out)), [], []
    getattr(twin, name)(shape, dtype)
    for _ in range(3):
        graph.launch()
        seen.append(out.get())
        twins.append(getattr(twin, name)(shape, dtype).get())
    return seen, twins


def state_put_back() -> dict[str, Any]:
    """A captured draw goes on from a state that was read between launches and put back."""
    import cupy as xp

    out, generator = xp.empty(1000, "float32"), backend.generator(5, "cupy")
    graph = Graph(lambda: generator.standard_normal((1000,), "float32", out))
    graph.launch()
    state, drawn = generator.state, []
    for _ in range(3):
        graph.launch()
        drawn.append(out.get())
    generator.state, failures = state, []
    for number, before in enumerate(drawn):
        graph.launch()
        failures += [] if (out.get() == before).all() else [f"launch {number} after it draws something else"]
    return unless(failures, {"launches": 3})


# ---------------------------------------------------------------- denormals


def denormals() -> dict[str, Any]:
    """Which of these keep the smallest numbers of float32, and which make them 0: found, not judged."""
    import cupy as xp

    import minivae as mv

    tiny = np.full(64, 1e-40, "float32")
    x, total = xp.asarray(tiny), np.float32(64) * tiny[0]
    step = mv.compile(lambda t: t * 1.0 + 0.0)
    recorded = [step(mv.Tensor(x)).numpy() for _ in range(4)]
    out, blas = xp.zeros((8, 8), "float32"), Blas(xp)
    a = xp.full((8, 8), 1e-20, "float32")
    blas.use(xp.cuda.get_current_stream())
    for gemm in gemms(a, a, out):
        blas.prepare(gemm)()
    kept = {
        "copied": bool((x.copy().get() == tiny).all()),
        "times 1, CuPy": bool((xp.multiply(x, xp.float32(1)).get() == tiny).all()),
        "times 1, recorded": bool((recorded[-1] == tiny).all()),
        "recorded as eagerly": bool((recorded[-1] == (mv.Tensor(x) * 1.0 + 0.0).numpy()).all()),
        "exp(-90)": bool((xp.exp(xp.full(4, -90, "float32")).get() > 0).all()),
        "summed": bool(np.isclose(x.sum().get(), total, rtol=1e-3)),
        "product, cuBLAS": bool(np.allclose(out.get(), 8e-40, rtol=1e-3, atol=0)),
    }
    return {"kept": kept}
