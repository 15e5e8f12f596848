"""psi and its derivatives by series, against SciPy and mpmath, over the whole range of numbers."""

import numpy as np
import pytest
from scipy import special

from minivae.autodiff import polygamma, tensor
from minivae.autodiff.gamma_series import BLOCK, LEAST_SIZE, polygamma_of_positive

# From the smallest numbers up to where x^6 overflows.
WIDE = np.concatenate([np.logspace(-50, -3, 500), np.linspace(0.01, 25, 20_000), np.logspace(1.4, 50, 500)])
ROOT = 1.4616321449683623  # of psi
# n, x, psi^(n)(x): mp.psi(n, x) by mpmath 1.3.0 at 50 digits
EXACT = [
    (0, 1e-300, -9.999999999999999e299),
    (0, 0.5, -1.9635100260214235),
    (0, 1.0, -0.5772156649015329),
    (0, 6.999, 1.8726307781540714),
    (0, 7.001, 1.8729378685123896),
    (0, 10000000000.0, 23.025850929890456),
    (1, 0.5, 4.934802200544679),
    (1, 1.0, 1.6449340668482264),
    (1, 7.5, 0.1426158966967038),
    (1, 10000000000.0, 1.00000000005e-10),
    (2, 1.0, -2.4041138063191885),
    (2, 8.5, -0.015564511795903924),
    (3, 1.0, 6.493939402266829),
    (5, 2.5, 0.5785691785671835),
]


@pytest.mark.parametrize("n", range(6))
def test_the_whole_range(n):
    found, expected = polygamma_of_positive(WIDE, n), special.polygamma(n, WIDE)
    away = abs(WIDE - ROOT) > 0.2 if n == 0 else np.ones(WIDE.shape, bool)
    np.testing.assert_allclose(found[away], expected[away], rtol=8e-15 if n == 0 else 4e-15)
    np.testing.assert_allclose(found[~away], expected[~away], atol=1e-15)


@pytest.mark.parametrize(("n", "x", "expected"), EXACT)
def test_exact_numbers(n, x, expected):
    assert polygamma_of_positive(np.array([x]), n).item() == pytest.approx(expected, rel=1e-15, abs=1e-300)


@pytest.mark.parametrize("n", range(3))
def test_float32_is_rounded_once(n):
    x = WIDE[(WIDE > 1e-10) & (WIDE < 1e10)].astype(np.float32)
    found = polygamma_of_positive(x, n)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, special.polygamma(n, x.astype(np.float64)), rtol=6.1e-8, atol=1e-15)


def test_any_shape_and_layout():
    x = np.random.default_rng(0).uniform(0.1, 20, (180, 801)).T[::2]
    np.testing.assert_array_equal(polygamma_of_positive(x, 1), polygamma_of_positive(x.copy(), 1))
    assert x.size > 2 * BLOCK
    np.testing.assert_allclose(polygamma(0, tensor(x)).numpy(), special.digamma(x), rtol=1e-14, atol=1e-15)


def test_large_arrays_are_written_where_they_are_asked_for():
    from minivae.autodiff.special import polygamma_value

    x = np.linspace(-2.2, 30, LEAST_SIZE)
    expected = polygamma_value(np, x, 0)
    out = x.copy()
    assert polygamma_value(np, out, 0, out=out) is out
    np.testing.assert_array_equal(out, expected)
