"""One file from one server: pooch fetches it, within bounds that pooch and requests have not (size, speed).

Imported only when something is downloaded, as that takes longer than all of minivae's own imports.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, BinaryIO

from pooch import HTTPDownloader
from requests import Response, exceptions
from urllib3.exceptions import HTTPError

from ..progress import progress_bar

TIMEOUT = 15.0  # seconds without a byte before an answer is given up
SLOWEST = 1 << 10  # bytes a second, on average: the largest file here, 11 MB, would take three hours
PATIENCE = 60.0  # seconds; a server that asks to be left alone for longer is given up
CHUNK = 1 << 8  # bytes; small, as requests waits for all of them, however slowly they come
LIMIT = 1 << 28  # bytes; no file here is a third as long, so an endless answer is cut
HEADERS = {"User-Agent": "minivae", "Accept-Encoding": "identity"}


class Refused(Exception):
    """An answer that asking again would not change."""


class Passing(Exception):
    """A trouble that may be over when the server is asked again.

    Attributes:
        after: seconds that the server asked to be left alone.
    """

    def __init__(self, reason: str, after: float = 0.0) -> None:
        super().__init__(reason)
        self.after = after


def transfer(url: str, path: Path, label: str) -> None:
    """Write the body of ``url`` to ``path``, behind a progress bar (on a terminal only).

    Raises:
        Passing, Refused: it did not come.
        OSError: ``path`` cannot be written.
    """
    # A total of 1 at first: pooch asks whether there is a bar by its truth, which is that of its total.
    bar = progress_bar(total=1, desc=label, unit="B", unit_scale=True, disable=None, leave=False)
    with open(path, "wb") as file, bar:
        body = _Body(file)
        options: dict[str, Any] = {"timeout": TIMEOUT, "headers": HEADERS, "hooks": {"response": body.look_at}}
        options |= {"progressbar": bar, "chunk_size": CHUNK}
        try:
            HTTPDownloader(**options)(url, body, None)
        except (exceptions.ConnectionError, exceptions.Timeout, exceptions.ChunkedEncodingError) as error:
            raise Passing(in_words(error)) from error
        except (exceptions.RequestException, HTTPError, ValueError) as error:  # an odd address or header
            raise Refused(in_words(error)) from error
        finally:
            body.close()


class _Body:
    """The file that pooch writes an answer's body to; it gives up what is too long or too slow."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._begun, self._size = file, time.monotonic(), 0
        self._answers: list[Response] = []

    def look_at(self, answer: Response, **_: Any) -> None:
        """Called by requests with the head of each answer, redirections too, before it reads the body."""
        self._answers.append(answer)
        answer.raw.headers.pop("Content-Encoding", None)  # some servers say it of a .gz file; we want the file
        if answer.is_redirect:
            answer.close()  # requests would read its body, however long
        if answer.status_code >= 400:
            raise _trouble(answer.status_code, answer.headers.get("Retry-After"))
        self._begun = time.monotonic()

    def write(self, chunk: bytes) -> None:
        """Write the next part of the body."""
        self._file.write(chunk)
        self._size += len(chunk)
        seconds = time.monotonic() - self._begun
        if self._size > LIMIT:
            raise Refused(f"its file is longer than {LIMIT} bytes")
        if seconds > TIMEOUT and self._size < SLOWEST * seconds:
            raise Passing(f"it sends less than {SLOWEST} bytes a second")

    def flush(self) -> None:
        """Pooch asks for it after each part; the file's own buffer is written when it is full."""

    def close(self) -> None:
        """Hang up, which pooch leaves to the collection of garbage."""
        for answer in self._answers:
            answer.close()


def _trouble(status: int, retry_after: str | None) -> Exception:
    """What a status of an error, with the header ``Retry-After``, means for asking again."""
    reason = f"HTTP status {status}"
    # 0 where the header is absent, or a date
    after = float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else 0.0
    if after > PATIENCE:
        return Refused(f"{reason}, to be asked again after {after:g} seconds")
    return Passing(reason, after) if status >= 500 or status in (408, 429) else Refused(reason)


def in_words(error: BaseException) -> str:
    """Why, in one line: what the innermost error says; parts of it may be the server's own words."""
    while inner := next((each for each in _parts(error) if isinstance(each, BaseException)), None):
        error = inner
    words = str(error) or type(error).__name__
    return "".join(c if c.isprintable() else " " for c in words)[:200]


def _parts(error: BaseException) -> tuple[Any, ...]:
    return (getattr(error, "reason", None), *error.args)
