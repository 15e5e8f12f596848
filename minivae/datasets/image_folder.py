"""A folder of pictures as a data set: its parts and classes are folders in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..files import npy
from ..files.images import DTYPES, SUFFIXES, Look, has_colour, look, read_picture
from ..files.reading import Damaged
from ..files.rows import key_of, write_rows
from ..progress import progress_bar
from . import natural
from .choices import NO_LABELS, Choices
from .storage import cache_folder

PARTS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
AT_ONCE = 64  # pictures that are read before they go to the cache file
BAR_ABOVE = 1000  # pictures: fewer are read before a bar could be seen
MOST_DAMAGED = 0.5  # of the pictures in a folder, which are passed over; more, and it is not what was meant
NAMED = 3  # of those, in the line


@dataclass
class Pictures:
    """Paths of pictures, the folder of each if those are classes, and what was passed over on the way."""

    paths: list[Path]
    classes: list[str] | None
    others: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Form:
    """What all pictures are brought to: a shape (rows, columns), colour or grey, a depth."""

    shape: tuple[int, int]
    colour: bool
    depth: str

    @property
    def whole(self) -> tuple[int, ...]:
        """The shape of the array of one picture."""
        return (*self.shape, 3) if self.colour else self.shape


def read_picture_folder(folder: Path, choices: Choices) -> dict[str, Any]:
    """What :class:`~.formats.Found` is made of: ``images`` (N, rows, columns[, 3]), in the order of the file names.

    Folders named train, val and test (or as in :data:`PARTS`) are parts, ``train_images`` and so on. In
    each of them, or in the folder itself, pictures lie side by side or in a folder for each class;
    ``labels`` (N,) are then the places of those among ``class_names``, sorted as people count.
    Pictures are grey if all are, else in colour; of 16 bits if one is. Those that are damaged are passed over.

    Raises:
        InputError: no picture in the folder, more than half of those of a part or class damaged, or two of different
            size.
    """
    parts, others = _parts(folder)
    paths = [path for part in parts.values() for path in part.paths]
    if not paths:
        raise InputError(f"{folder} holds no picture; expected {', '.join(sorted(SUFFIXES))}, or folders of them")
    damaged: dict[Path, str] = {}
    form, facts = _form(folder, paths, choices, damaged)
    found: dict[str, Any] = {"arrays": {}, "pictures": True, "facts": facts}
    names = _class_names(parts) if choices.labels != NO_LABELS else None
    for name, part in parts.items():
        prefix = f"{name}_" if name else ""
        found["arrays"][f"{prefix}images"] = _read(part.paths, form, choices, damaged, facts)
        if names and part.classes:
            places = {one: i for i, one in enumerate(names)}
            read = [one for one, path in zip(part.classes, part.paths, strict=True) if path not in damaged]
            found["arrays"][f"{prefix}labels"] = np.array([places[one] for one in read])
    if names:
        facts["labels_from"] = "the folders"
    others += [word for part in parts.values() for word in part.others]
    found |= {"class_names": names, "passed_over": [*_damaged_in_words(folder, damaged), *others]}
    return found


def _require_most(paths: list[Path], damaged: dict[Path, str]) -> None:
    """Refuse a folder, a part or a class of which more than half is damaged: to go on without it would change much."""
    counts = Counter(path.parent for path in paths)
    for inside, bad in Counter(path.parent for path in paths if path in damaged).items():
        if bad > MOST_DAMAGED * counts[inside]:
            why = next(damaged[path] for path in paths if path.parent == inside and path in damaged)
            where = f"{inside} holds {counts[inside]} pictures of which {bad} are damaged"
            raise InputError(f"{where}; expected at least half of them whole ({why})")


def _damaged_in_words(folder: Path, damaged: dict[Path, str]) -> list[str]:
    """How many pictures are damaged, and which the first ones are."""
    if not damaged:
        return []
    first = [str(path.relative_to(folder)) for path in [*damaged][:NAMED]]
    return [f"{len(damaged)} damaged ({', '.join(first)}{', ...' if len(damaged) > NAMED else ''})"]


# ------------------------------------------------------------ what is in a folder


def _parts(folder: Path) -> tuple[dict[str, Pictures], list[str]]:
    """The pictures by part, "" if there are no parts; and what was passed over."""
    inside = natural.entries(folder)
    folders = {path.name.lower(): path for path in inside if path.is_dir() and not natural.hidden(path)}
    named = {name: path for name, path in folders.items() if name in PARTS}
    roles = {PARTS[name] for name in named}
    if not ("train" in roles and (len(roles) > 1 or len(folders) == 1)) or len(roles) < len(named):
        return {"": _pictures(folder)}, []
    rest = [path for path in inside if path not in named.values()]
    return {PARTS[name]: _pictures(path) for name, path in named.items()}, _in_words(rest)


def _pictures(folder: Path) -> Pictures:
    """The pictures in a folder or, if there are none, in the folders in it."""
    inside = natural.entries(folder)
    if paths := [path for path in inside if _is_picture(path)]:
        below = sum(len(_pictures_in(child)) for child in inside if child.is_dir() and not natural.hidden(child))
        if below > len(paths):
            both = f"{len(paths)} pictures, and {below} in folders in it"
            raise InputError(f"{folder} holds {both}; expected them side by side, or all in a folder for each class")
        return Pictures(paths, None, _in_words([path for path in inside if path not in set(paths)]))
    found = Pictures([], [])
    rest = []
    for child in inside:
        if not child.is_dir() or natural.hidden(child):
            rest.append(child)
            continue
        members = natural.entries(child)
        pictures = [path for path in members if _is_picture(path)]
        found.paths += pictures
        found.classes = [*(found.classes or ()), *[child.name] * len(pictures)]
        rest += [path for path in members if path not in set(pictures)]
    found.others = _in_words(rest)
    return found


def _pictures_in(folder: Path) -> list[Path]:
    return [path for path in natural.entries(folder) if _is_picture(path)]


def _is_picture(path: Path) -> bool:
    """Whether it is named as one, and is a file, or a link to one that is not there: a picture that is damaged."""
    if path.suffix.lower() not in SUFFIXES or natural.hidden(path):
        return False
    return path.is_file() or (path.is_symlink() and not path.exists())


def _in_words(others: list[Path]) -> list[str]:
    """What was passed over, counted by kind."""
    kinds = Counter(map(_kind, others))
    return [f"{count} {kind}{'s' if kind in ('folder', 'file') and count > 1 else ''}" for kind, count in kinds.items()]


def _kind(path: Path) -> str:
    if natural.hidden(path):
        return "hidden or of the system"
    return "folder" if path.is_dir() else path.suffix.lower() or "file"


def _class_names(parts: dict[str, Pictures]) -> tuple[str, ...] | None:
    """The names of all classes, if every part has some."""
    if not all(part.classes for part in parts.values()):
        return None
    return tuple(sorted({name for part in parts.values() for name in part.classes or ()}, key=natural.order))


# ------------------------------------------------------------ what they are read as


def _form(folder: Path, paths: list[Path], choices: Choices, damaged: dict[Path, str]) -> tuple[Form, dict[str, Any]]:
    """What all pictures are brought to, by their headers; and what is to be said of it."""
    by_path: dict[Path, Look] = {}
    for path in _watched(paths, "looking at"):
        with _whole(path, damaged):
            by_path[path] = look(path, resized=choices.size is not None)
    _require_most(paths, damaged)
    looks = [*by_path.values()]
    shape = choices.size or _common_shape(folder, by_path)
    depths = Counter(one.depth for one in looks)
    if "real" in depths and len(depths) > 1:
        raise InputError(f"{folder} mixes pictures of floats and of whole numbers; expected one of them")
    depth = next(kind for kind in ("real", "16", "8") if kind in depths)
    coloured = [path for path, one in by_path.items() if one.colour]
    colour = _some_colour(coloured, damaged) if choices.colour is None else choices.colour == "rgb"
    form = Form(shape, colour, depth)
    facts: dict[str, Any] = {"colour": "rgb" if form.colour else "grey"}
    if len(depths) > 1:
        facts["depth"] = f"16 bits, {depths['8']} pictures widened from 8"
    if halved := sum(one.halved for one in looks):
        facts["depth"] = f"8 bits, the upper ones of 16 of {halved} pictures in colour"
    if alpha := sum(one.alpha for one in looks):
        facts["transparency"] = f"on white ({alpha} pictures with an alpha channel)"
    if choices.size:
        facts["resized"] = f"{sum(one.shape != shape for one in looks)} pictures"
    return form, facts


@contextmanager
def _whole(path: Path, damaged: dict[Path, str]) -> Iterator[None]:
    """Note a picture that turns out to be damaged, and why."""
    try:
        yield
    except Damaged as error:
        damaged[path] = str(error)


def _some_colour(paths: list[Path], damaged: dict[Path, str]) -> bool:
    for path in paths:
        with _whole(path, damaged):
            if has_colour(path):
                return True
    return False


def _common_shape(folder: Path, looks: dict[Path, Look]) -> tuple[int, int]:
    (first, look_of_first), *rest = looks.items()
    shape = look_of_first.shape
    for path, one in rest:
        if one.shape != shape:
            sizes = f"{first.name} is {shape} and {path.name} is {one.shape}"
            raise InputError(f"{folder} mixes image sizes: {sizes} (rows, columns); expected one size, or --size HxW")
    return shape


def _read(
    paths: list[Path], form: Form, choices: Choices, damaged: dict[Path, str], facts: dict[str, Any]
) -> np.ndarray:
    """All pictures but damaged ones, in memory or, beyond ``npy.MAP_ABOVE`` bytes, in a mapped file of the cache."""
    dtype = np.dtype(DTYPES[form.depth])
    whole = [path for path in paths if path not in damaged]
    batches = _batches(whole, form, choices, damaged)
    if len(whole) * int(np.prod(form.whole)) * dtype.itemsize <= npy.MAP_ABOVE:
        images = np.empty((len(whole), *form.whole), dtype)
        start = 0
        for batch in batches:
            images[start : start + len(batch)] = batch
            start += len(batch)
        _require_most(paths, damaged)
        return images[:start]
    target = cache_folder() / "pictures" / f"{key_of(whole, form)}.npy"
    beside = target.with_suffix(".damaged.npy")  # which of them are, and so are not in the file
    if not (target.is_file() and beside.is_file()):
        write_rows(target, batches, form.whole, dtype)
        write_rows(beside, [np.array([path in damaged for path in whole])], (), bool)
    bad = [path for path, one in zip(whole, npy.read_npy(beside), strict=True) if one]
    damaged |= {path: damaged.get(path, f"{path} is not a whole picture") for path in bad}
    _require_most(paths, damaged)
    facts["kept_in"] = str(target)
    return np.load(target, mmap_mode="r")


def _batches(paths: list[Path], form: Form, choices: Choices, damaged: dict[Path, str]) -> Iterator[np.ndarray]:
    batch = []
    for path in _watched(paths, "reading"):
        size = form.shape if choices.size else None
        with _whole(path, damaged):
            batch.append(read_picture(path, colour=form.colour, depth=form.depth, size=size))
        if len(batch) == AT_ONCE:
            yield np.stack(batch)
            batch = []
    if batch:
        yield np.stack(batch)


def _watched(paths: list[Path], what: str) -> Iterator[Path]:
    """The paths, behind a progress bar if there are many (on a terminal only)."""
    if len(paths) < BAR_ABOVE:
        yield from paths
        return
    with progress_bar(total=len(paths), desc=f"{what} pictures", disable=None, leave=False) as bar:
        for path in paths:
            yield path
            bar.update()
