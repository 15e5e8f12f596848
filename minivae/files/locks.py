"""Advisory locks: one process (or thread) at a time, the others wait or are refused.

The system takes a lock back when its holder ends, however it ends: a crash leaves no
lock behind, at most its empty file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import InputError

try:
    import fcntl
except ImportError:  # pragma: no cover (Windows)
    fcntl = None


@contextmanager
def file_lock(path: str | os.PathLike, refusal: str | None = None) -> Iterator[bool]:
    """Hold the lock that the file ``path`` stands for; it is made here and removed afterwards.

    Args:
        refusal: what to say where another process or thread holds it; None to wait for it.

    Yields:
        whether it is really held: Windows and some network file systems have no such
        locks, and there everyone is let in.

    Raises:
        InputError: the file cannot be made; or ``refusal``, at once.
    """
    path = Path(path)
    while True:
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror}") from error
        try:
            held = _lock(file, refusal)
            # The last holder removed it while we waited: what we have locked is nobody's lock any more.
            if held and not _lies_at(path, file):
                continue
            try:
                yield held
                return
            finally:
                with suppress(OSError):  # its folder may have vanished
                    path.unlink()  # first, so that whoever waits for it finds it gone
                if held:  # closing would not do: a forked child may have it open too
                    fcntl.flock(file, fcntl.LOCK_UN)
        finally:
            os.close(file)


def _lock(file: int, refusal: str | None) -> bool:
    """Lock an open file, waiting if there is no ``refusal``; False where the system has no locks."""
    if fcntl is None:  # pragma: no cover (Windows)
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (fcntl.LOCK_NB if refusal else 0))
    except BlockingIOError:
        raise InputError(refusal) from None
    except OSError:
        return False
    return True


def _lies_at(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False
