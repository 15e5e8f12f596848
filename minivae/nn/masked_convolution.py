"""Convolutions that see only what comes before: the pixels above and to the left, and of their own pixel some colours.

van den Oord et al. 2016, "Pixel recurrent neural networks", arXiv 1601.06759, section 3.4. Pixels come row by row, and
those of one pixel are ordered by their colour: channels are cut into as many parts as there are colours, of inputs and
of outputs, in order. An output of type A, of a first layer, sees colours of its pixel before its own; one of type B,
above that, its own, too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend
from ..autodiff import Tensor
from ..backend import Generator
from ..checks import divisor, one_of, pair, positive_integer
from ..errors import InputError, shown
from .convolution import Conv2d

TYPES = ("A", "B")


class MaskedConv2d(Conv2d):
    """A convolution whose kernels are 0 where they would see what comes later. The result is as large as the images.

    Args:
        mask: "A" or "B".
        inputs, outputs: how many channels there are before and after; ``colors`` divides both.
        kernel_size: odd; an integer, or one for rows and one for columns.
        generator: draws the initial weights, those under the mask with them.
        colors: how many parts of the channels come one after the other.
        dilation, init, dtype, backend: as of :class:`Conv2d`.
    """

    def __init__(
        self,
        mask: str,
        inputs: int,
        outputs: int,
        kernel_size: Any,
        generator: Generator,
        *,
        colors: int = 1,
        dilation: Any = 1,
        **options: Any,
    ) -> None:
        one_of("mask", mask, TYPES)
        kernel, dilation = pair("kernel_size", kernel_size, 1), pair("dilation", dilation, 1)
        if any(n % 2 == 0 for n in kernel):
            raise InputError(f"kernel_size is {shown(kernel_size)}; expected odd numbers, so that there is a middle")
        for channels in (positive_integer("inputs", inputs), positive_integer("outputs", outputs)):
            divisor("colors", colors, channels)
        around = tuple(d * (n // 2) for d, n in zip(dilation, kernel, strict=True))
        super().__init__(inputs, outputs, kernel, generator, padding=around, dilation=dilation, **options)
        # Held as an array, not as a tensor: it is no state.
        held = mask_of(mask, self.weight.shape, colors)
        self._mask = backend.asarray(held, self.weight.dtype, backend.backend_of(self.weight.data).name)

    def _used(self) -> Tensor:
        return self.weight * self._mask


def mask_of(kind: str, shape: tuple[int, ...], colors: int) -> np.ndarray:
    """1 where a kernel of ``shape``, ``(outputs, inputs, kh, kw)``, sees what comes before, and 0 elsewhere."""
    outputs, inputs, kh, kw = shape
    mask = np.zeros(shape)
    mask[:, :, : kh // 2] = 1
    mask[:, :, kh // 2, : kw // 2] = 1
    color_of = lambda n: np.arange(n) * colors // n  # noqa: E731
    upper, lower = color_of(outputs)[:, None], color_of(inputs)
    mask[:, :, kh // 2, kw // 2] = lower < upper if kind == "A" else lower <= upper
    return mask
