"""How a kernel goes over images, and what it sees of them at each place: *patches*, the rows of a matrix.

They are kh kw times as large as the images, so some images are gone through at a time, whose patches stay in the
processor's cache, and no memory is held (Chellapilla et al. 2006, "High performance convolutional neural networks for
document processing", has all at once). Arrays are ``(N, C, H, W)`` to callers and have channels last in memory: what is
copied into patches, or added from them, then lies together, and a product gives its images in that order. Those that
come in may lie in any.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..backend import backend_of

# Elements of the patches at a time: 2 MiB of float32, a second-level cache. (On one thread, 3 x 3 kernels over 14 x 14
# and 28 x 28 take least from 2^18 to 2^19, and up to a fifth more at 2^21.) On a device as many as fit.
CACHED, ON_DEVICE = 1 << 19, 1 << 26
Pair = tuple[int, int]  # of rows and of columns


class Window(NamedTuple):
    """How a kernel goes over an image: of rows and of columns, its length, stride, padding and dilation."""

    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair

    def opposite(self) -> Window:
        """That of the convolution that a transposed one of stride 1 is; none has a padding below 0."""
        padding = tuple(self.span(axis) - 1 - self.padding[axis] for axis in (0, 1))
        return self._replace(padding=padding)

    def span(self, axis: int) -> int:
        """How far the kernel reaches along an axis."""
        return self.dilation[axis] * (self.kernel[axis] - 1) + 1

    def count(self, axis: int, length: int) -> int:
        """At how many places it fits into so many rows, or columns, with their padding."""
        return (length + 2 * self.padding[axis] - self.span(axis)) // self.stride[axis] + 1

    def length(self, axis: int, length: int, places: int) -> int:
        """Of rows, or columns, with the padding that it reaches from so many places."""
        return max(length + 2 * self.padding[axis], self.stride[axis] * (places - 1) + self.span(axis))


POINT = Window((1, 1), (1, 1), (0, 0), (1, 1))

# ------------------------------------------------- arrays as the products see them


def empty_images(xp: Any, shape: Sequence[int], dtype: Any) -> Any:
    """An empty ``(N, C, H, W)`` with channels last in memory."""
    n, c, h, w = shape
    return xp.empty((n, h, w, c), dtype).transpose(0, 3, 1, 2)


def images_by_group(x: Any, groups: int) -> Any:
    """``(N, C, H, W)`` as ``(groups, N, H, W, channels)``, a view."""
    n, c, h, w = x.shape
    return x.transpose(0, 2, 3, 1).reshape(n, h, w, groups, c // groups).transpose(3, 0, 1, 2, 4)


def weight_by_group(weight: Any, groups: int) -> Any:
    """``(O, C, kh, kw)`` as ``(groups, kh, kw, C, outputs)``, a view."""
    outputs, c, kh, kw = weight.shape
    return weight.transpose(2, 3, 1, 0).reshape(kh, kw, c, groups, outputs // groups).transpose(3, 0, 1, 2, 4)


def opposite(weight: Any, groups: int) -> Any:
    """The kernels turned round: of C channels and O outputs, ``(O, C / groups, kh, kw)``, now of O and C."""
    outputs, c, kh, kw = weight.shape
    turned = weight[:, :, ::-1, ::-1].reshape(groups, outputs // groups, c, kh, kw).swapaxes(1, 2)
    return turned.reshape(groups * c, outputs // groups, kh, kw)


def matrices(x: Any, columns: int) -> Any:
    """One for each group: the last axes of ``x``, so many, are its columns, and what is before them its rows."""
    cut = x.ndim - columns
    return x.reshape(x.shape[0], math.prod(x.shape[1:cut]), math.prod(x.shape[cut:]))


# -------------------------------------------------------------- what a kernel sees


class Block(NamedTuple):
    """Some images at a time, ``(groups, N, rows, columns, channels)``.

    Attributes:
        x, y: some of those that the kernel sees, and of those at whose places it stands.
        padded: memory for those of x with zeros around them.
        inside: where they lie in it.
        seen: what the kernel sees of it, ``(groups, N, places down, places across, kh, kw, channels)``.
    """

    x: Any
    y: Any
    padded: Any
    inside: Any
    seen: Any


def blocks(xp: Any, x: Any, y: Any, window: Window, step: int) -> Iterator[Block]:
    """All images, ``step`` at a time; the memory is the same each time, its edges zeros at first."""
    n, step = x.shape[1], max(1, min(step, x.shape[1]))
    padded, inside, seen = _padded(xp, x, window, y.shape[2:4], step)
    for start in range(0, n, step):
        some, there = slice(start, start + step), slice(0, n - start)
        yield Block(x[:, some], y[:, some], padded[:, there], inside[:, there], seen[:, there])


def images_at_a_time(x: Any, elements: int, cached: int) -> int:
    """How many images have together so many elements as are gone through at a time, if each has ``elements``."""
    return (cached if backend_of(x).cache_block else ON_DEVICE) // elements


def _padded(xp: Any, like: Any, window: Window, places: Sequence[int], images: int) -> tuple[Any, Any, Any]:
    groups, _, *size, channels = like.shape
    (up, left), (kh, kw) = window.padding, window.kernel
    rows, columns = (window.length(axis, size[axis], places[axis]) for axis in (0, 1))
    memory = xp.zeros((images, rows, columns, groups, channels), like.dtype).transpose(3, 0, 1, 2, 4)
    group, image, *steps, channel = memory.strides
    strides, taps = ([n * step for n, step in zip(by, steps, strict=True)] for by in (window.stride, window.dilation))
    shape = (groups, images, *places, kh, kw, channels)
    seen = xp.lib.stride_tricks.as_strided(memory, shape, (group, image, *strides, *taps, channel))
    return memory, memory[:, :, up : up + size[0], left : left + size[1]], seen


def with_patches(xp: Any, x: Any, y: Any, window: Window, groups: int) -> Iterator[tuple[Any, Any]]:
    """Some images y at a time, by group, and patches of what the kernel sees of x: x itself, of one element."""
    x, y = images_by_group(x, groups), images_by_group(y, groups)
    if window == POINT and x.shape[2:4] == y.shape[2:4]:
        yield y, x[..., None, None, :]
        return
    patches = None
    for block in patch_blocks(xp, x, y, window):
        block.inside[...] = block.x
        if patches is None or patches.shape != block.seen.shape:  # the last time there may be fewer
            patches = xp.empty(block.seen.shape, x.dtype)
        patches[...] = block.seen
        yield block.y, patches


def patch_blocks(xp: Any, x: Any, y: Any, window: Window) -> Iterator[Block]:
    """All images, as many at a time as have patches that stay in the cache."""
    patch = x.shape[0] * math.prod((*y.shape[2:4], *window.kernel, x.shape[4]))
    return blocks(xp, x, y, window, images_at_a_time(x, patch, CACHED))
