"""Fetch one file from the first mirror that has the right one.

A file reaches its place only when it is whole and its content has been verified;
until then it lies under a temporary name and is removed if anything fails. Of several
processes that want a file one downloads it, and the others wait for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import InputError
from ..files import atomic_path, file_lock, make_folder, remove_leftovers

ATTEMPTS = 3  # rounds over the mirrors
LOCK_PATIENCE = 3600.0  # seconds to wait for another process that downloads
PAUSE = 1.0  # seconds before the second round, doubled before each further one


def fetch(urls: Sequence[str], path: Path, verify: Callable[[Path], object]) -> None:
    """Download ``path``, unless it is there, from the first of ``urls`` whose content passes ``verify``.

    Passing troubles (no connection, a stall, a cut, a server's 5xx) are tried again with
    growing pauses; a missing or wrong file crosses its mirror off.

    Args:
        verify: called with the downloaded file; raises InputError if it is not the right one.

    Raises:
        InputError: no mirror gave the file, with the reason for each, or the folder
            cannot be written. There is then no ``path``.
    """
    make_folder(path.parent)
    lock = path.parent / ".lock"
    other = f"another process or thread is downloading into {path.parent} (it holds {lock})"
    refusal = f"{other} and did not end within {LOCK_PATIENCE:.0f} s; expected to get {path.name} after it"
    with file_lock(lock, refusal, patience=LOCK_PATIENCE, waiting=f"waiting, as {other}"):
        remove_leftovers(path.parent)
        if not path.is_file():  # whoever held the lock may have put it there
            with atomic_path(path) as part:
                _from_mirrors(urls, part, path.name, verify)


def _from_mirrors(urls: Sequence[str], part: Path, name: str, verify: Callable[[Path], object]) -> None:
    """Write the file that the first of ``urls`` gives to ``part``; InputError if none does."""
    from .transfer import Passing, Refused  # heavy

    reasons: dict[str, str] = {}
    mirrors, pause = list(urls), 0.0
    for attempt in range(ATTEMPTS):
        if mirrors:
            time.sleep(pause)
        pause = PAUSE * 2**attempt
        for url in list(mirrors):
            try:
                return _from_mirror(url, part, name, verify)
            except Passing as error:
                pause = max(pause, error.after)
                reason = error
            except Refused as error:
                mirrors.remove(url)
                reason = error
            reasons[url] = f"{urlsplit(url).netloc}: {reason}"
    raise InputError(f"cannot download {name} ({'; '.join(reasons.values())})")


def _from_mirror(url: str, part: Path, name: str, verify: Callable[[Path], object]) -> None:
    from .transfer import Refused, transfer

    transfer(url, part, name)
    try:
        verify(part)
    except InputError as error:
        raise Refused(str(error).replace(str(part), "its file")) from error
