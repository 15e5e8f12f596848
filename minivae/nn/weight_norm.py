"""Weight normalization: of each output of a layer the length of its weights is one parameter, their direction others.

    w = g v / |v|

Salimans & Kingma 2016, "Weight normalization", arXiv 1602.07868, Eq. 2. |v| is over all weights that go into an output;
gradients by v stand at right angles to it, so that it never becomes shorter.
"""

from __future__ import annotations

from typing import Any

from ..autodiff import Parameter, Tensor, norm
from ..backend import Generator
from .convolution import Conv2d
from .mlp import Linear


class WeightNormLinear(Linear):
    """x -> x W + b with the columns of W in this form. Arguments as of :class:`Linear`.

    Attributes:
        weight: v, ``(inputs, outputs)``.
        gain: g, ``(1, outputs)``, at first |v|: the layer is then that without normalization.
    """

    def __init__(self, inputs: int, outputs: int, generator: Generator, **options: Any) -> None:
        super().__init__(inputs, outputs, generator, **options)
        self.gain = Parameter(norm(self.weight.detach(), 0, keepdims=True).data)

    def _used(self) -> Tensor:
        return self.weight * (self.gain / norm(self.weight, 0, keepdims=True))


class WeightNormConv2d(Conv2d):
    """The convolution with kernels in this form. Arguments as of :class:`Conv2d`.

    Attributes:
        weight: v, ``(outputs, inputs / groups, *kernel_size)``.
        gain: g, ``(outputs, 1, 1, 1)``, at first |v|: the layer is then that without normalization.
    """

    def __init__(self, inputs: int, outputs: int, kernel_size: Any, generator: Generator, **options: Any) -> None:
        super().__init__(inputs, outputs, kernel_size, generator, **options)
        self.gain = Parameter(norm(self.weight.detach(), (1, 2, 3), keepdims=True).data)

    def _used(self) -> Tensor:
        return self.weight * (self.gain / norm(self.weight, (1, 2, 3), keepdims=True))
