"""MappedRows: what the array would give, read from the file when it is asked for; and files that are large enough."""

from __future__ import annotations

import numpy as np
import pytest

from minivae.datasets import load, mapped, require_domain
from minivae.datasets.domain import UNIT
from minivae.datasets.mapped import MappedRows, as_type, blocks
from minivae.errors import InputError
from minivae.files import npy

from .conftest import peak_memory

VALUES = np.random.default_rng(0).uniform(-1, 1, (50, 12))


@pytest.fixture
def stored(tmp_path):
    """VALUES, mapped."""
    np.save(tmp_path / "x.npy", VALUES)
    return np.load(tmp_path / "x.npy", mmap_mode="r")


@pytest.mark.parametrize("index", [3, slice(4, 9), np.array([7, 0, 7]), np.array([], int)])
def test_an_index_gives_what_the_array_would(stored, index):
    rows = MappedRows(stored, "float32")
    assert (rows.shape, rows.dtype, len(rows)) == ((50, 12), np.float32, 50)
    assert type(rows[index]) is np.ndarray
    np.testing.assert_array_equal(rows[index], VALUES.astype("float32")[index], strict=True)


def test_a_file_is_read_forwards_whatever_order_is_asked_for():
    asked = []

    class Watched:
        shape = VALUES.shape

        def __len__(self):
            return len(VALUES)

        def __getitem__(self, rows):
            asked.append(rows)
            return VALUES[rows]

    order = np.random.default_rng(0).permutation(50)
    found = MappedRows(Watched(), "float64").subset(order)[np.arange(20)]
    np.testing.assert_array_equal(found, VALUES[order[:20]])
    np.testing.assert_array_equal(asked[0], np.sort(order[:20]))


def test_a_subset_is_one_of_the_rows_that_these_are(stored):
    rows = MappedRows(stored, "float64").subset(np.array([9, 3, 40])).subset(np.array([2, 0]))
    assert rows.shape == (2, 12)
    np.testing.assert_array_equal(rows[:], VALUES[[40, 9]])


def test_smallest_and_largest_are_found_block_by_block(stored, monkeypatch):
    monkeypatch.setattr(mapped, "BLOCK", 3 * 12 * 8)  # three rows
    rows = MappedRows(stored, "float64").subset(np.random.default_rng(0).permutation(50)[:44])
    assert (rows.min(), rows.max()) == (rows[:].min(), rows[:].max())


def test_a_file_is_read_once_for_both_and_rows_in_order_are_not_looked_up(stored, monkeypatch):
    """Of a column of 268 million values reading and looking up took half of the time."""
    read, compress = [], np.compress
    monkeypatch.setattr(np, "compress", lambda *given, **named: read.append(0) or compress(*given, **named))
    rows = MappedRows(stored, "float64")
    assert (rows.min(), rows.max(), rows.min(), len(read)) == (VALUES.min(), VALUES.max(), VALUES.min(), 1)
    order = np.arange(50)[::-1]
    assert np.shares_memory(rows.subset(order)._rows, order)


def test_a_nan_in_any_block_is_not_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(mapped, "BLOCK", 8)
    for row in range(3):
        values = np.zeros((3, 1))
        values[row] = np.nan
        np.save(tmp_path / "x.npy", values)
        rows = MappedRows(np.load(tmp_path / "x.npy", mmap_mode="r"), "float64")
        assert np.isnan(rows.min())
        assert np.isnan(rows.max())


@pytest.mark.parametrize(("size", "count"), [(1, 50), (3 * 12 * 8, 17), (1 << 20, 1)])
def test_blocks_are_all_rows_once(monkeypatch, size, count):
    monkeypatch.setattr(mapped, "BLOCK", size)
    found = list(blocks(VALUES))
    assert len(found) == count
    np.testing.assert_array_equal(np.concatenate([VALUES[block] for block in found]), VALUES)


def test_only_a_mapped_array_stays_where_it_is(stored):
    assert isinstance(as_type(stored, np.float32), MappedRows)
    assert as_type(VALUES, np.float64) is VALUES


