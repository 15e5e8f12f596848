"""One file from one server, over HTTP: what a cut left out is asked for again, and nothing is believed.

Imported only when something is downloaded, as urllib's import takes longer than all of minivae's own.
"""

from __future__ import annotations

import time
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, BinaryIO
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from tqdm import tqdm

TIMEOUT = 15.0  # seconds without a byte before an answer is given up
SLOWEST = 1 << 10  # bytes a second, on average: the largest file here, 11 MB, would take three hours
RESUMES = 4  # how often a cut answer is gone on with, before its server is left alone for a while
PATIENCE = 60.0  # seconds; a server that asks to be left alone for longer is given up
CHUNK = 1 << 16
LIMIT = 1 << 28  # bytes; no file here is a third as long, so an endless answer is cut


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


def transfer(url: str, path: Path, label: str) -> bool:
    """Write the body of ``url`` to ``path``, behind a progress bar (on a terminal only).

    A body that is cut is gone on with where it ended, if the server then sends exactly the
    rest of the same file (else from the start), as long as each answer gets further.

    Returns:
        whether it came in one answer that was as long as it said: if it is not the file
        that was asked for, the server has no other.

    Raises:
        Passing, Refused: it did not come.
        OSError: ``path`` cannot be written.
    """
    bar = tqdm(desc=label, unit="B", unit_scale=True, disable=None, leave=False)
    with open(path, "wb") as file, bar:
        body = _Body(url, file, bar)
        for turn in range(1 + RESUMES):
            done = file.tell()
            trouble = body.ask()
            if trouble is None:
                return body.sized and turn == 0
            if body.length is None or file.tell() <= done:
                break
    raise Passing(trouble)


class _Body:
    """What has come of a file, and what its first answer said of it: length, and which version it is."""

    def __init__(self, url: str, file: BinaryIO, bar: tqdm) -> None:
        self.url, self.file, self.bar = url, file, bar
        self.length: int | None = None
        self.sized, self.tag = False, None

    def ask(self) -> str | None:
        """Ask for what is missing, and write it; what went wrong, or None if all has come."""
        start = self.file.tell()
        headers = {"Range": f"bytes={start}-"} if start else {}
        if start and self.tag:
            headers["If-Range"] = self.tag
        with _open(self.url, headers) as answer:
            if not (start and self._is_rest(answer, start)):
                self._begin(answer)
            return self._receive(answer)

    def _is_rest(self, answer: HTTPResponse, start: int) -> bool:
        """Whether the body of ``answer`` is the file from ``start`` to its end."""
        part = f"bytes {start}-{self.length - 1}/{self.length}"
        return (answer.status, answer.headers.get("Content-Range")) == (206, part) and (
            answer.length == self.length - start
        )

    def _begin(self, answer: HTTPResponse) -> None:
        if answer.status != 200:
            raise Passing(f"HTTP status {answer.status} with another part of the file than was asked for")
        self.file.seek(0)
        self.file.truncate()
        self.length, self.sized = answer.length, answer.chunked or answer.length is not None
        self.tag = answer.headers.get("ETag") or answer.headers.get("Last-Modified")
        self.bar.reset(self.length)

    def _receive(self, answer: HTTPResponse) -> str | None:
        """Write the body; what cut it, if anything did."""
        begun, start = time.monotonic(), self.file.tell()
        while True:
            try:
                chunk = answer.read1(CHUNK)
            except (OSError, HTTPException) as error:
                return in_words(error)
            if not chunk:
                break
            self.bar.update(self.file.write(chunk))
            seconds, size = time.monotonic() - begun, self.file.tell()
            if size > LIMIT:
                raise Refused(f"its file is longer than {LIMIT} bytes")
            if seconds > TIMEOUT and size - start < SLOWEST * seconds:
                raise Passing(f"it sends less than {SLOWEST} bytes a second")
        if self.length is not None and self.file.tell() < self.length:
            return f"the connection was cut after {self.file.tell()} of {self.length} bytes"
        return None


class _HttpOnly(HTTPRedirectHandler):
    """Follows no redirection to anything but http and https (the handler it extends follows some to ftp)."""

    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if urlsplit(newurl).scheme not in ("http", "https"):
            raise HTTPError(req.full_url, code, msg, headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)

    def http_error_302(self, req: Request, fp: Any, code: int, msg: str, headers: Any) -> Any:
        """Follow it; an answer whose redirection cannot be followed is closed, which urllib forgets."""
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except Exception:
            fp.close()
            raise

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _open(url: str, headers: dict[str, str]) -> HTTPResponse:
    """Send the request and follow redirections; any other answer than a body is an error."""
    request = Request(url, headers={"User-Agent": "minivae", **headers})
    try:
        return build_opener(_HttpOnly).open(request, timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        reason = f"HTTP status {error.code}" + ", a redirection that leads nowhere" * (300 <= error.code < 400)
        after = _seconds(error.headers.get("Retry-After"))
        if after > PATIENCE:
            raise Refused(f"{reason}, to be asked again after {after:g} seconds") from error
        if error.code >= 500 or error.code in (408, 416, 429):
            raise Passing(reason, after) from error
        raise Refused(reason) from error
    except (OSError, HTTPException) as error:
        raise Passing(in_words(error)) from error
    except (ValueError, OverflowError) as error:  # of an address that it redirects to
        raise Refused(in_words(error)) from error


def _seconds(retry_after: str | None) -> float:
    """The header as a number; 0 where it is absent, or a date."""
    return float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else 0.0


def in_words(error: Exception) -> str:
    """Why, in one line; parts of it may be the server's own words."""
    words = str(getattr(error, "reason", None) or error) or type(error).__name__
    return "".join(c if c.isprintable() else " " for c in words)[:200]
