"""Data sets by name, or the user's own file by path."""

from __future__ import annotations

import os

from ..errors import one_of
from . import digits
from .dataset import Dataset, Split, require_unit_interval

__all__ = ["Dataset", "Split", "load", "names", "require_unit_interval"]

_LOADERS = {"digits": digits.load}


def names() -> tuple[str, ...]:
    """The names that :func:`load` knows."""
    return tuple(_LOADERS)


def load(name_or_path: str | os.PathLike, *, split: str | None = None, seed: int = 0) -> Dataset:
    """Return the data set of that name.

    Raises:
        InputError: unknown name.
    """
    return _LOADERS[one_of("data", os.fspath(name_or_path), names())](split, seed)
