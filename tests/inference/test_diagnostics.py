"""The effective sample size, on chains whose autocorrelation is known; active units; correlation with sources."""

import numpy as np
import pytest

from minivae.errors import InputError
from minivae.inference import active_units, effective_sample_size, mean_correlation


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9, -0.5])
def test_of_an_autoregression_it_is_known(rho, rng):
    """x_t = rho x_{t-1} + noise has n (1 - rho) / (1 + rho)."""
    n, columns = 4000, 50
    x = np.empty((n, columns))
    x[0] = rng.normal(size=columns) / np.sqrt(1 - rho**2)
    for t in range(1, n):
        x[t] = rho * x[t - 1] + rng.normal(size=columns)
    expected = n * (1 - rho) / (1 + rho)
    found = effective_sample_size(x)
    assert found.shape == (columns,)
    # Measured over these columns: within 4% on average; a single one varies by 10%.
    np.testing.assert_allclose(found.mean(), expected, rtol=0.1)
    assert (np.abs(found / expected - 1) < 0.6).all()


def test_it_says_how_far_the_mean_is_off(rng):
    """The variance of the mean of many chains is that of x over the effective sample size."""
    rho, n, columns = 0.8, 1000, 400
    x = np.empty((n, columns))
    x[0] = rng.normal(size=columns) / np.sqrt(1 - rho**2)
    for t in range(1, n):
        x[t] = rho * x[t - 1] + rng.normal(size=columns)
    expected = x.var() / effective_sample_size(x).mean()
    np.testing.assert_allclose(x.mean(0).var(), expected, rtol=0.25)  # 400 squares: 7% by chance


@pytest.mark.parametrize("n", [10, 11, 40, 41])
def test_it_is_that_of_the_autocovariances_summed_by_hand(n, rng):
    """Geyer (1992), without a Fourier transform: the ends of the chain do not meet."""
    x = np.cumsum(rng.normal(size=n))
    y = x - x.mean()
    rho = np.array([y[: n - t] @ y[t:] for t in range(n)]) / (y @ y)
    total, last = 0.0, np.inf
    for pair in rho[: n // 2 * 2].reshape(-1, 2).sum(1):
        if pair <= 0:
            break
        total += (last := min(last, pair))
    assert effective_sample_size(x) == pytest.approx(n / (2 * total - 1), rel=1e-9)


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, -1e300])
def test_what_never_changes_has_none(value):
    """Whether or not the mean of the equal numbers is rounded to another."""
    assert np.isnan(effective_sample_size(np.full((11, 2), value))).all()


@pytest.mark.parametrize("scale", [1e-200, 1e-8, 1e200])
def test_the_scale_does_not_matter(scale, rng):
    draws = rng.normal(size=(200, 3))
    np.testing.assert_allclose(effective_sample_size(scale * draws), effective_sample_size(draws), rtol=1e-9)
    assert mean_correlation(draws, scale * draws) == pytest.approx(1, abs=1e-12)


def test_numbers_whose_difference_is_beyond_the_largest_are_like_others(rng):
    draws = rng.uniform(-1, 1, size=(200, 3))
    draws[:2] = [[-1.0], [1.0]]
    largest = np.finfo(float).max * draws
    np.testing.assert_allclose(effective_sample_size(largest), effective_sample_size(draws), rtol=1e-9)
    assert mean_correlation(largest, draws) == pytest.approx(1, abs=1e-12)


def test_a_change_in_the_last_digit_is_a_change(rng):
    """Beside which the rounding of a mean would be no small matter."""
    k = rng.integers(0, 4, size=(200, 3)).astype(float)
    draws = 1 + np.finfo(float).eps * k
    np.testing.assert_allclose(effective_sample_size(draws), effective_sample_size(k), rtol=1e-9)
    assert mean_correlation(k, draws) == pytest.approx(1, abs=1e-12)


def test_too_few_draws_are_refused():
    for n in (3, 9):
        with pytest.raises(InputError, match=rf"draws has shape \({n}, 2\); expected at least 10"):
            effective_sample_size(np.ones((n, 2)))


def test_active_units_are_those_that_vary(rng):
    means = rng.normal(size=(500, 4)) * [1.0, 0.05, 0.15, 0.0]
    assert active_units(means) == 2
    assert active_units(means, least=0.5) == 1


def test_sources_are_found_in_any_order_and_scale(rng):
    sources = rng.normal(size=(2000, 3))
    codes = sources[:, [2, 0, 1]] * [-3.0, 0.1, 7.0] + 5
    assert mean_correlation(sources, codes) == pytest.approx(1)
    # One code is noise: its correlation is that of chance.
    codes[:, 1] = rng.normal(size=2000)
    assert mean_correlation(sources, codes) == pytest.approx(2 / 3, abs=0.03)


def test_each_source_has_a_code_of_its_own(rng):
    """A code that has most of two sources counts for one of them."""
    sources = rng.normal(size=(5000, 2))
    both = sources.sum(axis=1)
    found = mean_correlation(sources, np.stack([both, both], axis=1))
    assert found == pytest.approx(np.sqrt(0.5), abs=0.02)
    assert mean_correlation(sources, np.stack([both, rng.normal(size=5000)], axis=1)) == pytest.approx(0.35, abs=0.03)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e300])
def test_a_code_that_never_changes_tells_nothing(value, rng):
    """Of a posterior that has collapsed: 0 for it, not NaN for all; the others are as without it."""
    sources = rng.normal(size=(50, 3))
    codes = sources * [2.0, -1.0, 0.0] + [0.0, 1.0, value]
    assert mean_correlation(sources, codes) == pytest.approx(2 / 3, abs=1e-12)
    assert mean_correlation(sources, np.full((50, 3), value)) == 0


def test_a_source_that_never_changes_is_refused(rng):
    sources = rng.normal(size=(50, 3)) * [1, 0, 1] + 0.1
    with pytest.raises(InputError, match=r"sources\[:, 1\] never changes"):
        mean_correlation(sources, rng.normal(size=(50, 3)))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(bad, rng):
    good, wrong = rng.normal(size=(50, 2)), rng.normal(size=(50, 2))
    wrong[3, 1] = bad
    for name, call in (
        ("draws", lambda: effective_sample_size(wrong)),
        ("means", lambda: active_units(wrong)),
        ("sources", lambda: mean_correlation(wrong, good)),
        ("codes", lambda: mean_correlation(good, wrong)),
    ):
        with pytest.raises(InputError, match=f"{name} is an array with a NaN or an infinity"):
            call()
