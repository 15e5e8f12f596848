"""Convolutional layers: of images ``(N, C, H, W)``. Names and layouts of their parameters are those of ``torch.nn``."""

from __future__ import annotations

import math
from typing import Any

from .. import autodiff
from ..autodiff import Parameter, Tensor
from ..autodiff.shape import shaped
from ..backend import Generator, asarray, float_dtype, get_backend, require_generator
from ..backend.memory import memory_for
from ..checks import divisor, one_of, pair, positive_integer
from ..errors import shown
from .init import INITIALIZERS
from .mlp import Module


class Convolution(Module):
    """Base of the convolutional layers.

    Args:
        inputs, outputs: how many channels there are before and after.
        kernel_size: like the next three an integer, or one for rows and one for columns.
        generator: draws the initial weights, where it lives, as for :class:`~minivae.nn.Linear`.
        stride, padding, dilation, groups: as of :func:`~minivae.autodiff.conv2d`.
        init: one of ``INITIALIZERS``. What goes into an output, and what an input goes to, are counted in a group,
            over the kernel.
        dtype: float32 (default) or float64.
        backend: where the parameters live; the default backend if None.

    Attributes:
        weight: the kernels. In memory they lie as their gradient comes, so that an optimizer reads both straight on.
        bias: ``(outputs,)``.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel_size: Any,
        generator: Generator,
        *,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        init: str = "glorot",
        dtype: Any = None,
        backend: str | None = None,
    ) -> None:
        initializer = INITIALIZERS[one_of("init", init, INITIALIZERS)]
        self.inputs, outputs = positive_integer("inputs", inputs), positive_integer("outputs", outputs)
        kernel = pair("kernel_size", kernel_size, 1)
        self.stride, self.padding = pair("stride", stride, 1), pair("padding", padding, 0)
        self.dilation = pair("dilation", dilation, 1)
        self.groups = divisor("groups", groups, math.gcd(self.inputs, outputs))
        require_generator("generator", generator)
        kernels, channels = self._kernels(outputs)
        fans = self._fans(outputs, math.prod(kernel))
        with memory_for(f"{shown(kernels)} kernels of {shown(channels)} channels and {kernel}", generator.backend):
            shapes = (*kernel, channels, kernels), (outputs,)
            weight, bias = initializer(generator, *fans, float_dtype(dtype), shapes)
        where = get_backend(backend).name
        self.weight = Parameter(asarray(weight, backend=where).transpose(3, 2, 0, 1))
        self.bias = Parameter(asarray(bias, backend=where))

    def _kernels(self, outputs: int) -> tuple[int, int]:
        """How many there are, and of how many channels each."""
        raise NotImplementedError

    def _fans(self, outputs: int, area: int) -> tuple[int, int]:
        """How many numbers go into an output, and how many an input goes to."""
        return self.inputs // self.groups * area, outputs // self.groups * area

    def _images(self, x: Any) -> Tensor:
        size = (None, self.inputs, None, None)
        return shaped("x", x, self.weight, *size, expected=f"images (N, {self.inputs}, H, W)")

    def _options(self) -> dict[str, Any]:
        return {"stride": self.stride, "padding": self.padding, "dilation": self.dilation, "groups": self.groups}


class Conv2d(Convolution):
    """The convolution of images. Arguments as of :class:`Convolution`.

    Attributes:
        weight: ``(outputs, inputs / groups, *kernel_size)``.
    """

    def __call__(self, x: Any) -> Tensor:
        """``(N, inputs, H, W) -> (N, outputs, H', W')``; see :func:`~minivae.autodiff.conv2d`.

        Raises:
            InputError: ``x`` has another number of channels, or is smaller than the kernel.
        """
        return autodiff.conv2d(self._images(x), self._used(), self.bias, **self._options())

    def _kernels(self, outputs: int) -> tuple[int, int]:
        return outputs, self.inputs // self.groups

    def _used(self) -> Tensor:
        """The weight as it is used."""
        return self.weight


class ConvTranspose2d(Convolution):
    """The transposed convolution of images, from small ones to large ones. Arguments as of :class:`Convolution`.

    Of ``init`` the numbers that go into an output are those of a kernel divided by the stride's area: so many of its
    elements meet in one.

    Args:
        output_padding: so many rows and columns more, as of :func:`~minivae.autodiff.conv_transpose2d`.

    Attributes:
        weight: ``(inputs, outputs / groups, *kernel_size)``.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel_size: Any,
        generator: Generator,
        *,
        output_padding: Any = 0,
        **options: Any,
    ) -> None:
        self.output_padding = pair("output_padding", output_padding, 0)
        super().__init__(inputs, outputs, kernel_size, generator, **options)

    def __call__(self, x: Any) -> Tensor:
        """``(N, inputs, H, W) -> (N, outputs, H', W')``; see :func:`~minivae.autodiff.conv_transpose2d`.

        Raises:
            InputError: ``x`` has another number of channels.
        """
        options = {"output_padding": self.output_padding, **self._options()}
        return autodiff.conv_transpose2d(self._images(x), self.weight, self.bias, **options)

    def _kernels(self, outputs: int) -> tuple[int, int]:
        return self.inputs, outputs // self.groups

    def _fans(self, outputs: int, area: int) -> tuple[int, int]:
        into, out = super()._fans(outputs, area)
        return max(1, into // math.prod(self.stride)), out
