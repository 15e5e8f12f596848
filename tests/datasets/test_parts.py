"""A part of a data set, and all of it in the order of its file."""

import numpy as np
import pytest

from minivae import datasets
from minivae.datasets import Dataset, Split
from minivae.datasets.mapped import MappedRows, joined
from minivae.datasets.parts import PARTS, part_of
from minivae.errors import InputError


@pytest.mark.parametrize("split", datasets.SPLITS)
def test_all_of_a_file_in_one_piece_are_in_its_order(tmp_path, rng, split):
    values = rng.random((40, 5)).astype(np.float32)
    np.savez(tmp_path / "own.npz", images=values, labels=np.arange(40))
    found, names = part_of(datasets.load(tmp_path / "own.npz", split=split, seed=3), "all")
    np.testing.assert_array_equal(found.images, values)
    np.testing.assert_array_equal(found.labels, np.arange(40))
    np.testing.assert_array_equal(found.rows, np.arange(40))
    assert np.unique(names, return_counts=True)[1].tolist() == [4, 36]


def test_rows_in_a_file_stay_there(tmp_path):
    array = np.memmap(tmp_path / "rows", np.float32, "w+", shape=(10, 2))
    array[:] = np.arange(20).reshape(10, 2)
    rows = MappedRows(array, np.float32)
    order = np.random.default_rng(0).permutation(10)
    train, test = (Split(rows.subset(part), None, part) for part in (order[:7], order[7:]))
    found, names = part_of(Dataset("a", train, test, None, 1.0, ""), "all")
    assert isinstance(found.images, MappedRows)
    np.testing.assert_array_equal(found.images[:], array)
    assert sorted(np.flatnonzero(names == "test")) == sorted(order[7:])
    np.testing.assert_array_equal(joined([train.images, np.ones((1, 2))])[-1], [1, 1])  # of another kind: read


def test_parts_of_their_own_follow_each_other():
    parts = [Split(np.full((n, 2), n), np.full(n, n)) for n in (3, 2, 4)]
    data = Dataset("a", parts[0], parts[2], None, 1.0, "", validation=parts[1])
    found, names = part_of(data, "all")
    assert found.labels.tolist() == [3, 3, 3, 2, 2, 4, 4, 4, 4]
    assert list(dict.fromkeys(names)) == list(PARTS[:3])
    assert (found.rows, part_of(data, "validation")[0]) == (None, parts[1])


def test_labels_that_a_part_lacks_are_left_out():
    labelled, plain = Split(np.ones((3, 2)), np.zeros(3, int)), Split(np.ones((2, 2)))
    assert part_of(Dataset("a", labelled, plain, None, 1.0, ""), "all")[0].labels is None


def test_a_part_that_is_not_there_is_named():
    split = Split(np.ones((3, 2)))
    with pytest.raises(InputError, match="part is 'validation', but a has train, test; expected one of them, or all"):
        part_of(Dataset("a", split, split, None, 1.0, ""), "validation")
