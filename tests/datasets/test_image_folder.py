import numpy as np
import pytest
from matplotlib.image import imsave
from PIL import Image

from minivae.datasets.image_folder import read_png_folder
from minivae.errors import InputError

from .conftest import count_refusals

GREY = np.arange(30, dtype=np.uint8).reshape(6, 5) * 8


def write(path, pixels):
    """Write (rows, columns) grey, or (rows, columns, 3 or 4) uint8 as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    imsave(path, np.dstack([pixels] * 3) if pixels.ndim == 2 else pixels)


def test_pictures_come_in_the_order_of_their_names(tmp_path):
    write(tmp_path / "b.png", GREY + 1)
    write(tmp_path / "a.PNG", GREY)
    Image.fromarray(GREY + 2).save(tmp_path / "c.png")
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


def test_mixed_sizes_are_named(tmp_path):
    write(tmp_path / "a.png", GREY)
    write(tmp_path / "b.png", GREY.T)
    with pytest.raises(InputError, match=r"mixes image sizes: a\.png is \(6, 5\) and b\.png is \(5, 6\)"):
        read_png_folder(tmp_path)


def test_no_pictures(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds no \.png file"):
        read_png_folder(tmp_path)


def test_damaged_files_raise_nothing_else(tmp_path):
    path = tmp_path / "x.png"
    write(path, GREY)
    assert count_refusals(path, path.read_bytes(), lambda path: read_png_folder(path.parent)) > 50
