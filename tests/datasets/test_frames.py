"""Data frames and sparse matrices as arguments: what is taken, and what is refused in one line."""

import numpy as np
import pytest
import scipy.sparse

import minivae as mv
from minivae.errors import InputError

pd = pytest.importorskip("pandas")

ROWS = np.random.default_rng(0).normal(size=(30, 2))
WORDS = ["x", "y", "z"] * 10
WRONG = {
    "text": (WORDS, "'b' (such as 'x')"),
    "dates": (pd.date_range("2020", periods=30), "'b' (dates)"),
    "times": (pd.to_timedelta(range(30), unit="s"), "'b' (durations)"),
    "categories": (pd.Categorical(WORDS), "'b' (such as 'x')"),
    "a mixture": ([1, "two", 3.0] * 10, "'b' (such as 'two')"),
    "gaps": ([None, 1, 2] * 10, "'b'"),
}


def frame(column):
    return pd.DataFrame({"a": ROWS[:, 0], "b": column, "c": column})


def takers():
    """Each way in which people give a frame."""
    yield lambda given: mv.Dataset.from_arrays(given)
    yield lambda given: mv.Dataset.from_arrays(ROWS, test=given)
    yield lambda given: mv.fit(mv.models.VAE(3), given, epochs=1)


@pytest.mark.parametrize("take", [*takers()])
@pytest.mark.parametrize("kind", [kind for kind in WRONG if kind != "gaps"])
def test_columns_without_numbers_are_named(kind, take):
    column, words = WRONG[kind]
    with pytest.raises(InputError, match=r"has columns without numbers: .*; expected numbers: drop them") as raised:
        take(frame(column))
    assert words in str(raised.value)
    assert words.replace("'b'", "'c'") in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_estimator_names_them_too():
    estimator = pytest.importorskip("minivae.estimator").VAE(epochs=1)
    with pytest.raises(InputError, match=r"X has columns without numbers: 'b' \(such as 'x'\), 'c'"):
        estimator.fit(frame(WORDS))


@pytest.mark.parametrize("gap", [None, np.nan, pd.NA])
def test_a_gap_is_refused_with_its_column(gap):
    for column in ([gap, *range(29)], pd.array([None, *range(29)], dtype="Int64")):
        with pytest.raises(InputError, match=r"column 'b'|columns without numbers: 'b'"):
            mv.Dataset.from_arrays(frame(column))


@pytest.mark.parametrize(
    "column",
    [
        range(30),
        np.arange(30) % 2 == 0,
        pd.array(range(30), dtype="Int64"),
        pd.array([True, False] * 15, dtype="boolean"),
        pd.array(np.arange(30) / 4, dtype="Float64"),
        pd.Series(range(30), dtype=object),
    ],
)
def test_every_kind_of_number_is_one(column):
    data = mv.Dataset.from_arrays(frame(column), split="contiguous")
    whole = np.concatenate([data.train.images, data.test.images])
    np.testing.assert_array_equal(whole[:, 1], np.asarray(column, float))
    assert data.columns == ("a", "b", "c")


def test_names_that_come_twice_become_others():
    data = mv.Dataset.from_arrays(pd.DataFrame(np.c_[ROWS, ROWS], columns=["a", "b", "a", "a"]), split="contiguous")
    assert data.columns == ("a", "b", "a.1", "a.2")
    np.testing.assert_array_equal(data.train.images[:, 2], ROWS[:27, 0])
    assert mv.Dataset.from_arrays(ROWS, columns=["a", "a"]).columns == ("a", "a.1")


@pytest.mark.parametrize("labels", [pd.Series(WORDS), pd.Series(WORDS, dtype=object), pd.Categorical(WORDS), WORDS])
def test_a_column_of_text_is_labels(labels):
    data = mv.Dataset.from_arrays(ROWS, labels=labels)
    assert data.class_names == ("x", "y", "z")
    gaps = mv.Dataset.from_arrays(ROWS, labels=pd.Series([None, *WORDS[1:]], dtype=object))
    assert "1 of 30 are missing" in gaps.account["labels"]


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"])
def test_sparse_matrices_are_made_dense_and_it_is_said(kind):
    counts = np.random.default_rng(1).poisson(0.4, (30, 6)) * 300
    matrix = scipy.sparse.csr_matrix(counts).asformat(kind)
    for given in (matrix, scipy.sparse.csr_array(counts).asformat(kind)):
        data = mv.Dataset.from_arrays(given, split="contiguous")
        np.testing.assert_array_equal(np.concatenate([data.train.images, data.test.images]), counts)
        assert "a sparse matrix: " in data.describe()
    assert len(mv.fit(mv.models.VAE(6, 2, (8,), likelihood="poisson"), matrix, epochs=1, batch_size=9, progress=False))


def test_entries_that_come_twice_are_summed():
    matrix = scipy.sparse.coo_matrix((np.full(3, 200, np.uint8), ([0, 0, 1], [1, 1, 0])), shape=(3, 2))
    data = mv.Dataset.from_arrays(matrix.astype(int), split="contiguous")
    assert data.train.images.tolist() == [[0, 400], [200, 0]]


def test_what_would_be_too_large_is_refused():
    with pytest.raises(InputError, match=r"train is a sparse matrix of shape .* expected at most"):
        mv.Dataset.from_arrays(scipy.sparse.csr_matrix((1 << 20, 1 << 20)))
    with pytest.raises(InputError, match="train holds values of type complex"):
        mv.Dataset.from_arrays(scipy.sparse.csr_matrix(np.eye(3) * 1j))
