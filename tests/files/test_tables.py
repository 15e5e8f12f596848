"""Tables of text against the csv module's writer; what is read of whole files is in tests/datasets/test_people.py."""

from __future__ import annotations

import csv
import gzip

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minivae.datasets import load
from minivae.datasets.mapped import MappedRows
from minivae.errors import InputError
from minivae.files import layout, npy, tables

from ..datasets.conftest import count_refusals

REAL = st.floats(-1e30, 1e30, allow_subnormal=False)
NAME = st.text("abcxyz ,;\"'é", min_size=1, max_size=8).map(lambda name: "n" + name.strip())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    values=arrays(np.float64, st.tuples(st.integers(2, 8), st.integers(2, 4)), elements=REAL),
    separator=st.sampled_from(",;\t"),
    names=st.lists(NAME, min_size=4, max_size=4, unique=True),
    headed=st.booleans(),
)
def test_what_is_written_is_read(tmp_path, values, separator, names, headed):
    names = [name.replace("\t", "") for name in names[: values.shape[1]]]
    with open(tmp_path / "x.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=separator, quoting=csv.QUOTE_NONNUMERIC)
        writer.writerows([names] if headed else [])
        writer.writerows(values.tolist())
    found_layout = layout.layout_of(tmp_path / "x.csv")
    found = np.concatenate([rows for rows, _ in tables.read_rows(tmp_path / "x.csv", found_layout, [], set())])
    np.testing.assert_array_equal(found, values)
    assert found_layout.names == (tuple(names) if headed else None)


@pytest.mark.parametrize("position", [0, 250, 999])
def test_a_value_that_is_missing_is_found_wherever_it_is(tmp_path, position):
    rows = [["1.5", "2"] for _ in range(1000)]
    rows[position][1] = ""
    (tmp_path / "x.csv").write_text("\n".join(["a,b", *map(",".join, rows)]))
    with pytest.raises(InputError, match=rf"row {position} \(line {position + 2}\), column 'b' is missing"):
        load(tmp_path / "x.csv")


def test_damaged_tables_raise_nothing_else(tmp_path):
    path = tmp_path / "x.csv"
    content = "\n".join(["a,b,c", *["1.5,2,3"] * 40]).encode()
    count_refusals(path, content, load)
    count_refusals(path, gzip.compress(content), load)


def test_a_packed_table_of_far_more_than_its_size_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("minivae.files.text.MOST_TEXT", 1000)
    monkeypatch.setattr("minivae.files.reading.MOST_RATIO", 2)
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(b"1,2\n" * 5000))
    with pytest.raises(InputError, match="would unpack to more than"):
        load(tmp_path / "x.csv.gz")


def test_a_table_too_large_for_memory_is_read_once_into_a_mapped_file(tmp_path, monkeypatch, rng):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    rows = [[*map(repr, row.tolist()), "ab"[i % 2]] for i, row in enumerate(rng.normal(size=(2500, 3)))]
    (tmp_path / "x.csv").write_text("\n".join(["a,b,c,class", *map(",".join, rows)]))
    here = load(tmp_path / "x.csv")
    monkeypatch.setattr(npy, "MAP_ABOVE", 0)
    there = load(tmp_path / "x.csv")
    assert isinstance(there.train.images, MappedRows)
    np.testing.assert_array_equal(there.train.images[:], here.train.images)
    np.testing.assert_array_equal(there.test.labels, here.test.labels)
    assert there.columns == here.columns == ("a", "b", "c")
    assert there.account["kept_in"] in there.describe()
    monkeypatch.setattr(tables, "read_rows", lambda *_: iter(()))  # not read again
    np.testing.assert_array_equal(load(tmp_path / "x.csv").test.images[:], here.test.images)


def test_a_number_with_an_underscore_is_a_name(tmp_path):
    (tmp_path / "wells.csv").write_text("well,x\n39_5,1.5\n40_1,2.5\n39_5,0.5\n")
    from minivae.datasets import load

    with pytest.raises(InputError, match="column 'well' holds text"):
        load(tmp_path / "wells.csv")


def test_a_table_of_more_columns_than_a_field_may_have_letters(tmp_path):
    """A line of 30,000 numbers is longer than the longest field that Python's csv takes."""
    np.savetxt(tmp_path / "x.csv", np.arange(60_000).reshape(2, -1) / 8, delimiter=",", fmt="%.3f")
    assert load(tmp_path / "x.csv").data_dim == 30_000


def test_a_line_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("minivae.files.text.MOST_LINE", 100)
    (tmp_path / "x.csv").write_text("1,2\n3,4\n" + "5," * 100)
    with pytest.raises(InputError, match=r"x\.csv has a line of more than 100 characters"):
        load(tmp_path / "x.csv")
