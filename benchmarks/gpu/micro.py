"""Check 2: everything that a captured step needs, each by itself, launched three times against float64."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from minivae import backend
from minivae.compiler.cuda.blas import Blas, gemms

from . import micro_errors
from .capture import Graph, Row, beside, errors
from .found import Context, unless

SHAPE = (100, 784)


def items(context: Context) -> dict[str, Callable[[], dict[str, Any]]]:
    """Its items; those that might leave a broken device come last."""
    return {
        "pool allocation": pool,
        "reductions": lambda: errors(reductions()),
        "reductions into arrays": lambda: errors(reductions_into()),
        "scans": lambda: errors(scans()),
        "draws": draws,
        "state put back": state_put_back,
        "products": partial(products, (((100, 64), (64, 50)), ((1, 64), (64, 50)), ((100, 64), (64, 1)))),
        "products, batched": partial(products, BATCHED),
        "take": lambda: errors(takes()),
        "scatter": lambda: errors(scatters()),
        "copies": lambda: errors(copies()),
        "denormals": denormals,
        **micro_errors.ITEMS,
    }


def _normal(*shapes: tuple[int, ...], dtype: str = "float32") -> Callable[[np.random.Generator], list[np.ndarray]]:
    return lambda rng: [rng.standard_normal(shape).astype(dtype) for shape in shapes]


# ------------------------------------------------------------------- memory


def pool() -> dict[str, Any]:
    """Temporaries of a captured call lie in its own pool, which no other array gets memory from."""
    import cupy as xp

    rows = {
        "element-wise": Row(
            lambda x: xp.exp(xp.tanh(x) * 2) + xp.sqrt(abs(x)),
            lambda x: np.exp(np.tanh(x) * 2) + np.sqrt(abs(x)),
            _normal(SHAPE),
        ),
        "small and large": Row(
            lambda x: (xp.concatenate([x, x]) * x.sum(0)).sum(1) + xp.zeros(200, "float32"),
            lambda x: (np.concatenate([x, x]) * x.sum(0)).sum(1),
            _normal(SHAPE),
        ),
    }
    found = errors(rows)
    x = xp.ones(SHAPE, "float32")
    graph = Graph(lambda: xp.exp(xp.log(x * 3) * 2))
    others = [xp.full(SHAPE, 7, "float32") for _ in range(20)]
    graph.launch()
    kept = all(bool((other == 7).all()) for other in others)
    return unless([] if kept else ["a launch wrote to memory of others"], found | {"memory_of_others_kept": kept})


# --------------------------------------------------------------- reductions


def reductions() -> dict[str, Row]:
    """By CUB and by CuPy's own kernels, over all and along each axis, of both kinds of floats, of rows and columns."""
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
    rows = {
        f"{name}, {dtype}": Row(partial(call, xp), partial(call, np), _normal(SHAPE, dtype=dtype))
        for (name, call), dtype in product(calls.items(), ("float32", "float64"))
    }
    return rows


def scans() -> dict[str, Row]:
    """Running sums along each axis, and over all."""
    import cupy as xp

    calls: dict[str, Callable[[Any, Any], Any]] = {
        "all": lambda m, x: m.cumsum(x),
        "axis 0": lambda m, x: m.cumsum(x, axis=0),
        "axis 1": lambda m, x: m.cumsum(x, axis=1),
    }
    return {name: Row(partial(call, xp), partial(call, np), _normal(SHAPE)) for name, call in calls.items()}


def reductions_into() -> dict[str, Row]:
    """Into arrays that are there. (CuPy 14.2 raises a TypeError for extremes where CUB is on: its mistake.)"""
    import cupy as xp

    def row(name: str) -> Row:
        into = partial(getattr(xp, name), axis=1, out=xp.empty(SHAPE[0], "float32"))
        return Row(into, partial(getattr(np, name), axis=1), _normal(SHAPE))

    return {name: row(name) for name in ("sum", "mean", "max", "min")}


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


# ----------------------------------------------------------------- products

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


class _AllLayouts:
    """Two matrices, or stacks of them, and their product, in each layout of each."""

    def __init__(self, shape_a: tuple[int, ...], shape_b: tuple[int, ...], dtype: str) -> None:
        import cupy as xp

        self.inputs = _normal(shape_a, shape_b, dtype=dtype)
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


# ------------------------------------------------- take, scatter and copies


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

    return rows | {"put by index": Row(set_at, reverse, _normal((100, 784)))}


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

    single = _normal(SHAPE)
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
