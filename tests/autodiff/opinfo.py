"""The engine's operations beside PyTorch's table of its own, ``op_db``, and the samples that come with it.

``torch.testing._internal`` holds, for every operation of PyTorch, what its developers thought worth
testing: operands that broadcast, empty and 0-d ones, axes counted from both ends, zeros in products,
batches of matrices, several layouts in memory. A :class:`Twin` calls an operation of ours with such a
sample; ``EXCLUDED`` says what ours is not meant to do as PyTorch does.
"""

from __future__ import annotations

import contextlib
import functools
import math
import os
import sys
import types
import unittest
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

import minivae.autodiff as ad

from ..doubles.oracle import torch

TOLERANCE = 1e-12  # as a part of the largest element; measured: 2e-14 at most, but for the rows that have their own
LARGEST = 1_000  # elements of a reference sample; some have a million, which take minutes and show nothing else


class Twin(NamedTuple):
    """An operation of ours and one of PyTorch's that it is held to.

    Attributes:
        ours: a public name of :mod:`minivae.autodiff`.
        theirs: a full name in PyTorch's table, ``max.binary``.
        call: takes what PyTorch's takes, with our tensors in place of its own; the function named
            ``ours`` by default.
        part: which of PyTorch's results is compared; all by default.
        by: the tensors to differentiate by, counted from 0; by default those that the sample says.
        orders: how many derivatives are compared.
        tolerance: of differences, as a part of the largest element (or of 1).
        lowest: reference samples with smaller elements are left out.
    """

    ours: str
    theirs: str
    call: Callable | None = None
    part: int | None = None
    by: tuple[int, ...] | None = None
    orders: int = 2
    tolerance: float = TOLERANCE
    lowest: float = -math.inf

    def __str__(self) -> str:
        return f"{self.ours} {self.theirs}"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return (self.call or getattr(ad, self.ours))(*args, **kwargs)


class Exclusion(NamedTuple):
    """Samples that may disagree: those that ``leaves_out(sample)`` is true of. At least one of them must."""

    reason: str
    leaves_out: Callable[[Any], bool]


# --------------------------------------------------------- PyTorch's names to ours


