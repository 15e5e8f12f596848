"""Files that are either whole or absent: write beside the target, flush, rename."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..checks import path_of
from ..errors import InputError
from .locks import file_lock

# What is written, and its writer's lock; the first such mark is ours, as a suffix (one dot) may look like one.
_TEMPORARY = re.compile(r"(\..+?)\.(?:part|lock)-([0-9a-f]{8}(?:\.[^.]+)?)")


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path in the same folder; rename it to ``path`` on success.

    The temporary name keeps the suffix of ``path`` (libraries choose formats by
    it). If the body raises, the temporary file is removed and ``path`` is left as
    it was. The data are flushed to disk before the rename, so that a crash leaves
    either the old file or the new one, never a part. A lock beside it says that its
    writer lives (:func:`remove_leftovers`).

    Raises:
        InputError: ``path`` is a folder, or the system refused to make, write, flush
            or rename the file (any OSError, in the body too): no such folder, no space
            left, no permission.
    """
    path = path_of("path", path)
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder")
    temporary, lock = _temporary(path.parent, f".{path.stem}", f"{secrets.token_hex(4)}{path.suffix}")
    try:
        with file_lock(lock, names=path):
            try:
                open(temporary, "xb").close()  # now, so that a bad folder is found before the work
                yield temporary
                with open(temporary, "rb+") as file:
                    os.fsync(file.fileno())
                os.replace(temporary, path)
            finally:
                with suppress(OSError):  # after a rename there is none; without its folder neither
                    temporary.unlink()
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of :func:`atomic_path` in ``folder`` whose writers were killed.

    Those of living writers, of any process or machine, are locked and stay; and so does all
    where there are no locks, and what the system does not let us remove.
    """
    found = {match.groups() for path in folder.iterdir() if (match := _TEMPORARY.fullmatch(path.name))}
    for temporary, lock in (_temporary(folder, *parts) for parts in found):
        with suppress(InputError, OSError), file_lock(lock, f"{temporary} is being written") as held:
            if held:
                temporary.unlink(missing_ok=True)


def _temporary(folder: Path, start: str, end: str) -> tuple[Path, Path]:
    """What is written in place of a file, and the lock that its writer holds."""
    return folder / f"{start}.part-{end}", folder / f"{start}.lock-{end}"
