"""Names in folders as people see them: counted in order, and without what systems leave there."""

from __future__ import annotations

import re
from pathlib import Path

from ..files.reading import reading

SYSTEM = frozenset(("thumbs.db", "desktop.ini", "__macosx", "@eadir", "icon\r", "$recycle.bin", "lost+found"))


def order(name: str) -> tuple:
    """The place of a name among others: numbers in it count as numbers, so that 2 comes before 10."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isascii() and part.isdigit() else (-1, part) for part in parts], name  # type: ignore


def hidden(path: Path) -> bool:
    """Whether an entry is hidden or a system's own."""
    return path.name.startswith(".") or path.name.lower() in SYSTEM


def entries(folder: Path) -> list[Path]:
    """All that is in a folder, in order."""
    with reading(folder, "folder"):
        return sorted(folder.iterdir(), key=lambda path: order(path.name))


def visible(folder: Path) -> list[Path]:
    """What is in a folder and not hidden, in order."""
    return [path for path in entries(folder) if not hidden(path)]
