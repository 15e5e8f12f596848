"""Lines of a file of text, and the fields in them; packed with gzip or not."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import InputError
from .idx import GZIP_MAGIC
from .reading import Room, read_at_most, require_file

MOST_LINE = 1 << 24  # characters: each field of a line takes 60 bytes more
MOST_TEXT = 4 << 20  # bytes that a packed text may have, however small it is: text takes time
WANTED = "expected text in UTF-8 (iconv -t utf-8 makes it from others)"


@contextmanager
def text_of(path: Path) -> Iterator[Iterator[str]]:
    """The file's lines, unpacked if they are packed: UTF-8, or UTF-16 with a byte-order mark.

    Raises:
        InputError: it is missing or empty, unpacks to far more than its size, is text of another encoding, or has a
            line without end.
    """
    with open(require_file(path), "rb") as raw:
        start = raw.read(4)
        raw.seek(0)
        if start[:2] == GZIP_MAGIC:
            content = unpacked(path)
            raw, start = io.BytesIO(content), content[:4]
        if b"\0" in start[:2] or start[2:] == b"\0\0":
            raise InputError(
                f"{path} begins with zero bytes, as UTF-16 without a mark, UTF-32 and no text do; {WANTED}"
            )
        coding, called = ("utf-16", "UTF-16") if start[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "UTF-8")
        try:
            with io.TextIOWrapper(raw, encoding=coding, newline="") as text:
                yield _bounded(path, text)
        except UnicodeDecodeError as error:
            byte = error.object[error.start : error.start + 1].hex()
            raise InputError(f"{path} is no text in {called}, which has no byte 0x{byte} there; {WANTED}") from error


def _bounded(path: Path, file: io.TextIOBase) -> Iterator[str]:
    while line := file.readline(MOST_LINE + 1):
        if len(line) > MOST_LINE:
            raise InputError(f"{path} has a line of more than {MOST_LINE} characters; expected a table")
        yield line


def unpacked(path: Path) -> bytearray:
    """The content of a file that gzip packed, within limits.

    Raises:
        InputError: it unpacks to far more than its size.
    """
    room = Room(path, MOST_TEXT)
    with gzip.open(path) as stream:
        content = read_at_most(stream, room.left + 1)
    room.take(len(content))
    return content


def fields_of(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    """The fields of each line; ``separator`` " " stands for any number of blanks. Fields may be quoted."""
    if separator == " ":
        return (_between_blanks(line) for line in lines)
    return csv.reader(lines, delimiter=separator, skipinitialspace=True)


def _between_blanks(line: str) -> list[str]:
    parts = line.split()
    return next(csv.reader([" ".join(parts)], delimiter=" "), []) if '"' in line else parts
