"""Module: named parameters, found in the order in which they were assigned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .. import backend
from ..autodiff import Parameter, Tensor
from ..errors import InputError


class Module:
    """Base of layers and models: anything with parameters.

    Attributes that are tensors, modules, or lists of either are found in the order of
    assignment, so names and flattened vectors are the same from run to run. A
    :class:`Parameter` is trained; a plain tensor is part of the state but is not.
    """

    def named_tensors(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """``(dotted name, tensor)`` of all state: parameters and untrained tensors."""
        for name, value in vars(self).items():
            yield from _named(prefix + name, value)

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

    def state_dict(self) -> dict[str, np.ndarray]:
        """A copy of all state in host memory, by name."""
        return {name: np.array(backend.to_numpy(value.data)) for name, value in self.named_tensors()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Copy ``state`` into the existing arrays, all of it or nothing.

        Raises:
            InputError: lists every missing, unexpected and misshapen name; or a value
                is no array of numbers.
        """
        own = dict(self.named_tensors())
        faults = [f"missing {name}" for name in own if name not in state]
        faults += [f"unexpected {name}" for name in state if name not in own]
        faults += [
            f"{name} has shape {np.shape(state[name])}, expected {value.shape}"
            for name, value in own.items()
            if name in state and np.shape(state[name]) != value.shape
        ]
        if faults:
            raise InputError(f"state does not fit {type(self).__name__}: {'; '.join(faults)}")
        arrays = {name: _array_like(value, state[name]) for name, value in own.items()}
        for name, value in own.items():  # nothing can fail from here on
            value.data[...] = arrays[name]


def _named(name: str, value: Any) -> Iterator[tuple[str, Tensor]]:
    """The tensors in the value of one attribute."""
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, Module):
        yield from value.named_tensors(f"{name}.")
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from _named(f"{name}.{i}", item)


def _array_like(tensor: Tensor, value: Any) -> Any:
    return backend.asarray(value, dtype=tensor.dtype, backend=backend.library_of(tensor.data).name)
