"""Weights out and in, with PyTorch's names and layouts: ``state_dict`` and files of ``safetensors``.

A tensor has the name that ``state_dict`` gives it here. The weight of a linear layer is ``(inputs, outputs)`` here and
``(outputs, inputs)`` there, as ``torch.nn.Linear`` has it; all else is the same, so that modules of PyTorch with
attributes of the same names compute the same. (Its BatchNorm counts minibatches, too, which nothing here depends on.)

How a model's data are prepared (``model.preparation``) is no tensor. A file of ``safetensors`` has it in its metadata,
where others pass over it; beside a ``state_dict`` it is to be handed on by itself, or the model sees other values.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..checks import instance, path_of
from ..datasets.preparation import Preparation, for_columns
from ..errors import InputError, shown
from ..files import atomic_path
from ..files.reading import reading, require_file
from ..optional import import_optional
from .mlp import Linear, Module

PREPARATION = "minivae.preparation"  # in the metadata of a file


def to_torch_state_dict(module: Module) -> dict[str, Any]:
    """A copy of all state as tensors of PyTorch, by name: what ``load_state_dict`` takes there.

    Not among them is how the data of a trained model are prepared: ``other.preparation = model.preparation``.

    Raises:
        InputError: PyTorch is not installed.
    """
    arrays = _torch_arrays(module)
    torch = _package("torch", "torch", "from_numpy")
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def from_torch_state_dict(module: Module, state: Mapping[str, Any]) -> None:
    """Copy a ``state_dict`` of PyTorch into a module, all of it or nothing.

    Args:
        module: changes in place.
        state: tensors of PyTorch, or arrays, by name.

    Raises:
        InputError: lists every missing, unexpected and misshapen name; or a value is no array of numbers.
    """
    transposed = _weights_of_linear_layers(module)
    instance("state", state, Mapping, "arrays by name")
    counts = _counts_of_minibatches(module)
    arrays = {name: _array(name, value) for name, value in state.items() if name not in counts}
    module.load_state_dict({name: array.T if name in transposed else array for name, array in arrays.items()})


def save_safetensors(module: Module, path: str | os.PathLike) -> None:
    """Write all state, and how the data of a model are prepared, to a file of ``safetensors``, atomically.

    The layouts are PyTorch's.

    Raises:
        InputError: the package is not installed, or the file cannot be written.
    """
    arrays = _torch_arrays(module)
    package = _package("safetensors.numpy", "safetensors", "save_file", "load_file")
    with atomic_path(path_of("path", path)) as temporary:
        package.save_file(arrays, temporary, metadata={"format": "pt", **_preparation_in_words(module)})


def load_safetensors(module: Module, path: str | os.PathLike) -> None:
    """Copy what :func:`save_safetensors` wrote, or PyTorch under the same names, into a module, all of it or nothing.

    A model gets the preparation that the file tells of; of a file that tells nothing it keeps its own.

    Raises:
        InputError: the package is not installed; there is no such file, or it is damaged; or it does not fit.
    """
    instance("module", module, Module, "a Module")
    path = require_file(path_of("path", path))
    package = _package("safetensors.numpy", "safetensors", "save_file", "load_file")
    with reading(path, "file of safetensors"):
        arrays = package.load_file(path)
        with _package("safetensors", "safetensors", "safe_open").safe_open(path, framework="numpy") as file:
            words = (file.metadata() or {}).get(PREPARATION)
    try:
        changes = {} if words is None else {"preparation": _preparation_of(words, module)}
        from_torch_state_dict(module, arrays)
    except InputError as error:
        raise InputError(f"{path} does not fit: {error}") from error
    for name, value in changes.items():
        setattr(module, name, value)


def _preparation_in_words(module: Module) -> dict[str, str]:
    """How the data of a model are prepared, null for not at all; nothing of what is no model."""
    if not hasattr(module, "preparation"):
        return {}
    preparation = getattr(module, "preparation", None)
    state = None if preparation is None else {name: value.tolist() for name, value in preparation.state().items()}
    return {PREPARATION: json.dumps(state)}


def _preparation_of(words: str, module: Module) -> Preparation | None:
    """What :func:`_preparation_in_words` told of, for a model of as many values."""
    try:
        state = json.loads(words)
    except (ValueError, RecursionError) as error:
        raise InputError(f"its {PREPARATION} is {shown(words)}; expected JSON") from error
    return None if state is None else for_columns(Preparation.of_state(state), getattr(module, "data_dim", 0))


def _torch_arrays(module: Module) -> dict[str, np.ndarray]:
    transposed = _weights_of_linear_layers(module)
    state = module.state_dict()
    return {name: np.ascontiguousarray(array.T) if name in transposed else array for name, array in state.items()}


def _weights_of_linear_layers(module: Module) -> set[str]:
    """The names of the weights that PyTorch has transposed."""
    instance("module", module, Module, "a Module")
    weights = {id(layer.weight) for layer in module.modules() if isinstance(layer, Linear)}
    return {name for name, value in module.named_tensors() if id(value) in weights}


def _counts_of_minibatches(module: Module) -> set[str]:
    """The names of what PyTorch has beside running means."""
    names = (name.rpartition(".") for name, _ in module.named_tensors())
    return {f"{lead}{dot}num_batches_tracked" for lead, dot, last in names if last == "running_mean"}


def _array(name: str, value: Any) -> np.ndarray:
    """An array of a tensor of PyTorch, wherever it is, or of what NumPy makes an array of."""
    try:
        host = value.detach().cpu().numpy() if hasattr(value, "cpu") else np.asarray(value)
    except Exception as error:  # bfloat16, which NumPy has not
        raise InputError(f"state[{name!r}] is {shown(value)}; expected an array of numbers ({error})") from error
    return host


def _package(name: str, extra: str, *has: str) -> Any:
    try:
        return import_optional(name, *has)
    except ImportError as error:
        raise InputError(f"{name} cannot be imported ({error}); expected the package:  pip install {extra}") from error
