"""A folder of PNG pictures as a data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import InputError
from ..files.images import read_png
from ..files.reading import reading


def read_png_folder(folder: Path) -> dict[str, np.ndarray]:
    """Return ``images`` (N, rows, columns) uint8, in the order of the file names.

    If the PNGs lie in sub-folders, one for each class, ``labels`` (N,) is the number of
    the sub-folder in the order of their names. Colour becomes grey (BT.601 luma), and
    transparency black.

    Raises:
        InputError: no PNG in the folder, one that cannot be read, or two of different size.
    """
    paths = _pngs(folder)
    classes = [child for child in _inside(folder) if child.is_dir()]
    by_class = [_pngs(child) for child in classes] if not paths else []
    paths = paths or [path for members in by_class for path in members]
    if not paths:
        raise InputError(f"{folder} holds no .png file")
    images = [read_png(paths[0])]
    for path in paths[1:]:
        images.append(read_png(path))
        if images[-1].shape != images[0].shape:
            sizes = (f"{path.name} is {image.shape}" for path, image in ((paths[0], images[0]), (path, images[-1])))
            raise InputError(f"{folder} mixes image sizes: {' and '.join(sizes)} (rows, columns)")
    arrays = {"images": np.stack(images)}
    if by_class:
        arrays["labels"] = np.repeat(np.arange(len(classes)), [len(members) for members in by_class])
    return arrays


def _inside(folder: Path) -> list[Path]:
    with reading(folder, "folder"):
        return sorted(folder.iterdir())


def _pngs(folder: Path) -> list[Path]:
    return [path for path in _inside(folder) if path.suffix.lower() == ".png" and path.is_file()]
