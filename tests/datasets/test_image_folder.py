import numpy as np
import pytest
from matplotlib.image import imsave

from minivae.datasets.image_folder import read_png_folder
from minivae.errors import InputError

from .conftest import count_refusals

GREY = np.arange(30, dtype=np.uint8).reshape(6, 5) * 8


def write(path, pixels):
    """Write (rows, columns) grey, or (rows, columns, 3 or 4) uint8 as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    imsave(path, np.dstack([pixels] * 3) if pixels.ndim == 2 else pixels)


def write_one_channel(path, pixels):
    from PIL import Image  # comes with matplotlib

    Image.fromarray(pixels).save(path)


def test_pictures_come_in_the_order_of_their_names(tmp_path):
    write(tmp_path / "b.png", GREY + 1)
    write(tmp_path / "a.PNG", GREY)
    write_one_channel(tmp_path / "c.png", GREY + 2)
    (tmp_path / "notes.txt").write_text("not a picture")
    arrays = read_png_folder(tmp_path)
    assert list(arrays) == ["images"]
    assert arrays["images"].dtype == np.uint8
    assert np.array_equal(arrays["images"], [GREY, GREY + 1, GREY + 2])


def test_folders_are_classes(tmp_path):
    for name, count in (("one", 3), ("two", 2), ("zero", 1)):
        for index in range(count):
            write(tmp_path / name / f"{index}.png", GREY + index)
    arrays = read_png_folder(tmp_path)
    assert arrays["labels"].tolist() == [0, 0, 0, 1, 1, 2]
    assert np.array_equal(arrays["images"][[2, 4, 5]], [GREY + 2, GREY + 1, GREY])


def test_colour_becomes_luma_and_transparency_black(tmp_path):
    red, green, white = ((255, 0, 0, 255), (0, 255, 0, 255), (255, 255, 255, 255))
    write(tmp_path / "x.png", np.array([[red, green], [white, (255, 255, 255, 0)]], np.uint8))
    assert read_png_folder(tmp_path)["images"][0].tolist() == [[76, 150], [255, 0]]


def test_grey_with_transparency(tmp_path):
    write_one_channel(tmp_path / "x.png", np.array([[[200, 255], [200, 0]]], np.uint8))
    assert read_png_folder(tmp_path)["images"][0].tolist() == [[200, 0]]


def test_sixteen_bits_keep_the_upper_eight(tmp_path):
    write_one_channel(tmp_path / "x.png", np.array([[0, 0x8080, 0xFFFF]], np.uint16))
    assert read_png_folder(tmp_path)["images"][0].tolist() == [[0, 128, 255]]


def test_mixed_sizes_are_named(tmp_path):
    write(tmp_path / "a.png", GREY)
    write(tmp_path / "b.png", GREY.T)
    with pytest.raises(InputError, match=r"mixes image sizes: a\.png is \(6, 5\) and b\.png is \(5, 6\)"):
        read_png_folder(tmp_path)


def test_no_pictures(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds no \.png file"):
        read_png_folder(tmp_path)


@pytest.mark.parametrize(("content", "message"), [(b"", "empty"), (b"\x89PNG\r\n\x1a\n", "not a whole PNG")])
def test_a_broken_picture_is_named(tmp_path, content, message):
    write(tmp_path / "a.png", GREY)
    (tmp_path / "b.png").write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        read_png_folder(tmp_path)
    assert "b.png" in str(error.value)


def test_damaged_files_raise_nothing_else(tmp_path):
    path = tmp_path / "x.png"
    write(path, GREY)
    assert count_refusals(path, path.read_bytes(), lambda path: read_png_folder(path.parent)) > 50


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_unpacked(tmp_path):
    write_one_channel(tmp_path / "x.png", np.zeros((1025, 2048), np.uint8))
    assert (tmp_path / "x.png").stat().st_size < 10_000
    with pytest.raises(InputError, match=r"x\.png is 2048 x 1025; expected at most 2097152 pixels"):
        read_png_folder(tmp_path)
