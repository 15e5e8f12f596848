"""Arguments that must be tensors of a given shape."""

from __future__ import annotations

from typing import Any

from ..errors import InputError
from .tape import as_tensor
from .tensor import Tensor


def shaped(name: str, x: Any, like: Tensor | None, *shape: Any, expected: str = "") -> Tensor:
    """``x`` as a tensor of a shape: see :func:`~minivae.autodiff.as_tensor`.

    Args:
        name: what messages call ``x``.
        x, like: as of ``as_tensor``.
        shape: lengths, None for any; after a leading ``...`` they are those of the last axes.
        expected: what a message says of the shape.

    Raises:
        InputError: ``x`` is no tensor, lives in another backend than ``like``, or has another shape.
    """
    x = as_tensor(x, like, name)
    ends = shape[1:] if shape[:1] == (...,) else shape
    fits = x.ndim == len(ends) or (ends is not shape and x.ndim > len(ends))
    if not fits or any(m not in (None, n) for m, n in zip(ends[::-1], x.shape[::-1], strict=False)):
        lengths = ", ".join("any" if n is None else "..." if n is ... else str(n) for n in shape)
        lengths += "," if len(shape) == 1 else ""
        raise InputError(f"{name} has shape {x.shape}; expected {expected or f'({lengths})'}")
    return x
