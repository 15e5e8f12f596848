"""Convolutions of images, ``(N, C, H, W)``: three products, each of them the derivative of the other two.

    y[n, o, i, j] = sum over c, u, v of  x[n, c, s i + d u - p, s j + d v - p] w[o, c, u, v]

with stride s, dilation d and padding p (x is 0 beyond its edges). ``conv2d`` is y of x and w; ``conv_transpose2d`` is
its adjoint by x, x of y and w; ``conv2d_weight`` its adjoint by w, w of x and y. All are linear in both inputs, and
one sum of products x w y is behind them: so the derivative of one by an input is another one, to any order.

Each is matrix products with what the kernel sees of some images at a time (:mod:`.patches`); where each channel has
a kernel of its own, sums over the elements of the kernel (:mod:`.depthwise`).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..checks import pair, positive_integer
from ..errors import InputError, shown
from . import depthwise
from .patches import (
    Pair,
    Window,
    empty_images,
    images_by_group,
    matrices,
    opposite,
    patch_blocks,
    weight_by_group,
    with_patches,
)
from .primitives import operation
from .shape import as_tensors, reshape, shaped
from .tape import primitive
from .tensor import Tensor

# -------------------------------------------------------------------- values

_flags_ignored = np.errstate(invalid="ignore", divide="ignore")  # those of a product are no evidence: see linalg


@_flags_ignored
def _conv2d_value(xp: Any, x: Any, weight: Any, window: Window, groups: int, size: Pair, out: Any = None) -> Any:
    y = empty_images(xp, (len(x), len(weight), *size), xp.result_type(x, weight)) if out is None else out
    if depthwise.suits(weight, groups):
        return depthwise.conv2d(xp, x, weight, window, y)
    by_group = matrices(weight_by_group(weight, groups), 1)
    for results, patches in with_patches(xp, x, y, window, groups):
        rows = matrices(results, 1)
        if rows.flags.c_contiguous and xp.may_share_memory(rows, results):
            xp.matmul(matrices(patches, 3), by_group, out=rows)
        else:
            results[...] = xp.matmul(matrices(patches, 3), by_group).reshape(results.shape)
    return y


@_flags_ignored
def _conv_transpose2d_value(
    xp: Any, x: Any, weight: Any, window: Window, groups: int, size: Pair, out: Any = None
) -> Any:
    outputs = weight.shape[1] * groups
    y = empty_images(xp, (len(x), outputs, *size), xp.result_type(x, weight)) if out is None else out
    if depthwise.suits(weight, groups):
        return depthwise.conv_transpose2d(xp, x, weight, window, y)
    turned = window.opposite()
    if window.stride == (1, 1) and len(weight) <= 2 * outputs and min(turned.padding) >= 0:
        return _conv2d_value(xp, x, opposite(weight, groups), turned, groups, size, y)  # copied, not added: quicker
    by_group = matrices(weight_by_group(weight, groups), 1).swapaxes(1, 2)
    for block in patch_blocks(xp, images_by_group(y, groups), images_by_group(x, groups), window):
        patches = xp.matmul(matrices(block.y, 1), by_group).reshape(block.seen.shape)
        block.padded[...] = 0
        for i, j in np.ndindex(*window.kernel):
            seen = block.seen[..., i, j, :]
            seen += patches[..., i, j, :]
        block.x[...] = block.inside
    return y


@_flags_ignored
def _conv2d_weight_value(xp: Any, x: Any, images: Any, window: Window, groups: int, out: Any = None) -> Any:
    channels, outputs, dtype = x.shape[1] // groups, images.shape[1], xp.result_type(x, images)
    weight = xp.empty((*window.kernel, channels, outputs), dtype).transpose(3, 2, 0, 1) if out is None else out
    if depthwise.suits(weight, groups):
        return depthwise.conv2d_weight(xp, x, images, window, weight)
    total = xp.zeros((groups, math.prod(window.kernel) * channels, outputs // groups), dtype)
    for results, patches in with_patches(xp, x, images, window, groups):
        total += xp.matmul(matrices(patches, 3).swapaxes(1, 2), matrices(results, 1))
    by_group = weight_by_group(weight, groups)
    by_group[...] = total.reshape(by_group.shape)
    return weight


# ---------------------------------------------------------------------- rows

_conv2d = primitive(
    "conv2d",
    "images multiplied by a kernel at each place, and summed",
    _conv2d_value,
    lambda g, y, x, weight, window, groups, size: _conv_transpose2d(
        g, weight, window=window, groups=groups, size=x.shape[2:]
    ),
    lambda g, y, x, weight, window, groups, size: _conv2d_weight(x, g, window=window, groups=groups),
    kind="conv",
)
_conv_transpose2d = primitive(
    "conv_transpose2d",
    "images of which each element adds a kernel, multiplied by it, at its place",
    _conv_transpose2d_value,
    lambda g, y, x, weight, window, groups, size: _conv2d(g, weight, window=window, groups=groups, size=x.shape[2:]),
    lambda g, y, x, weight, window, groups, size: _conv2d_weight(g, x, window=window, groups=groups),
    kind="conv",
)
_conv2d_weight = primitive(
    "conv2d_weight",
    "for each element of a kernel the sum of products of what it sees with images",
    _conv2d_weight_value,
    lambda g, y, x, images, window, groups: _conv_transpose2d(
        images, g, window=window, groups=groups, size=x.shape[2:]
    ),
    lambda g, y, x, images, window, groups: _conv2d(x, g, window=window, groups=groups, size=images.shape[2:]),
    kind="conv",
)


# ----------------------------------------------------------------- functions


@operation
def conv2d(
    x: Any, weight: Any, bias: Any = None, *, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Tensor:
    """The convolution (cross-correlation, as in PyTorch) of images with kernels.

    Args:
        x: ``(N, C, H, W)``.
        weight: ``(outputs, C / groups, kh, kw)``.
        bias: ``(outputs,)``, added everywhere.
        stride: how far it is from place to place; like all of these an integer, or one for rows and one for columns.
        padding: how many zeros lie around each image, on all sides.
        dilation: how far it is from one element of the kernel to the next.
        groups: into so many parts channels and outputs are cut, in order; each output sees the channels of its part.

    Returns:
        ``(N, outputs, (H + 2 padding - dilation (kh - 1) - 1) // stride + 1, ...)``.

    Raises:
        InputError: the shapes do not go together, groups do not divide the channels and the outputs, or the kernel is
            larger than an image with its padding.
    """
    x, weight, *biases = _inputs(x, weight, bias)
    groups = positive_integer("groups", groups)
    if weight.shape[1] * groups != x.shape[1] or weight.shape[0] % groups:
        raise InputError(
            f"x has shape {x.shape}, weight {weight.shape}, and groups is {groups}; expected images of as many "
            "channels as groups times those of a kernel, and a number of kernels that groups divide"
        )
    window = _window(weight, stride, padding, dilation)
    size = window.count(0, x.shape[2]), window.count(1, x.shape[3])
    if min(size) < 1:
        raise InputError(
            f"x has shape {x.shape}, weight {weight.shape}, padding is {shown(padding)} and dilation "
            f"{shown(dilation)}; expected images that are, padded, at least {window.span(0)} x {window.span(1)}"
        )
    y = _conv2d(x, weight, window=window, groups=groups, size=size)
    return _with_bias(y, *biases)


@operation
def conv_transpose2d(
    x: Any,
    weight: Any,
    bias: Any = None,
    *,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The transposed convolution, adjoint of :func:`conv2d` by its images: from small images to large ones.

    Args:
        x: ``(N, C, H, W)``.
        weight: ``(C, outputs / groups, kh, kw)``.
        bias: ``(outputs,)``.
        stride, padding, dilation, groups: of the convolution whose adjoint it is, which goes from the outputs to x.
        output_padding: so many rows and columns more at the ends, of which that convolution has none left.

    Returns:
        ``(N, outputs, (H - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1, ...)``.

    Raises:
        InputError: the shapes do not go together, groups do not divide the channels, ``output_padding`` is not smaller
            than the stride or the dilation, or nothing is left of the images.
    """
    x, weight, *biases = _inputs(x, weight, bias)
    groups = positive_integer("groups", groups)
    if weight.shape[0] != x.shape[1] or x.shape[1] % groups:
        raise InputError(
            f"x has shape {x.shape}, weight {weight.shape}, and groups is {groups}; expected images of as many "
            "channels as there are kernels, and groups that divide them"
        )
    window, more = _window(weight, stride, padding, dilation), pair("output_padding", output_padding, 0)
    if any(n >= max(steps) for n, steps in zip(more, zip(window.stride, window.dilation, strict=True), strict=True)):
        raise InputError(
            f"output_padding is {shown(output_padding)}; expected less than the stride, {window.stride}, or the "
            f"dilation, {window.dilation}"
        )
    ends = [(n - 1) * step - 2 * cut for n, step, cut in zip(x.shape[2:], window.stride, window.padding, strict=True)]
    size = tuple(end + window.span(axis) + more[axis] for axis, end in enumerate(ends))
    if min(*size, *x.shape[2:]) < 1:
        raise InputError(
            f"x has shape {x.shape}, weight {weight.shape} and padding is {shown(padding)}, which gives images of "
            f"{size}; expected at least 1 x 1"
        )
    y = _conv_transpose2d(x, weight, window=window, groups=groups, size=size)
    return _with_bias(y, *biases)


def _inputs(x: Any, weight: Any, bias: Any) -> list[Tensor]:
    """Images, kernels and, if there is one, the bias, as tensors of one backend."""
    names = ("x", "weight", "bias")[: 2 if bias is None else 3]
    x, weight, *biases = as_tensors((x, weight) if bias is None else (x, weight, bias), names)
    x = shaped("x", x, None, None, None, None, None, expected="images (N, C, H, W)")
    weight = shaped("weight", weight, x, None, None, None, None, expected="kernels, with 4 axes")
    for name, part in (("x", x.shape[1:2]), ("weight", weight.shape)):
        if 0 in part:
            shape = x.shape if name == "x" else weight.shape
            raise InputError(f"{name} has shape {shape}; expected at least one channel, and kernels of elements")
    return [x, weight, *(shaped("bias", b, x, None) for b in biases)]


def _window(weight: Tensor, stride: Any, padding: Any, dilation: Any) -> Window:
    kernel = weight.shape[2], weight.shape[3]
    return Window(kernel, pair("stride", stride, 1), pair("padding", padding, 0), pair("dilation", dilation, 1))


def _with_bias(y: Tensor, bias: Tensor | None = None) -> Tensor:
    if bias is None:
        return y
    return y + reshape(shaped("bias", bias, y, y.shape[1]), (y.shape[1], 1, 1))
