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

    Attributes that are tensors, modules, or lists of modules are found in the order of
    assignment, so names and flattened vectors are the same from run to run. A
    :class:`Parameter` is trained; a plain tensor is part of the state but is not.
    """

    def named_tensors(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """``(dotted name, tensor)`` of all state: parameters and untrained tensors."""
        for name, value in vars(self).items():
            if isinstance(value, Tensor):
                yield prefix + name, value
            elif isinstance(value, Module):
                yield from value.named_tensors(f"{prefix}{name}.")
            elif isinstance(value, list | tuple):
                for i, item in enumerate(value):
                    if isinstance(item, Module):
                        yield from item.named_tensors(f"{prefix}{name}.{i}.")

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
            InputError: lists every missing, unexpected and misshapen name.
        """
        own = dict(self.named_tensors())
        faults = [f"missing {name}" for name in own if name not in state]
        faults += [f"unexpected {name}" for name in state if name not in own]
        faults += [
            f"{name} has shape {tuple(np.shape(state[name]))}, expected {value.shape}"
            for name, value in own.items()
            if name in state and tuple(np.shape(state[name])) != value.shape
        ]
        if faults:
            raise InputError(f"state does not fit {type(self).__name__}: {'; '.join(faults)}")
        for name, value in own.items():
            library = backend.library_of(value.data)
            value.data[...] = backend.asarray(state[name], dtype=value.dtype, backend=library.name)
