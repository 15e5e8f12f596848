"""Folders for what is written."""

from __future__ import annotations

import os
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


def _made(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        if not folder.is_dir():
            raise
        return False
    return True
