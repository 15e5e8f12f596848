"""A model from what a checkpoint holds: the same class, arguments and dtype, and the weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import InputError, shown
from ..models import Model
from ..models.model import taken
from .checkpoint import stored_preparation, under


def loaded(
    kind: type[Model],
    arguments: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    *,
    dtype: Any = None,
    backend: str | None = None,
) -> Model:
    """The model whose checkpoint has these arrays.

    Args:
        kind: its class.
        arguments: of the constructor, without what belongs to a run.
        arrays: of the checkpoint, by name.
        dtype: the one that it was trained in if None.
        backend: the default backend if None: where arrays live is no property of a model.

    Raises:
        InputError: the arguments or the weights do not fit the class, or it takes no dtype or backend.
    """
    own, weights = taken(kind), under("model/", arrays)
    for name, value in {"dtype": dtype, "backend": backend}.items():
        if value is not None and name not in own:
            raise InputError(f"{name} is {shown(value)}, but {kind.__name__} takes none; expected None")
    stored = next((weight.dtype.name for weight in weights.values() if weight.dtype.kind == "f"), None)
    of_run = {"dtype": stored if dtype is None else dtype, "backend": backend}
    model = kind(**arguments, **{name: value for name, value in of_run.items() if name in own})
    model.load_state_dict(weights)
    model.preparation = stored_preparation(arrays)
    return model


def require_same_shapes(folder: Any, found: Mapping[str, np.ndarray], asked: Mapping[str, np.ndarray]) -> None:
    """Check that the weights of the run in ``folder`` fit a model whose own are ``asked``.

    Raises:
        InputError: one does not fit; names the first.
    """
    for name in dict.fromkeys([*asked, *found]):
        theirs, ours = (state[name].shape if name in state else None for state in (found, asked))
        if theirs != ours:
            has = "does not have" if theirs is None else f"has in shape {theirs}"
            expected = "none of that name" if ours is None else f"shape {ours}, as the model to train has it"
            raise InputError(f"the weights of {folder} do not fit: it {has} {name}; expected {expected}")
