"""Advisory locks: one process (or thread) at a time, the others wait or are refused.

The system takes a lock back when its holder ends, however it ends: a crash leaves no
lock behind, at most its file.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..errors import InputError

_NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK)  # so some network file systems answer

SAID_AFTER = 2.0  # seconds of waiting


def _soon(lock: Any) -> bool:
    from filelock import Timeout

    try:
        lock.acquire(timeout=SAID_AFTER)
    except Timeout:
        return False
    return True


@contextmanager
def file_lock(
    path: str | os.PathLike,
    refusal: str | None = None,
    *,
    names: str | os.PathLike | None = None,
    patience: float = 0,
    waiting: str | None = None,
) -> Iterator[bool]:
    """Hold the lock that the file ``path`` stands for; it is made here and removed afterwards.

    Args:
        path: the lock's file.
        refusal: what to say where another process or thread holds it; None to wait for it.
        names: the file that an error names, for whose sake it is locked; ``path`` itself if None.
        patience: seconds to wait before the refusal.
        waiting: what is said on standard error when the wait is longer than :data:`SAID_AFTER`.

    Yields:
        whether it is really held: some network file systems have no locks, and there
        everyone is let in.

    Raises:
        InputError: the file cannot be made; or ``refusal``, after ``patience``.
    """
    from filelock import FileLock, Timeout  # slow to import

    path, named = Path(path), path if names is None else names
    if not path.parent.is_dir():  # filelock would make it
        raise InputError(f"cannot write {named}: {os.strerror(errno.ENOENT)}")
    lock, held = FileLock(path, timeout=patience if refusal else -1, fallback_to_soft=False), True
    try:
        if waiting is None or not _soon(lock):
            if waiting is not None and sys.stderr is not None:
                print(waiting, file=sys.stderr, flush=True)
            lock.acquire()
    except Timeout:
        raise InputError(refusal or "") from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise InputError(f"cannot write {named}: {error.strerror or error}") from error
        held = False
    try:
        yield held
    finally:
        with suppress(OSError):  # its folder may have vanished; Windows removes no open file
            path.unlink()  # while it is held: who has opened it by now finds that it is gone, and opens it anew
        lock.release()
