"""One table of cases for every differentiable operation, each with its twin in PyTorch.

A new row of ``PRIMITIVES`` or a new public function without a case fails
:mod:`tests.autodiff.test_primitives`, which checks each case for its gradients (first
and second, real and complex), its dtype, its memory layouts and against PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import minivae.autodiff as ad
from minivae.distributions import special

from . import special_twins as twins
from .case import CASES, COMPOSITES, FILLED, PAIRS, POSITIVE, SHAPES, SIGNED, Shape, case

__all__ = ["CASES", "COMPOSITES"]

# ------------------------------------------------------------- one input

UNARY = {
    "negative": (ad.negative, lambda T, x: -x, SIGNED),
    "square": (ad.square, lambda T, x: T.square(x), SIGNED),
    "sqrt": (ad.sqrt, lambda T, x: T.sqrt(x), POSITIVE),
    "identity": (ad.identity, lambda T, x: x * 1, SIGNED),
    "exp": (ad.exp, lambda T, x: T.exp(x), SIGNED),
    "expm1": (ad.expm1, lambda T, x: T.expm1(x), SIGNED),
    "log": (ad.log, lambda T, x: T.log(x), POSITIVE),
    "log1p": (ad.log1p, lambda T, x: T.log1p(x), (-0.6, 2.0)),
    "sin": (ad.sin, lambda T, x: T.sin(x), SIGNED),
    "cos": (ad.cos, lambda T, x: T.cos(x), SIGNED),
    "tanh": (ad.tanh, lambda T, x: T.tanh(x), SIGNED),
    "sigmoid": (ad.sigmoid, lambda T, x: T.sigmoid(x), SIGNED),
    "softplus": (ad.softplus, lambda T, x: T.nn.functional.softplus(x), SIGNED),
    "relu": (ad.relu, lambda T, x: T.relu(x), SIGNED),
    "absolute": (ad.absolute, lambda T, x: T.abs(x), SIGNED),
    "clip": (lambda x: ad.clip(x, -0.5, 0.8), lambda T, x: T.clip(x, -0.5, 0.8), SIGNED),
    "astype": (lambda x: ad.astype(x, x.dtype), lambda T, x: x.to(x.dtype) * 1, SIGNED),
    "reshape": (lambda x: ad.reshape(x, -1), lambda T, x: x.reshape(-1), SIGNED),
    "transpose": (ad.transpose, lambda T, x: x.permute(tuple(range(x.ndim))[::-1]), SIGNED),
    "broadcast_to": (lambda x: ad.broadcast_to(x, (2, *x.shape)), lambda T, x: x.expand(2, *x.shape), SIGNED),
    "sum": (ad.sum, lambda T, x: x.sum(), SIGNED),
    "getitem": (lambda x: ad.getitem(x, (..., None)), lambda T, x: x[..., None], SIGNED),
    "log_sigmoid": (ad.log_sigmoid, lambda T, x: T.nn.functional.logsigmoid(x), SIGNED),
    "expand_dims": (lambda x: ad.expand_dims(x, 0), lambda T, x: x[None], SIGNED),
    "stack": (lambda x: ad.stack([x, x]), lambda T, x: T.stack([x, x]), SIGNED),
}
for _name, (_f, _twin, _within) in UNARY.items():
    for _shape in SHAPES:
        case(_name, _f, _twin, _shape, within=_within)

for _p, _within in [(3, SIGNED), (2, SIGNED), (1, SIGNED), (2.5, POSITIVE), (-1, POSITIVE), (0.5, POSITIVE)]:
    case("power", lambda x, p=_p: x**p, lambda T, x, p=_p: x**p, (3,), within=_within, label=f"exponent {_p}")
case("power", lambda x: x**0 * x, lambda T, x: x**0 * x, (3,), label="exponent 0")
case("power", lambda x: 2.5**x, lambda T, x: 2.5**x, (2, 3), label="base 2.5")
case("power", lambda x: 2**x, lambda T, x: 2**x, (3,), label="base 2")
case("clip", lambda x: ad.clip(x, low=0.1), lambda T, x: T.clip(x, min=0.1), (2, 3), label="below alone")
case("clip", lambda x: ad.clip(x, high=0.1), lambda T, x: T.clip(x, max=0.1), (2, 3), label="above alone")

# ------------------------------------------------------------ two inputs

BINARY = {
    "add": (ad.add, lambda T, a, b: a + b, SIGNED),
    "subtract": (ad.subtract, lambda T, a, b: a - b, SIGNED),
    "multiply": (ad.multiply, lambda T, a, b: a * b, SIGNED),
    "divide": (ad.divide, lambda T, a, b: a / b, POSITIVE),
    "power": (ad.power, lambda T, a, b: a**b, POSITIVE),
    "maximum": (ad.maximum, lambda T, a, b: T.maximum(a, b), SIGNED),
    "minimum": (ad.minimum, lambda T, a, b: T.minimum(a, b), SIGNED),
}
for _name, (_f, _twin, _within) in BINARY.items():
    for _a, _b in PAIRS:
        case(_name, _f, _twin, _a, _b, within=_within)
for _name in ("add", "multiply", "divide", "power"):  # (at a tie, maximum is not differentiable in each input)
    _f, _twin, _within = BINARY[_name]
    case(_name, lambda x, f=_f: f(x, x * x), lambda T, x, t=_twin: t(T, x, x * x), (3,), within=POSITIVE, label="twice")
    case(_name, lambda x, f=_f: f(1.5, f(x, 2)), lambda T, x, t=_twin: t(T, 1.5, t(T, x, 2)), (3,), within=POSITIVE)
case("add", lambda x: x + x, lambda T, x: x + x, (2, 3), label="x + x")
case("multiply", lambda x: x * x * x, lambda T, x: x * x * x, (2, 3), label="x * x * x")
case("subtract", lambda x: 1.5 - x, lambda T, x: 1.5 - x, (3,), label="from a number")

_twin = lambda T, a, b, c: T.where(c, a, b)  # noqa: E731
for _a, _b in PAIRS:
    _condition = np.random.default_rng(3).random(np.broadcast_shapes(_a, _b)) < 0.5
    case("where", lambda a, b, c: ad.where(c, a, b), _twin, _a, _b, constants=[_condition])
_column = np.array([[True], [False]])
case("where", lambda a, c: ad.where(c, a, 0.5), lambda T, a, c: T.where(c, a, 0.5), (3,), constants=[_column])
case("where", lambda a, c: ad.where(c, 2.0, a), lambda T, a, c: T.where(c, 2.0, a), (2, 1), constants=[_column])

# ----------------------------------------------------------- matrix products

for _a, _b in [
    ((2, 3), (3, 2)),
    ((1, 3), (3, 1)),
    ((2, 1, 3), (3, 2)),
    ((2, 3), (2, 3, 1)),
    ((2, 1, 1, 3), (2, 3, 2)),
    ((0, 3), (3, 2)),
    ((2, 0), (0, 2)),
    ((3,), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3,)),
    ((3,), (2, 3, 1)),
    ((2, 1, 3), (3,)),
]:
    case("matmul", ad.matmul, lambda T, a, b: T.matmul(a, b), _a, _b)
case("matmul", lambda x: x @ x.T, lambda T, x: x @ x.T, (2, 3), label="x @ x.T")
for _x in [(3,), (2, 3), (1, 3), (2, 1, 3), (0, 3), (2, 0, 3)]:
    case("linear", ad.linear, lambda T, x, w, b: x @ w + b, _x, (3, 2), (2,))
case("linear", ad.linear, lambda T, x, w, b: x @ w + b, (2, 0), (0, 2), (2,))

# --------------------------------------------------------------- reductions

_AXES = [None, 0, -1, (0, 2), (1,), (2, 0, 1)]


def _dims(axis: Any, ndim: int) -> Any:
    return tuple(range(ndim)) if axis is None else axis


def _reductions(name: str, f: Callable, twin: Callable, shapes: list[Shape]) -> None:
    for axis in _AXES:
        for keepdims in (False, True):
            case(
                name,
                lambda x, axis=axis, keepdims=keepdims: f(x, axis, keepdims),
                lambda T, x, axis=axis, keepdims=keepdims: twin(T, x, _dims(axis, x.ndim), keepdims),
                (2, 3, 2),
                label=f"axis {axis} {keepdims}",
            )
    for shape in shapes:
        case(name, f, lambda T, x: twin(T, x, _dims(None, x.ndim), False) if x.ndim else x * 1, shape)


_reductions("sum", ad.sum, lambda T, x, axis, keep: T.sum(x, axis, keep), SHAPES)
_reductions("max", ad.max, lambda T, x, axis, keep: T.amax(x, axis, keep), FILLED)
_reductions("min", ad.min, lambda T, x, axis, keep: T.amin(x, axis, keep), FILLED)
_reductions("logsumexp", ad.logsumexp, lambda T, x, axis, keep: T.logsumexp(x, axis, keep), FILLED)
_reductions("mean", ad.mean, lambda T, x, axis, keep: T.mean(x, axis, keep), FILLED)
# (a single number has no variance to differentiate)
_reductions("var", ad.var, lambda T, x, axis, keep: T.var(x, axis, correction=0, keepdim=keep), [(3,), (2, 1, 3)])
for _axis in (-1, 0, 1):
    case("softmax", lambda x, a=_axis: ad.softmax(x, a), lambda T, x, a=_axis: T.softmax(x, a), (2, 3))
    case("log_softmax", lambda x, a=_axis: ad.log_softmax(x, a), lambda T, x, a=_axis: T.log_softmax(x, a), (2, 3))

# ---------------------------------------------------------- moving elements

case("reshape", lambda x: ad.reshape(x, 3, -1), lambda T, x: x.reshape(3, -1), (2, 3))
case("reshape", lambda x: ad.reshape(x, (1, 6, 1)), lambda T, x: x.reshape(1, 6, 1), (2, 3))
case("transpose", lambda x: ad.transpose(x, (1, 2, 0)), lambda T, x: x.permute(1, 2, 0), (2, 3, 1))
case("transpose", lambda x: ad.transpose(x, (-1, 0, 1)), lambda T, x: x.permute(-1, 0, 1), (2, 3, 1))
case("broadcast_to", lambda x: ad.broadcast_to(x, (4, 2, 3)), lambda T, x: x.expand(4, 2, 3), (2, 1))
case("broadcast_to", lambda x: ad.broadcast_to(x, (2, 0)), lambda T, x: x.expand(2, 0), (2, 1))
case("swapaxes", lambda x: ad.swapaxes(x, 0, -1), lambda T, x: x.swapaxes(0, -1), (2, 3, 1))
case("squeeze", lambda x: ad.squeeze(x, -2), lambda T, x: x.squeeze(-2), (2, 1, 3))
case("expand_dims", lambda x: ad.expand_dims(x, -1), lambda T, x: x[..., None], (2, 3))

INDICES = {  # of a (3, 4) array; lists are made index tensors
    "row": 1,
    "element": (2, -1),
    "slice": slice(1, None),
    "step": (slice(None), slice(None, None, 2)),
    "nothing": slice(2, 1),
    "new axis": (None, Ellipsis, slice(0, 1), None),
    "rows": [0, 2],
    "row taken twice": [2, 0, 2, 2],
    "negative rows": [-1, 0],
    "matrix of rows": [[0, 1], [1, 1]],
    "elements": ([0, 2, 0], [1, 3, 1]),
    "row and columns": (1, [0, 3]),
    "columns": (slice(None), [1, 1]),
    "mask of rows": [True, False, True],
    "mask": [[True, False, True, False], [False] * 4, [True] * 4],
}


def index_cases() -> None:
    for label, index in INDICES.items():
        parts = index if isinstance(index, tuple) else (index,)
        constants = [np.array(part) for part in parts if isinstance(part, list)]

        def place(arrays: Sequence[Any], parts: tuple = parts) -> tuple:
            arrays = iter(arrays)
            return tuple(next(arrays) if isinstance(part, list) else part for part in parts)

        shape = np.zeros((3, 4))[place(constants)].shape
        case(
            "getitem",
            lambda x, *c, place=place: ad.getitem(x, place(c)),
            lambda T, x, *c, place=place: x[place(c)],
            (3, 4),
            label=label,
            constants=constants,
        )
        case(
            "scatter",
            lambda x, *c, place=place: ad.scatter(x, place(c), (3, 4)),
            lambda T, x, *c, place=place: _scatter_twin(T, x, place(c)),
            shape,
            label=label,
            constants=constants,
        )


def _scatter_twin(T: Any, x: Any, index: tuple) -> Any:
    # Which element of the result each element of x is added to, found by indexing positions.
    positions = T.arange(12).reshape(3, 4)[index].reshape(-1)
    return T.zeros(12, dtype=x.dtype).index_add(0, positions, x.reshape(-1)).reshape(3, 4)


index_cases()
case("getitem", lambda x: ad.getitem(x, slice(None, None, -1)), lambda T, x: T.flip(x, (0,)), (3,), label="reversed")
case("getitem", lambda x: ad.getitem(x, ...), lambda T, x: x[...], (), label="all of")
for _rows in ([2, 0, 2], [[0, 1], [1, 1]], [-1], []):
    _rows = np.array(_rows, np.int64)
    case("take", ad.take, lambda T, x, rows: x[rows], (3, 2), constants=[_rows], label=f"rows {_rows.tolist()}")

case("concatenate", lambda *x: ad.concatenate(x), lambda T, *x: T.cat(x), (2,), (3,), (0,), (1,))
case("concatenate", lambda *x: ad.concatenate(x, 1), lambda T, *x: T.cat(x, 1), (2, 1), (2, 3))
case("concatenate", lambda *x: ad.concatenate(x, -1), lambda T, *x: T.cat(x, -1), (2, 0), (2, 0))
case("concatenate", lambda x: ad.concatenate([x, x, x[:1]]), lambda T, x: T.cat([x, x, x[:1]]), (2, 2), label="twice")
case("stack", lambda *x: ad.stack(x, -1), lambda T, *x: T.stack(x, -1), (2,), (2,))
case("split", lambda x: ad.split(x, 3, 1)[1], lambda T, x: T.tensor_split(x, 3, 1)[1], (2, 3))
case("split", lambda x: ad.stack(ad.split(x, 2)).sum(0), lambda T, x: T.stack(T.chunk(x, 2)).sum(0), (4, 2))
case("split", lambda x: ad.split(x, [1, 3])[1], lambda T, x: T.tensor_split(x, [1, 3])[1], (4,), label="positions")
case("pad", lambda x: ad.pad(x, [(1, 0), (2, 1)]), lambda T, x: T.nn.functional.pad(x, (2, 1, 1, 0)), (2, 3))
case("pad", lambda x: ad.pad(x, [(0, 0), (0, 0)]), lambda T, x: x * 1, (2, 1), label="by nothing")

# --------------------------------------------------------- special functions

SPECIAL = {
    "gammaln": (ad.gammaln, lambda T, x: T.lgamma(x)),
    "digamma": (ad.digamma, lambda T, x: T.digamma(x)),
    "scaled_exp1": (special.scaled_exp1, twins.scaled_exp1),
}
for _name, (_f, _twin) in SPECIAL.items():
    for _shape in SHAPES:
        case(_name, _f, _twin, _shape, within=POSITIVE)
for _n in (0, 1, 2, 3):
    _twin = lambda T, x, n=_n: T.polygamma(n, x)  # noqa: E731
    case("polygamma", lambda x, n=_n: ad.polygamma(n, x), _twin, (3,), within=POSITIVE, label=f"derivative {_n}")
case("polygamma", lambda x: ad.polygamma(1, x), lambda T, x: T.polygamma(1, x), (2, 0))
for _a, _b in PAIRS:
    case("log_gammaincinv", special.log_gammaincinv, twins.log_gammaincinv, _a, _b, within=(0.3, 0.9))
    case(
        "gammainc_slope",
        lambda a, t: ad.apply(ad.PRIMITIVES["gammainc_slope"], a, t, order=1),
        lambda T, a, t: twins.gammainc_slope(T, a, t, 1),
        _a,
        _b,
        within=(0.3, 1.2),
    )
