"""Special functions against mpmath and SciPy, at ordinary and at extreme arguments.

The numbers were computed with mpmath 1.3.0 at 60 digits.
"""

import subprocess
import sys

import numpy as np
import pytest
from scipy import special

import minivae.autodiff as ad
from minivae import backend
from minivae.autodiff import backward, grad, log_ndtr, tensor
from minivae.backend.cupy import CupyBackend
from minivae.errors import InputError
from minivae.gradcheck import check_gradients

from .written import require_written_in_place

# x, log Phi(x), phi(x) / Phi(x)
LOG_NDTR = np.array(
    [
        (-10000.0, -50000010.129278915, 10000.000099999998),
        (-200.0, -20006.21728089819, 200.00499975003124),
        (-37.5, -707.66898931750719, 37.526628874883654),
        (-10.0, -53.231285150512471, 10.098093233962512),
        (-1.0, -1.8410216450092635, 1.5251352761609812),
        (0.0, -0.69314718055994531, 0.79788456080286536),
        (2.0, -0.023012909328963488, 0.055247862678989959),
        (8.0, -6.2209605742717861e-16, 5.0522710835368954e-15),
    ]
)
# v, x, I_v(x) e^-x, and its derivative by x
IVE = [
    (0, 0.001, 0.99900074958351556, -0.99850124927116134),
    (0, 2.0, 0.30850832255367104, -0.09323903330473338),
    (0, 50.0, 0.056561626647454193, -0.00056850275455879289),
    (0.5, 3.0, 0.22975850339753861, -0.037151224732886348),
    (1, 10.0, 0.12126268138445552, -0.0055556123594724633),
    (2.5, 0.1, 0.00015231039343849567, 0.0036576249600019431),
    (3, 700.0, 0.014984586661719439, -1.0569294294641077e-5),
    (7.5, 4.0, 0.00037406377782845046, 0.00041131498306022704),
    (30, 5.0, 2.6937267526846669e-23, 1.3684517595624135e-22),
    (30, 1000.0, 0.0080435680099375336, -4.0037666478389757e-7),
    (100, 20.0, 5.9161690673596004e-67, 2.4244856476259636e-66),
]

# ------------------------------------------------------------ the error integral


@pytest.mark.parametrize("name", ["erf", "erfinv", "ndtr", "log_ndtr", "gammaln", "digamma"])
def test_values_are_scipys(name, backend_name):
    x = np.array([[0.25, 0.5], [0.9, 1e-3]])
    for dtype in (np.float32, np.float64):
        found = getattr(ad, name)(tensor(x.astype(dtype), backend=backend_name))
        assert found.dtype == dtype
        expected = getattr(special, name)(x.astype(dtype))
        rounding = 8 * np.finfo(dtype).eps * (backend_name == "cupy")  # which has functions of its own
        np.testing.assert_allclose(found.numpy(), expected, rtol=rounding, atol=rounding)


@pytest.mark.parametrize("name", ["erf", "erfinv", "ndtr", "log_ndtr"])
def test_derivatives_of_the_error_integral(name):
    check_gradients(getattr(ad, name), [np.array([-0.9, -0.3, 0.0, 0.5, 0.8])], order=2)


def test_the_logarithm_of_a_distribution_function_that_is_zero(backend_name):
    x, value, slope = LOG_NDTR.T
    z = tensor(x, backend=backend_name, requires_grad=True)
    y = ad.log_ndtr(z)
    np.testing.assert_allclose(y.numpy(), value, rtol=1e-13)
    (g,) = backward(y, [z], [1.0] * len(x), create_graph=True)
    np.testing.assert_allclose(g.numpy(), slope, rtol=1e-14)
    (second,) = backward(g, [z], [1.0] * len(x))
    # -slope (x + slope) tends to -1; x + slope is a small difference of large numbers.
    np.testing.assert_allclose(second.numpy()[3:], (-slope * (x + slope))[3:], rtol=1e-11)
    np.testing.assert_allclose(second.numpy()[:3], -1, atol=1e-3 + 1e-16 * x[0] ** 2)


def test_slopes_at_the_ends_of_the_error_integral():
    x = tensor([-1.0, 1.0], np.float64, requires_grad=True)
    y = ad.erfinv(x)
    assert y.numpy().tolist() == [-np.inf, np.inf]
    with np.errstate(over="ignore"):
        assert backward(y, [x], np.ones(2))[0].numpy().tolist() == [np.inf, np.inf]
    x = tensor([-1e3, 40.0, np.inf], np.float64, requires_grad=True)
    for f in (ad.erf, ad.ndtr):
        with np.errstate(under="ignore"):
            assert backward(f(x), [x], np.ones(3))[0].numpy().tolist() == [0.0, 0.0, 0.0]


# ---------------------------------------------------- log Gamma and its derivatives


def test_derivatives_of_log_gamma():
    x = np.array([0.3, 1.0, 4.5])
    check_gradients(ad.gammaln, [x], order=2)
    for n in range(3):
        check_gradients(lambda x, n=n: ad.polygamma(n, x), [x], order=2)


@pytest.mark.parametrize("order", range(5))
def test_polygamma_against_scipy(order):
    x = np.array([1e-3, 0.1, 1.0, 3.5, 40.0, 1e3, 1e6])
    np.testing.assert_allclose(ad.polygamma(order, x).numpy(), special.polygamma(order, x), rtol=1e-14)
    assert ad.polygamma(order, x.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [0, 1, 2])
