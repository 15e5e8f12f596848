import hashlib

import numpy as np
import pytest
from scipy.io import savemat

from minivae.datasets import available, binarized_mnist, load
from minivae.errors import InputError

from .conftest import count_refusals


@pytest.fixture
def small(cache, monkeypatch):
    """A stand-in of 8 + 4 + 4 rows; nothing is written yet."""
    generator = np.random.default_rng(0)
    pixels = {part: generator.integers(2, size=(rows, 784), dtype=np.uint8) for part, rows in SIZES.items()}
    contents = {
        part: (len(rows), hashlib.sha256(np.packbits(rows, axis=1).tobytes()).hexdigest())
        for part, rows in pixels.items()
    }
    monkeypatch.setattr(binarized_mnist, "CONTENT", contents)
    folder = cache / "binarized_mnist"
    folder.mkdir(parents=True)
    return folder, pixels


SIZES = {"train": 8, "valid": 4, "test": 4}


def as_text(rows) -> bytes:
    return "".join(" ".join(map(str, row)) + "\n" for row in rows.tolist()).encode()


def write_packed(folder, pixels):
    np.savez_compressed(
        folder / "binarized_mnist.npz", **{part: np.packbits(rows, axis=1) for part, rows in pixels.items()}
    )


def write_text(folder, pixels):
    for part, rows in pixels.items():
        (folder / f"binarized_mnist_{part}.amat").write_bytes(as_text(rows))


def write_matlab(folder, pixels):
    for part, rows in pixels.items():
        savemat(folder / f"binarized_mnist_{part}.amat", {"X": rows.astype(float)}, appendmat=False)


@pytest.mark.parametrize("write", [write_packed, write_text, write_matlab])
def test_every_form_gives_the_same_pixels(small, write):
    folder, pixels = small
    write(folder, pixels)
    data = load("binarized-mnist")
    assert np.array_equal(data.train.images, np.concatenate([pixels["train"], pixels["valid"]]))
    assert np.array_equal(data.test.images, pixels["test"])
    assert (data.scale, data.image_shape, data.train.labels) == (1.0, (28, 28), None)
    assert data.value_range == (0.0, 1.0)
    assert "sorted by digit" in data.split
    assert available()["binarized-mnist"] in (folder, folder / "binarized_mnist.npz")


@pytest.mark.parametrize("write", [write_packed, write_text, write_matlab])
def test_one_other_pixel_is_refused(small, write):
    folder, pixels = small
    pixels["test"][1, 7] ^= 1
    write(folder, pixels)
    with pytest.raises(InputError, match=r"test.*: SHA-256"):
        load("binarized-mnist")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"0 1 0 1\n", "holds 4 values; expected 4 x 784"),
        (b"0,1,0,1\n", "parted by single spaces"),
        (b"0 1 0", "parted by single spaces"),
        (b"0 2 " * 1568, "of 0 or 1"),
        (b"MATLAB 5.0", "level 5"),
    ],
)
def test_says_what_is_wrong_with_an_original(small, content, message):
    folder, pixels = small
    write_text(folder, pixels)
    (folder / "binarized_mnist_test.amat").write_bytes(content)
    with pytest.raises(InputError, match=message):
        load("binarized-mnist")


def test_a_packed_file_without_a_part(small):
    folder, pixels = small
    write_packed(folder, {"train": pixels["train"]})
    with pytest.raises(InputError, match="has no array test, valid"):
        load("binarized-mnist")


def test_damaged_originals_raise_nothing_else(small, tmp_path):
    _, pixels = small
    content = as_text(pixels["test"])
    refused = count_refusals(tmp_path / "x", content, lambda path: binarized_mnist.read_amat("test", path))
    assert refused > 190  # a change of a byte to itself, or of the last newline to a space, does no harm


def test_comes_with_its_own_split():
    with pytest.raises(InputError, match="binarized-mnist comes with its own"):
        load("binarized-mnist", split="contiguous")


def test_the_real_one(real_data):
    data = load("binarized-mnist")
    assert data.train.images.shape == (60000, 784)
    assert np.unique(data.test.images).tolist() == [0, 1]
    assert data.train.images.flags.c_contiguous  # the bits are packed in a file that has them by columns
    # Sorted by digit: the first 980 rows are zeros, which leave the middle of the image free.

    def middle(images):
        return images.reshape(-1, 28, 28)[:, 13:15, 13:15].mean()

    assert middle(data.test.images[:980]) < 0.1 < middle(data.test.images[980:2115])
    assert abs(middle(data.test.sample(980).images) - middle(data.test.images)) < 0.05
