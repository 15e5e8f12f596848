"""Tensors of given numbers. They are operations without inputs, so that a recorded step makes them once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from numbers import Real
from operator import index
from typing import Any, NamedTuple

import numpy as np

from ..backend import backend_of, get_backend, number_dtype
from ..checks import instance, integer_from_zero, lengths
from ..errors import InputError, shown
from .primitives import PRIMITIVES, operation
from .tape import apply, as_tensor, primitive
from .tensor import Tensor

_MOST = 2.0**63  # what an int64 holds
_arange = primitive(
    "arange",
    "equally spaced numbers",
    lambda xp, backend, start, stop, step, dtype, out=None: _xp(backend).arange(start, stop, step, dtype=dtype),
    kind="constant",
)
_tri = primitive(
    "tri",
    "1 on and below a diagonal, 0 above",
    lambda xp, backend, shape, k, dtype, out=None: _xp(backend).tri(*shape, k, dtype=dtype),
    kind="constant",
)
_eye = primitive(
    "eye",
    "1 on a diagonal, 0 elsewhere",
    lambda xp, backend, shape, k, dtype, out=None: _xp(backend).eye(*shape, k, dtype=dtype),
    kind="constant",
)


def _xp(name: str) -> Any:
    return get_backend(name).xp


class _Spec(NamedTuple):
    """Where a new tensor lives, and in which dtype."""

    backend: str
    dtype: np.dtype


def _spec(dtype: Any, backend: str | None, like: Tensor | None, otherwise: Any = np.float32) -> _Spec:
    """As the arguments say; else as ``like``; else in the default backend and the dtype ``otherwise``."""
    if like is not None:
        like_data = instance("like", like, Tensor, "a Tensor")._data
        backend, otherwise = backend or backend_of(like_data).name, like.dtype
    return _Spec(get_backend(backend).name, number_dtype(otherwise if dtype is None else dtype))


def _dtype_of(*numbers: Any) -> Any:
    """The dtype that Python numbers get: float32 where one is a float."""
    kinds = {np.asarray(x).dtype.kind for x in numbers}
    return np.float32 if "f" in kinds else np.bool_ if kinds == {"b"} else np.int64


# -------------------------------------------------------------- one number


@operation
def full(
    shape: int | Sequence[int], value: float, dtype: Any = None, backend: str | None = None, like: Tensor | None = None
) -> Tensor:
    """One number in every element.

    Args:
        shape: of the result; a number is the length of a vector.
        value: a Python number.
        dtype: by default that of ``like``, else float32 for a float, int64 for an integer.
        backend: where it lives; by default where ``like`` does, else the default one.
        like: a tensor to go with.
    """
    if not isinstance(value, Real):
        raise InputError(f"value is {shown(value)}; expected a number (broadcast_to repeats a tensor)")
    spec = _spec(dtype, backend, like, _dtype_of(value))
    return apply(
        PRIMITIVES["constant"], backend=spec.backend, shape=_shape(shape), value=_plain(value), dtype=spec.dtype
    )


@operation
def zeros(
    shape: int | Sequence[int], dtype: Any = None, backend: str | None = None, like: Tensor | None = None
) -> Tensor:
    """0 in every element; float32 by default. See :func:`full`."""
    return full(shape, 0.0, dtype, backend, like)


@operation
def ones(
    shape: int | Sequence[int], dtype: Any = None, backend: str | None = None, like: Tensor | None = None
) -> Tensor:
    """1 in every element; float32 by default. See :func:`full`."""
    return full(shape, 1.0, dtype, backend, like)


@operation
def full_like(x: Any, value: float, dtype: Any = None) -> Tensor:
    """One number in a tensor of the shape, backend and dtype of ``x``."""
    x = as_tensor(x)
    return full(x.shape, value, dtype, like=x)


@operation
def zeros_like(x: Any, dtype: Any = None) -> Tensor:
    """0 in a tensor of the shape, backend and dtype of ``x``."""
    return full_like(x, 0.0, dtype)


@operation
def ones_like(x: Any, dtype: Any = None) -> Tensor:
    """1 in a tensor of the shape, backend and dtype of ``x``."""
    return full_like(x, 1.0, dtype)


def _shape(shape: Any) -> tuple[int, ...]:
    return lengths("shape", (shape,) if hasattr(shape, "__index__") else shape)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


# ---------------------------------------------------------------- patterns


@operation
def arange(
    start: float,
    stop: float | None = None,
    step: float = 1,
    dtype: Any = None,
    backend: str | None = None,
    like: Tensor | None = None,
) -> Tensor:
    """The numbers from ``start`` (0 if one is given alone) to before ``stop``, ``step`` apart.

    Args:
        start, stop, step: Python numbers.
        dtype: by default that of ``like``, else int64 if all three are integers and float32 if not.
        backend: where it lives; by default where ``like`` does, else the default one.
        like: a tensor to go with.
    """
    for name, value in {"start": start, "stop": 0 if stop is None else stop, "step": step}.items():
        if not isinstance(value, Real) or not _in_range(value) or (name == "step" and value == 0):
            raise InputError(f"{name} is {shown(value)}; expected a number{', not 0' if name == 'step' else ''}")
    start, stop = (0, start) if stop is None else (start, stop)
    spec = _spec(dtype, backend, like, _dtype_of(start, stop, step))
    numbers = {"start": _plain(start), "stop": _plain(stop), "step": _plain(step)}
    return apply(_arange, backend=spec.backend, **numbers, dtype=spec.dtype)


@operation
def eye(
    n: int,
    m: int | None = None,
    k: int = 0,
    dtype: Any = None,
    backend: str | None = None,
    like: Tensor | None = None,
) -> Tensor:
    """An ``(n, m)`` matrix with 1 on diagonal ``k``, 0 elsewhere; square by default. See :func:`full`."""
    return _matrix(_eye, n, m, k, _spec(dtype, backend, like))


@operation
def tri(
    n: int,
    m: int | None = None,
    k: int = 0,
    dtype: Any = None,
    backend: str | None = None,
    like: Tensor | None = None,
) -> Tensor:
    """An ``(n, m)`` matrix with 1 on diagonal ``k`` and below, 0 above; square by default. See :func:`full`."""
    return _matrix(_tri, n, m, k, _spec(dtype, backend, like))


def _matrix(row: Any, n: int, m: int | None, k: int, spec: _Spec) -> Tensor:
    shape = integer_from_zero("n", n), integer_from_zero("m", n if m is None else m)
    return apply(row, backend=spec.backend, shape=shape, k=diagonal_number("k", k), dtype=spec.dtype)


def diagonal_number(name: str, k: Any) -> int:
    """``k`` as the number of a diagonal: 0 for the main one, above 0 for those above it."""
    with suppress(Exception):
        if abs(index(k)) < 1 << 62:
            return index(k)
    raise InputError(f"{name} is {shown(k)}; expected an integer, the number of a diagonal")


def _in_range(value: Any) -> bool:
    try:
        return abs(float(value)) < _MOST
    except OverflowError:
        return False
