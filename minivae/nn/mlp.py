"""The multi-layer perceptron."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from .. import autodiff
from ..autodiff import Tensor
from ..backend import Generator
from ..checks import layer_sizes, one_of
from ..errors import InputError
from .linear import Linear
from .module import Module


def leaky_relu(x: Any) -> Tensor:
    """x above 0, 0.2 x below."""
    return autodiff.maximum(x, x * 0.2)


ACTIVATIONS: dict[str, Callable] = {
    "tanh": autodiff.tanh,
    "relu": autodiff.relu,
    "leaky_relu": leaky_relu,
    "sigmoid": autodiff.sigmoid,
    "softplus": autodiff.softplus,
}


class MLP(Module):
    """Linear layers with an activation between them.

    Args:
        sizes: the lengths of the layers, input first: ``(784, 500, 20)`` has one hidden
            layer; a single size has no layers and returns its input.
        generator: draws the initial weights.
        activation: "tanh" (the paper's), "relu", "sigmoid" or "softplus".
        activate_last: apply the activation after the last layer too, so that the
            result is a hidden layer for others to build on.
        options: ``init``, ``dtype``, ``backend`` of :class:`Linear`.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        generator: Generator,
        *,
        activation: str = "tanh",
        activate_last: bool = False,
        **options: Any,
    ) -> None:
        sizes = layer_sizes("sizes", sizes)
        if not sizes:
            raise InputError("sizes is empty; expected at least the input's size")
        self.activation = ACTIVATIONS[one_of("activation", activation, ACTIVATIONS)]
        self.activate_last = activate_last
        self.layers = [Linear(inputs, outputs, generator, **options) for inputs, outputs in pairwise(sizes)]

    def __call__(self, x: Any) -> Tensor:
        """``(..., sizes[0]) -> (..., sizes[-1])``."""
        h = x
        for i, layer in enumerate(self.layers):
            h = layer(h)
            if self.activate_last or i < len(self.layers) - 1:
                h = self.activation(h)
        return autodiff.as_tensor(h)


class HiddenLayers(Module):
    """Hidden layers with several results: each has a linear layer of its own on them, a head, an attribute by its name.

    Args:
        inputs, hidden: the lengths of the layers; without hidden ones the heads are on the inputs.
        heads: the names of the heads and their lengths.
        generator: draws the initial weights.
        small: names of heads whose weights start near 0 (the initializer "paper").
        activation, options: as of :class:`MLP`.

    Attributes:
        hidden: x -> h, ``(..., inputs) -> (..., hidden[-1])``.
    """

    def __init__(
        self,
        inputs: int,
        hidden: Sequence[int],
        heads: Mapping[str, int],
        generator: Generator,
        *,
        small: Sequence[str] = (),
        activation: str = "tanh",
        **options: Any,
    ) -> None:
        sizes = (inputs, *hidden)
        self.hidden = MLP(sizes, generator, activation=activation, activate_last=True, **options)
        for name, outputs in heads.items():
            own = {"init": "paper"} if name in small else {}
            setattr(self, name, Linear(sizes[-1], outputs, generator, **options | own))
