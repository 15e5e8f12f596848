import hashlib

import numpy as np
import pytest

from minivae.autodiff import tensor
from minivae.datasets import Dataset, Split, one_hot, require_domain, require_finite
from minivae.datasets.domain import UNIT
from minivae.datasets.splitting import split_rows
from minivae.datasets.storage import require_sha256
from minivae.errors import InputError

ROWS = np.arange(40, dtype=np.uint8).reshape(20, 2)
LABELS = np.arange(20)


def dataset(train, test, scale=1.0):
    return Dataset("mine", Split(train), Split(test), None, scale, "by hand")


# Arrays whose rows do not lie one after the other, or not where a processor reads them at once.
ODD = {
    "columns": np.asfortranarray(ROWS),
    "every other row": np.repeat(ROWS, 2, axis=0)[::2],
    "backwards": ROWS[::-1].copy()[::-1],
    "a part of the columns": np.hstack([ROWS, ROWS])[:, :2],
    "turned": np.ascontiguousarray(ROWS.T).T,
    "not aligned": np.ndarray((20, 2), "float32", bytearray(b"." + ROWS.astype("float32").tobytes()), 1),
}


@pytest.mark.parametrize("how", ODD)
def test_a_split_has_rows_one_after_the_other(how):
    split = Split(ODD[how], LABELS)
    np.testing.assert_array_equal(split.images, ROWS)
    assert split.images.flags.c_contiguous
    assert split.images.flags.aligned
    assert split.images.dtype == ODD[how].dtype


def test_a_split_does_not_copy_what_lies_well():
    assert Split(ROWS).images is ROWS


@pytest.mark.parametrize("kind", ["random", "contiguous", None])
def test_split_parts_every_row_once_and_keeps_its_label(kind):
    train, test, note = split_rows(ROWS, LABELS, test_size=6, split=kind, seed=3)
    assert (len(train), len(test)) == (14, 6)
    assert sorted(np.concatenate([train.labels, test.labels])) == list(range(20))
    for part in (train, test):
        assert np.array_equal(part.images, ROWS[part.labels])
    assert "14 rows train" in note or "first 14 rows train" in note


def test_contiguous_split_holds_out_the_last_rows():
    _, test, note = split_rows(ROWS, LABELS, test_size=6, split="contiguous", seed=3)
    assert test.labels.tolist() == [14, 15, 16, 17, 18, 19]
    assert note == "contiguous: the first 14 rows train, the last 6 test"


def test_random_split_depends_on_the_seed_alone():
    first, second, other = (split_rows(ROWS, LABELS, test_size=6, split=None, seed=seed)[1] for seed in (3, 3, 4))
    assert first.labels.tolist() == second.labels.tolist() != other.labels.tolist()


@pytest.mark.parametrize("seed", [-1, 1.5, "0", True, None])
def test_split_refuses_a_seed_that_is_none(seed):
    with pytest.raises(InputError, match="seed is"):
        split_rows(ROWS, None, test_size=6, split=None, seed=seed)


def test_split_names_the_nearest_kind():
    with pytest.raises(InputError, match="did you mean 'contiguous'"):
        split_rows(ROWS, None, test_size=6, split="contigous", seed=0)


def test_value_range_spans_both_parts_after_scaling():
    data = dataset(np.array([[2, 3]], np.uint8), np.array([[0, 8]], np.uint8), scale=16.0)
    assert data.value_range == (0.0, 0.5)


def test_unit_interval_passes_its_ends():
    require_domain(dataset(np.array([[0.0, 1.0]]), np.array([[0.5, 0.5]])), UNIT)


@pytest.mark.parametrize("wrong", [-0.25, 1.5])
def test_unit_interval_names_data_and_range(wrong):
    data = dataset(np.array([[0.5, 0.5]]), np.array([[0.5, wrong]]))
    with pytest.raises(InputError, match=rf"mine has values from .*{wrong}"):
        require_domain(data, UNIT)


def test_sample_is_no_leading_slice_and_repeats_by_seed():
    rows = Split(ROWS, LABELS)
    sample = rows.sample(5, seed=1)
    assert sample.labels.tolist() == rows.sample(5, seed=1).labels.tolist()
    assert sample.labels.tolist() not in (list(range(5)), rows.sample(5, seed=2).labels.tolist())
    assert np.array_equal(sample.images, ROWS[sample.labels])
    assert len(rows.sample(100)) == 20
    assert Split(ROWS).sample(2).labels is None


