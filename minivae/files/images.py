"""One picture as an array, through Pillow: what its header says, and its pixels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..optional import import_optional
from .reading import reading, require_file

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "PPM")
SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".jpe", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".pbm"))
MOST_PIXELS = 1 << 21  # of a picture; reading takes up to 30 bytes for each
MOST_TO_RESIZE = 1 << 25  # of one that is made smaller: a photograph is held alone, its pixels in 4 bytes each
LUMA = np.array([0.299, 0.587, 0.114])  # grey of (red, green, blue), ITU-R BT.601
ROUNDING = 4  # levels between the channels of a grey that was stored as brightness and two colours
ORIENTATION, SIDEWAYS = 0x0112, (5, 6, 7, 8)  # EXIF's tag, and the values that exchange rows and columns
DTYPES = {"8": np.uint8, "16": np.uint16, "real": np.float32}  # of pixels, by depth


@dataclass(frozen=True)
class Look:
    """What a picture's header says.

    Attributes:
        shape: (rows, columns), as it is to be seen.
        colour: whether it may hold other colours than greys.
        depth: "8" or "16" bits, or "real" for floats.
        halved: whether it has 16 bits of colour, of which Pillow reads the upper 8.
        alpha: whether some of it may be transparent.
    """

    shape: tuple[int, int]
    colour: bool
    depth: str
    halved: bool
    alpha: bool


def look(path: Path, resized: bool = False) -> Look:
    """Read a picture's header.

    Args:
        resized: whether it is going to be, and so may be larger.

    Raises:
        InputError: it is no whole picture of :data:`FORMATS`, or has too many pixels.
    """
    with _opened(path) as picture:
        most = MOST_TO_RESIZE if resized else MOST_PIXELS
        if picture.width * picture.height > most:
            size = f"{path} is {picture.width} x {picture.height}; expected at most {most} pixels"
            raise InputError(size if resized else f"{size}, or --size HxW, to which it is made smaller")
        if (pages := getattr(picture, "n_frames", 1)) > 1:
            raise InputError(f"{path} holds {pages} pictures; expected a file for each")
        sideways = _has_orientation(picture) and picture.getexif().get(ORIENTATION) in SIDEWAYS
        shape = (picture.width, picture.height) if sideways else (picture.height, picture.width)
        depth = "16" if picture.mode.startswith("I") else "real" if picture.mode == "F" else "8"
        halved = depth == "8" and any("16" in str(tile[-1]) for tile in getattr(picture, "tile", ()))
        colour = picture.mode not in ("1", "L", "LA", "La", "F") and depth == "8"
        alpha = picture.has_transparency_data
        picture.verify()  # the checksums, which reading the pixels does not look at; nothing can be read after it
    return Look(shape, colour, depth, halved, alpha)


def read_picture(path: Path, *, colour: bool, depth: str, size: tuple[int, int] | None = None) -> np.ndarray:
    """The pixels of a picture that :func:`look` has looked at; what is transparent shows a white ground.

    Args:
        colour: (rows, columns, 3), greys in equal parts; else (rows, columns), colours as their BT.601 luma.
        depth: of the result: levels of 8 bits are widened to 16, never the other way.
        size: (rows, columns) to resize to; None for its own.

    Raises:
        InputError: it cannot be read.
    """
    from PIL import ImageOps

    with _opened(path) as picture:
        if size is not None:  # a JPEG can be unpacked at a half, a quarter or an eighth of its size
            picture.draft(None, (2 * size[1], 2 * size[0]))
        picture = ImageOps.exif_transpose(picture) if _has_orientation(picture) else picture
        deep = picture.mode.startswith("I") or picture.mode == "F"
        pixels = np.asarray(picture) if deep else _on_white(picture)
    if not deep and depth == "16":
        pixels = pixels * 257.0  # 255 becomes 65,535
    if pixels.ndim == 3 and not colour:
        pixels = pixels @ LUMA
    if size is not None and pixels.shape[:2] != size:
        pixels = _resized(pixels, size)
    if pixels.ndim == 2 and colour:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    return _as_depth(path, pixels, depth)


def has_colour(path: Path) -> bool:
    """Whether some pixel of a picture of 8 bits is no grey; of a lossy format by more than its rounding."""
    with _opened(path) as picture:
        pixels, most = _on_white(picture), ROUNDING if picture.format in ("JPEG", "WEBP") else 0
    return pixels.ndim == 3 and bool((np.ptp(pixels, axis=2) > most).any())


@contextmanager
def _opened(path: Path) -> Iterator[Image]:
    try:
        Image = import_optional("PIL.Image", "open")
    except ImportError as error:
        raise InputError(f"{path} is a picture, for which Pillow is needed ({error}): pip install pillow") from error
    with reading(path, "picture"):
        try:
            picture = Image.open(require_file(path), formats=FORMATS)
        except Image.DecompressionBombError as error:  # whole, for all that is known
            raise InputError(f"{path} has far too many pixels: {error}") from error
        with picture:
            yield picture


def _has_orientation(picture: Image) -> bool:
    """Whether to look for EXIF's orientation: cameras write no PNG, of which Pillow would unpack all pixels for it."""
    return picture.format != "PNG"


def _on_white(picture: Image) -> np.ndarray:
    """Levels of 0 to 255, (rows, columns[, 3])."""
    if not picture.has_transparency_data:
        return np.asarray(picture.convert("L" if picture.mode in ("1", "L") else "RGB"))
    pixels = np.asarray(picture.convert("RGBA"))
    if (opaque := pixels[..., 3:]).min() == 255:
        return pixels[..., :3]
    return 255 - (255.0 - pixels[..., :3]) * (opaque / 255)


def _resized(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Each channel on its own, as floats, so that 16 bits are no harder than 8."""
    from PIL import Image

    def one(channel: np.ndarray) -> np.ndarray:
        whole = Image.fromarray(np.ascontiguousarray(channel, np.float32))
        return np.asarray(whole.resize((size[1], size[0]), Image.Resampling.BICUBIC))

    resized = one(pixels) if pixels.ndim == 2 else np.stack([one(part) for part in np.moveaxis(pixels, 2, 0)], axis=2)
    return np.clip(resized, pixels.min(), pixels.max())  # bicubic filters overshoot at edges


def _as_depth(path: Path, pixels: np.ndarray, depth: str) -> np.ndarray:
    dtype = DTYPES[depth]
    if depth == "real":
        return pixels.astype(dtype, copy=False)
    if pixels.min() < 0 or pixels.max() > np.iinfo(dtype).max:
        raise InputError(f"{path} has levels from {pixels.min()} to {pixels.max()}; expected {dtype.__name__} numbers")
    return np.rint(pixels).astype(dtype) if pixels.dtype.kind == "f" else pixels.astype(dtype, copy=False)
