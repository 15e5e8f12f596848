"""Checkpoints: everything that a run needs to go on exactly, in one ``.npz`` file.

Arrays by name (``model/...``, ``optimizer/0/...``) and one JSON text, ``meta``, with the
rest. Nothing in it is code: files are read with ``allow_pickle=False``.
"""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np

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
            minivae, or one of a later version.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        meta = json.loads(str(arrays.pop("meta")))
        kind, version = meta["format"], meta["version"]
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist; expected a checkpoint of minivae") from error
    except Exception as error:  # whatever a damaged file makes its readers raise
        raise InputError(f"{path} is not a whole checkpoint of minivae: {error}") from error
    if kind != FORMAT or version > VERSION:
        raise InputError(f"{path} is a {kind} of version {version}; expected {FORMAT} of version {VERSION}")
    return arrays, meta


def under(prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    """The arrays whose names begin with ``prefix``, without it."""
    return {name[len(prefix) :]: value for name, value in arrays.items() if name.startswith(prefix)}


def put_under(prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    """The arrays with ``prefix`` before their names."""
    return {prefix + name: value for name, value in arrays.items()}
