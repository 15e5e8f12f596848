"""One picture as an array of grey levels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from .reading import reading, require_file

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 1 << 21  # of a picture; reading takes up to 30 bytes for each
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # grey of (red, green, blue), ITU-R BT.601


def read_png(path: Path) -> np.ndarray:
    """Return a PNG picture as (rows, columns) uint8: colour becomes grey (BT.601 luma), transparency black.

    Raises:
        InputError: it is no whole PNG, or has more than ``MOST_PIXELS`` pixels.
    """
    from PIL import Image  # slow to import

    with reading(require_file(path), "PNG picture"):
        with Image.open(path, formats=["PNG"]) as header:
            if header.width * header.height > MOST_PIXELS:
                raise InputError(f"{path} is {header.width} x {header.height}; expected at most {MOST_PIXELS} pixels")
            header.verify()  # the checksums, which reading the pixels does not look at; nothing can be read after it
        with Image.open(path, formats=["PNG"]) as picture:
            return np.rint(_grey(picture) * 255).astype(np.uint8)


def _grey(picture: Image) -> np.ndarray:
    """Grey levels in [0, 1], float32."""
    if picture.mode.startswith("I"):  # of 16 bits
        return np.divide(np.asarray(picture), 2**16 - 1, dtype=np.float32)
    mode = "RGBA" if picture.has_transparency_data else "L" if picture.mode in ("1", "L") else "RGB"
    pixels = np.divide(np.asarray(picture.convert(mode)), 2**8 - 1, dtype=np.float32)
    if mode == "L":
        return pixels
    grey = pixels[..., :3] @ LUMA
    return grey * pixels[..., 3] if mode == "RGBA" else grey
