"""Special functions against mpmath, at ordinary and at extreme arguments.

The numbers were computed with mpmath 1.3.0 at 60 digits; P(a, x) is
``mp.gammainc(a, 0, x, regularized=True)``, q is ``mp.exp(a*t - x - mp.loggamma(a))``
with ``x = mp.exp(t)``, and its derivatives by a are ``mp.diff(lambda a: P(a, x), a, k, h=1e-15) / q``
(far above the mean, those of -``mp.gammainc(a, x, mp.inf, regularized=True)``).
"""

import subprocess
import sys

import numpy as np
import pytest
from scipy import special

import minivae.autodiff as ad
from minivae import backend
from minivae.autodiff import PRIMITIVES, backward, tensor
from minivae.distributions.special import log_gammaincinv, scaled_exp1
from minivae.gradcheck import check_gradients
from minivae.libraries import CupyLibrary

# a, t = log x, and the first and second derivative of P(a, e^t) by a, over dP/dt.
SLOPES = np.array(
    [
        (1e-06, -800000.0, -799999422785.98007, 6.3999907645625632e17),
        (1e-06, -1.0, -1097104.7489272883, -690351.68818333968),
        (1e-06, 1.0, -283877.33842936176, -1029819.9157735106),
        (0.001, -700.0, -699424.42806818968, 489192888.04531839),
        (0.001, -30.0, -29424.428068192543, 864154.43394428728),
        (0.001, 0.5, -418.81493163544553, -1176.3813121599342),
        (0.001, 1.0, -284.45852225169545, -1029.6317032290669),
        (0.05, -20.0, -390.04310097704907, 7576.0338692264412),
        (0.05, -1.0, -23.059716143348807, -10.072558891811864),
        (0.05, 1.5, -4.1851730407926629, -16.933128960111167),
        (0.5, -12.0, -24.073084016076917, 287.88589536286018),
        (0.5, 0.6, -1.3294601425626633, -1.6487328144232806),
        (0.5, 0.8, -1.1753785626480621, -1.7307284064743797),
        (0.5, 2.5, -0.35873536267171796, -1.2378999965663418),
        (1.0, -9.0, -9.4233966455680951, 88.149982022254998),
        (1.0, 0.0, -1.1735630272247269, 0.091383294464373814),
        (1.0, 1.0, -0.68465763989637668, -0.68885252110389621),
        (1.0, 3.0, -0.18046517112758786, -0.57234588591437773),
        (2.5, -3.0, -1.6665281478934586, 6.7117393905273555),
        (2.5, 0.6, -0.49829464749262516, 0.16970449117834328),
        (2.5, 0.75, -0.46385815686421655, 0.086070527696062103),
        (2.5, 1.5, -0.31478710061260284, -0.18578156056431858),
        (2.5, 2.9, -0.13447990932263408, -0.27390007627639845),
        (2.5, 6.0, -0.013184614493343537, -0.068649574276773635),
        (7.0, -0.5, -0.39012027576934551, 0.96512422727131489),
        (7.0, 1.0, -0.22605256785114809, 0.2167374816335697),
        (7.0, 1.85, -0.15342732529744356, 0.015158569118777343),
        (7.0, 2.0, -0.14238287637156615, -0.0075480348448082195),
        (7.0, 3.2, -0.073180933698771784, -0.092741786184156196),
        (30.0, 2.5, -0.05085335283153991, 0.045959511057015005),
        (30.0, 3.375, -0.033960084895074548, 0.00089530791327207068),
        (30.0, 3.4, -0.033539195115730412, 4.3393064039219971e-5),
        (30.0, 4.5, -0.018406401854542807, -0.020278723889871581),
        (1000.0, 5.0, -0.0022405690615259956, 0.0042747939529126843),
        (1000.0, 6.7, -0.0011076562392754983, 0.00023014068861221562),
        (1000.0, 6.905, -0.001001545185114711, 2.7598498661106603e-6),
        (1000.0, 6.91, -0.00099904455569447422, -2.2426799506387091e-6),
        (1000.0, 7.1, -0.0009071065699260357, -0.00017440089924084948),
        (100000.0, 11.5, -1.0064783322034892e-5, 1.3009211275561986e-7),
        (100000.0, 11.51292, -1.0000043991604908e-5, 5.4650071578766231e-11),
        (100000.0, 11.513, -9.9996439955429141e-6, -7.4532430068545501e-10),
        (100000.0, 11.53, -9.9148867980992655e-6, -1.6929222294397433e-7),
    ]
)
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


