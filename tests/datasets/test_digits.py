import numpy as np
import pytest

from minivae.datasets import digits, load
from minivae.errors import InputError


def test_they_are_the_1797_digits_of_uci():
    data = load("digits")
    images = np.concatenate([data.train.images, data.test.images])
    labels = np.concatenate([data.train.labels, data.test.labels])
    # Published: class counts of the UCI test part; the sum is that of scikit-learn's copy.
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert images.shape == (1797, 64)
    assert images.dtype == np.uint8
    assert int(images.sum()) == 561718
    assert (len(data.train), len(data.test)) == (1500, 297)
    assert len(np.unique(images, axis=0)) == 1797  # none lies in both parts


def test_scaling_and_shape():
    data = load("digits")
    assert data.value_range == (0.0, 1.0)
    assert data.image_shape == (8, 8)
    assert data.data_dim == 64


def test_a_zero_looks_like_a_zero():
    zero = load("digits").train
    mean = zero.images[zero.labels == 0].mean(axis=0).reshape(8, 8)
    assert mean[3:5, 3:5].max() < 3 < 8 < mean[4, 2]  # a hole in the middle, ink around


def test_seed_does_not_change_the_split():
    assert np.array_equal(load("digits", seed=1).test.images, load("digits", seed=2).test.images)


def test_refuses_another_split():
    with pytest.raises(InputError, match="digits comes with its own"):
        load("digits", split="contiguous")


def test_another_file_in_their_place_is_refused(tmp_path, monkeypatch):
    with np.load(digits.FILE) as file:
        arrays = dict(file)
    arrays["test_images"][3, 5] ^= 1
    np.savez(tmp_path / "digits.npz", **arrays)
    monkeypatch.setattr(digits, "FILE", tmp_path / "digits.npz")
    with pytest.raises(InputError, match=r"digits\.npz is not the file that minivae shipped; install minivae again"):
        load("digits")


def test_licence_lies_beside_it():
    text = (digits.FILE.parent / "LICENSE.digits").read_text(encoding="utf-8")
    assert "Alpaydin" in text
    assert "Attribution 4.0" in text


def test_agrees_with_scikit_learn():
    sklearn = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
    data, original = load("digits"), sklearn.load_digits()
    ours = np.column_stack([data.train.images, data.train.labels])
    ours = np.concatenate([ours, np.column_stack([data.test.images, data.test.labels])])
    theirs = np.column_stack([original.data, original.target])
    assert np.array_equal(np.unique(ours, axis=0), np.unique(theirs, axis=0))