def _dtype(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")


def _cast(x: Any, dtype: Any) -> Any:
    return x if dtype is None else ad.astype(x, _dtype(dtype))


def _mvlgamma(x: Any, p: int) -> ad.Tensor:
    return sum(ad.gammaln(x - i / 2) for i in range(p)) + p * (p - 1) / 4 * math.log(math.pi)


def _sum_to_size(x: Any, *shape: Any) -> ad.Tensor:
    shape = shape[0] if isinstance(shape[0], Sequence) else shape
    return ad.sum(x, [i for i, (m, n) in enumerate(zip(x.shape, shape, strict=True)) if m != n], keepdims=True)


def _reduction(name: str) -> Callable:
    def call(x: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> ad.Tensor:
        return getattr(ad, name)(_cast(x, dtype), dim, keepdim)

    return call


def _along(name: str) -> Callable:
    def call(x: Any, dim: int, *, dtype: Any = None) -> ad.Tensor:
        return getattr(ad, name)(_cast(x, dtype), dim)

    return call


def _spread(name: str) -> Callable:
    """var or std, divided by the number of elements less ``correction``."""

    def call(x: Any, unbiased: bool = True, *, dim: Any = None, correction: Any = None, keepdim: bool = False) -> Any:
        ddof = int(unbiased) if correction is None else correction
        return getattr(ad, name)(x, dim, keepdim, **({"ddof": ddof} if ddof else {}))

    return call


def _with_mean(name: str) -> Callable:
    def call(x: Any, *args: Any, dim: Any = None, keepdim: bool = False, **kwargs: Any) -> list[ad.Tensor]:
        return [_spread(name)(x, *args, dim=dim, keepdim=keepdim, **kwargs), ad.mean(x, dim, keepdim)]

    return call


def _operator(name: str) -> Callable:
    return lambda x, other: getattr(ad.Tensor, name)(x, other)


def _scaled(operation: Callable) -> Callable:
    """PyTorch's sums and differences may scale the second operand."""
    return lambda x, other, *, alpha=1: operation(x, other if alpha == 1 else other * alpha)


def _clamp(x: Any, low: Any = None, high: Any = None) -> ad.Tensor:
    x = x if low is None else ad.maximum(x, low)
    return x if high is None else ad.minimum(x, high)


def _softplus(x: Any, beta: float, threshold: float) -> ad.Tensor:
    return ad.where(x * beta > threshold, x, ad.softplus(x * beta) / beta)


def _linear(x: Any, weight: Any, *bias: Any) -> ad.Tensor:
    return ad.linear(x, weight.T, *bias)


def _to(dtype: str) -> Callable:
    """astype; where in memory the result lies is not compared."""
    return lambda x, *_, **__: ad.astype(x, dtype)


def _expand(x: Any, shape: Sequence[int]) -> ad.Tensor:
    old = (1,) * (len(shape) - x.ndim) + x.shape
    return ad.broadcast_to(x, tuple(m if n == -1 else n for m, n in zip(old, shape, strict=True)))


def _broadcast_tensors(*inputs: Any) -> list[ad.Tensor]:
    shape = np.broadcast_shapes(*(x.shape for x in inputs))
    return [ad.broadcast_to(x, shape) for x in inputs]


def _unflatten(x: Any, dim: int, sizes: Sequence[int]) -> ad.Tensor:
    dim %= x.ndim
    return ad.reshape(x, (*x.shape[:dim], *sizes, *x.shape[dim + 1 :]))


def _joined(axis: int) -> Callable:
    return lambda inputs: ad.concatenate(inputs, axis if inputs[0].ndim > 1 else 0)


def _parts(x: Any, size: int | Sequence[int], dim: int = 0) -> list[ad.Tensor]:
    """PyTorch's split: into parts of one size or of these."""
    n = x.shape[dim]
    return ad.split(x, range(size, n, size) if isinstance(size, int) else np.cumsum(size)[:-1].tolist(), dim)


def _chunk(x: Any, chunks: int, dim: int = 0) -> list[ad.Tensor]:
    return _parts(x, math.ceil(x.shape[dim] / chunks), dim)


def _tensor_split(x: Any, where: Any, dim: int = 0) -> list[ad.Tensor]:
    where = where.numpy().tolist() if isinstance(where, ad.Tensor) else where
    if isinstance(where, int):  # the first parts are longer by one, as those of NumPy's array_split
        where = np.cumsum([len(part) for part in np.array_split(range(x.shape[dim]), where)])[:-1].tolist()
    return ad.split(x, where, dim)


def _split_along(axis: int) -> Callable:
    return lambda x, where: ad.split(x, where, axis if x.ndim > 1 else 0)


def _at(x: Any, dim: int, index: Any) -> tuple:
    """An index that takes ``index`` along axis ``dim``."""
    return (slice(None),) * (dim % x.ndim) + (index,)


def _unbind(x: Any, dim: int = 0) -> list[ad.Tensor]:
    return list(x) if dim == 0 else [x[_at(x, dim, i)] for i in range(x.shape[dim])]


def _narrow(x: Any, dim: int, start: Any, length: int) -> ad.Tensor:
    start = int(start) + (x.shape[dim] if int(start) < 0 else 0)
    return x[_at(x, dim, slice(start, start + length))]


def _flip(x: Any, dims: Sequence[int]) -> ad.Tensor:
    dims = [dim % x.ndim for dim in dims]
    return x[tuple(slice(None, None, -1 if i in dims else 1) for i in range(x.ndim))]


def _masked_select(x: Any, mask: Any) -> ad.Tensor:
    shape = np.broadcast_shapes(x.shape, mask.shape)
    return ad.broadcast_to(x, shape)[ad.broadcast_to(mask, shape)]


def _index_add(x: Any, dim: int, index: Any, source: Any, *, alpha: float) -> ad.Tensor:
    return x + ad.scatter(source, _at(x, dim, index), x.shape) * alpha


def _index_put(x: Any, indices: tuple, values: Any, *, accumulate: bool) -> ad.Tensor:
    values = ad.broadcast_to(values, x[indices].shape)
    return x + ad.scatter(values, indices, x.shape)


_MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def _pad(x: Any, widths: Sequence[int], mode: str = "constant", value: float | None = None) -> ad.Tensor:
    """PyTorch names the last axis first."""
    pairs = [(0, 0)] * (x.ndim - len(widths) // 2) + list(zip(widths[-2::-2], widths[::-2], strict=True))
    return ad.pad(x, pairs, 0.0 if value is None else value, _MODES[mode])


def _norm(x: Any, ord: Any = None, dim: Any = None, keepdim: bool = False) -> ad.Tensor:
    return ad.norm(x, dim, keepdim)


def _max_pool2d(x: Any, kernel_size: Any, stride: Any, padding: Any, **_: Any) -> ad.Tensor:
    return ad.max_pool2d(x, kernel_size, stride, padding)


def _sort(x: Any, dim: int = -1, descending: bool = False, *, stable: bool = False) -> ad.Tensor:
    y = ad.sort(x, dim)
    return _flip(y, (dim,)) if descending else y


def _argsort(x: Any, dim: int = -1, descending: bool = False, *, stable: bool = False) -> ad.Tensor:
    return ad.argsort(-x if descending else x, dim)


def _transposed(x: Any) -> ad.Tensor:
    return ad.swapaxes(x, -1, -2)


def _solve(a: Any, b: Any, *, left: bool = True) -> ad.Tensor:
    if a.ndim - 1 == b.ndim and a.shape[:-1] == b.shape:  # a batch of vectors
        return _solve(a, ad.expand_dims(b, -1))[..., 0]
    return ad.solve(a, b) if left else _transposed(ad.solve(_transposed(a), _transposed(b)))


def _solve_triangular(a: Any, b: Any, *, upper: bool, left: bool = True, unitriangular: bool = False) -> ad.Tensor:
    if left:
        return ad.solve_triangular(a, b, lower=not upper)
    return _transposed(_solve_triangular(_transposed(a), _transposed(b), upper=not upper, unitriangular=unitriangular))


def _cholesky(a: Any, *, upper: bool = False) -> ad.Tensor:
    y = ad.cholesky(a)
    return _transposed(y) if upper else y


def _det(a: Any) -> ad.Tensor:
    sign, log = ad.slogdet(a)
    return sign * ad.exp(log)


def _constant(name: str) -> Callable:
    """zeros, ones, and those that are like another tensor."""

    def call(first: Any, *rest: Any, dtype: Any = None, device: str = "cpu") -> ad.Tensor:
        return getattr(ad, name)(first, *rest, **({} if dtype is None else {"dtype": _dtype(dtype)}))

    return call


def _arange(*numbers: float, end: float | None = None, dtype: Any = torch.int64, device: str = "cpu") -> ad.Tensor:
    numbers = numbers if end is None else (*numbers, end)
    return ad.arange(*numbers, like=ad.tensor([], _dtype(dtype)))


# ------------------------------------------------------------------- the table

_SAME = (  # the same name and the same arguments
    "ceil cos cosh erf erfinv exp expm1 floor isfinite isnan log log10 log1p log2 logaddexp logical_and logical_not "
    "logical_or logical_xor matmul maximum minimum outer round sigmoid sign sin sinh sqrt square stack tan tanh trace "
    "tril triu"
)
_RENAMED = {
    "absolute": "abs",
    "arccos": "acos",
    "arccosh": "acosh",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctan2": "atan2",
    "arctanh": "atanh",
    "divide": "div.no_rounding_mode",
    "equal": "eq",
    "expand_dims": "unsqueeze",
    "greater": "gt",
    "greater_equal": "ge",
    "inv": "linalg.inv",
    "less": "lt",
    "less_equal": "le",
    "log_sigmoid": "nn.functional.logsigmoid",
    "mod": "remainder",
    "multiply": "mul",
    "ndtr": "special.ndtr",
    "negative": "neg",
    "not_equal": "ne",
    "power": "pow",
    "relu": "nn.functional.relu",
    "slogdet": "linalg.slogdet",
    "swapaxes": "transpose",
    "transpose": "permute",
}
_DTYPES = {"bool": "bool", "double": "float64", "float": "float32", "long": "int64", "to": "float64"}
# PyTorch's second derivative of log Gamma is off by 5e-10, and SciPy's zeta takes |x| steps for x < 0.
_GAMMA: dict[str, Any] = {"tolerance": 1e-8, "lowest": -1e4}
_VARIANTS = ("", ".unbiased")

TWINS = [
    *(Twin(name, name) for name in _SAME.split()),
    *(Twin(*names) for names in _RENAMED.items()),
    # arithmetic, operators and numbers among the operands
    Twin("add", "add", _scaled(ad.add)),
    Twin("add", "__radd__", _operator("__radd__")),
    Twin("subtract", "sub", _scaled(ad.subtract)),
    Twin("subtract", "rsub", lambda x, other, *, alpha=1: ad.subtract(other, x if alpha == 1 else x * alpha)),
    Twin("subtract", "__rsub__", _operator("__rsub__")),
    Twin("multiply", "__rmul__", _operator("__rmul__")),
    Twin("divide", "true_divide"),
    Twin("divide", "__rdiv__", _operator("__rtruediv__")),
    Twin("divide", "reciprocal", lambda x: 1 / x),
    Twin("power", "float_power"),
    Twin("power", "__rpow__", _operator("__rpow__")),
    Twin("power", "exp2", lambda x: 2**x),
    Twin("power", "rsqrt", lambda x: x**-0.5),
    Twin("mod", "__rmod__", lambda x, other: other % x),
    Twin("floor_divide", "div.floor_rounding", lambda x, other, *, rounding_mode: ad.floor_divide(x, other)),
    # PyTorch's derivative of it is inf, NaN or 0.4 from -1e10 on down; ours is -x there.
    Twin("log_ndtr", "special.log_ndtr", lowest=-40.0),
    Twin("sign", "sgn"),
    Twin("identity", "clone", lambda x, **_: ad.identity(x)),
    # choices
    Twin("where", "where", lambda x, condition, other: ad.where(condition, x, other)),
    Twin("where", "masked_fill", lambda x, mask, value: ad.where(mask, value, x)),
    Twin("maximum", "max.binary"),
    Twin("maximum", "clamp_min"),
    Twin("maximum", "clamp", _clamp),
    Twin("minimum", "min.binary"),
    Twin("minimum", "clamp_max"),
    Twin("clip", "nn.functional.hardtanh", lambda x, min_val=-1.0, max_val=1.0: ad.clip(x, min_val, max_val)),
    Twin("clip", "nn.functional.relu6", lambda x: ad.clip(x, 0.0, 6.0)),
    Twin("softplus", "nn.functional.softplus", _softplus),
    # special functions
    Twin("gammaln", "lgamma", **_GAMMA),
    *(Twin("gammaln", f"mvlgamma.mvlgamma_p_{p}", _mvlgamma, **_GAMMA) for p in (1, 3, 5)),
    Twin("digamma", "digamma", **_GAMMA),
    *(Twin("polygamma", f"polygamma.polygamma_n_{n}", lambda x, n: ad.polygamma(n, x), **_GAMMA) for n in range(5)),
    Twin("gammainc", "igamma", by=(1,)),
    Twin("gammainc", "igammac", lambda a, x: 1 - ad.gammainc(a, x), by=(1,)),
    Twin("ive", "special.i0e", lambda x: ad.ive(0, x)),
    Twin("ive", "special.i1e", lambda x: ad.ive(1, x)),
    # reductions
    *(Twin(name, name, _reduction(name)) for name in ("all", "any", "argmax", "argmin")),
    *(Twin(name, name, _reduction(name)) for name in ("logsumexp", "mean", "prod", "sum")),
    Twin("sum", "sum_to_size", _sum_to_size),
    *(Twin(name, f"a{name}", _reduction(name)) for name in ("max", "min")),
    *(Twin(name, f"{name}.reduction_no_dim", _reduction(name)) for name in ("max", "min")),
    *(Twin(name, f"{name}.reduction_with_dim", _reduction(name), part=0) for name in ("max", "min")),
    Twin("max", "aminmax", lambda x, **axis: [_reduction(name)(x, **axis) for name in ("min", "max")]),
    *(Twin(name, f"{name}{variant}", _spread(name)) for name in ("var", "std") for variant in _VARIANTS),
    *(Twin(name, f"{name}_mean{variant}", _with_mean(name)) for name in ("var", "std") for variant in _VARIANTS),
    *(Twin("norm", name, _norm) for name in ("norm", "norm.fro", "linalg.norm", "linalg.vector_norm")),
    Twin("norm", "linalg.norm.subgradients_at_zero", _norm, orders=1),  # the second one does not exist
    *(Twin(name, name, _along(name)) for name in ("cumprod", "cumsum", "softmax", "log_softmax")),
    *(Twin(name, f"{name}.with_dtype", _along(name)) for name in ("softmax", "log_softmax")),
    Twin("softmax", "torch.ops.aten._safe_softmax.default", _along("softmax")),
    Twin("softmax", "nn.functional.softmin", lambda x, dim: ad.softmax(-x, dim)),
    Twin("sort", "sort", _sort, part=0),
    Twin("sort", "msort", lambda x: ad.sort(x, 0)),
    Twin("argsort", "argsort", _argsort),
    # shapes
    *(Twin("astype", name, _to(dtype)) for name, dtype in _DTYPES.items()),
    Twin("broadcast_to", "broadcast_to"),
    Twin("broadcast_to", "expand", _expand),
    Twin("broadcast_to", "expand_as", lambda x, other: ad.broadcast_to(x, other.shape)),
    Twin("broadcast_to", "broadcast_tensors", _broadcast_tensors),
    Twin("reshape", "reshape"),
    Twin("reshape", "view"),
    Twin("reshape", "reshape_as", lambda x, other: ad.reshape(x, other.shape)),
    Twin("reshape", "ravel", lambda x: ad.reshape(x, -1)),
    Twin("reshape", "unflatten", _unflatten),
    Twin("flatten", "flatten"),
    Twin("squeeze", "squeeze"),
    Twin("squeeze", "squeeze.multiple"),
    Twin("swapaxes", "mT", _transposed),
    Twin("transpose", "T", lambda x: x.T),
    Twin("transpose", "t", lambda x: x.T),
    Twin("diag", "diag"),
    Twin("diagonal", "diagonal", lambda x, offset=0, dim1=0, dim2=1: ad.diagonal(x, offset, dim1, dim2)),
    Twin("flip", "flip", lambda x, dims: ad.flip(x, dims)),
    Twin("moveaxis", "movedim"),
    Twin("repeat", "repeat_interleave", lambda x, repeats, dim=None: ad.repeat(x, repeats, dim)),
    Twin("roll", "roll"),
    Twin("tile", "tile"),
    Twin("tile", "repeat"),
    # images
    Twin("conv2d", "nn.functional.conv2d"),
    Twin("conv_transpose2d", "nn.functional.conv_transpose2d"),
    Twin("max_pool2d", "nn.functional.max_pool2d", _max_pool2d, part=0),
    Twin("avg_pool2d", "nn.functional.avg_pool2d"),
    # indices
    Twin("getitem", "__getitem__"),
    Twin("getitem", "select", lambda x, dim, i: x[_at(x, dim, i)]),
    Twin("getitem", "narrow", _narrow),
    Twin("getitem", "unbind", _unbind),
    Twin("getitem", "flip", _flip),
    Twin("getitem", "masked_select", _masked_select),
    Twin("scatter", "index_add", _index_add),
    Twin("scatter", "index_put", _index_put),
    Twin("take", "take"),
    Twin("take", "index_select", lambda x, dim, index: ad.take(x, index, dim)),
    Twin("take", "nn.functional.embedding", lambda x, index: ad.take(x, index, 0)),
    *(Twin("pad", f"nn.functional.pad.{mode}", _pad) for mode in _MODES),
    Twin("pad", "constant_pad_nd", lambda x, widths, value=None: _pad(x, widths, value=value)),
    # joining and splitting
    Twin("concatenate", "cat", lambda inputs, dim=0: ad.concatenate(inputs, dim)),
    Twin("concatenate", "hstack", _joined(1)),
    Twin("split", "split", _parts),
    Twin("split", "split.list_args", _parts),
    Twin("split", "chunk", _chunk),
    Twin("split", "tensor_split", _tensor_split),
    *(Twin("split", f"{letter}split", _split_along(axis)) for axis, letter in enumerate("vhd")),
    # products and matrices
    *(Twin("matmul", name, lambda a, b: a @ b) for name in ("mm", "mv", "bmm", "dot")),
    Twin("matmul", "__rmatmul__", _operator("__rmatmul__")),
    Twin("matmul", "linalg.multi_dot", lambda factors: functools.reduce(ad.matmul, factors)),
    Twin("linear", "nn.functional.linear", _linear),
    Twin("einsum", "einsum", lambda operands, subscripts: ad.einsum(subscripts, *operands)),
    Twin("tensordot", "tensordot", lambda a, b, dims: ad.tensordot(a, b, dims)),
    Twin("cholesky", "linalg.cholesky", _cholesky),
    Twin("slogdet", "linalg.det", _det),
    Twin("solve", "linalg.solve", _solve),
    Twin("solve_triangular", "linalg.solve_triangular", _solve_triangular),
    # made of nothing
    *(Twin(name, name, _constant(name)) for name in ("full", "zeros", "ones", "zeros_like", "ones_like", "full_like")),
    Twin("eye", "eye", lambda *lengths, dtype, **_: ad.eye(*lengths, dtype=_dtype(dtype))),
    Twin("arange", "arange", _arange),
]


# ------------------------------------------------------------ what is not compared


def _containing(test: Callable) -> Callable:
    """Whether ``test(tensor)`` is true of any element of a sample."""
    return lambda sample: any(bool(test(x).any()) for x in tensors(sample))


def _axis_of_a_number(position: int = 0) -> Exclusion:
    """The axis is named by ``dim=`` or by the argument at that position."""

    def names_one(sample: Any) -> bool:
        dim = sample.kwargs.get("dim", sample.args[position] if len(sample.args) > position else None)
        return sample.input.ndim == 0 and dim not in (None, ())

    return Exclusion("a 0-d array has no axis, as in NumPy; PyTorch's has one, of length 1", names_one)


def _at_origin(sample: Any) -> bool:
    return bool(((sample.input == 0) & (sample.args[0] == 0)).any())


def _far_apart(sample: Any) -> bool:
    return bool(((sample.input - sample.args[0]).abs() > 700).any())


def _has_number(sample: Any) -> bool:
    return float in map(type, (sample.input, *sample.args))


def _zero_or_large(sample: Any) -> bool:
    return bool((sample.args[0] == 0).any()) or bool((sample.input > 500).any())


def _has_long_axis(sample: Any) -> bool:
    axes = sample.args[0] if sample.args else ()
    return any(sample.input.shape[axis] != 1 for axis in (axes if isinstance(axes, tuple) else (axes,)))


def _is_another_norm(sample: Any) -> bool:
    return sample.kwargs.get("ord", sample.args[0] if sample.args else None) not in (None, 2, "fro")


def _at_bounds(*values: float) -> Exclusion:
    """The bounds are the sample's, or else those."""
    reason = "at a bound PyTorch's derivative is 0 here, and 1 in its clamp; ours is 1"
    return Exclusion(reason, lambda s: any(bool((s.input == x).any()) for x in s.kwargs.values() or values))


def _bounds_broadcast(sample: Any) -> bool:
    return np.broadcast_shapes(*(x.shape for x in tensors(sample))) != sample.input.shape


_NOTHING_TO_SORT = Exclusion("a 0-d array has no axis to sort along, as in NumPy", lambda s: s.input.ndim == 0)
_LONG_AXIS = Exclusion("only an axis of length 1 can go, as in NumPy; PyTorch keeps the others", _has_long_axis)
_ANOTHER_NORM = Exclusion("ours is the 2-norm", _is_another_norm)
_CROPS = Exclusion("PyTorch crops by a negative width, NumPy and ours refuse it", lambda s: min(s.args[0]) < 0)
_SPECTRAL = Exclusion("PyTorch's 2-norm of a matrix is its largest singular value", lambda s: 2 in s.args[:1])

_WITH_AN_AXIS = (
    "all amax amin aminmax any argmax argmin cumprod cumsum index_add index_select logsumexp max.reduction_with_dim "
    "mean min.reduction_with_dim prod sum transpose softmax softmax.with_dtype log_softmax log_softmax.with_dtype "
    "nn.functional.softmin"
)

_ONE_IMAGE = Exclusion("ours takes images in a batch, (N, C, H, W)", lambda s: s.input.ndim != 4)
_WORDS = Exclusion("ours takes the padding in numbers", lambda s: isinstance(s.kwargs.get("padding"), str))
_DILATED = Exclusion("parts of ours lie together", lambda s: s.kwargs["dilation"] != 1)
_DIVISOR = Exclusion("ours is the mean of parts in the padded image", lambda s: len(s.args) > 3)
_CEIL = Exclusion("parts of ours end in the padded image", lambda s: s.kwargs["ceil_mode"])

EXCLUDED: dict[str, list[Exclusion]] = {
    "nn.functional.conv2d": [_ONE_IMAGE, _WORDS],
    "nn.functional.conv_transpose2d": [_ONE_IMAGE],
    "nn.functional.avg_pool2d": [_DIVISOR],
    "nn.functional.max_pool2d": [_ONE_IMAGE, _DILATED, _CEIL],
    **{name: [_axis_of_a_number()] for name in _WITH_AN_AXIS.split()},
    **{name: [_axis_of_a_number(), _LONG_AXIS] for name in ("squeeze", "squeeze.multiple")},
    **{name: [_NOTHING_TO_SORT] for name in ("sort", "argsort")},
    "norm": [_axis_of_a_number(1), _ANOTHER_NORM],
    "linalg.vector_norm": [_axis_of_a_number(1), _ANOTHER_NORM],
    "linalg.norm": [_ANOTHER_NORM, _SPECTRAL],
    "linalg.norm.subgradients_at_zero": [_ANOTHER_NORM, _SPECTRAL],
    "einsum": [
        Exclusion("axes under '...' are not summed, in NumPy neither", lambda s: "..." not in s.args[0].split("->")[1])
    ],
    "linalg.solve_triangular": [Exclusion("ours reads the diagonal", lambda s: s.kwargs["unitriangular"])],
    "repeat_interleave": [
        Exclusion("ours repeats every element as often", lambda s: not isinstance(s.kwargs["repeats"], int))
    ],
    "tensordot": [Exclusion("PyTorch broadcasts summed axes, NumPy and ours do not", lambda s: s.input.shape[0] == 1)],
    **{f"nn.functional.pad.{mode}": [_CROPS] for mode in _MODES},
    "constant_pad_nd": [_CROPS],
    "cat": [
        Exclusion("PyTorch passes over an empty vector among matrices", lambda s: len({x.ndim for x in s.input}) > 1)
    ],
    "flatten": [Exclusion("ours flattens all axes", lambda s: bool(s.args or s.kwargs))],
    "index_put": [Exclusion("scatter adds, and does not replace", lambda s: not s.kwargs["accumulate"])],
    "torch.ops.aten._safe_softmax.default": [
        Exclusion("PyTorch's is 0 where all are -inf; NaN in its softmax and in ours", _containing(torch.isneginf))
    ],
}

_NAN = Exclusion("beside a NaN ours is NaN, PyTorch's derivative 0 or 1", _containing(torch.isnan))
_POWER = Exclusion("for x^0 PyTorch's Hessian is not symmetric, for 0^p NaN", _containing(lambda x: x == 0))
_SIGN = Exclusion("the sign of NaN is NaN, as in NumPy; PyTorch's is 0", _containing(torch.isnan))
_TIE = Exclusion("PyTorch gives a tie to x, ours shares it", lambda s: bool((s.input == s.args[0]).any()))
_NOT_FINITE = Exclusion(
    "beside NaN and infinities ours is NaN, PyTorch's a number", _containing(lambda x: ~x.isfinite())
)
_POLE = Exclusion("at a pole PyTorch's is a large number", _containing(lambda x: (x < 0) & (x == x.floor())))

EXTREMES: dict[str, list[Exclusion]] = {  # of the reference samples alone
    **{name: [_NAN] for name in ("abs", "maximum", "minimum", "max.binary", "min.binary", "nn.functional.relu")},
    **{name: [_SIGN] for name in ("sign", "sgn")},
    **{name: [_NAN, _TIE] for name in ("clamp_min", "clamp_max")},
    "nn.functional.hardtanh": [_NAN, _at_bounds(-1, 1)],
    "nn.functional.relu6": [_NAN, _at_bounds(0, 6)],
    **{name: [_POWER] for name in ("pow", "float_power", "__rpow__")},
    "rsqrt": [Exclusion("(-inf)**-0.5 is 0, as in C; PyTorch's rsqrt is NaN", _containing(torch.isneginf))],
    "digamma": [_POLE],
    "acosh": [Exclusion("PyTorch's has derivatives below -1, where it has no value", _containing(lambda x: x < -1))],
    "atan2": [Exclusion("at the origin PyTorch's second derivative is NaN, ours a number", _at_origin)],
    "logaddexp": [Exclusion("PyTorch's second derivative is NaN where one is e^700 times the other", _far_apart)],
    "remainder": [_NOT_FINITE, Exclusion("PyTorch has no derivative of number % x", _has_number)],
    "__rmod__": [_NOT_FINITE, Exclusion("PyTorch has no derivative of number % x", _has_number)],
    "igamma": [_NOT_FINITE, Exclusion("PyTorch's is NaN at x = 0, and has 10 digits for a large a", _zero_or_large)],
    "igammac": [_NOT_FINITE, Exclusion("PyTorch's is NaN at x = 0, and has 10 digits for a large a", _zero_or_large)],
    "special.i0e": [Exclusion("SciPy's ive is NaN beyond 1e9", _containing(lambda x: x.abs() > 1e9))],
    "special.i1e": [Exclusion("SciPy's ive is NaN beyond 1e9", _containing(lambda x: x.abs() > 1e9))],
    "clamp": [_NAN, Exclusion("PyTorch cannot differentiate by bounds of a larger shape than x", _bounds_broadcast)],
    "__rsub__": [Exclusion("the method of a number, which knows no tensors", lambda s: isinstance(s.input, float))],
    "where": [Exclusion("ours has no complex numbers", lambda s: complex in map(type, (s.input, *s.args)))],
    "nn.functional.embedding": [Exclusion("ours takes rows, and does no more", lambda s: bool(s.kwargs))],
}

WITHOUT_TWIN = {
    "apply": "runs a primitive",
    "as_tensor": "makes a tensor",
    "assign": "writes in place, and has no derivative",
    "backward": "differentiates",
    "betainc": "not in PyTorch",
    "betaln": "not in PyTorch",
    "constant_like": "makes a tensor",
    "detect_anomaly": "a mode",
    "enable_grad": "a mode",
    "from_dlpack": "makes a tensor",
    "grad": "differentiates",
    "hessian": "differentiates",
    "hooked": "a mode",
    "jacobian": "differentiates",
    "jvp": "differentiates",
    "leaf": "makes a tensor",
    "no_grad": "a mode",
    "one_hot_of_largest": "argmax in another form",
    "primitive": "makes a primitive",
    "standard_normal": "PyTorch draws other numbers",
    "stop_gradient": "PyTorch's table has no detach",
    "tensor": "makes a tensor",
    "tracing": "a mode",
    "tri": "PyTorch's is a table of indices",
    "uniform": "PyTorch draws other numbers",
    "upsample_nearest": "none of PyTorch's samples has a whole scale",
    "value_and_grad": "differentiates",
    "vjp": "differentiates",
}

# --------------------------------------------------------------- PyTorch's samples


@contextlib.contextmanager
def _nothing_changed() -> Iterator[None]:
    """What importing PyTorch's tests does to the process is undone: environment, frozen flags, Hypothesis's profile."""
    expecttest = types.ModuleType("expecttest")  # need not be installed: none of the test cases is run
    expecttest.TestCase = unittest.TestCase
    replaced = {"expecttest": expecttest, "hypothesis": None}  # without Hypothesis no profile is loaded
    modules, environment = {name: sys.modules.get(name) for name in replaced}, dict(os.environ)
    sys.modules.update(replaced)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, module in modules.items():
            sys.modules.pop(name)
            if module is not None:
                sys.modules[name] = module
        os.environ.clear()
        os.environ.update(environment)
        torch.backends.disable_global_flags.__globals__["__allow_nonbracketed_mutation_flag"] = True


@functools.cache
def operations() -> dict[str, Any]:
    """PyTorch's table by full name. Importing it takes 4 seconds, so that is left to the first test."""
    with _nothing_changed():
        from torch.testing._internal.common_methods_invocations import op_db
    return {operation.full_name: operation for operation in op_db}


def mapped(f: Callable, value: Any) -> Any:
    """``value`` with ``f`` of each of its PyTorch tensors, in lists, tuples and dicts too."""
    if isinstance(value, torch.Tensor):
        return f(value)
    if isinstance(value, dict):
        return {key: mapped(f, x) for key, x in value.items()}
    return type(value)(mapped(f, x) for x in value) if isinstance(value, list | tuple) else value


@functools.cache
def samples(twin: Twin) -> list[Any]:
    """The samples that PyTorch differentiates, the same ones each time."""
    drawn = _drawn(operations()[twin.theirs].sample_inputs, requires_grad=twin.by is None)
    return drawn if twin.by is None else [_variable(sample, twin.by) for sample in drawn]


@functools.cache
def reference_samples(twin: Twin) -> list[Any]:
    """More: special values, NaN and infinities, all the layouts of an array in memory. The largest are left out."""
    drawn = _drawn(operations()[twin.theirs].reference_inputs, requires_grad=False)
    drawn = [sample for sample in drawn if sum(x.numel() for x in tensors(sample)) <= LARGEST]
    return [_variable(sample, twin.by) for sample in drawn if not _containing(lambda x: x < twin.lowest)(sample)]


def _drawn(draw: Callable, requires_grad: bool) -> list[Any]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return list(draw("cpu", torch.float64, requires_grad=requires_grad))


def tensors(sample: Any) -> list[Any]:
    """The tensors of a sample, in order."""
    found: list[Any] = []
    mapped(found.append, [sample.input, sample.args, sample.kwargs])
    return found


def _variable(sample: Any, by: tuple[int, ...] | None) -> Any:
    """The sample with the tensors to differentiate by marked: all of floating point, or those."""
    for i, x in enumerate(tensors(sample)):
        x.requires_grad_(x.is_floating_point() if by is None else i in by)
    return sample


def exclusion(twin: Twin, sample: Any, *tables: dict[str, list[Exclusion]]) -> Exclusion | None:
    """The first row of the tables that leaves a sample out."""
    rows = (row for table in tables for row in table.get(twin.theirs, []))
    return next((row for row in rows if row.leaves_out(sample)), None)
