"""A folder of pictures: what is a part, a class, a picture, and what all pictures become."""

import numpy as np
import pytest
from matplotlib.image import imsave
from PIL import Image

from minivae.datasets.choices import Choices
from minivae.datasets.image_folder import read_picture_folder
from minivae.datasets.mapped import MappedRows
from minivae.datasets.user_file import load
from minivae.errors import InputError
from minivae.files import npy

from .conftest import count_refusals

GREY = np.arange(30, dtype=np.uint8).reshape(6, 5) * 8
COLOUR = np.stack([GREY, 255 - GREY, GREY // 2], axis=-1)


def write(path, pixels, **options):
    """Write (rows, columns) grey, or (rows, columns, 3 or 4) uint8 as they are; PNGs as Matplotlib does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() == ".png" and pixels.dtype == np.uint8 and not options:
        imsave(path, np.dstack([pixels] * 3) if pixels.ndim == 2 else pixels)
    else:
        Image.fromarray(pixels).save(path, **options)


def read(folder, **choices):
    return read_picture_folder(folder, Choices(**choices))


def test_pictures_come_in_the_order_of_their_names_as_people_count(tmp_path):
    write(tmp_path / "10.png", GREY + 1)
    write(tmp_path / "2.PNG", GREY)
    Image.fromarray(GREY + 2).save(tmp_path / "c.png")
    (tmp_path / "notes.txt").write_text("not a picture")
    found = read(tmp_path)
    assert list(found["arrays"]) == ["images"]
    assert found["arrays"]["images"].dtype == np.uint8
    assert np.array_equal(found["arrays"]["images"], [GREY, GREY + 1, GREY + 2])
    assert found["passed_over"] == ["1 .txt"]


def test_folders_are_classes_with_names_in_the_order_in_which_people_count(tmp_path):
    for name, count in (("1", 3), ("2", 2), ("10", 1)):
        for index in range(count):
            write(tmp_path / name / f"{index}.png", GREY + index)
    found = read(tmp_path)
    assert found["class_names"] == ("1", "2", "10")
    assert found["arrays"]["labels"].tolist() == [0, 0, 0, 1, 1, 2]
    assert np.array_equal(found["arrays"]["images"][[2, 4, 5]], [GREY + 2, GREY + 1, GREY])
    assert list(read(tmp_path, labels="none")["arrays"]) == ["images"]


@pytest.mark.parametrize("classes", [(), ("a", "b")])
@pytest.mark.parametrize(
    "names", [("train", "test"), ("Train", "val"), ("training", "validation", "testing"), ("train", "dev", "test")]
)
def test_folders_of_parts_are_parts_also_with_classes_below(tmp_path, names, classes):
    for i, part in enumerate(names):
        for name in classes or (".",):
            for j in range(3):
                write(tmp_path / part / name / f"{j}.png", GREY + i)
    write(tmp_path / "other" / "x.png", GREY)
    (tmp_path / "readme.md").write_text("")
    found = read(tmp_path)
    words = {"val": "validation", "dev": "validation", "testing": "test", "Train": "train", "training": "train"}
    for i, part in enumerate(names):
        images = found["arrays"][f"{words.get(part, part)}_images"]
        assert np.array_equal(images, [GREY + i] * 3 * (len(classes) or 1))
    assert found["class_names"] == (classes or None)
    assert found["passed_over"] == ["1 folder", "1 .md"]
    if "test" in names:
        data = load(tmp_path, Choices())
        assert len(data.train) == len(data.test) == 3 * (len(classes) or 1)
        assert (data.validation is None) == (len(names) == 2)


def test_a_class_that_is_called_train_is_a_class(tmp_path):
    for name in ("train", "bus", "tram"):
        write(tmp_path / name / "0.png", GREY)
    assert read(tmp_path)["class_names"] == ("bus", "train", "tram")


def test_hidden_and_system_entries_are_passed_over(tmp_path):
    write(tmp_path / "a" / "0.png", GREY)
    write(tmp_path / "__MACOSX" / "0.png", GREY.T)
    write(tmp_path / ".cache" / "0.png", GREY.T)
    write(tmp_path / "a" / "._0.png", GREY.T)
    for name in (".DS_Store", "Thumbs.db", "a/Thumbs.db"):
        (tmp_path / name).write_bytes(b"x")
    found = read(tmp_path)
    assert np.array_equal(found["arrays"]["images"], [GREY])
    assert found["passed_over"] == ["6 hidden or of the system"]


def test_every_format_mixed(tmp_path):
    for suffix in ("png", "bmp", "tif", "tiff", "pgm"):
        Image.fromarray(GREY).save(tmp_path / f"a.{suffix}")
    Image.fromarray(GREY).save(tmp_path / "b.webp", lossless=True)
    Image.fromarray(np.full_like(GREY, 77)).save(tmp_path / "c.jpg", quality=100)
    images = read(tmp_path)["arrays"]["images"]
    assert np.array_equal(images[:-1], [GREY] * 6)
    assert np.array_equal(images[-1], np.full_like(GREY, 77))


def test_colour_where_some_picture_has_some(tmp_path):
    write(tmp_path / "a.png", COLOUR)
    write(tmp_path / "b.png", GREY)
    found = read(tmp_path)
    assert np.array_equal(found["arrays"]["images"], [COLOUR, np.dstack([GREY] * 3)])
    assert found["facts"]["colour"] == "rgb"
    grey = read(tmp_path, colour="grey")["arrays"]["images"]
    assert np.array_equal(grey[1], GREY)
    assert np.abs(grey[0] - COLOUR @ [0.299, 0.587, 0.114]).max() <= 0.5
    (tmp_path / "a.png").unlink()
    assert read(tmp_path)["arrays"]["images"].shape == (1, 6, 5)
    assert read(tmp_path, colour="rgb")["arrays"]["images"].shape == (1, 6, 5, 3)


def test_sixteen_bits_are_kept_and_eight_widened_beside_them(tmp_path):
    deep = GREY.astype(np.uint16) * 16 + 3
    Image.fromarray(deep).save(tmp_path / "a.png")
    found = read(tmp_path)["arrays"]["images"]
    assert found.dtype == np.uint16
    assert np.array_equal(found, [deep])
    Image.fromarray(GREY).save(tmp_path / "b.png")
    found = read(tmp_path)
    assert np.array_equal(found["arrays"]["images"], [deep, GREY.astype(np.uint16) * 257])
    assert found["facts"]["depth"] == "16 bits, 1 pictures widened from 8"


@pytest.mark.parametrize(("largest", "scale"), [(256, 1023), (1024, 4095), (4095, 4095), (4096, 16383), (65535, 65535)])
def test_levels_beyond_bytes_are_parts_of_what_their_bits_hold(tmp_path, largest, scale):
    for i in range(4):
        Image.fromarray(np.full((6, 5), largest - i, np.uint16)).save(tmp_path / f"{i}.png")
    data = load(tmp_path, Choices(split="contiguous"))
    assert (data.scale, data.train.images.dtype) == (scale, np.float32)
    assert data.train.images[:, 0].tolist() == [largest, largest - 1, largest - 2]


def test_transparency_is_white_and_said(tmp_path):
    pixels = np.dstack([COLOUR, np.full((6, 5), 255, np.uint8)])
    pixels[0, 0, 3], pixels[0, 1] = 0, (0, 0, 0, 51)
    write(tmp_path / "a.png", pixels)
    found = read(tmp_path)
    assert found["arrays"]["images"][0, 0, :2].tolist() == [[255] * 3, [204] * 3]
    assert np.array_equal(found["arrays"]["images"][0, 1:], COLOUR[1:])
    assert "on white" in found["facts"]["transparency"]


def test_mixed_sizes_are_named_with_the_option_that_resizes(tmp_path):
    write(tmp_path / "a.png", GREY)
    write(tmp_path / "b.png", GREY.T)
    with pytest.raises(InputError, match=r"mixes image sizes: a\.png is \(6, 5\) and b\.png is \(5, 6\).*--size"):
        read(tmp_path)
    found = read(tmp_path, size=(6, 5))
    assert found["arrays"]["images"].shape == (2, 6, 5)
    assert np.array_equal(found["arrays"]["images"][0], GREY)
    assert found["facts"]["resized"] == "1 pictures"


@pytest.mark.parametrize("mode", ["L", "RGB", "I;16", "F", "P"])
def test_every_kind_of_picture_is_resized(tmp_path, mode):
    flat = {"I;16": np.full((40, 30), 5000, np.uint16), "F": np.full((40, 30), 0.25, np.float32)}
    picture = (
        Image.fromarray(flat[mode]) if mode in flat else Image.new(mode, (30, 40), 77 if mode == "L" else (9, 80, 3))
    )
    picture.save(tmp_path / "a.tif")
    found = read(tmp_path, size=(8, 8))["arrays"]["images"]
    assert found.shape[:3] == (1, 8, 8)
    assert len(np.unique(found.reshape(64, -1), axis=0)) == 1


def test_a_photograph_lies_as_its_camera_was_held(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned to the right by a quarter
    Image.fromarray(np.kron(GREY, np.ones((8, 8), np.uint8))).save(tmp_path / "a.jpg", exif=exif, quality=100)
    found = read(tmp_path)["arrays"]["images"]
    assert found.shape == (1, 40, 48)
    assert np.abs(found[0].astype(int) - np.rot90(np.kron(GREY, np.ones((8, 8))), -1)).max() <= 3


def test_no_pictures(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds no picture; expected .*\.png"):
        read(tmp_path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif", ".webp"])
def test_damaged_files_raise_nothing_else(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    write(path, GREY)
    count_refusals(path, path.read_bytes(), lambda path: read(path.parent))


def test_damaged_pngs_are_refused_by_their_checksums(tmp_path):
    path = tmp_path / "x.png"
    write(path, GREY)
    assert count_refusals(path, path.read_bytes(), lambda path: read(path.parent)) > 50


def spoil(path, how):
    """Make a picture one that cannot be read."""
    content = path.read_bytes()
    if how == "a link to nothing":
        path.unlink()
        return path.symlink_to(path.parent / "nowhere.png")
    path.write_bytes({"cut": content[: len(content) * 2 // 3], "empty": b"", "text": b"no picture\n"}[how])


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize("how", ["cut", "empty", "text", "a link to nothing"])
@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "tif", "webp"])
def test_damaged_pictures_are_passed_over_with_a_word(tmp_path, monkeypatch, suffix, how, mapped):
    for i in range(8):
        write(tmp_path / "many" / "ab"[i % 2] / f"{i}.{suffix}", np.kron(GREY + i, np.ones((9, 9), np.uint8)))
    whole = load(tmp_path / "many", Choices(split="contiguous"))
    spoil(tmp_path / "many" / "b" / f"3.{suffix}", how)
    monkeypatch.setattr(npy, "MAP_ABOVE", 0 if mapped else npy.MAP_ABOVE)
    for _ in range(2):  # once more, from the cache
        data = load(tmp_path / "many", Choices(split="contiguous"))
        assert data.account["passed_over"] == [f"1 damaged (b/3.{suffix})"]
        assert f"passed over: 1 damaged (b/3.{suffix})" in data.describe()
        images = [np.concatenate([part.train.images[:], part.test.images[:]]) for part in (whole, data)]
        assert np.array_equal(images[1], np.delete(images[0], 5, axis=0))
        assert [*data.train.labels, *data.test.labels] == [0, 0, 0, 0, 1, 1, 1]


def test_three_of_many_damaged_pictures_are_named(tmp_path):
    for i in range(12):
        write(tmp_path / f"{i}.png", GREY)
    for i in range(5):
        spoil(tmp_path / f"{i}.png", "empty")
    (tmp_path / "notes.txt").write_text("")
    assert read(tmp_path)["passed_over"] == ["5 damaged (0.png, 1.png, 2.png, ...)", "1 .txt"]


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("folder", [".", "b", "test", "train/b"])
def test_a_folder_of_which_more_than_half_is_damaged_is_refused(tmp_path, monkeypatch, folder, suffix, mapped):
    """Of a part or a class, too, however many others there are: without it a class would be another number."""
    monkeypatch.setattr(npy, "MAP_ABOVE", 0 if mapped else npy.MAP_ABOVE)
    others = {".": [], "b": ["a"], "test": ["train"], "train/b": ["train/a", "test/a", "test/b"]}[folder]
    for name in [folder, *others]:
        for i in range(4):
            write(tmp_path / "x" / name / f"{i}.{suffix}", np.kron(GREY, np.ones((9, 9), np.uint8)))
    for i in range(2):
        spoil(tmp_path / "x" / folder / f"{i}.{suffix}", "cut")
    assert load(tmp_path / "x", Choices()).account["passed_over"][0].startswith("2 damaged")
    spoil(tmp_path / "x" / folder / f"2.{suffix}", "cut")
    for _ in range(2):
        with pytest.raises(InputError, match=rf"4 pictures of which 3 are damaged; .*0\.{suffix} is not"):
            load(tmp_path / "x", Choices())


def test_what_is_whole_and_refused_is_no_damage(tmp_path):
    for i in range(4):
        write(tmp_path / f"{i}.png", GREY)
    Image.new("1", (4000, 3000)).save(tmp_path / "large.png")
    with pytest.raises(InputError, match=r"large\.png is 4000 x 3000"):
        read(tmp_path)
    Image.new("1", (20000, 20000)).save(tmp_path / "large.png")
    with pytest.raises(InputError, match=r"large\.png has far too many pixels"):
        read(tmp_path)
    Image.fromarray(GREY).save(tmp_path / "large.png", save_all=True, append_images=[Image.fromarray(GREY + 1)])
    with pytest.raises(InputError, match=r"large\.png holds 2 pictures"):
        read(tmp_path)


def test_pictures_beside_folders_of_more_are_refused(tmp_path):
    write(tmp_path / "cover.png", GREY)
    for i in range(2):
        write(tmp_path / "cat" / f"{i}.png", GREY)
    with pytest.raises(InputError, match="holds 1 pictures, and 2 in folders in it; expected"):
        read(tmp_path)
    for i in range(2):
        write(tmp_path / f"{i}.png", GREY)
    assert read(tmp_path)["passed_over"] == ["1 folder"]


@pytest.mark.parametrize("name", ["labels", "array", "points_axis"])
def test_options_of_arrays_are_refused(tmp_path, name):
    write(tmp_path / "a.png", GREY)
    with pytest.raises(InputError, match=f"{name} is .* is a folder of pictures"):
        load(tmp_path, Choices(**{name: 1 if name == "points_axis" else "y"}))


def test_a_folder_too_large_for_memory_is_read_once_into_a_mapped_file(tmp_path, monkeypatch):
    for i in range(70):
        write(tmp_path / "many" / f"{i}.png", np.roll(GREY, i))
    here = load(tmp_path / "many", Choices())
    monkeypatch.setattr(npy, "MAP_ABOVE", 0)
    there = load(tmp_path / "many", Choices())
    assert isinstance(there.train.images, MappedRows)
    assert np.array_equal(there.train.images[:], here.train.images)
    assert there.account["kept_in"] in there.describe()
    monkeypatch.setattr("minivae.datasets.image_folder.read_picture", None)  # not read again
    assert np.array_equal(load(tmp_path / "many", Choices()).test.images[:], here.test.images)
