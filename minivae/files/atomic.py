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

_LEFTOVER = re.compile(r"\..+\.part-[0-9a-f]{8}(\.\w+)?")


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path in the same folder; rename it to ``path`` on success.

    The temporary name keeps the suffix of ``path`` (libraries choose formats by
    it). If the body raises, the temporary file is removed and ``path`` is left as
    it was. The data are flushed to disk before the rename, so that a crash leaves
    either the old file or the new one, never a part.

    Raises:
        InputError: ``path`` is a folder, or the system refused to make, write, flush
            or rename the file (any OSError, in the body too): no such folder, no space
            left, no permission.
    """
    path = path_of("path", path)
    temporary = path.parent / f".{path.stem}.part-{secrets.token_hex(4)}{path.suffix}"
    try:
        if path.is_dir():
            raise InputError(f"cannot write {path}: it is a folder")
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
    """Remove the temporary files of :func:`atomic_path` whose process was killed; nobody may be writing there."""
    for path in folder.iterdir():
        if _LEFTOVER.fullmatch(path.name):
            path.unlink(missing_ok=True)
