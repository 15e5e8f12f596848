"""Tensors of given numbers. They are operations without inputs, so that a recorded step makes them once."""

from __future__ import annotations

from .. import backend
from .primitives import operation
from .tape import apply, primitive
from .tensor import Tensor

_arange = primitive(
    "arange",
    "equally spaced numbers",
    lambda xp, library, start, stop, step, dtype, out=None: backend.library(library).xp.arange(
        start, stop, step, dtype=dtype
    ),
    kind="constant",
)


@operation
def arange(start: int, stop: int | None = None, step: int = 1, *, like: Tensor) -> Tensor:
    """The numbers from ``start`` (0 if one is given alone) to before ``stop``, with dtype and library of ``like``."""
    start, stop = (0, start) if stop is None else (start, stop)
    library = backend.library_of(like._data).name
    return apply(_arange, library=library, start=start, stop=stop, step=step, dtype=like.dtype)
