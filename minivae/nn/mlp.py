"""The affine layer, and the multi-layer perceptron."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from .. import autodiff
from ..autodiff import Parameter, Tensor
from ..autodiff.arguments import shaped
from ..backend import Generator, asarray, float_dtype, get_backend, require_generator
from ..backend.memory import memory_for
from ..checks import layer_sizes, one_of, positive_integer
from ..errors import InputError
from .init import INITIALIZERS
from .module import Module


class Linear(Module):
    """x -> x W + b, over the last axis.

    Args:
        inputs, outputs: lengths of the last axis before and after.
        generator: draws the initial values. They are drawn where the generator lives
            and then moved, so that one seed gives the same model on every backend.
        init: one of ``INITIALIZERS``: "glorot", "he", "paper".
        dtype: float32 (default) or float64.
        backend: where the parameters live; the default backend if None.

    Attributes:
        weight: ``(inputs, outputs)``.
        bias: ``(outputs,)``.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        generator: Generator,
        *,
        init: str = "glorot",
        dtype: Any = None,
        backend: str | None = None,
    ) -> None:
        initializer = INITIALIZERS[one_of("init", init, INITIALIZERS)]
        sizes = positive_integer("inputs", inputs), positive_integer("outputs", outputs)
        require_generator("generator", generator)
        with memory_for(f"a layer of {inputs} inputs and {outputs} outputs", generator.backend):
            weight, bias = initializer(generator, *sizes, float_dtype(dtype))
            if inputs < outputs:  # in memory as its gradient comes, so that an optimizer reads both straight on
                weight = weight.T.copy().T
        where = get_backend(backend).name
        self.weight = Parameter(asarray(weight, backend=where))
        self.bias = Parameter(asarray(bias, backend=where))

    def __call__(self, x: Any) -> Tensor:
        """``(..., inputs) -> (..., outputs)``.

        Raises:
            InputError: the last axis of ``x`` has another length.
        """
        return autodiff.linear(shaped("x", x, self.weight, ..., self.weight.shape[0]), self.weight, self.bias)


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
        sizes = (positive_integer("inputs", inputs), *layer_sizes("hidden", hidden))
        self.hidden = MLP(sizes, generator, activation=activation, activate_last=True, **options)
        for name, outputs in heads.items():
            own = {"init": "paper"} if name in small else {}
            setattr(self, name, Linear(sizes[-1], outputs, generator, **options | own))
