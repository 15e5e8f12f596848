"""Checkpoints: everything that a run needs to go on exactly, in one ``.npz`` file.

Arrays by name (``model/...``, ``optimizer/0/...``) and one JSON text, ``meta``, with the
rest. Nothing in it is code: pickled objects are refused.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from ..datasets.numpy_file import read_npz
from ..errors import InputError
from ..files import atomic_path

FORMAT = "minivae-checkpoint"
VERSION = 1


def save_checkpoint(path: str | os.PathLike, arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> None:
    """Write arrays and metadata to ``path``, atomically.

    Raises:
        InputError: the folder cannot be written to.
    """
    text = json.dumps({"format": FORMAT, "version": VERSION, **meta})
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, meta=np.array(text), **arrays)


def load_checkpoint(path: str | os.PathLike) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read what :func:`save_checkpoint` wrote: ``(arrays, meta)``.

    Raises:
        InputError: there is no such file, it is truncated, it is no checkpoint of
            minivae, or one of another version.
    """
    arrays = read_npz(Path(path))
    try:
        meta = json.loads(str(arrays.pop("meta")))
        found = meta["format"], meta["version"]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is no checkpoint of minivae: it has no readable meta") from error
    if found != (FORMAT, VERSION):
        raise InputError(f"{path} is a {found[0]} of version {found[1]}; expected {FORMAT} of version {VERSION}")
    return arrays, meta


def as_json(value: Any) -> Any:
    """``value`` as JSON gives it back: tuples become lists, NumPy's numbers Python's."""
    return json.loads(json.dumps(value, default=lambda number: number.item()))


def under(prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    """The arrays whose names begin with ``prefix``, without it."""
    return {name[len(prefix) :]: value for name, value in arrays.items() if name.startswith(prefix)}


def put_under(prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    """The arrays with ``prefix`` before their names."""
    return {prefix + name: value for name, value in arrays.items()}
