"""Noise as primitives, so that a recorded step draws it anew each time it is replayed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

from .. import backend
from ..checks import lengths
from ..errors import InputError
from .primitives import Primitive, operation
from .tape import apply, primitive
from .tensor import Tensor

_AT_ONCE = nullcontext()


def _draws_of(name: str) -> Callable:
    def value(xp: Any, generator: backend.Generator, shape: Sequence[int], dtype: Any, out: Any = None) -> Any:
        with backend.no_direct_draws(False) if backend.refuses_direct_draws() else _AT_ONCE:
            made = getattr(generator, name)(shape, dtype, out)
        if made is not out and (made.shape != shape or made.dtype != dtype):  # of a generator of the user's own
            raise InputError(
                f"generator drew {made.dtype} of shape {made.shape}; expected {dtype} of shape {tuple(shape)}"
            )
        return made

    return value


_standard_normal = primitive(
    "standard_normal",
    "draws from N(0, 1)",
    _draws_of("standard_normal"),
    kind="draw",
)
_uniform = primitive(
    "uniform",
    "draws from the uniform distribution on [0, 1)",
    _draws_of("uniform"),
    kind="draw",
)


@operation
def standard_normal(generator: backend.Generator, shape: Sequence[int], dtype: Any = None) -> Tensor:
    """Draws from N(0, 1): the noise epsilon of section 2.4."""
    return _draw(_standard_normal, generator, shape, dtype)


@operation
def uniform(generator: backend.Generator, shape: Sequence[int], dtype: Any = None) -> Tensor:
    """Draws from the uniform distribution on [0, 1)."""
    return _draw(_uniform, generator, shape, dtype)


def _draw(row: Primitive, generator: backend.Generator, shape: Sequence[int], dtype: Any) -> Tensor:
    backend.require_generator("generator", generator)
    return apply(row, generator=generator, shape=lengths("shape", shape), dtype=backend.float_dtype(dtype))
