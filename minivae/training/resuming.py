"""What a checkpoint must agree in with the run that goes on from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, shown
from ..models.own import is_same
from ..runs.checkpoint import as_json, under
from ..runs.config import MAY_CHANGE

if TYPE_CHECKING:
    from .trainer import Trainer


def identity(trainer: Trainer) -> dict[str, dict[str, Any]]:
    """What makes a run the one that it is, as a checkpoint's metadata hold it."""
    run = {
        "model": type(trainer.model).__name__,
        "validation_rows": len(trainer.validation or ()),
        "training_rows": len(trainer.train),
        "dtype": trainer.train.dtype.name,
        "backend": trainer.train.backend,
    }
    return as_json({"settings": vars(trainer.settings), "model": trainer.model.config, "run": run})


def require_same(asked: Mapping[str, Mapping[str, Any]], meta: Mapping[str, Any]) -> None:
    """Check that a checkpoint is of the run that is asked for.

    Raises:
        InputError: it is from another model, other data, or a run with other settings
            (only those of ``MAY_CHANGE`` may differ).
    """
    for group, values in asked.items():
        for name, value in values.items():
            found = meta[group].get(name)
            if name not in MAY_CHANGE and not is_same(found, value):
                apart = name == "validation_rows" and not (found and value)
                why = " (patience has rows set apart only from the start on)" if apart else ""
                raise InputError(f"{name} is {shown(value)}; the run to resume has {shown(found)}{why}")


def require_sums(arrays: Mapping[str, np.ndarray], optimizers: int, running_steps: int) -> None:
    """Check that what is not the model's or an optimizer's is a sum since the last report, or of skipped steps.

    Raises:
        InputError: there is something else, or sums of no steps, or no sums of some.
    """
    owned = ("model/", "preparation/", *(f"optimizer/{i}/" for i in range(optimizers)))
    sums = {name: array for name, array in arrays.items() if not str(name).startswith(owned)}
    for name, array in sums.items():  # skipping may have begun or ended since
        if not name.startswith(("running/", "skipped")) or array.shape or array.dtype.kind != "f":
            raise InputError(f"{name} is {array.dtype} of shape {array.shape}; expected no more than running/ sums")
    if bool(under("running/", arrays)) != bool(running_steps):
        raise InputError(f"running_steps is {running_steps}; expected running/ sums of as many steps")