# ------------------------------------------------------------- whole files


@pytest.fixture
def small_limit(monkeypatch):
    """Every file is large, and every row a block."""
    monkeypatch.setattr(npy, "MAP_ABOVE", 0)
    monkeypatch.setattr(mapped, "BLOCK", 1)


KINDS = {
    "bytes": np.random.default_rng(1).integers(256, size=(40, 6, 5), dtype=np.uint8),
    "small integers": np.random.default_rng(2).integers(256, size=(40, 30)),
    "truth values": np.random.default_rng(3).integers(2, size=(40, 30)).astype(bool),
    "large integers": np.random.default_rng(4).integers(1000, size=(40, 30)),
    "float32": VALUES.astype(np.float32),
    "float64, one channel": VALUES.reshape(50, 4, 3, 1),
    "big-endian": VALUES.astype(">f8"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("split", ["random", "contiguous"])
def test_a_mapped_file_is_the_same_data_set(tmp_path, monkeypatch, kind, split):
    np.save(tmp_path / "x.npy", KINDS[kind])
    here = load(tmp_path / "x.npy", split=split, seed=3)
    monkeypatch.setattr(npy, "MAP_ABOVE", 0)
    monkeypatch.setattr(mapped, "BLOCK", 1)
    there = load(tmp_path / "x.npy", split=split, seed=3)
    for part, other in ((here.train, there.train), (here.test, there.test)):
        assert isinstance(other.images, MappedRows)
        np.testing.assert_array_equal(other.images[:], part.images, strict=True)
        np.testing.assert_array_equal(other.sample(5, 1).images, part.sample(5, 1).images, strict=True)
    for name in ("image_shape", "scale", "split", "data_dim", "classes", "value_range"):
        assert getattr(here, name) == getattr(there, name)


@pytest.mark.usefixtures("small_limit")
@pytest.mark.parametrize("value", [np.nan, -np.inf, 1e39])
def test_what_is_not_finite_is_found_wherever_it_is(tmp_path, value):
    values = np.zeros((20, 3))
    values[17, 2] = value
    np.save(tmp_path / "x.npy", values)
    with pytest.raises(InputError, match=r"x\.npy holds .* in row 17, value 2; expected finite float32 numbers"):
        load(tmp_path / "x.npy")


@pytest.mark.usefixtures("small_limit")
def test_the_unit_interval_is_checked(tmp_path):
    np.save(tmp_path / "x.npy", np.linspace(0, 1.5, 40).reshape(20, 2))
    with pytest.raises(InputError, match=r"has values from 0 to 1\.5"):
        require_domain(load(tmp_path / "x.npy"), UNIT)


@pytest.mark.usefixtures("small_limit")
def test_columns_one_after_the_other_are_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.asfortranarray(VALUES))
    with pytest.raises(InputError, match="one column after the other; expected rows"):
        load(tmp_path / "x.npy")


@pytest.mark.usefixtures("small_limit")
def test_a_cut_file_is_refused(tmp_path):
    np.save(tmp_path / "x.npy", VALUES)
    (tmp_path / "cut.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:-1])
    with pytest.raises(InputError, match="the header promises 4800 bytes of values, there are 4799"):
        load(tmp_path / "cut.npy")


def test_a_file_beyond_the_limit_is_never_in_memory(tmp_path):
    shape = npy.MAP_ABOVE // (784 * 8) + 1, 784
    np.lib.format.open_memmap(tmp_path / "x.npy", "w+", "float64", shape)[-1] = 1  # a hole, but for one row
    assert peak_memory(lambda: require_domain(load(tmp_path / "x.npy"), UNIT)) < 6 * mapped.BLOCK


def test_of_narrow_rows_their_numbers_take_no_more_than_twelve_bytes_each(tmp_path, monkeypatch):
    count = 1 << 20
    monkeypatch.setattr(npy, "MAP_ABOVE", count)
    np.save(tmp_path / "x.npy", np.zeros((count, 4), np.uint8))
    assert peak_memory(lambda: load(tmp_path / "x.npy")) < 2 * mapped.BLOCK + 16 * count
