"""Fetch one file from the first mirror that has the right one.

A file reaches its place only when it is whole and its content has been verified;
until then it lies under a temporary name and is removed if anything fails.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..errors import InputError
from ..files import atomic_path

if TYPE_CHECKING:  # a heavy import, made only when something is downloaded
    from http.client import HTTPResponse

TIMEOUT = 15.0  # seconds without a byte before a mirror is given up
ATTEMPTS = 3  # rounds over the mirrors
PAUSE = 1.0  # seconds before the second round, doubled before each further one
CHUNK = 1 << 16
LIMIT = 1 << 28  # bytes; no file here is a third as long, so an endless answer is cut


class _Refused(Exception):
    """A mirror's answer that asking again would not change."""


def fetch(urls: Sequence[str], path: Path, verify: Callable[[Path], object]) -> None:
    """Download ``path`` from the first of ``urls`` whose content passes ``verify``.

    Passing troubles (no connection, a stall, a cut, a server's 5xx) are tried again with
    growing pauses; a missing or wrong file crosses its mirror off.

    Args:
        verify: called with the downloaded file; raises InputError if it is not the right one.

    Raises:
        InputError: no mirror gave the file, with the reason for each, or the folder
            cannot be written. ``path`` is then as it was before.
    """
    reasons: dict[str, str] = {}
    mirrors = list(urls)
    for attempt in range(ATTEMPTS):
        if attempt and mirrors:
            time.sleep(PAUSE * 2 ** (attempt - 1))
        for url in list(mirrors):
            reason, final = _try(url, path, verify)
            if reason is None:
                return
            reasons[url] = f"{urlsplit(url).netloc}: {reason}"
            if final:
                mirrors.remove(url)
    raise InputError(f"cannot download {path.name} ({'; '.join(reasons.values())})")


def _try(url: str, path: Path, verify: Callable[[Path], object]) -> tuple[str | None, bool]:
    """Ask one mirror once. Return (None, True), or why it failed and whether for good."""
    from http.client import HTTPException

    _make_folder(path.parent)
    try:
        with atomic_path(path) as part:
            _transfer(url, part, path.name)
            try:
                verify(part)
            except InputError as error:
                raise _Refused(str(error).replace(str(part), "its file")) from error
    except _Refused as error:
        return str(error), True
    except (OSError, HTTPException) as error:
        return str(getattr(error, "reason", None) or error) or type(error).__name__, False
    return None, True


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder}: {error.strerror}") from error


def _transfer(url: str, path: Path, label: str) -> None:
    """Write the body of ``url`` to ``path`` behind a progress bar (on a terminal only)."""
    from tqdm import tqdm

    with _open(url) as answer, open(path, "wb") as file:
        length = answer.length  # None if the server does not say
        with tqdm(desc=label, total=length, unit="B", unit_scale=True, disable=None, leave=False) as bar:
            while chunk := answer.read(CHUNK):
                bar.update(file.write(chunk))
                if file.tell() > LIMIT:
                    raise _Refused(f"its file is longer than {LIMIT} bytes")
        if length is not None and file.tell() < length:
            raise ConnectionError(f"the connection was cut after {file.tell()} of {length} bytes")


def _open(url: str) -> HTTPResponse:
    """Send the request; a status that may pass is an OSError, another one is final."""
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    try:
        return urlopen(Request(url, headers={"User-Agent": "minivae"}), timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        passing = error.code >= 500 or error.code in (408, 429)
        raise (OSError if passing else _Refused)(f"HTTP status {error.code}") from error
