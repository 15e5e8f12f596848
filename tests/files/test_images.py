"""read_png: grey levels of every kind of PNG, or one line."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from minivae.errors import InputError
from minivae.files.images import read_png

GREY = np.arange(30, dtype=np.uint8).reshape(6, 5) * 8


def read(tmp_path, pixels, mode=None, **options):
    """What is read of a picture that Pillow has written."""
    picture = Image.fromarray(pixels)
    (picture.convert(mode) if mode else picture).save(tmp_path / "x.png", **options)
    return read_png(tmp_path / "x.png").tolist()


def test_grey_levels_come_as_they_are(tmp_path):
    assert read(tmp_path, GREY) == read(tmp_path, GREY, "RGB") == GREY.tolist()


def test_colour_becomes_luma_and_transparency_black(tmp_path):
    red, green, white = ((255, 0, 0, 255), (0, 255, 0, 255), (255, 255, 255, 255))
    pixels = np.array([[red, green], [white, (255, 255, 255, 0)]], np.uint8)
    assert read(tmp_path, pixels) == [[76, 150], [255, 0]]
    assert read(tmp_path, pixels[..., :3]) == [[76, 150], [255, 255]]


def test_grey_with_transparency(tmp_path):
    assert read(tmp_path, np.array([[[200, 255], [200, 0]]], np.uint8)) == [[200, 0]]


def test_a_level_a_colour_or_an_entry_of_the_palette_that_stands_for_transparency_is_black(tmp_path):
    pixels = np.array([[200, 100]], np.uint8)
    assert read(tmp_path, pixels, transparency=100) == [[200, 0]]
    assert read(tmp_path, pixels, "RGB", transparency=(100, 100, 100)) == [[200, 0]]
    assert read(tmp_path, pixels, "P", transparency=100) == [[200, 0]]


def test_colours_of_a_palette(tmp_path):
    assert read(tmp_path, np.array([[[255, 0, 0], [0, 255, 0]]], np.uint8), "P") == [[76, 150]]


@pytest.mark.parametrize(("bits", "step"), [(1, 255), (2, 85), (4, 17)])
def test_few_bits_go_from_black_to_white(tmp_path, bits, step):
    """Written by hand, as not every Pillow writes 2 or 4 bits."""
    levels = range(2**bits)
    row = int("".join(f"{level:0{bits}b}" for level in levels).ljust(8, "0"), 2)
    header = struct.pack(">IIBBBBB", len(levels), 1, bits, 0, 0, 0, 0)
    image = zlib.compress(b"\0" + row.to_bytes(max(1, len(levels) * bits // 8), "big"))
    chunks = ((b"IHDR", header), (b"IDAT", image), (b"IEND", b""))
    content = b"".join(struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in chunks)
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    assert read_png(tmp_path / "x.png").tolist() == [[level * step for level in levels]]


def test_sixteen_bits_keep_the_upper_eight(tmp_path):
    assert read(tmp_path, np.array([[0, 0x8080, 0xFFFF]], np.uint16)) == [[0, 128, 255]]


@pytest.mark.parametrize(("content", "message"), [(b"", "empty"), (b"\x89PNG\r\n\x1a\n", "not a whole PNG")])
def test_a_broken_picture_is_named(tmp_path, content, message):
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        read_png(tmp_path / "x.png")
    assert "x.png" in str(error.value)


def test_a_picture_of_another_kind_is_none(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "x.png", format="BMP")
    with pytest.raises(InputError, match="not a whole PNG"):
        read_png(tmp_path / "x.png")


def test_a_wrong_checksum_is_noticed(tmp_path):
    read(tmp_path, GREY)
    content = bytearray((tmp_path / "x.png").read_bytes())
    content[content.index(b"IDAT") - 5] ^= 1  # in the checksum of the header
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(InputError, match="not a whole PNG"):
        read_png(tmp_path / "x.png")


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_unpacked(tmp_path):
    with pytest.raises(InputError, match=r"x\.png is 2048 x 1025; expected at most 2097152 pixels"):
        read(tmp_path, np.zeros((1025, 2048), np.uint8))
    assert (tmp_path / "x.png").stat().st_size < 10_000
