"""Any fault in a file's bytes becomes one InputError that names the file."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import InputError, MinivaeError


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Turn whatever a parser raises on ``path`` into an InputError that says what was expected.

    Parsers of third parties raise nearly anything on damaged bytes (zlib.error,
    struct.error, SyntaxError, MemoryError, ...), so nothing narrower will do. Their
    warnings about such files are noise beside that error.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except MinivaeError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno:  # the system's, not a parser's
            raise InputError(f"cannot read {path}: {error.strerror}") from error
        cause = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path} is not a whole {kind}: {cause[:200]}") from error


def require_file(path: Path) -> Path:
    """Return ``path`` if a file with at least one byte lies there, or raise InputError."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty (0 bytes)")
    return path


def read_bytes(path: Path) -> bytes:
    """Return the whole content of a file that is not empty, or raise InputError."""
    with reading(path, "file"):
        return require_file(path).read_bytes()
