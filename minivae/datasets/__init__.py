"""Data sets by name, or the user's own file by path.

``load("digits")`` needs no network; ``load("mnist")``, ``load("frey")`` and
``load("binarized-mnist")`` look into the folder ``MINIVAE_DATA``, then into the user's
cache, then download. Pixels stay uint8: a model sees ``images / scale``.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..checks import integer_from_zero, one_of
from ..errors import InputError
from . import binarized_mnist, digits, frey_faces, mnist, user_file
from .dataset import SPLITS, Dataset, Split, first_beyond, one_hot, require_domain, require_finite

__all__ = [
    "SPLITS",
    "Dataset",
    "Split",
    "available",
    "first_beyond",
    "load",
    "names",
    "one_hot",
    "require_domain",
    "require_finite",
]

_SETS = {"digits": digits, "mnist": mnist, "frey": frey_faces, "binarized-mnist": binarized_mnist}


def names() -> tuple[str, ...]:
    """The names that :func:`load` knows."""
    return tuple(_SETS)


def available() -> dict[str, Path | None]:
    """Where each named data set lies on this machine; None if it would be downloaded."""
    return {name: module.found() for name, module in _SETS.items()}


def load(name_or_path: str | os.PathLike, *, split: str | None = None, seed: int = 0) -> Dataset:
    """Return a data set by its name, or from the user's own file or folder.

    Args:
        name_or_path: one of :func:`names`, or a path (``./mnist`` if a folder has such a
            name); formats and rules in ``user_file.py``.
        split: "random" or "contiguous" for data that come in one piece (frey, most files).
        seed: seed of the random split.

    Raises:
        InputError: unknown name, or data that are missing, damaged or of a wrong kind.
    """
    name = _text(name_or_path)
    integer_from_zero("seed", seed)
    if name not in _SETS:
        path = os.path.expanduser(name)
        if os.path.exists(path):
            return user_file.load(Path(path), split, seed)
        if os.path.basename(path) != path or os.path.splitext(path)[1]:
            raise InputError(f"data is {name!r}; expected a file or folder, and there is none")
        try:
            one_of("data", name, names())
        except InputError as error:
            raise InputError(f"{error} (and there is no file or folder of that name)") from None
    return _SETS[name].load(split, seed)


def _text(name_or_path: str | os.PathLike) -> str:
    try:
        return os.fsdecode(name_or_path)
    except TypeError:
        raise InputError(f"data is {name_or_path!r}; expected a name or a path") from None
