"""Module: named parameters, found in the order in which they were assigned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..autodiff import Parameter, Tensor, attributes
from ..autodiff.state import copy_state, load_state


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
