"""Files that are either whole or absent: write beside the target, flush, rename."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import InputError


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path in the same folder; rename it to ``path`` on success.

    The temporary name keeps the suffix of ``path`` (libraries choose formats by
    it). If the body raises, the temporary file is removed and ``path`` is left as
    it was. The data are flushed to disk before the rename, so that a crash leaves
    either the old file or the new one, never a part.

    Raises:
        InputError: the folder does not exist or cannot be written to, or ``path``
            is a folder.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder")
    temporary = path.parent / f".{path.stem}.{secrets.token_hex(4)}{path.suffix}"
    try:
        open(temporary, "xb").close()  # now, so that a bad folder is found before the work
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
