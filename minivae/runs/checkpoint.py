"""Checkpoints: everything that a run needs to go on exactly, in one ``.npz`` file.

Arrays by name (``model/...``, ``optimizer/0/...``), one JSON text, ``meta``, with the
rest, and ``sha256``, the digest of all that. Nothing in it is code: pickled objects are refused.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..checks import instance, path_of
from ..datasets.preparation import Preparation
from ..errors import InputError, shown
from ..files import atomic_path
from ..files.npy import digest, read_npz
from ..version import __version__

FORMAT = "minivae-checkpoint"
VERSION = 1
TAKEN = ("meta", "sha256", "file", "allow_pickle")  # names of our own members, and of numpy.savez's arguments


def save_checkpoint(path: str | os.PathLike, arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> None:
    """Write arrays and metadata to ``path``, atomically.

    Raises:
        InputError: an array has a name of ``TAKEN``, or values that are no numbers; the folder cannot be written to.
    """
    instance("arrays", arrays, Mapping, "arrays by name")
    instance("meta", meta, Mapping, "values by name")
    try:
        text = json.dumps({"format": FORMAT, "version": VERSION, "minivae": __version__, **meta})
    except (TypeError, ValueError) as error:
        raise InputError(f"meta is {shown(meta)}; expected what JSON can hold ({error})") from error
    if taken := [name for name in TAKEN if name in arrays]:
        raise InputError(f"arrays has the name {taken[0]!r}; expected none of {', '.join(TAKEN)}")
    members: dict[str, Any] = {"meta": np.array(text)}
    members |= {name: np.asarray(array) for name, array in arrays.items()}
    for name, array in members.items():
        if array.dtype.hasobject:  # it would be pickled, and refused when it is read
            raise InputError(f"arrays[{name!r}] is {shown(arrays[name])}; expected an array of numbers")
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, sha256=np.array(digest(members)), **members)


def load_checkpoint(path: str | os.PathLike) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read what :func:`save_checkpoint` wrote: ``(arrays, meta)``.

    Raises:
        InputError: there is no such file, it is truncated or damaged, it is no checkpoint of
            minivae, or one of another version.
    """
    arrays = read_npz(path_of("path", path), packed=False)  # JSON that unpacks takes 20 times as much once more
    if not {"meta", "sha256"} <= arrays.keys():
        raise InputError(f"{path} is not a checkpoint of minivae: it has no meta or no sha256")
    if str(arrays.pop("sha256")) != digest(arrays):
        raise InputError(f"{path} is damaged: its SHA-256 is not that of what was saved")
    try:
        meta = json.loads(str(arrays.pop("meta")))
        found = meta["format"], meta["version"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is not a checkpoint of minivae: it has no readable meta") from error
    if found != (FORMAT, VERSION):
        raise InputError(
            f"{path} is a {found[0]!r:.40} of version {found[1]!r:.40}, of minivae {meta.get('minivae')!r:.40}; "
            f"this is minivae {__version__}, which reads {FORMAT} of version {VERSION}"
        )
    return arrays, meta


def stored_preparation(arrays: Mapping[str, np.ndarray]) -> Preparation | None:
    """How a checkpoint's data were prepared; None for nothing."""
    found = under("preparation/", arrays)
    return Preparation.of_state(found) if found else None


def as_json(value: Any) -> Any:
    """``value`` as JSON gives it back: tuples become lists, NumPy's numbers Python's.

    Raises:
        InputError: something in it is none of what JSON can hold.
    """
    try:
        return json.loads(json.dumps(value, default=lambda number: number.item()))
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(f"{shown(value)} is not what JSON can hold: {error}") from error


def under(prefix: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays whose names begin with ``prefix``, without it."""
    return {name[len(prefix) :]: value for name, value in arrays.items() if str(name).startswith(prefix)}


def put_under(prefix: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays with ``prefix`` before their names."""
    return {prefix + name: value for name, value in arrays.items()}
