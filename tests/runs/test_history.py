"""History: rows of measurements, and their CSV file."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minivae.errors import InputError
from minivae.runs import History

NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 2**53)


def test_rows_are_copied_and_appended():
    row = {"epoch": 1, "test_bound": -100.5}
    history = History([row])
    history.append(epoch=2, test_bound=-99.0)
    history.rows[0]["epoch"] = 7
    assert row["epoch"] == 1
    assert len(history) == 2
    assert history.columns() == {"epoch": [7, 2], "test_bound": [-100.5, -99.0]}


def test_columns_hold_nan_where_a_row_has_no_value():
    columns = History([{"a": 1.0}, {"b": 2.0}]).columns()
    assert list(columns) == ["a", "b"]
    assert columns["a"][0] == 1.0
    assert math.isnan(columns["a"][1])
    assert math.isnan(columns["b"][0])


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("history") / "history.csv"


@given(rows=st.lists(st.fixed_dictionaries({"samples_seen": NUMBERS, "test_bound": NUMBERS}), max_size=5))
def test_the_file_gives_back_every_number_exactly(path, rows):
    History(rows).save(path)
    assert History.load(path).rows == rows


def test_a_spreadsheet_can_read_the_file(path):
    History([{"epoch": 1, "test_bound": -0.1}, {"epoch": 2, "test_bound": -0.05}]).save(path)
    assert path.read_text() == "epoch,test_bound\n1,-0.1\n2,-0.05\n"


def test_a_failed_write_leaves_the_old_file(path):
    class Unprintable:
        def __str__(self):
            raise RuntimeError("no text")

    History([{"epoch": 1}]).save(path)
    before = path.read_bytes()
    with pytest.raises(RuntimeError, match="no text"):
        History([{"epoch": 1}, {"epoch": Unprintable()}]).save(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "content",
    [
        b"epoch,bound\n1,fast\n",
        b"epoch,bound\n1\n",
        b"epoch,bound\n1,2,3\n",
        b"epoch,bound\n1,\xff\xfe\n",
        b"epoch,bound\n1," + b"9" * 200_000 + b"\n",
        b"",
        b"epoch,bound\n1,-100.25",  # cut within a number, which is one still
        b"epoch,bound\n1,1e999\n",
        b"epoch,bound\n1,inf\n",
        b"epoch,bound\n1,1_0\n",
        b"epoch,bound\n1, 10\n",
        "epoch,bound\n1,١\n".encode(),
        b"epoch,bound\n1,\0\n",
        b"epoch,epoch\n1,2\n",
        b"epoch,\n1,2\n",
        b"epoch,-7\n1,2\n",
        b'epoch,bound\n1,"2\n',
    ],
)
def test_what_is_no_history_is_refused_in_one_line(path, content):
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"history\.csv is not a history of a run") as raised:
        History.load(path)
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.csv is not a history"):
        History.load(tmp_path / "none.csv")


def test_a_line_without_end_is_not_read(path):
    with open(path, "wb") as file:
        file.truncate(1 << 40)  # takes no place on the disk
    with pytest.raises(InputError, match="a line is cut, or longer than 131072 characters"):
        History.load(path)


def test_what_a_row_has_not_is_nan_again(path):
    History([{"a": 1.0}, {"b": 2.0}]).save(path)
    assert [{name: str(value) for name, value in row.items()} for row in History.load(path).rows] == [
        {"a": "1.0", "b": "nan"},
        {"a": "nan", "b": "2.0"},
    ]


def test_a_history_prints_its_last_row_and_its_best():
    """By what was held out: validation before test before training, the bound before the objective."""
    rows = [
        {"epoch": 1, "train_bound": -3.0, "test_bound": -2.25},
        {"epoch": 2, "train_bound": -1.0, "test_bound": math.nan},
        {"epoch": 3, "train_bound": -2.0, "test_bound": -2.5},
    ]
    assert repr(History()) == "History of 0 rows"
    said = repr(History(rows))
    assert said == (
        "History of 3 rows; last: epoch 3, train_bound -2, test_bound -2.5; best test_bound -2.25 at epoch 1"
    )
    assert "best train_bound -1 at epoch 2" in repr(
        History([{k: r[k] for k in ("epoch", "train_bound")} for r in rows])
    )
    assert "best validation_bound" in repr(History([{"validation_bound": 1.0, "test_bound": 2.0}]))
    assert repr(History([{"x": 1.0}])) == "History of 1 rows; last: x 1"
