import gzip
import hashlib
import shutil

import numpy as np
import pytest

from minivae.datasets import available, load, mnist
from minivae.errors import InputError

from ..files.test_idx import idx_bytes


@pytest.fixture
def small(cache, monkeypatch):
    """A stand-in of 30 + 20 images that lies in the cache under MNIST's names."""
    generator = np.random.default_rng(0)
    arrays, contents = {}, {}
    for name, (shape, _) in mnist.CONTENT.items():
        shape = (30 if shape[0] == 60000 else 20, *shape[1:])
        arrays[name] = generator.integers(10, size=shape, dtype=np.uint8)
        contents[name] = (shape, hashlib.sha256(arrays[name].tobytes()).hexdigest())
    monkeypatch.setattr(mnist, "CONTENT", contents)
    folder = cache / "mnist"
    folder.mkdir(parents=True)
    for name, array in arrays.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(idx_bytes(array)))
    return folder, arrays


def test_puts_images_and_labels_together(small):
    _, arrays = small
    data = load("mnist")
    assert np.array_equal(data.train.images, arrays["train-images-idx3-ubyte"].reshape(30, 784))
    assert data.test.labels.tolist() == arrays["t10k-labels-idx1-ubyte"].tolist()
    assert (data.scale, data.image_shape) == (255.0, (28, 28))
    assert data.train.images.dtype == np.uint8


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "train-images.idx3-ubyte"])
def test_unpacked_files_and_other_names_do_too(small, name):
    folder, _ = small
    packed = folder / "train-images-idx3-ubyte.gz"
    (folder / name).write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    assert available()["mnist"] == folder
    assert len(load("mnist").train) == 30


def test_another_set_of_the_same_shape_is_refused(small):
    folder, arrays = small
    name = "t10k-images-idx3-ubyte"
    (folder / f"{name}.gz").write_bytes(gzip.compress(idx_bytes(arrays[name][::-1])))
    with pytest.raises(InputError, match=r"t10k-images-idx3-ubyte\.gz: SHA-256"):
        load("mnist")


def test_swapped_files_are_refused(small):
    folder, _ = small
    shutil.copy(folder / "train-labels-idx1-ubyte.gz", folder / "train-images-idx3-ubyte.gz")
    with pytest.raises(InputError, match=r"shape \(30,\); MNIST has uint8 \(30, 28, 28\)"):
        load("mnist")


def test_comes_with_its_own_split():
    with pytest.raises(InputError, match="mnist comes with its own"):
        load("mnist", split="random")


def test_mirrors_are_asked_for_the_published_names(monkeypatch):
    files = [mnist._wanted(name) for name in mnist.CONTENT]
    assert [file.names[0] for file in files] == [
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
        "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz",
    ]
    assert files[0].urls[0] == "https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz"
    assert len(files[0].urls) > 2


def test_the_real_one(real_data):
    data = load("mnist")
    assert (len(data.train), len(data.test), data.data_dim) == (60000, 10000, 784)
    assert data.train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert data.test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert data.value_range == (0.0, 1.0)
