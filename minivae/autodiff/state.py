"""The state of models and optimizers: named tensors, as arrays in host memory, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import backend
from ..checks import instance
from ..errors import InputError
from . import Tensor
from .effects import note_assigned

MOST_FAULTS = 30  # in one message


def copy_state(tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """A copy of each tensor in host memory."""
    return {name: np.array(backend.to_numpy(value.data)) for name, value in tensors.items()}


def load_state(owner: str, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Write ``state`` into the tensors' own arrays, all of it or nothing.

    Raises:
        InputError: names the owner and lists the missing, unexpected and misshapen
            names, the first of many; or a value is no array of numbers.
    """
    instance("state", state, Mapping, "a mapping from names to arrays")
    arrays = {name: _array_like(name, value, state[name]) for name, value in tensors.items() if name in state}
    faults = [f"missing {name}" for name in tensors if name not in state]
    faults += [f"unexpected {name}" for name in state if name not in tensors]
    faults += [
        f"{name} has shape {array.shape}, expected {tensors[name].shape}"
        for name, array in arrays.items()
        if array.shape != tensors[name].shape
    ]
    if len(faults) > MOST_FAULTS:
        faults[MOST_FAULTS:] = [f"and {len(faults) - MOST_FAULTS} more"]
    if faults:
        raise InputError(f"state does not fit {owner}: {'; '.join(faults)}; expected what its state_dict() gives")
    for name, array in arrays.items():
        tensors[name].data[...] = array
        note_assigned(tensors[name].data)


def _array_like(name: str, tensor: Tensor, value: Any) -> Any:
    where = backend.backend_of(tensor.data).name
    array = backend.asarray(value, backend=where, name=f"state[{name!r}]")
    if array.dtype.kind == "c":  # its imaginary part would be dropped
        raise InputError(f"state[{name!r}] has dtype {array.dtype}; expected real numbers")
    return backend.asarray(array, dtype=tensor.dtype)
