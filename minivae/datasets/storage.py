"""Where the files of a data set lie: the folder ``MINIVAE_DATA``, else a cache of the user's.

Both hold one folder for each set (``mnist/``, ``frey/``, ``binarized_mnist/``). What
lies in neither is downloaded into the cache.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError
from .download import fetch


@dataclass(frozen=True)
class Wanted:
    """A file of a data set.

    Attributes:
        names: the file's name as the mirrors have it, then other names it may lie under.
        urls: its mirrors, best first.
        verify: what the file at a path holds; raises InputError unless it is the right one.
    """

    names: tuple[str, ...]
    urls: tuple[str, ...]
    verify: Callable[[Path], np.ndarray]


def cache_folder() -> Path:
    """The user's own cache, where the platform has it; on Linux ``$XDG_CACHE_HOME/minivae`` or ``~/.cache/minivae``.

    Raises:
        InputError: there is no home, as of users that the system does not know.
    """
    from platformdirs import user_cache_path

    with suppress(RuntimeError):
        if (cache := user_cache_path("minivae", appauthor=False, opinion=False)).is_absolute():
            return cache
    raise InputError("there is no home for the cache; expected HOME or XDG_CACHE_HOME to name a folder")


def find(folder: str, names: Sequence[str]) -> Path | None:
    """Return the first existing file of these names in a data set's folder, or None.

    Raises:
        InputError: ``MINIVAE_DATA`` is set to something that is no folder.
    """
    roots: list[Path] = []
    with suppress(InputError):  # of who has no home there is none
        roots.append(cache_folder())
    if data := os.environ.get("MINIVAE_DATA"):
        if not os.path.isdir(data):
            raise InputError(f"MINIVAE_DATA is {data!r}; expected a folder that exists")
        roots.insert(0, Path(data))
    candidates = (root / folder / name for root in roots for name in names)
    return next((path for path in candidates if path.is_file()), None)


def obtain(folder: str, files: Sequence[Wanted]) -> list[Path]:
    """Return a path for every file, downloading into the cache those that are nowhere.

    Raises:
        InputError: one cannot be had; says which files to put where.
    """
    target = cache_folder() / folder
    paths: list[Path] = []
    for file in files:
        path = find(folder, file.names)
        if path is None:
            path = target / file.names[0]
            try:
                fetch(file.urls, path, file.verify)
            except InputError as error:
                names = ", ".join(wanted.names[0] for wanted in files if find(folder, wanted.names) is None)
                raise InputError(
                    f"{error}; without a network, put {names} into {target}, "
                    f"or into the folder {folder} of a folder that MINIVAE_DATA names"
                ) from error
        paths.append(path)
    return paths


def require_sha256(what: str, array: np.ndarray, expected: str) -> np.ndarray:
    """Return ``array`` if its bytes (C order) are the published ones.

    The values are checked and not the file, which may be packed in several ways.

    Raises:
        InputError: they are not.
    """
    from hashlib import sha256

    found = sha256(np.ascontiguousarray(array).data).hexdigest()
    if found != expected:
        raise InputError(f"{what}: SHA-256 of the values is {found[:12]}..., expected {expected[:12]}...")
    return array
