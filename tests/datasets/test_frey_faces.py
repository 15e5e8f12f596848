import hashlib

import numpy as np
import pytest
from scipy.io import savemat

from minivae.datasets import frey_faces, load
from minivae.errors import InputError

from .conftest import count_refusals


@pytest.fixture
def small(cache, monkeypatch):
    """A stand-in with the shape of the faces, in the cache."""
    ff = np.random.default_rng(0).integers(256, size=(560, 1965), dtype=np.uint8)
    monkeypatch.setattr(frey_faces, "SHA256", hashlib.sha256(ff.T.tobytes()).hexdigest())
    path = cache / "frey" / "frey_rawface.mat"
    path.parent.mkdir(parents=True)
    savemat(path, {"ff": ff})
    return path, ff


def test_images_are_the_columns_divided_by_256(small):
    _, ff = small
    data = load("frey", split="contiguous")
    assert np.array_equal(data.train.images, ff.T[:1600])
    assert np.array_equal(data.test.images, ff.T[1600:])
    assert (data.scale, data.image_shape, data.train.labels) == (256.0, (28, 20), None)
    assert data.value_range == (0.0, 255 / 256)


def test_random_split_is_the_default_and_goes_by_seed(small):
    _, ff = small
    data, again, other = load("frey"), load("frey", split="random", seed=0), load("frey", seed=1)
    assert (len(data.train), len(data.test)) == (1600, 365)
    assert np.array_equal(data.test.images, again.test.images)
    assert not np.array_equal(data.test.images, other.test.images)
    together = np.concatenate([data.train.images, data.test.images])
    assert sorted(map(bytes, together)) == sorted(map(bytes, ff.T))
    assert "random, seed 0" in data.split


def test_a_file_packed_anew_does_too(small):
    path, ff = small
    before = path.read_bytes()
    savemat(path, {"other": 1.0, "ff": ff}, do_compression=True)
    assert path.read_bytes() != before
    assert len(load("frey").train) == 1600


def test_other_pixels_are_refused(small):
    path, ff = small
    ff[0, 0] ^= 1
    savemat(path, {"ff": ff})
    with pytest.raises(InputError, match=r"frey_rawface\.mat: SHA-256"):
        load("frey")


@pytest.mark.parametrize("variables", [{"x": 1.0}, {"ff": np.zeros((3, 4), np.uint8)}, {"ff": np.zeros((560, 1965))}])
def test_another_mat_file_is_refused(small, variables):
    path, _ = small
    savemat(path, variables)
    with pytest.raises(InputError, match="not the Frey Face file"):
        load("frey")


def test_any_change_to_the_pixels_is_noticed(small):
    path, _ = small
    content = path.read_bytes()
    # 200 changes, of which those to the free text of the header do no harm.
    assert count_refusals(path, content, frey_faces.read) > 100


def test_a_path_to_the_file_gives_faces_and_not_560_rows(small):
    path, ff = small
    data = load(path, split="contiguous")
    assert np.array_equal(data.train.images, ff.T[:1600])
    assert data.scale == 256.0


def test_the_real_one(real_data):
    data = load("frey")
    assert data.data_dim == 560
    assert data.value_range == (8 / 256, 238 / 256)
    frames = load("frey", split="contiguous").train.images.astype(float)
    # A video: the next frame is far nearer than one 50 frames on.
    step, jump = (np.abs(frames[lag:] - frames[:-lag]).mean() for lag in (1, 50))
    assert step < 0.7 * jump
