"""IDX files by their usual names: in a folder, or in those below it; and the labels that go with a file."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import InputError
from ..files.idx import GZIP_MAGIC
from ..files.reading import start_of
from .image_folder import PARTS
from .natural import visible

# MNIST's names of files and those of sets that follow it: (prefix) part, what, type; the part may be a folder's name.
NAME = re.compile(
    r"(?:(?:.*[-_.])?(train|t10k|test|val|valid|validation)[-_.])?(images?|labels?)"
    r"([-_.]idx\d([-_.]\w+)?)?(\.idx)?(\.gz)?"
)
DEEPEST = 2  # folders below the one that is named


def idx_files(folder: Path) -> dict[str, Path]:
    """The IDX files in a folder or, if there are none, in those up to two below; by the names of their arrays.

    Folders that hold different parts of a set (or are called ``train`` and ``test``) are taken together.

    Raises:
        InputError: there are two of one kind.
    """
    below = [folder]
    for _ in range(DEEPEST + 1):
        holding = {inner: files for inner in below if (files := _files_in(inner, inner != folder))}
        found: dict[str, Path] = {}
        for files in holding.values():
            if found.keys() & files.keys():
                names = ", ".join(str(inner.relative_to(folder)) for inner in holding)
                raise InputError(f"{folder} has IDX files in several folders ({names:.200}); expected one of those")
            found |= files
        if any(name.endswith("images") for name in found):
            return found
        below = [child for inner in below for child in visible(inner) if child.is_dir()]
    return {}


def labels_beside(path: Path) -> Path | None:
    """The file whose name is that of a file of pictures but for "labels" in place of "images", packed or not."""
    name = NAME.fullmatch(path.name.lower())
    if name is None or not name[2].startswith("image"):
        return None
    expected = _labels_of(path.name.lower())
    others = [other for other in visible(path.parent) if _labels_of(other.name.lower()) == expected]
    found = [other for other in others if "label" in other.name.lower() and _is_idx(other)]
    return found[0] if found else None


def _labels_of(name: str) -> str:
    """A file's name without what differs between pictures and their labels."""
    return re.sub(r"(images?|labels?)([-_.]idx\d([-_.]\w+)?)?(\.idx)?(\.gz)?$", "", name)


def _is_idx(path: Path) -> bool:
    if NAME.fullmatch(path.name.lower()) is None or not path.is_file():
        return False
    return start_of(path, 2) in (b"\0\0", GZIP_MAGIC)


def _files_in(folder: Path, below: bool) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in filter(_is_idx, visible(folder)):
        name = NAME.fullmatch(path.name.lower())
        assert name is not None
        said = name[1] or (folder.name.lower() if below else "")
        part = "test" if said == "t10k" else PARTS.get(said, "")
        array = f"{part}_{name[2].rstrip('s')}s".lstrip("_")
        twin = found.get(array)
        if twin is not None and twin.name.removesuffix(".gz") != path.name.removesuffix(".gz"):
            two = f"{folder} has two IDX files of {array}: {twin.name} and {path.name}"
            raise InputError(f"{two}; expected one, or the path of one of them")
        found[array] = path if twin is None or twin.suffix == ".gz" else twin
    return found
