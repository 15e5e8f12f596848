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
from minivae.autodiff.indexing import scatter_all

from . import image_cases, special_cases  # noqa: F401  (they have cases of their own)
from .case import CASES, COMPOSITES, FILLED, PAIRS, POSITIVE, SHAPES, SIGNED, Shape, case

__all__ = ["CASES", "COMPOSITES"]

# ------------------------------------------------------------- one input

INSIDE = (-0.8, 0.8)
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
    "log2": (ad.log2, lambda T, x: T.log2(x), POSITIVE),
    "log10": (ad.log10, lambda T, x: T.log10(x), POSITIVE),
    "tan": (ad.tan, lambda T, x: T.tan(x), (-1.2, 1.2)),
    "arcsin": (ad.arcsin, lambda T, x: T.arcsin(x), INSIDE),
    "arccos": (ad.arccos, lambda T, x: T.arccos(x), INSIDE),
    "arctan": (ad.arctan, lambda T, x: T.arctan(x), SIGNED),
    "sinh": (ad.sinh, lambda T, x: T.sinh(x), SIGNED),
    "cosh": (ad.cosh, lambda T, x: T.cosh(x), SIGNED),
    "tanh": (ad.tanh, lambda T, x: T.tanh(x), SIGNED),
    "arcsinh": (ad.arcsinh, lambda T, x: T.arcsinh(x), SIGNED),
    "arccosh": (ad.arccosh, lambda T, x: T.arccosh(x), (1.3, 3.0)),
    "arctanh": (ad.arctanh, lambda T, x: T.arctanh(x), INSIDE),
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
case("sum_of_one", ad.PRIMITIVES["sum_of_one"], lambda T, x: x + 0, (1, 3))
case("power", lambda x: x**0 * x, lambda T, x: x**0 * x, (3,), label="exponent 0")
case("power", lambda x: 2.5**x, lambda T, x: 2.5**x, (2, 3), label="base 2.5")
case("power", lambda x: 2**x, lambda T, x: 2**x, (3,), label="base 2")
case("clip", lambda x: ad.clip(x, low=0.1), lambda T, x: T.clip(x, min=0.1), (2, 3), label="below alone")
case("clip", lambda x: ad.clip(x, high=0.1), lambda T, x: T.clip(x, max=0.1), (2, 3), label="above alone")
for _shapes in [((3,), (3,), (3,)), ((2, 3), (3,), ()), ((3,), (2, 1), (2, 3)), ((2, 0), (1,), ())]:
    # The first bound is below the second by 1 and more, or above it by as much.
    case("clip", lambda x, a, b: ad.clip(x, a - 1.2, b + 1.2), lambda T, x, a, b: T.clip(x, a - 1.2, b + 1.2), *_shapes)
    case("clip", lambda x, a, b: ad.clip(x, a + 2, b - 2), lambda T, x, a, b: T.clip(x, a + 2, b - 2), *_shapes)
case("clip", lambda a: ad.clip(0.3, a), lambda T, a: T.clip(T.tensor(0.3, dtype=a.dtype), a), (3,), label="of a number")

# ------------------------------------------------------------ two inputs

