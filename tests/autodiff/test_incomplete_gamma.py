"""The incomplete gamma function, with its derivatives by the shape, against mpmath.

The numbers were computed with mpmath 1.3.0 at 60 digits. P(a, x) is
``mp.gammainc(a, 0, x, regularized=True)``, q is ``mp.exp(a*t - x - mp.loggamma(a))``
with ``x = mp.exp(t)``, and its derivatives by a are ``mp.diff(lambda a: P(a, x), a, k, h=1e-15) / q``
(far above the mean, those of -``mp.gammainc(a, x, mp.inf, regularized=True)``).
"""

import numpy as np
import pytest
from scipy import special

import minivae.autodiff as ad
from minivae.autodiff import PRIMITIVES, backward, gammainc, tensor
from minivae.gradcheck import check_gradients

from .written import require_written_in_place

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
# a, x, and the derivatives of P(a, x) by both.
GAMMAINC = np.array(
    [
        (0.001, 0.001, -6.2932038249004247, 0.99269544719615031),
        (0.001, 1.0, -0.219832728883122, 0.00036809154564823262),
        (0.05, 20.0, -1.3844270323849277e-10, 6.1484268663033856e-12),
        (0.5, 1e-08, -0.0020826686857231329, 5641.8957790586047),
        (0.5, 0.7, -0.53133883050512715, 0.33486511469016703),
        (1.0, 1.0, -0.4317297106348987, 0.36787944117144232),
        (2.5, 0.1, -0.0030252729366812101, 0.02152456344953816),
        (2.5, 3.0, -0.22754855127826082, 0.19460869331856584),
        (7.0, 2.0, -0.0061649420147662017, 0.012029802954365573),
        (7.0, 6.5, -0.15537649903573241, 0.15748293896738028),
        (7.0, 30.0, -1.8393271649841698e-7, 9.4745932559506768e-8),
        (30.0, 25.0, -0.049954877425834856, 0.054495342156142662),
        (300.0, 310.0, -0.019253838374701429, 0.01893107505817446),
        (1000.0, 900.0, -6.2457090358415652e-5, 6.5855036504654443e-5),
    ]
)

# ----------------------------------------------------------- slopes of gammainc


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


# -------------------------------------------------------------------- gammainc


def test_the_incomplete_gamma_function_and_its_derivatives(backend_name):
    a, x, by_a, by_x = GAMMAINC.T
    inputs = [tensor(v, backend=backend_name, requires_grad=True) for v in (a, x)]
    y = gammainc(*inputs)
    np.testing.assert_allclose(y.numpy(), special.gammainc(a, x), rtol=1e-14)
    found = backward(y, inputs, [1.0] * len(a))
    np.testing.assert_allclose(found[0].numpy(), by_a, rtol=2e-12)
    np.testing.assert_allclose(found[1].numpy(), by_x, rtol=2e-12)


def test_the_incomplete_gamma_function_in_float32():
    a, x, by_a, by_x = GAMMAINC[1:11].astype(np.float32).T
    inputs = [tensor(v, requires_grad=True) for v in (a, x)]
    found = backward(gammainc(*inputs), inputs, np.ones(len(a), np.float32))
    assert {g.dtype.name for g in found} == {"float32"}
    np.testing.assert_allclose(found[0].numpy(), by_a, rtol=2e-5)
    np.testing.assert_allclose(found[1].numpy(), by_x, rtol=2e-5)


def test_second_derivatives_of_the_incomplete_gamma_function():
    check_gradients(gammainc, [np.array([0.3, 2.5, 4.0, 9.0]), np.array([0.2, 1.7, 6.0, 3.0])], order=2)


def test_at_zero_the_slope_is_that_of_a_power():
    """x^(a - 1) / Gamma(a): infinite, 1, or 0; and its own slope there."""
    x = tensor(np.zeros(5), requires_grad=True)
    a = np.array([0.5, 1.0, 1.5, 2.0, 3.0])
    with np.errstate(divide="ignore"):
        (g,) = backward(gammainc(a, x), [x], np.ones(5))
    np.testing.assert_array_equal(g.numpy(), [np.inf, 1.0, 0.0, 0.0, 0.0])
    finite = tensor(np.zeros(3), requires_grad=True)
    (g,) = backward(gammainc(a[[1, 3, 4]], finite), [finite], np.ones(3), create_graph=True)
    np.testing.assert_allclose(backward(g, [finite], np.ones(3))[0].numpy(), [-1.0, 1.0, 0.0])
    shape = tensor(a, requires_grad=True)
    np.testing.assert_array_equal(backward(gammainc(shape, np.zeros(5)), [shape], np.ones(5))[0].numpy(), 0.0)


def test_outside_of_the_domain_value_and_slopes_are_nan(backend_name):
    for x in (-1.0, np.nan):
        inputs = [tensor(np.float64(v), backend=backend_name, requires_grad=True) for v in (2.0, x)]
        y = gammainc(*inputs)
        with np.errstate(invalid="ignore"):
            found = [y, *backward(y, inputs)]
        assert all(np.isnan(t.item()) for t in found)


def test_far_above_everything_is_below():
    a = tensor(np.array([0.5, 30.0]), requires_grad=True)
    for x in (1e6, np.inf):
        assert gammainc(a, x).numpy().tolist() == [1.0, 1.0]
        assert backward(gammainc(a, x), [a], np.ones(2))[0].numpy().tolist() == [0.0, 0.0]


def test_numbers_take_the_dtype_of_the_tensor_beside_them():
    x = tensor([0.25, 0.5])
    assert gammainc(2.0, x).dtype == np.float32
    assert gammainc(x, 2).dtype == np.float32


@pytest.mark.parametrize(
    ("name", "inputs", "attributes"),
    [
        ("gammainc_slope", (2.5, 0.5), {"order": 1}),
        ("gammainc", (2.5, 0.5), {}),
    ],
)
def test_values_are_written_where_they_are_asked_for(name, inputs, attributes, backend_name):
    require_written_in_place(name, inputs, attributes, backend_name)
