"""read_picture: the levels of every kind of PNG, or one line; others are in tests/datasets."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from minivae.errors import InputError
from minivae.files.images import look, read_picture

GREY = np.arange(30, dtype=np.uint8).reshape(6, 5) * 8


def read(tmp_path, pixels, mode=None, **options):
    """What is read of a picture that Pillow has written."""
    picture = Image.fromarray(pixels)
    (picture.convert(mode) if mode else picture).save(tmp_path / "x.png", **options)
    return grey(tmp_path / "x.png").tolist()


def grey(path):
    """Its levels, grey, as they are read."""
    return read_picture(path, colour=False, depth=look(path).depth)


def test_grey_levels_come_as_they_are(tmp_path):
    assert read(tmp_path, GREY) == read(tmp_path, GREY, "RGB") == GREY.tolist()


def test_colour_becomes_luma_and_transparency_white(tmp_path):
    red, green, white = ((255, 0, 0, 255), (0, 255, 0, 255), (255, 255, 255, 255))
    pixels = np.array([[red, green], [white, (0, 0, 0, 0)]], np.uint8)
    assert read(tmp_path, pixels) == [[76, 150], [255, 255]]
    assert read(tmp_path, pixels[..., :3]) == [[76, 150], [255, 0]]


def test_grey_with_transparency(tmp_path):
    assert read(tmp_path, np.array([[[200, 255], [200, 0]]], np.uint8)) == [[200, 255]]


def test_a_level_a_colour_or_an_entry_of_the_palette_that_stands_for_transparency_is_white(tmp_path):
    pixels = np.array([[200, 100]], np.uint8)
    assert read(tmp_path, pixels, transparency=100) == [[200, 255]]
    assert read(tmp_path, pixels, "RGB", transparency=(100, 100, 100)) == [[200, 255]]
    assert read(tmp_path, pixels, "P", transparency=100) == [[200, 255]]


def test_colours_of_a_palette(tmp_path):
    assert read(tmp_path, np.array([[[255, 0, 0], [0, 255, 0]]], np.uint8), "P") == [[76, 150]]


def png(header, image):
    """A file of these chunks."""
    chunks = ((b"IHDR", header), (b"IDAT", image), (b"IEND", b""))
    content = b"".join(struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + content


@pytest.mark.parametrize(("bits", "step"), [(1, 255), (2, 85), (4, 17)])
def test_few_bits_go_from_black_to_white(tmp_path, bits, step):
    """Written by hand, as not every Pillow writes 2 or 4 bits."""
    levels = range(2**bits)
    row = int("".join(f"{level:0{bits}b}" for level in levels).ljust(8, "0"), 2)
    header = struct.pack(">IIBBBBB", len(levels), 1, bits, 0, 0, 0, 0)
    image = zlib.compress(b"\0" + row.to_bytes(max(1, len(levels) * bits // 8), "big"))
    (tmp_path / "x.png").write_bytes(png(header, image))
    assert grey(tmp_path / "x.png").tolist() == [[level * step for level in levels]]


def test_sixteen_bits_are_kept(tmp_path):
    assert read(tmp_path, np.array([[0, 0x8081, 0xFFFF]], np.uint16)) == [[0, 0x8081, 0xFFFF]]


def test_sixteen_bits_of_colour_are_said_to_be_halved(tmp_path):
    """Written by hand, as Pillow does not write them."""
    header, image = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0), zlib.compress(b"\0" + bytes(range(6)))
    (tmp_path / "x.png").write_bytes(png(header, image))
    assert look(tmp_path / "x.png").halved
    Image.fromarray(GREY).save(tmp_path / "x.png")
    assert not look(tmp_path / "x.png").halved


@pytest.mark.parametrize(("content", "message"), [(b"", "empty"), (b"\x89PNG\r\n\x1a\n", "not a whole picture")])
def test_a_broken_picture_is_named(tmp_path, content, message):
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        look(tmp_path / "x.png")
    assert "x.png" in str(error.value)


def test_a_picture_is_known_by_what_it_holds(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "x.png", format="BMP")
    assert grey(tmp_path / "x.png").tolist() == GREY.tolist()


def test_a_picture_of_a_kind_that_is_not_read_is_none(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "x.png", format="GIF")
    with pytest.raises(InputError, match="not a whole picture"):
        look(tmp_path / "x.png")


def test_a_wrong_checksum_is_noticed(tmp_path):
    read(tmp_path, GREY)
    content = bytearray((tmp_path / "x.png").read_bytes())
    content[content.index(b"IDAT") - 5] ^= 1  # in the checksum of the header
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(InputError, match="not a whole picture"):
        look(tmp_path / "x.png")


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_unpacked(tmp_path):
    with pytest.raises(InputError, match=r"x\.png is 2048 x 1025; expected at most 2097152 pixels"):
        read(tmp_path, np.zeros((1025, 2048), np.uint8))
    assert (tmp_path / "x.png").stat().st_size < 10_000


def test_a_file_of_several_pictures_is_refused(tmp_path):
    first, *others = (Image.new("L", (4, 4), k) for k in (1, 2, 3))
    first.save(tmp_path / "pages.tiff", save_all=True, append_images=others)
    with pytest.raises(InputError, match=r"pages\.tiff holds 3 pictures; expected a file for each"):
        look(tmp_path / "pages.tiff")