BINARY = {
    "add": (ad.add, lambda T, a, b: a + b, SIGNED),
    "subtract": (ad.subtract, lambda T, a, b: a - b, SIGNED),
    "multiply": (ad.multiply, lambda T, a, b: a * b, SIGNED),
    "divide": (ad.divide, lambda T, a, b: a / b, POSITIVE),
    "power": (ad.power, lambda T, a, b: a**b, POSITIVE),
    "maximum": (ad.maximum, lambda T, a, b: T.maximum(a, b), SIGNED),
    "minimum": (ad.minimum, lambda T, a, b: T.minimum(a, b), SIGNED),
    "mod": (ad.mod, lambda T, a, b: T.remainder(a, b), SIGNED),
    "logaddexp": (ad.logaddexp, lambda T, a, b: T.logaddexp(a, b), SIGNED),
    "arctan2": (ad.arctan2, lambda T, a, b: T.arctan2(a, b), SIGNED),
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
for _x in [(3,), (2, 3), (2, 1, 3)]:
    case("linear", ad.linear, lambda T, x, w: x @ w, _x, (3, 2), label="no bias")
for _a, _b in [((3,), (2,)), ((2, 2), (3,)), ((), (2,)), ((0,), (2,))]:
    case("outer", ad.outer, lambda T, a, b: T.outer(a.reshape(-1), b.reshape(-1)), _a, _b)
for _a, _b, _axes in [
    ((2, 3), (3, 2), 1),
    ((2, 3, 2), (3, 2, 2), 2),
    ((2,), (3,), 0),
    ((2, 3), (2, 3), 2),
    ((2, 3, 1), (2, 2, 3), ([0, 1], [1, 2])),
    ((2, 3), (3, 2), ([-1], [0])),
    ((2, 0), (0, 3), 1),
]:
    _twin = lambda T, a, b, axes=_axes: T.tensordot(a, b, axes)  # noqa: E731
    case("tensordot", lambda a, b, axes=_axes: ad.tensordot(a, b, axes), _twin, _a, _b, label=f"axes {_axes}")
for _subscripts, *_shapes in [
    ("ij,jk->ik", (2, 3), (3, 2)),
    ("ij,jk", (2, 3), (3, 2)),
    ("ba", (2, 3)),
    ("ij->", (2, 3)),
    ("ii->i", (3, 3)),
    ("ii", (3, 3)),
    ("iji->j", (2, 3, 2)),
    ("i,i", (3,), (3,)),
    ("i,j->ji", (2,), (3,)),
    ("bi,bi->b", (2, 3), (2, 3)),
    ("bij,bjk->bik", (2, 1, 3), (2, 3, 2)),
    ("bij,jk,bkl->bl", (2, 2, 3), (3, 2), (2, 2, 1)),
    ("i,j,k->kij", (2,), (1,), (3,)),
    ("ij,jk->i", (2, 3), (3, 2)),
    ("...ij,...jk->...ik", (2, 1, 2, 3), (3, 3, 1)),
    ("...i,...i->...", (2, 3), (3,)),
    ("i...->...", (2, 3)),
    ("ij,ij->ij", (2, 3), (1, 3)),
    ("ij,jk->ik", (2, 1), (3, 2)),
    ("ij,jk->ik", (2, 0), (0, 3)),
    ("bi,bj->bij", (2, 2), (2, 3)),
]:
    case(
        "einsum",
        lambda *x, s=_subscripts: ad.einsum(s, *x),
        lambda T, *x, s=_subscripts: T.einsum(s, *x),
        *_shapes,
        label=_subscripts,
    )

# ------------------------------------------------------------ decompositions


def _regular(x: Any) -> Any:
    """Matrices with an inverse: of numbers between -1.5 and 1.5, n by n, with 4 added on the diagonal."""
    n = x.shape[-1]
    return x + (ad.eye(n, like=x) if isinstance(x, ad.Tensor) else x.new_ones(n).diag()) * 4


def _definite(x: Any) -> Any:
    return _regular(x @ x.swapaxes(-1, -2))


for _a, _b in [
    ((3, 3), (3, 2)),
    ((1, 1), (1, 1)),
    ((2, 2), (2,)),
    ((2, 2, 2), (2, 2, 1)),
    ((2, 2), (3, 2, 1)),
    ((2, 1, 2, 2), (2, 2, 1)),
    ((2, 2, 2), (2,)),
    ((0, 0), (0, 2)),
    ((2, 2), (2, 0)),
    ((0, 2, 2), (2, 1)),
]:
    _column = len(_b) == 1  # PyTorch takes a vector beside one matrix alone
    case("solve", lambda a, b: ad.solve(_regular(a), b), lambda T, a, b: T.linalg.inv(_regular(a)) @ b, _a, _b)
    for _lower in (False, True):
        case(
            "solve_triangular",
            lambda a, b, lower=_lower: ad.solve_triangular(_regular(a), b, lower),
            lambda T, a, b, lower=_lower: T.linalg.inv(T.tril(_regular(a)) if lower else T.triu(_regular(a))) @ b,
            _a,
            _b,
            label="lower" if _lower else "upper",
        )
for _shape in [(3, 3), (1, 1), (2, 2, 2), (0, 0), (0, 2, 2)]:
    case("inv", lambda x: ad.inv(_regular(x)), lambda T, x: T.linalg.inv(_regular(x)), _shape)
    case("cholesky", lambda x: ad.cholesky(_definite(x)), lambda T, x: T.linalg.cholesky(_definite(x)), _shape)
    for _sign in (1, -1):
        _twin = lambda T, x, s=_sign: T.linalg.slogdet(s * _regular(x))[1]  # noqa: E731
        case("slogdet", lambda x, s=_sign: ad.slogdet(s * _regular(x)).logabsdet, _twin, _shape, label=f"of {_sign} x")

# --------------------------------------------------------------- reductions

_AXES = [None, 0, -1, (0, 2), (1,), (2, 0, 1)]


def _dims(axis: Any, ndim: int) -> Any:
    return tuple(range(ndim)) if axis is None else axis


def _prod_twin(x: Any, axis: Any, keepdims: bool) -> Any:
    for a in sorted((a % x.ndim for a in ((axis,) if isinstance(axis, int) else axis)), reverse=True):
        x = x.prod(a, keepdim=keepdims)
    return x


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
_reductions("prod", ad.prod, lambda T, x, axis, keep: _prod_twin(x, axis, keep), SHAPES)
_reductions("norm", ad.norm, lambda T, x, axis, keep: T.linalg.vector_norm(x, dim=axis, keepdim=keep), FILLED)
_reductions("mean", ad.mean, lambda T, x, axis, keep: T.mean(x, axis, keep), FILLED)
# (a single number has no variance to differentiate)
_reductions("var", ad.var, lambda T, x, axis, keep: T.var(x, axis, correction=0, keepdim=keep), [(3,), (2, 1, 3)])
_reductions("std", ad.std, lambda T, x, axis, keep: T.std(x, axis, correction=0, keepdim=keep), [(3,), (2, 1, 3)])
for _ddof in (1, 0.5):
    for _name in ("var", "std"):
        _twin = lambda T, x, d=_ddof, n=_name: getattr(T, n)(x, 0, correction=d)  # noqa: E731
        case(_name, lambda x, d=_ddof, n=_name: getattr(ad, n)(x, 0, ddof=d), _twin, (3, 2), label=f"ddof {_ddof}")
for _axis in (-1, 0, 1):
    case("softmax", lambda x, a=_axis: ad.softmax(x, a), lambda T, x, a=_axis: T.softmax(x, a), (2, 3))
    case("log_softmax", lambda x, a=_axis: ad.log_softmax(x, a), lambda T, x, a=_axis: T.log_softmax(x, a), (2, 3))

# ----------------------------------------------------------- along one axis

for _name in ("cumsum", "cumprod"):
    for _shape, _axis in [((3,), 0), ((2, 3), 1), ((2, 3), 0), ((2, 3, 2), -2), ((2, 1), 1), ((2, 0), 1), ((0, 2), 1)]:
        _twin = lambda T, x, n=_name, a=_axis: getattr(T, n)(x, a)  # noqa: E731
        case(_name, lambda x, n=_name, a=_axis: getattr(ad, n)(x, a), _twin, _shape, label=f"axis {_axis}")
    _twin = lambda T, x, n=_name: getattr(T, n)(x.reshape(-1), 0)  # noqa: E731
    case(_name, lambda x, n=_name: getattr(ad, n)(x), _twin, (2, 2), label="all in a row")
for _reverse in (False, True):
    for _shape, _axis in [((4,), 0), ((3, 2), 0), ((2, 2), 1), ((2, 0), 1)]:
        case(
            "recurrence",
            lambda a, b, n=_axis, r=_reverse: ad.apply(ad.PRIMITIVES["recurrence"], a, b, axis=n, reverse=r),
            lambda T, a, b, n=_axis, r=_reverse: _recurrence_twin(T, a, b, n, r),
            _shape,
            _shape,
            label=f"axis {_axis} reverse {_reverse}",
        )


def _recurrence_twin(T: Any, a: Any, b: Any, axis: int, reverse: bool) -> Any:
    rows: list[Any] = []
    for i in range(b.shape[axis])[:: -1 if reverse else 1]:
        row = b.select(axis, i)
        rows.append(row if not rows else a.select(axis, i) * rows[-1] + row)
    return T.stack(rows[:: -1 if reverse else 1], axis) if rows else a * b


for _shape, _axis in [((4,), 0), ((2, 3), -1), ((3, 2), 0), ((2, 0), 1), ((2, 1, 3), 2)]:
    _twin = lambda T, x, a=_axis: T.sort(x, dim=a)[0]  # noqa: E731
    case("sort", lambda x, a=_axis: ad.sort(x, a), _twin, _shape, label=f"axis {_axis}")
    _order = np.argsort(np.random.default_rng(5).random(_shape), _axis)
    case(
        "permute",
        lambda x, order, a=_axis: ad.apply(ad.PRIMITIVES["permute"], x, order, axis=a % x.ndim),
        lambda T, x, order, a=_axis: T.gather(x, a, order),
        _shape,
        constants=[_order],
        label=f"axis {_axis}",
    )
case("sort", lambda x: ad.sort(x, None), lambda T, x: T.sort(x.reshape(-1))[0], (2, 3), label="all in a row")

# ---------------------------------------------------------- moving elements

case("reshape", lambda x: ad.reshape(x, 3, -1), lambda T, x: x.reshape(3, -1), (2, 3))
case("reshape", lambda x: ad.reshape(x, (1, 6, 1)), lambda T, x: x.reshape(1, 6, 1), (2, 3))
case("transpose", lambda x: ad.transpose(x, (1, 2, 0)), lambda T, x: x.permute(1, 2, 0), (2, 3, 1))
case("transpose", lambda x: ad.transpose(x, (-1, 0, 1)), lambda T, x: x.permute(-1, 0, 1), (2, 3, 1))
case("broadcast_to", lambda x: ad.broadcast_to(x, (4, 2, 3)), lambda T, x: x.expand(4, 2, 3), (2, 1))
case("broadcast_to", lambda x: ad.broadcast_to(x, (2, 0)), lambda T, x: x.expand(2, 0), (2, 1))
case("swapaxes", lambda x: ad.swapaxes(x, 0, -1), lambda T, x: x.swapaxes(0, -1), (2, 3, 1))
case("moveaxis", lambda x: ad.moveaxis(x, 0, -1), lambda T, x: x.moveaxis(0, -1), (2, 3, 1))
case("moveaxis", lambda x: ad.moveaxis(x, (2, 0), (0, 1)), lambda T, x: x.moveaxis((2, 0), (0, 1)), (2, 3, 1))
case("squeeze", lambda x: ad.squeeze(x, -2), lambda T, x: x.squeeze(-2), (2, 1, 3))
case("squeeze", lambda x: ad.squeeze(x, (0, -1)), lambda T, x: x.squeeze((0, -1)), (1, 2, 1))
case("squeeze", ad.squeeze, lambda T, x: x.squeeze(), (1, 2, 1, 3, 1), label="all")
case("expand_dims", lambda x: ad.expand_dims(x, -1), lambda T, x: x[..., None], (2, 3))
case("expand_dims", lambda x: ad.expand_dims(x, (0, -1)), lambda T, x: x[None, ..., None], (2, 3))
for _shape in SHAPES:
    case("flatten", ad.flatten, lambda T, x: x.reshape(-1), _shape)
for _axis in (None, 0, -1, (0, 1)):
    _twin = lambda T, x, a=_axis: x.flip((0, 1) if a is None else a)  # noqa: E731
    case("flip", lambda x, a=_axis: ad.flip(x, a), _twin, (2, 3), label=f"axis {_axis}")

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
        case(
            "scatter_all",
            lambda x, row, *c, place=place: scatter_all([x, row], [place(c), 1], (3, 4)),
            lambda T, x, row, *c, place=place: _scatter_twin(T, x, place(c)) + _scatter_twin(T, row, (1,)),
            shape,
            (4,),
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
for _indices in ([2, 0, 2], [[0, 1], [1, 1]], [-1], [], 1):
    _indices = np.array(_indices, np.int64)
    _given = {"constants": [_indices], "label": f"indices {_indices.tolist()}"}
    case("take", lambda x, i: ad.take(x, i, 0), lambda T, x, i: x[i], (3, 2), **_given)
    case("take", lambda x, i: ad.take(x, i, -2), lambda T, x, i: x[:, i], (1, 3, 2), **_given)
    case("take", ad.take, lambda T, x, i: x.reshape(-1)[i], (3, 2), **_given)
    case(
        "put_back",
        lambda x, i: ad.apply(ad.PRIMITIVES["put_back"], x, i, axis=1, shape=(2, 3, 1)),
        lambda T, x, i: T.zeros(2, 3, 1, dtype=x.dtype).index_add(1, i.reshape(-1) % 3, x.reshape(2, -1, 1)),
        (2, *_indices.shape, 1),
        **_given,
    )

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
case("pad", lambda x: ad.pad(x, (1, 2), 0.5), lambda T, x: T.nn.functional.pad(x, (1, 2, 1, 2), value=0.5), (2, 3))
for _mode, _twin in {"edge": "replicate", "reflect": "reflect", "wrap": "circular"}.items():
    case(
        "pad",
        lambda x, mode=_mode: ad.pad(x, [(0, 0), (0, 0), (1, 2)], mode=mode),
        lambda T, x, mode=_twin: T.nn.functional.pad(x, (1, 2), mode),
        (1, 2, 3),
        label=_mode,
    )
case("pad", lambda x: ad.pad(x, 1, mode="symmetric"), lambda T, x: x[[0, 0, 1, 1]][:, [0, 0, 1, 2, 2]], (2, 3))
for _shift, _axis in [(1, 0), (-2, -1), (4, None), ((1, 2), (0, 1)), (0, 0), (1, (0, 1))]:
    _twin = lambda T, x, s=_shift, a=_axis: T.roll(x, (s, s) if s == 1 and a == (0, 1) else s, a) * 1  # noqa: E731
    case("roll", lambda x, s=_shift, a=_axis: ad.roll(x, s, a) * 1, _twin, (2, 3), label=f"{_shift} along {_axis}")
for _axis in (None, 0, -1):
    _twin = lambda T, x, a=_axis: T.repeat_interleave(x, 2, a)  # noqa: E731
    case("repeat", lambda x, a=_axis: ad.repeat(x, 2, a), _twin, (2, 3), label=f"along {_axis}")
for _reps in [2, (2, 3), (2, 1, 2), (0, 2)]:
    _twin = lambda T, x, r=_reps: T.tile(x, (r,) if isinstance(r, int) else r)  # noqa: E731
    case("tile", lambda x, r=_reps: ad.tile(x, r), _twin, (2, 3), label=f"{_reps} times")

# ------------------------------------------------------------ parts of matrices

for _k in (-1, 0, 1):
    for _shape in [(3, 3), (2, 4), (4, 2), (2, 3, 3)]:
        case("tril", lambda x, k=_k: ad.tril(x, k), lambda T, x, k=_k: T.tril(x, k), _shape, label=f"diagonal {_k}")
        case("triu", lambda x, k=_k: ad.triu(x, k), lambda T, x, k=_k: T.triu(x, k), _shape, label=f"diagonal {_k}")
for _k in (-2, -1, 0, 1, 2):
    for _shape in [(3, 3), (4, 3), (3, 4), (3,), (1,), (0,)]:
        case("diag", lambda x, k=_k: ad.diag(x, k), lambda T, x, k=_k: T.diag(x, k), _shape, label=f"diagonal {_k}")
for _offset, *_axes in [(0, 0, 1), (1, -1, -2), (-1, 0, 2), (0, 2, 1)]:
    case(
        "diagonal",
        lambda x, k=_offset, axes=_axes: ad.diagonal(x, k, *axes),
        lambda T, x, k=_offset, axes=_axes: T.diagonal(x, k, *axes),
        (2, 3, 3),
        label=f"{_offset} of axes {_axes}",
    )
    case(
        "trace",
        lambda x, k=_offset, axes=_axes: ad.trace(x, k, *axes),
        lambda T, x, k=_offset, axes=_axes: T.diagonal(x, k, *axes).sum(-1),
        (2, 3, 3),
        label=f"{_offset} of axes {_axes}",
    )
