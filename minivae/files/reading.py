"""Any fault in a file's bytes becomes one InputError that names the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from ..errors import InputError, MinivaeError

# What a file may unpack to: so many times its own size, or so many bytes if that is more. MNIST goes to
# 5, drawings on a plain ground far higher, what is made to fill the memory to 1,030: deflate's utmost.
MOST_RATIO = 250
MOST_BYTES = 48 << 20  # 60,000 x 28 x 28 bytes that are all the same


class Damaged(InputError):
    """A file that lies there is not a whole one of its kind."""


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Turn whatever a parser raises on ``path`` into an InputError that says what was expected: :class:`Damaged`.

    Parsers of third parties raise nearly anything on damaged bytes (zlib.error,
    struct.error, SyntaxError, MemoryError, ...), so nothing narrower will do. Their
    warnings stay as the process has them: filters belong to all of its threads.
    """
    try:
        yield
    except MinivaeError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno:  # the system's, not a parser's
            raise InputError(f"cannot read {path}: {error.strerror}") from error
        if isinstance(error, MemoryError):
            raise InputError(f"{path} asks for more memory than there is; it is too large, or damaged") from error
        cause = " ".join(str(error).split()) or type(error).__name__
        raise Damaged(f"{path} is not a whole {kind}: {cause[:200]}") from error


def require_file(path: Path) -> Path:
    """Return ``path`` if a file with at least one byte lies there, or raise InputError."""
    if path.is_symlink() and not path.exists():
        raise Damaged(f"{path} is a link to a file that is not there")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise Damaged(f"{path} is empty (0 bytes)")
    return path


def read_bytes(path: Path) -> bytes:
    """Return the whole content of a file that is not empty, or raise InputError."""
    with reading(path, "file"):
        return require_file(path).read_bytes()


def start_of(path: Path, size: int) -> bytes:
    """The first bytes of a file that is not empty, or raise InputError."""
    with reading(path, "file"), open(require_file(path), "rb") as file:
        return file.read(size)


class Room:
    """How much a compressed file may still unpack to.

    Args:
        path: the file.
        least: bytes that any file may unpack to, however small it is.
    """

    def __init__(self, path: Path, least: int = MOST_BYTES) -> None:
        self._path = path
        self._most = self._left = max(MOST_RATIO * path.stat().st_size, least)

    @property
    def left(self) -> int:
        """Bytes that may still be unpacked."""
        return self._left

    def take(self, size: int) -> None:
        """Count ``size`` bytes that are about to be unpacked; InputError if all are more than there may be."""
        self._left -= size
        if self._left < 0:
            raise InputError(
                f"{self._path} would unpack to more than {self._most} bytes, as no data set of its size does; "
                "if it is one, store it uncompressed"
            )


class Readable(Protocol):
    """What bytes are read from: a file, or what unpacks one."""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; none at the end."""
        ...


def read_at_most(stream: Readable, count: int) -> bytearray:
    """Return up to ``count`` bytes, read in pieces: ``read(count)`` asks for all the memory before the first byte."""
    content = bytearray()
    while len(content) < count and (piece := stream.read(min(count - len(content), 1 << 17))):
        content += piece
    return content
