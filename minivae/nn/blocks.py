"""Layers put together around others: gates, sums with what came in, and weights of channels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autodiff import Tensor, mean, relu, reshape, sigmoid, split, tanh
from ..autodiff.shape import shaped
from ..backend import Generator
from ..checks import function, integer, positive_integer
from ..errors import InputError
from .mlp import Linear, Module


class Gated(Module):
    """tanh(a) sigmoid(b) of the two halves a and b of what a layer gives, cut along an axis.

    van den Oord et al. 2016, "Conditional image generation with PixelCNN decoders", arXiv 1606.05328, Eq. 2.

    Args:
        layer: gives twice as many channels as are wanted: a convolution, with axis 1, or ``Linear``, with axis -1.
        axis: of the channels.
    """

    def __init__(self, layer: Callable[[Any], Tensor], axis: int = 1) -> None:
        self.layer, self.axis = function("layer", layer), integer("axis", axis)

    def __call__(self, x: Any) -> Tensor:
        """What the layer gives of x, with half of its channels.

        Raises:
            InputError: there is no such axis, or it has an odd length.
        """
        a, b = split(self.layer(x), 2, self.axis)
        return tanh(a) * sigmoid(b)


class Residual(Module):
    """x + f(x): He et al. 2016, "Deep residual learning for image recognition", arXiv 1512.03385, Eq. 1.

    Args:
        layer: f, which gives what has the shape of x; a module's parameters are those of this one.
    """

    def __init__(self, layer: Callable[[Any], Tensor]) -> None:
        self.layer = function("layer", layer)

    def __call__(self, x: Any) -> Tensor:
        """x + f(x).

        Raises:
            InputError: f(x) has another shape.
        """
        y = self.layer(x)
        if y.shape != x.shape:
            raise InputError(f"x has shape {x.shape} and layer(x) {y.shape}; expected the same")
        return x + y


class SqueezeExcitation(Module):
    """Each channel of an image times a weight in (0, 1), a network's of the means of all channels.

    s = sigmoid(W relu(V m + b) + c), with m_c the mean of channel c: Hu et al. 2018, "Squeeze-and-excitation networks",
    arXiv 1709.01507, Eq. 2 to 4.

    Args:
        channels: how many.
        hidden: how many units the network has in its hidden layer.
        generator, options: see :class:`~minivae.nn.Linear`.
    """

    def __init__(self, channels: int, hidden: int, generator: Generator, **options: Any) -> None:
        channels, hidden = positive_integer("channels", channels), positive_integer("hidden", hidden)
        self.squeeze = Linear(channels, hidden, generator, **options)
        self.excite = Linear(hidden, channels, generator, **options)

    def __call__(self, x: Any) -> Tensor:
        """``(N, channels, H, W) -> (N, channels, H, W)``.

        Raises:
            InputError: ``x`` has another number of channels.
        """
        channels = self.squeeze.weight.shape[0]
        expected = f"images (N, {channels}, H, W)"
        x = shaped("x", x, self.squeeze.weight, None, channels, None, None, expected=expected)
        weights = sigmoid(self.excite(relu(self.squeeze(mean(x, (2, 3))))))
        return x * reshape(weights, (*weights.shape, 1, 1))
