"""Modules, whose parameters have names; the affine layer, and the multi-layer perceptron made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .. import autodiff
from ..autodiff import Parameter, Tensor, attributes
from ..autodiff.shape import shaped
from ..autodiff.state import copy_state, load_state
from ..backend import Generator, asarray, float_dtype, get_backend, require_generator
from ..backend.memory import memory_for
from ..checks import layer_sizes, one_of, positive_integer
from ..errors import InputError, shown
from .init import INITIALIZERS


class Module:
    """Base of layers and models: anything with parameters.

    Attributes that are tensors, modules, or lists of either are found in the order of
    assignment, so names and flattened vectors are the same from run to run. A
    :class:`Parameter` is trained; a plain tensor is part of the state but is not.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; another value than before makes recorded steps be recorded anew."""
        attributes.note(self, name, value)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        """Remove an attribute, which changes what steps do as well."""
        attributes.note(self, name, None)
        super().__delattr__(name)

    def named_tensors(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """``(dotted name, tensor)`` of all state: parameters and untrained tensors."""
        for name, value in vars(self).items():
            yield from _named(prefix + name, value)

    def modules(self) -> Iterator[Module]:
        """This one and all within it, in order."""
        yield self
        for value in vars(self).values():
            yield from _modules(value)

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """``(dotted name, parameter)``, in order; a shared parameter once."""
        seen: set[int] = set()
        for name, value in self.named_tensors():
            if isinstance(value, Parameter) and id(value) not in seen:
                seen.add(id(value))
                yield name, value

    def parameters(self) -> list[Parameter]:
        """The trained tensors, in order."""
        return [parameter for _, parameter in self.named_parameters()]

    def first_parameter(self) -> Any:
        """One of them, whose dtype and backend those of all are, found without a walk; None if there is none."""
        return next((parameter for _, parameter in self.named_parameters()), None)

    def state_dict(self) -> dict[str, np.ndarray]:
        """A copy of all state in host memory, by name."""
        return copy_state(dict(self.named_tensors()))

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Copy ``state`` into the existing arrays, all of it or nothing.

        Raises:
            InputError: lists every missing, unexpected and misshapen name; or a value
                is no array of numbers.
        """
        load_state(type(self).__name__, dict(self.named_tensors()), state)


def _modules(value: Any) -> Iterator[Module]:
    """The modules in the value of one attribute."""
    if isinstance(value, Module):
        yield from value.modules()
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _modules(item)


def _named(name: str, value: Any) -> Iterator[tuple[str, Tensor]]:
    """The tensors in the value of one attribute."""
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, Module):
        yield from value.named_tensors(f"{name}.")
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from _named(f"{name}.{i}", item)


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
        with memory_for("a layer of {} inputs and {} outputs".format(*map(shown, sizes)), generator.backend):
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
        return autodiff.linear(shaped("x", x, self.weight, ..., self.weight.shape[0]), self._used(), self.bias)

    def _used(self) -> Tensor:
        """The weight as it is used."""
        return self.weight


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
