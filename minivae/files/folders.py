"""Folders for what is written."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ..checks import path_of
from ..errors import InputError


def make_folder(folder: str | os.PathLike) -> bool:
    """Make a folder, and those that it is in; whether it was not there before: of many that make it, one is told so.

    Raises:
        InputError: the system refused, or it is a file.
    """
    folder = path_of("folder", folder)
    try:
        with suppress(FileNotFoundError):
            return _made(folder)
        return _made(folder)  # another process had taken the empty folder away that this one is in
    except OSError as error:
        raise InputError(f"cannot make the folder {folder}: {error.strerror}") from error


def require_only(folder: Path, expected: Callable[[str], object], what: str) -> None:
    """Check that a folder, if it is there, holds nothing but files of expected names, so that nobody's are touched.

    Args:
        expected: whether a name is one.
        what: what the folder may be, in words.

    Raises:
        InputError: names the first others.
    """
    others = sorted(path.name for path in folder.iterdir() if not expected(path.name)) if folder.is_dir() else []
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        raise InputError(f"{folder} holds other files: {', '.join(others[:3])}{more}; expected {what}")


def _made(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        if not folder.is_dir():
            raise
        return False
    return True
