"""From raw values to model values and back: exact at any unit, far from 0, of constant columns, of mapped rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minivae.datasets import Dataset, Split
from minivae.datasets.mapped import MappedRows
from minivae.datasets.preparation import PREPARATIONS, Preparation, fitted, moments_of
from minivae.errors import InputError
from minivae.models import automatic

UNITS = 10.0 ** np.linspace(-6, 6, 5)


def table(rng, rows=50):
    return rng.normal(size=(rows, 5)) * UNITS + 1e3 * UNITS


def test_standardized_columns_have_mean_0_and_variance_1_of_the_training_part(rng):
    train, test = table(rng), table(rng) + 5 * UNITS
    x = fitted("standardize", [train, test]).apply(train)
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(x.std(axis=0), 1, rtol=1e-9)


def test_unit_is_the_range_of_all_parts(rng):
    parts = [table(rng), table(rng) + 5 * UNITS]
    p = fitted("unit", parts)
    x = np.concatenate([p.apply(part) for part in parts])
    np.testing.assert_allclose([x.min(axis=0), x.max(axis=0)], [np.zeros(5), np.ones(5)], atol=1e-9)


@pytest.mark.parametrize("kind", ["unit", "standardize"])
def test_pixels_have_one_shift_and_one_scale(kind, rng):
    p = fitted(kind, [rng.normal(3, 2, (40, 6))], whole=True)
    assert np.ptp(p.shift) == 0
    assert np.ptp(p.scale) == 0


@given(st.sampled_from(PREPARATIONS[1:]), st.floats(-8, 8), st.integers(0, 2**32))
def test_what_is_undone_is_what_was(kind, exponent, seed):
    raw = np.random.default_rng(seed).gamma(1, 10.0**exponent, (20, 3))
    p = fitted(kind, [raw])
    np.testing.assert_allclose(p.undo(p.apply(raw)), raw, rtol=1e-9, atol=1e-12 * 10.0**exponent)


@pytest.mark.parametrize("kind", PREPARATIONS[1:])
def test_the_jacobian_is_that_of_differences(kind, rng):
    raw = rng.gamma(2, 3, (30, 4))
    p, h = fitted(kind, [raw]), 1e-6
    slopes = (p.apply(raw + h) - p.apply(raw - h)) / (2 * h)
    np.testing.assert_allclose(p.log_jacobian(raw), np.log(slopes).sum(axis=-1), rtol=1e-6)


@pytest.mark.parametrize("kind", ["unit", "standardize"])
@pytest.mark.parametrize("value", [0.0, 0.1, -1e30, 1e-30])
def test_a_constant_column_becomes_0(kind, value):
    p = fitted(kind, [np.full((7, 2), value)])
    np.testing.assert_array_equal(p.apply(np.full((1, 2), value)), 0)
    np.testing.assert_array_equal(p.undo(np.zeros((1, 2))), value)


def test_no_digits_are_lost_far_from_0(rng):
    near = rng.normal(size=(100, 3))
    x, y = (fitted("standardize", [raw]).apply(raw) for raw in (near, near + 1e9))
    np.testing.assert_allclose(x, y, atol=1e-6)


def test_mapped_rows_are_read_in_blocks_with_the_same_result(tmp_path, rng, monkeypatch):
    raw = table(rng)
    np.save(tmp_path / "x.npy", raw)
    monkeypatch.setattr("minivae.datasets.mapped.BLOCK", 100)
    mapped = MappedRows(np.load(tmp_path / "x.npy", mmap_mode="r"), np.float64)
    for kind in ("unit", "standardize"):
        one, other = fitted(kind, [raw]), fitted(kind, [mapped])
        np.testing.assert_allclose(one.shift, other.shift, rtol=1e-12)
        np.testing.assert_allclose(one.scale, other.scale, rtol=1e-9)


@pytest.mark.parametrize("kind", PREPARATIONS[1:])
def test_it_is_kept_as_arrays(kind, rng):
    p = fitted(kind, [rng.gamma(1, 1, (9, 2))])
    assert Preparation.of_state(p.state()) == p
    assert all(array.dtype.kind in "if" for array in p.state().values())
    assert p != fitted("standardize", [rng.gamma(1, 1, (9, 2))])


def test_what_is_refused(rng):
    with pytest.raises(InputError, match="prepare is log1p, and the data have -1; expected values of at least 0"):
        fitted("log1p", [np.array([[-1.0]])])
    with pytest.raises(InputError, match=r"prepare is 'standardise'.*did you mean 'standardize'"):
        fitted("standardise", [np.ones((2, 2))])
    with pytest.raises(InputError, match=r"scale is \[0.0\]; expected numbers above 0"):
        Preparation("unit", [0.0], [0.0])
    with pytest.raises(InputError, match=r"shift is .*expected finite numbers"):
        Preparation("unit", [np.nan], [1.0])
    with pytest.raises(InputError, match=r"the preparation has kind array\(1\), scale .*; expected a known"):
        Preparation.of_state({"kind": np.array(1), "scale": np.ones(1)})


def test_none_is_nothing_and_a_data_set_is_not_changed(rng):
    data = Dataset("x", Split(table(rng)), Split(table(rng)), None, 1.0, "")
    assert data.prepared("none").preparation is None
    assert data.prepared("unit").preparation.kind == "unit"
    assert data.preparation is None


def test_moments_far_from_zero_are_exact(rng):
    """In one pass the square of 1e9 would swallow a variance of 1e-4: and with it what a decoder starts from."""
    x = 1e9 + 0.01 * rng.normal(size=(1000, 3))
    mean, deviation = moments_of(lambda: [x[:300], x[300:]])
    np.testing.assert_allclose(mean, x.mean(axis=0), rtol=1e-15)
    np.testing.assert_allclose(deviation, x.std(axis=0), rtol=1e-5)
    data = Dataset("x", Split(x), Split(x), None, 1.0, "")
    np.testing.assert_allclose(automatic._variance(data), x.var(axis=0).mean(), rtol=1e-5)


def test_a_column_of_one_value_has_no_variance_at_all():
    """The sum of a thousand 0.1 is not 100, and what rounding left would be taken for a variance."""
    x = np.full((1000, 2), 0.1)
    assert moments_of(lambda: [x])[1].tolist() == [0.0, 0.0]
    assert automatic._variance(Dataset("x", Split(x), Split(x), None, 1.0, "")) == 1.0