def test_many_numbers_give_what_few_give(n, dtype):
    """Negative ones, poles, infinities and NaN among them."""
    x = np.concatenate([np.linspace(-5.5, 30, 5000), [0.0, -0.0, -1.0, -3.0, np.inf, np.nan]]).astype(dtype)
    with np.errstate(all="ignore"):
        found = ad.polygamma(n, x).numpy()
        expected = np.concatenate([ad.polygamma(n, part).numpy() for part in np.array_split(x, 10)])
    assert found.dtype == dtype
    np.testing.assert_array_equal(np.isfinite(found), np.isfinite(expected))
    np.testing.assert_allclose(found, expected, rtol=2e-14 if dtype == np.float64 else 2e-7, atol=1e-15)
    np.testing.assert_array_equal(np.signbit(found[-6:-1]), np.signbit(expected[-6:-1]))


def test_the_derivative_of_log_beta():
    a, b = np.array([0.3, 1.0, 40.0]), np.array([2.5, 1e-3, 7.0])
    np.testing.assert_allclose(ad.betaln(a, b).numpy(), special.betaln(a, b), rtol=1e-15)
    check_gradients(ad.betaln, [a, np.array([2.5, 0.4, 7.0])], order=2)


# ------------------------------------------------------------------------ Bessel


@pytest.mark.parametrize(("v", "x", "value", "slope"), IVE)
def test_scaled_bessel_functions(v, x, value, slope):
    z = tensor(np.float64(x), requires_grad=True)
    y = ad.ive(v, z)
    assert y.item() == pytest.approx(value, rel=1e-13)
    assert backward(y, [z])[0].item() == pytest.approx(slope, rel=1e-13, abs=2e-14 * value)


def test_scaled_bessel_functions_of_negative_numbers_and_zero(backend_name):
    if backend_name == "cupy":
        pytest.skip("CuPy has no ive; it is refused")
    x = tensor(np.array([-3.0, -0.5]), backend=backend_name)
    for v in (0, 1, 2):
        np.testing.assert_array_equal(ad.ive(v, x).numpy(), special.ive(v, x.numpy()))
    check_gradients(lambda x: ad.ive(2, x), [np.array([-3.0, -0.5])], order=2)
    zero = tensor(np.float64(0.0), requires_grad=True)
    for v, slope in ((0, 0.0), (1, 0.5), (2, 0.0)):  # (of order 0 there is a kink, where it is 0 as in PyTorch)
        assert backward(ad.ive(v, zero), [zero])[0].item() == slope


def test_the_order_is_a_number():
    with pytest.raises(
        InputError, match=r"v is Tensor.*; expected a Python number: there is no derivative by the order"
    ):
        ad.ive(tensor(1.0, requires_grad=True), tensor(2.0))
    for v in ("1", None, np.ones(2), np.nan):
        with pytest.raises(InputError, match=r"v is .*; expected a finite number"):
            ad.ive(v, tensor(2.0))
    assert ad.ive(np.float64(1.5), tensor(2.0)).dtype == np.float32


def test_a_backend_without_bessel_functions_is_named(monkeypatch):
    monkeypatch.setattr(type(backend.get_backend("strict")), "special", object())
    with pytest.raises(InputError, match="x is on strict, which has no ive; expected NumPy"):
        ad.ive(1, tensor([2.0], backend="strict"))


# ------------------------------------------------------------ where values come from


@pytest.mark.parametrize(
    ("name", "inputs", "attributes"),
    [
        ("gammaln", (2.5,), {}),
        ("polygamma", (2.5,), {"n": 0}),
        ("polygamma", (2.5,), {"n": 2}),
        ("erf", (2.5,), {}),
        ("erfinv", (0.5,), {}),
        ("ndtr", (2.5,), {}),
        ("log_ndtr", (2.5,), {}),
        ("mills", (2.5,), {}),
        ("mills_excess", (2.5,), {}),
        ("mills_excess", (-9.0,), {}),
        ("betaln", (2.5, 0.5), {}),
        ("ive", (2.5,), {"v": 1.5}),
    ],
)
def test_values_are_written_where_they_are_asked_for(name, inputs, attributes, backend_name):
    if (name, backend_name) == ("ive", "cupy"):
        pytest.skip("CuPy has no ive; it is refused")
    require_written_in_place(name, inputs, attributes, backend_name)


def test_scipy_is_imported_only_when_a_value_is_asked_for():
    program = """
import sys, minivae
from minivae.autodiff import gammaln
assert not any(name.split(".")[0] == "scipy" for name in sys.modules)
assert abs(gammaln([4.0]).item() - 1.791759) < 1e-5
assert "scipy.special" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_cupy_has_its_own_special_functions(monkeypatch):
    monkeypatch.setattr("importlib.import_module", lambda name: name)
    backend = object.__new__(CupyBackend)
    assert backend.special == "cupyx.scipy.special"


def test_the_second_derivative_of_log_ndtr_far_left_keeps_its_digits():
    x = np.array([-1e6, -300.0, -30.0, -5.5])
    t = -x
    fraction = t
    for n in range(200, 1, -1):
        fraction = t + n / fraction
    found = grad(lambda x: grad(lambda x: log_ndtr(x).sum())(x).sum())(x).numpy()
    np.testing.assert_allclose(found, -(t + 1 / fraction) / fraction, rtol=1e-14)
