"""Files that are either whole or absent: write beside the target, flush, rename."""

from __future__ import annotations

import os
import tempfile
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
        InputError: the folder does not exist or cannot be written to.
    """
    path = Path(path)
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _umask() -> int:
    # mkstemp makes files readable by their owner alone; a result file should be
    # as readable as any other. The mask can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask
