"""HDF5: arrays by name, in groups, as MATLAB writes them; and what is said without h5py."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from minivae.datasets import load
from minivae.errors import InputError
from minivae.files.hdf5 import read_hdf5

ROWS = np.arange(60.0).reshape(20, 3)


@pytest.fixture
def h5py():
    return pytest.importorskip("h5py")


def test_arrays_by_name_and_what_is_none_is_passed_over(tmp_path, h5py):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["train/x"], file["train/y"], file["names"] = ROWS, np.arange(20) % 2, ["a", "b"]
        file["records"] = np.zeros(3, [("a", "f4"), ("b", "i4")])
        file.create_dataset("packed", data=ROWS, compression="gzip")
    passed_over: list[str] = []
    arrays = read_hdf5(tmp_path / "x.h5", passed_over, 1 << 20)
    assert arrays.keys() == {"train/x", "train/y", "names", "packed"}
    np.testing.assert_array_equal(arrays["train/x"], ROWS, strict=True)
    np.testing.assert_array_equal(arrays["packed"], ROWS, strict=True)
    assert arrays["names"].tolist() == ["a", "b"]
    assert passed_over == ["records (no plain array)"]


def test_a_data_set_with_labels_of_text(tmp_path, h5py):
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        file["train_set_x"], file["train_set_y"] = ROWS, ["ab"[i % 2] for i in range(20)]
    data = load(tmp_path / "x.hdf5")
    assert (data.data_dim, data.classes, data.class_names) == (3, 2, ("a", "b"))


def test_a_large_array_in_one_piece_is_mapped(tmp_path, h5py):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = ROWS
    found = read_hdf5(tmp_path / "x.h5", [], 0)["x"]
    assert isinstance(found, np.memmap)
    np.testing.assert_array_equal(found, ROWS)


def test_matlab_has_its_axes_the_other_way(tmp_path, h5py):
    with h5py.File(tmp_path / "x.mat", "w", userblock_size=512) as file:
        file["x"] = ROWS.T
    with open(tmp_path / "x.mat", "r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file")
    assert load(tmp_path / "x.mat").data_dim == 3


def test_what_unpacks_to_far_more_than_its_size_is_refused(tmp_path, h5py):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("x", shape=(1 << 16, 1 << 10), dtype="f8", chunks=(1 << 10, 1 << 10), compression="gzip")
    with pytest.raises(InputError, match="would unpack to more than"):
        read_hdf5(tmp_path / "x.h5", [], 1 << 40)


@pytest.mark.parametrize(("name", "words"), [("x.h5", r"h5py is needed \(.*\): pip install"), ("x.mat", "option -v7")])
def test_without_h5py_it_is_said_what_to_do(tmp_path, monkeypatch, name, words):
    monkeypatch.setitem(sys.modules, "h5py", None)
    (tmp_path / name).write_bytes(b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n")
    with pytest.raises(InputError, match=words):
        load(tmp_path / name)


def test_text_of_one_long_string_is_not_as_wide_as_that_for_all(tmp_path, h5py):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        text = file.create_dataset("labels", (4000,), h5py.string_dtype(), fillvalue="a")
        text[0] = "x" * 100_000  # 1.6 GB, if all were as wide
    with pytest.raises(InputError, match="would unpack to more than"):
        read_hdf5(tmp_path / "x.h5", [], 1 << 40)
