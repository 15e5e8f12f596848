"""Files that are either whole or absent: write beside the target, flush, rename."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..checks import path_of
from ..errors import InputError
from .locks import file_lock

# What must not be replaced by a file: the system, or another program, has it there for a purpose.
_NO_FILES = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)
# What is written, and its writer's lock; the first such mark is ours, as a suffix (one dot) may look like one.
_TEMPORARY = re.compile(r"(\..+?)\.(?:part|lock)-([0-9a-f]{8}(?:\.[^.]+)?)")


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path in the same folder; rename it to ``path`` on success.

    The temporary name keeps the suffix of ``path`` (libraries choose formats by
    it). If the body raises, the temporary file is removed and ``path`` is left as
    it was. The data are flushed to disk before the rename, so that a crash leaves
    either the old file or the new one, never a part. A lock beside it says that its
    writer lives (:func:`remove_leftovers`). A file that is there keeps its mode; of a
    symbolic link what it leads to is written.

    Raises:
        InputError: ``path`` is a folder, a device, a pipe or anything else than a file, or a file that may not be
            written; or the system refused to make, write, flush or rename the file (any OSError, in the body too):
            no such folder, no space left, no permission.
    """
    path = path_of("path", path)
    try:
        target, mode = _target(path)
        temporary, lock = _temporary(target.parent, f".{target.stem}", f"{secrets.token_hex(4)}{target.suffix}")
        with file_lock(lock, names=path):
            try:
                open(temporary, "xb").close()  # now, so that a bad folder is found before the work
                if mode is not None:  # before anything is in it that others may not read
                    os.chmod(temporary, mode)
                yield temporary
                with open(temporary, "rb+") as file:
                    os.fsync(file.fileno())
                os.replace(temporary, target)
            finally:
                with suppress(OSError):  # after a rename there is none; without its folder neither
                    temporary.unlink()
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error


def _target(path: Path) -> tuple[Path, int | None]:
    """What is written, behind symbolic links, and the mode that it has; None for a new file.

    Raises:
        InputError: it is no file.
        OSError: the links go round in a circle, or the file may not be written.
    """
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):  # opening it says so, where it matters
        return target, None
    if not stat.S_ISREG(status.st_mode):
        found = next((what for is_one, what in _NO_FILES if is_one(status.st_mode)), "no file")
        raise InputError(f"cannot write {path}: it is {found}")
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return target, stat.S_IMODE(status.st_mode)


def is_temporary(name: str) -> bool:
    """Whether a file of that name is one that :func:`atomic_path` has beside those that it writes."""
    return _TEMPORARY.fullmatch(name) is not None


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
