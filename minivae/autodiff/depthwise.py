"""Convolutions in which each channel has kernels of its own, so that there is no product of matrices.

They are sums over the elements of the kernel: each is multiplied by what it sees of all images. Some images are gone
through at a time, which stay in the processor's cache. The arrays are those of :mod:`.convolution`, and are written to.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .patches import Block, Window, blocks, images_at_a_time

CACHED = 1 << 15  # elements of the results at a time: 128 KiB of float32


def suits(weight: Any, groups: int) -> bool:
    """Whether each channel is a group of its own."""
    return weight.shape[1] == 1 < groups


def conv2d(xp: Any, x: Any, weight: Any, window: Window, y: Any) -> Any:
    """Write y of x and weight."""
    kernel = _kernel(weight, x.shape[1])
    for block in _blocks(xp, x, y, window):
        block.inside[...] = block.x
        block.y[...] = 0
        for i, j in np.ndindex(*window.kernel):
            results = block.y
            results += block.seen[..., i, j, :] * kernel[i, j]
    return y


def conv_transpose2d(xp: Any, y: Any, weight: Any, window: Window, x: Any) -> Any:
    """Write x of y and weight."""
    kernel = _kernel(weight, x.shape[1])
    for block in _blocks(xp, x, y, window):
        block.padded[...] = 0
        for i, j in np.ndindex(*window.kernel):
            seen = block.seen[..., i, j, :]
            seen += (block.y * kernel[i, j]).sum(axis=0, keepdims=True)
        block.x[...] = block.inside
    return x


def conv2d_weight(xp: Any, x: Any, y: Any, window: Window, weight: Any) -> Any:
    """Write the weight of x and y."""
    weight[...] = 0
    kernel = _kernel(weight, x.shape[1])
    for block in _blocks(xp, x, y, window):
        block.inside[...] = block.x
        for i, j in np.ndindex(*window.kernel):
            element = kernel[i, j]
            element += (block.seen[..., i, j, :] * block.y).sum(axis=(1, 2, 3), keepdims=True)
    return weight


def _by_channel(x: Any, channels: int) -> Any:
    """``(N, channels times m, H, W)`` as ``(m, N, H, W, channels)``, a view."""
    n, c, h, w = x.shape
    return x.transpose(0, 2, 3, 1).reshape(n, h, w, channels, c // channels).transpose(4, 0, 1, 2, 3)


def _kernel(weight: Any, channels: int) -> Any:
    """``(channels times m, 1, kh, kw)`` as ``(kh, kw, m, 1, 1, 1, channels)``, a view."""
    c, _, kh, kw = weight.shape
    return weight.reshape(channels, c // channels, 1, 1, 1, kh, kw).transpose(5, 6, 1, 2, 3, 4, 0)


def _blocks(xp: Any, x: Any, y: Any, window: Window) -> Iterator[Block]:
    """All images by channel, as many at a time as stay in the cache."""
    channels, step = x.shape[1], images_at_a_time(x, math.prod(y.shape[1:]), CACHED)
    return blocks(xp, _by_channel(x, channels), _by_channel(y, channels), window, step)
