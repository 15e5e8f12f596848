"""e^x E1(x) and the quantile of the Gamma distribution, at ordinary and at extreme arguments."""

import numpy as np
import pytest
from scipy import special

import minivae.autodiff as ad
from minivae.autodiff import backward, tensor
from minivae.distributions.special import log_gammaincinv, scaled_exp1
from minivae.gradcheck import check_gradients

from ..autodiff.written import require_written_in_place

# x, e^x E1(x): mp.exp(x) * mp.e1(x)
SCALED_EXP1 = np.array(
    [
        (1e-06, 13.238309131365004),
        (0.001, 6.337874070325488),
        (0.5, 0.92291063248373047),
        (1.0, 0.59634736232319407),
        (3.9, 0.21080742758130371),
        (4.1, 0.2020724207096828),
        (7.0, 0.12664109607663276),
        (20.0, 0.047718545495960842),
        (80.0, 0.01234751666367861),
        (1000.0, 0.00099900199402388071),
        (100000.0, 9.99990000199994e-6),
    ]
)


def test_the_exponential_integral():
    x, expected = SCALED_EXP1.T
    np.testing.assert_allclose(scaled_exp1(x).numpy(), expected, rtol=2e-15)
    np.testing.assert_allclose(scaled_exp1(x.astype(np.float32)).numpy(), expected, rtol=2e-7)
    check_gradients(scaled_exp1, [x[2:8]], order=2)


# ---------------------------------------------------------------- the quantile

U = np.array([1e-9, 1e-4, 0.1, 0.5, 0.9, 0.999999])
SHAPES = np.array([1e-3, 0.03, 0.3, 1.0, 5.0, 100.0, 1e3, 1e5])[:, None]


def test_the_quantile_solves_its_equation():
    t = log_gammaincinv(SHAPES, U).numpy()
    x = np.exp(t)
    inside = x > 1e-300  # else only the logarithm is a number
    relative = (special.gammainc(SHAPES, x) - U) / np.minimum(U, 1 - U)
    assert abs(relative[inside]).max() < 1e-9  # 0.999999 leaves 1e-16 / 1e-6
    # There x^a / Gamma(a + 1) is P to the last digit.
    a, u = (np.broadcast_to(v, t.shape)[~inside] for v in (SHAPES, U))
    np.testing.assert_allclose(a * t[~inside] - special.gammaln(a + 1), np.log(u), rtol=1e-13)
    assert 0 < (~inside).sum() < t.size
    assert (np.diff(t) > 0).all()


def test_the_quantile_meets_its_approximation_for_small_x_smoothly():
    """Both sides of where the method changes, x = e^-20."""
    a = np.array([0.01, 0.5, 1.0, 3.0])[:, None]
    t = -20 + np.array([-1e-3, -1e-6, 1e-6, 1e-3])
    u = special.gammainc(a, np.exp(t))
    np.testing.assert_allclose(log_gammaincinv(a, u).numpy(), np.broadcast_to(t, u.shape), rtol=1e-13)


def test_the_quantile_in_float32():
    a, u = SHAPES.astype(np.float32), U.astype(np.float32)
    found = log_gammaincinv(a, u)
    assert found.dtype == np.float32
    exact = log_gammaincinv(a.astype(np.float64), u.astype(np.float64)).numpy()
    np.testing.assert_allclose(found.numpy(), exact, rtol=3e-6, atol=1e-6)


def test_gradients_of_the_quantile():
    log_a = np.log(np.array([[0.01], [0.5], [2.5], [30.0], [400.0]]))
    u = np.array([1e-3, 0.2, 0.5, 0.95, 0.99])
    check_gradients(lambda a: log_gammaincinv(ad.exp(a), u), [log_a], order=2, mode="jacobian")
    check_gradients(lambda u: log_gammaincinv(np.exp(log_a), u), [u[1:]], order=2, mode="jacobian")


def test_gradients_are_finite_at_the_smallest_shapes():
    for dtype in (np.float32, np.float64):
        a = tensor(np.array([[1e-3], [1e-2]]), dtype, requires_grad=True)
        u = np.array([1e-7, 0.01, 0.5, 0.99, 1 - 1e-7])
        (g,) = backward(log_gammaincinv(a, u).sum(), [a])
        assert np.isfinite(g.numpy()).all()
        assert (g.numpy() > 0).all()  # a larger shape, a larger sample


def test_numbers_take_the_dtype_of_the_tensor_beside_them():
    u = tensor(U[2:5], np.float32)
    assert log_gammaincinv(2.0, u).dtype == np.float32
    assert log_gammaincinv(u, 0.5).dtype == np.float32


@pytest.mark.parametrize(
    ("name", "inputs", "attributes"),
    [
        ("scaled_exp1", (2.5,), {}),
        ("log_gammaincinv", (2.5, 0.5), {}),
    ],
)
def test_values_are_written_where_they_are_asked_for(name, inputs, attributes, backend_name):
    require_written_in_place(name, inputs, attributes, backend_name)