def slope(a, t, order):
    return ad.apply(PRIMITIVES["gammainc_slope"], tensor(a), tensor(t), order=order).numpy()


def test_derivatives_of_the_incomplete_gamma_function():
    a, t, first, second = SLOPES.T
    np.testing.assert_allclose(slope(a, t, 1), first, rtol=5e-13)
    # The second one crosses zero between numbers of its own size.
    np.testing.assert_allclose(slope(a, t, 2), second, rtol=5e-10)


def test_derivatives_of_the_incomplete_gamma_function_in_float32():
    a, t = SLOPES[:, :2].astype(np.float32).T
    found = slope(a, t, 1)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, slope(a.astype(np.float64), t.astype(np.float64), 1), rtol=2e-5)


def test_further_derivatives_of_the_incomplete_gamma_function():
    """Up to the third by a, and those by t: below and above where the method changes."""
    a = np.array([0.3, 2.5, 4.0, 9.0, 9.0])
    t = np.array([-1.0, 0.5, 1.5, 1.0, 2.5])
    check_gradients(lambda a, t: ad.apply(PRIMITIVES["gammainc_slope"], a, t, order=1), [a, t], order=2)


def test_derivatives_of_log_gamma():
    x = np.array([0.3, 1.0, 4.5])
    check_gradients(ad.gammaln, [x], order=2)
    for n in range(3):
        check_gradients(lambda x, n=n: ad.polygamma(n, x), [x], order=2)


def test_the_exponential_integral():
    x, expected = SCALED_EXP1.T
    np.testing.assert_allclose(scaled_exp1(x).numpy(), expected, rtol=2e-15)
    np.testing.assert_allclose(scaled_exp1(x.astype(np.float32)).numpy(), expected, rtol=2e-7)
    check_gradients(scaled_exp1, [x[2:8]], order=2)


@pytest.mark.parametrize("order", range(5))
def test_polygamma_against_scipy(order):
    x = np.array([1e-3, 0.1, 1.0, 3.5, 40.0, 1e3, 1e6])
    np.testing.assert_allclose(ad.polygamma(order, x).numpy(), special.polygamma(order, x), rtol=1e-14)
    assert ad.polygamma(order, x.astype(np.float32)).dtype == np.float32


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


# ------------------------------------------------------------ where values come from


@pytest.mark.parametrize(
    ("name", "inputs", "attributes"),
    [
        ("gammaln", (2.5,), {}),
        ("polygamma", (2.5,), {"n": 0}),
        ("polygamma", (2.5,), {"n": 2}),
        ("scaled_exp1", (2.5,), {}),
        ("log_gammaincinv", (2.5, 0.5), {}),
        ("gammainc_slope", (2.5, 0.5), {"order": 1}),
    ],
)
def test_values_are_written_where_they_are_asked_for(name, inputs, attributes, backend_name):
    arrays = [backend.asarray(np.full(3, x), backend=backend_name) for x in inputs]
    xp = backend.namespace(*arrays)
    expected = backend.to_numpy(PRIMITIVES[name].value(xp, *arrays, **attributes))
    PRIMITIVES[name].value(xp, *arrays, out=arrays[0], **attributes)  # also over an input
    np.testing.assert_array_equal(backend.to_numpy(arrays[0]), expected)


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
    library = object.__new__(CupyLibrary)
    assert library.special == "cupyx.scipy.special"