def test_sha256_is_that_of_the_values_in_c_order():
    digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # of no bytes
    assert require_sha256("x", np.empty(0, np.uint8), digest).size == 0
    columns = np.asfortranarray(ROWS)
    with pytest.raises(InputError, match="x: SHA-256") as wrong:
        require_sha256("x", columns, digest)
    found = str(wrong.value).split("values is ")[1][:12]
    assert hashlib.sha256(ROWS.tobytes()).hexdigest().startswith(found)


def test_labels_become_one_hot():
    found = one_hot(np.array([2, 0]), 3)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [[0, 0, 1], [1, 0, 0]])
    assert one_hot(np.zeros(0, int), 3).shape == (0, 3)


@pytest.mark.parametrize("labels", [[-1, 0], [0, 3]])
def test_labels_that_are_not_among_the_classes_are_refused(labels):
    with pytest.raises(InputError, match=f"labels lie between {labels[0]} and {labels[1]}; expected 0 to 2"):
        one_hot(np.array(labels), 3)


def test_classes_are_counted_up_to_the_largest_label():
    train, test = (Split(ROWS[:2], np.array(labels)) for labels in ([0, 1], [3, 1]))
    assert Dataset("mine", train, test, None, 1.0, "").classes == 4
    assert Dataset("mine", train, Split(ROWS[:2]), None, 1.0, "").classes == 0


def test_a_label_beyond_the_number_of_points_is_no_class():
    part = Split(ROWS[:2], np.array([0, 10**9]))
    with pytest.raises(InputError, match="mine has a label 1000000000 among 4 points; expected labels from 0 on"):
        Dataset("mine", part, part, None, 1.0, "").classes  # noqa: B018


def test_values_that_are_masked_are_missing():
    masked = np.ma.masked_equal(np.arange(40.0).reshape(20, 2), 7.0)
    with pytest.raises(InputError, match="train is a masked array with values that are missing"):
        Dataset.from_arrays(masked)
    Dataset.from_arrays(np.ma.masked_equal(np.arange(40.0).reshape(20, 2), -1))  # (nothing is masked)


def test_of_a_tensor_it_is_said_what_to_write_instead():
    """As a model's samples are, which look like arrays of numbers."""
    with pytest.raises(InputError, match=r"expected an array of numbers.* use \.numpy\(\)"):
        Dataset.from_arrays(tensor(np.ones((20, 3))))
    Dataset.from_arrays(tensor(np.ones((20, 3))).numpy())


def test_frames_with_their_columns_in_another_order_are_refused():
    class Frame(np.ndarray):
        columns = ("a", "b")

    def frame(*columns):
        made = np.arange(40.0).reshape(20, 2).view(Frame)
        made.columns = columns
        return made

    assert Dataset.from_arrays(frame("a", "b"), frame("a", "b")).columns == ("a", "b")
    with pytest.raises(
        InputError, match=r"test has the columns \['b', 'a'\]; expected \['a', 'b'\], as train has them"
    ):
        Dataset.from_arrays(frame("a", "b"), frame("b", "a"))


@pytest.mark.parametrize("labels", [["1_0", "10", "2"], ["01", "1", "2"], ["1_2", "12", "3"]])
def test_text_that_python_takes_for_a_number_stays_text(labels):
    data = Dataset.from_arrays(np.arange(60.0).reshape(30, 2), labels=labels * 10)
    assert sorted(data.class_names) == sorted(labels)


@pytest.mark.parametrize("model", ["float32", "float64"])
@pytest.mark.parametrize("kept", ["float16", "float32", "float64", "uint8"])
def test_values_of_any_precision_are_looked_at_for_a_model_of_any(kept, model):
    """(Without a warning, which would be an error here.)"""
    rows = ROWS.astype(kept)
    require_finite(dataset(rows, rows), np.dtype(model))
    if kept != "uint8":
        rows[3, 1] = np.inf
        with pytest.raises(InputError, match="training row 3, value 1"):
            require_finite(dataset(rows, ROWS.astype(kept)), np.dtype(model))
