"""A folder of PNG pictures as a data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import InputError
from ..files.reading import reading, require_file

MOST_PIXELS = 1 << 21  # of a picture; reading takes up to 30 bytes for each
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # grey of (red, green, blue), ITU-R BT.601


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
    images = [_read_grey(paths[0])]
    for path in paths[1:]:
        images.append(_read_grey(path))
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


def _read_grey(path: Path) -> np.ndarray:
    """Return one picture as (rows, columns) uint8."""
    from matplotlib.image import imread
    from PIL import Image  # comes with Matplotlib, which reads by it

    with reading(require_file(path), "PNG picture"):
        with Image.open(path, formats=["PNG"]) as header:
            if header.width * header.height > MOST_PIXELS:
                raise InputError(f"{path} is {header.width} x {header.height}; expected at most {MOST_PIXELS} pixels")
            header.verify()  # the checksums, which reading the pixels does not look at
        picture = imread(path, format="png")  # float32 in [0, 1], channels last
        if picture.ndim == 3:
            opacity = picture[..., 3] if picture.shape[2] == 4 else 1
            picture = picture[..., :3] @ LUMA * opacity
        return np.rint(picture * 255).astype(np.uint8)
