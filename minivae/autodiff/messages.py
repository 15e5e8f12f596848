"""What to say of inputs that a primitive cannot take. Nothing here runs before something has gone wrong."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from typing import Any

from .. import backend
from ..errors import InputError, OutOfMemoryError, shown
from ..memory import out_of_memory


def misfit(primitive: Any, arrays: Sequence[Any], attributes: dict[str, Any], error: Exception) -> InputError:
    """The error for inputs that do not go together: each by its name, and what the array library said."""
    came = [f"{argument_name(primitive, i)} is {_described(x)}" for i, x in enumerate(arrays)]
    came += [f"{name} is {shown(value)}" for name, value in attributes.items()]
    said = " ".join(str(error).split())
    return InputError(f"{primitive.name}: {', '.join(came)}; expected what goes together ({said})")


def too_large(
    primitive: Any, arrays: Sequence[Any], attributes: dict[str, Any], error: MemoryError
) -> OutOfMemoryError:
    """The error for an operation whose result there is no memory for."""
    if arrays:
        what, library = ", ".join(_described(x) for x in arrays), backend.library_of(*arrays)
    else:  # constants and noise say where they are made
        what = f"{attributes.get('shape')} {attributes.get('dtype')}"
        library = getattr(attributes.get("generator"), "library", None) or backend.library(attributes.get("library"))
    return out_of_memory(f"{primitive.name} of {what}", library, error)


def argument_name(primitive: Any, i: int) -> str:
    """What messages call input ``i`` of a primitive: as its formula or function does, else by its number."""
    names = getattr(primitive.value, "arguments", None)
    if names is None:  # of a function, whose first argument is the array library
        _, *parameters = signature(primitive.value).parameters.values()
        names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    return names[i] if i < len(names) else f"inputs[{i}]"


def _described(x: Any) -> str:
    return f"{x.shape} {x.dtype} on {backend.library_of(x).name}" if backend.is_array(x) else repr(x)
