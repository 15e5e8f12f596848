"""The effective sample size, on chains whose autocorrelation is known."""

import numpy as np
import pytest

from minivae.errors import InputError
from minivae.inference import effective_sample_size


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


def test_what_never_changes_has_none():
    assert np.isnan(effective_sample_size(np.ones((10, 2)))).all()


def test_too_few_draws_are_refused():
    with pytest.raises(InputError, match=r"draws has shape \(3, 2\); expected at least 4"):
        effective_sample_size(np.ones((3, 2)))
