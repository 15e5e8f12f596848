"""Images made smaller, by the largest element or the mean of each part, and larger, by repetition.

All are made of other operations: the parts are ``kh kw`` slices of all images, one for each place in a part, and what
is computed of them is element-wise.
"""

from __future__ import annotations

import math
from typing import Any

from ..checks import pair
from ..errors import InputError, shown
from .elementwise import where
from .indexing import getitem
from .joining import pad
from .logic import greater, isnan, logical_or
from .patches import Pair, Window
from .primitives import operation
from .shape import broadcast_to, expand_dims, reshape, shaped, transpose
from .tensor import Tensor


@operation
def max_pool2d(x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0) -> Tensor:
    """The largest element of each part of an image; the first of equal ones gets the gradient, as in PyTorch.

    Args:
        x: ``(N, C, H, W)``.
        kernel_size: of a part; like all of these an integer, or one for rows and one for columns.
        stride: how far it is from part to part; ``kernel_size`` if None.
        padding: so many elements that are never the largest lie around each image.

    Returns:
        ``(N, C, (H + 2 padding - kernel_size) // stride + 1, ...)``. Where a part has a NaN, it is NaN.

    Raises:
        InputError: a part is larger than a padded image, or the padding than half a part.
    """
    first, *others = _parts(x, kernel_size, stride, padding, -math.inf)
    for part in others:
        first = where(logical_or(greater(part, first), isnan(part)), part, first)
    return first


@operation
def avg_pool2d(x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0) -> Tensor:
    """The mean of each part of an image, zeros of the padding counted. Arguments as of :func:`max_pool2d`."""
    parts = _parts(x, kernel_size, stride, padding, 0.0)
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total * (1 / len(parts))


@operation
def upsample_nearest(x: Any, scale: Any) -> Tensor:
    """Images ``scale`` times as large, an integer or one for rows and one for columns: each element that often.

    Args:
        x: ``(N, C, H, W)``.
        scale: PyTorch's ``scale_factor``.

    Returns:
        ``(N, C, H scale, W scale)``.
    """
    x, (down, across) = _images(x), pair("scale", scale, 1)
    n, c, h, w = x.shape
    # With channels last, as convolutions have them in memory: what is copied lies together.
    apart = expand_dims(transpose(x, (0, 2, 3, 1)), (2, 4))
    copies = reshape(broadcast_to(apart, (n, h, down, w, across, c)), (n, h * down, w * across, c))
    return transpose(copies, (0, 3, 1, 2))


def _images(x: Any) -> Tensor:
    return shaped("x", x, None, None, None, None, None, expected="images (N, C, H, W)")


def _parts(x: Any, kernel_size: Any, stride: Any, padding: Any, fill: float) -> list[Tensor]:
    """For each place in a part, in order, the elements there of all parts."""
    x, kernel = _images(x), pair("kernel_size", kernel_size, 1)
    window = Window(
        kernel, kernel if stride is None else pair("stride", stride, 1), pair("padding", padding, 0), (1, 1)
    )
    if any(2 * n > most for n, most in zip(window.padding, kernel, strict=True)):
        raise InputError(f"padding is {shown(padding)}; expected at most half of kernel_size, {kernel}")
    size = window.count(0, x.shape[2]), window.count(1, x.shape[3])
    if min(size) < 1:
        raise InputError(
            f"x has shape {x.shape}, kernel_size is {shown(kernel_size)} and padding {shown(padding)}; expected images "
            "that are, padded, at least as large as a part"
        )
    if any(window.padding):
        x = pad(x, [(0, 0), (0, 0), *((n, n) for n in window.padding)], fill)
    return [_at(x, (i, j), window, size) for i in range(kernel[0]) for j in range(kernel[1])]


def _at(x: Tensor, place: Pair, window: Window, size: Pair) -> Tensor:
    along = zip(place, window.stride, size, strict=True)
    return getitem(x, (..., *(slice(i, i + step * (n - 1) + 1, step) for i, step, n in along)))
