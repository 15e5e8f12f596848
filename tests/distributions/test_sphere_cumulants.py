"""l(kappa) and its derivatives against mpmath and SciPy, from 1e-8 to 1e5 and from the circle to R^512.

The numbers were computed with mpmath 1.3.0 at 60 digits, by the formulas with Bessel functions of the file's top.
"""

import numpy as np
import pytest
from scipy import special

from minivae.autodiff import backward, tensor
from minivae.distributions.sphere_cumulants import _cumulants, log_mean_tilt
from minivae.gradcheck import check_gradients

KNOWN = np.array(
    [  # m, kappa, l, l', l''
        (2, 1e-8, -9.999999975e-09, -0.999999995, 0.5),
        (2, 0.01, -0.009975000156248264, -0.9950000624989583, 0.4999812505208208),
        (2, 1, -0.7640856414928213, -0.5536100341034655, 0.35434603245035623),
        (2, 20, -2.4103895717557258, -0.025329492110192874, 0.0012838756553350688),
        (2, 300, -3.7704124069977714, -0.0016680602094664729, 5.5648614354286154e-06),
        (2, 1e5, -6.675400015683537, -5.000012500125002e-06, 5.000025000375008e-11),
        (3, 1e-8, -9.999999983333333e-09, -0.9999999966666666, 0.3333333333333333),
        (3, 0.01, -0.009983333388888536, -0.9966666888886773, 0.3333266667724853),
        (3, 1, -0.8385606384288044, -0.6869647145006686, 0.27593833903368953),
        (3, 20, -3.6888794541139363, -0.04999999999999999, 0.002499999999999983),
        (3, 300, -6.396929655216146, -0.0033333333333333335, 1.1111111111111112e-05),
        (3, 1e5, -12.206072645530174, -1e-05, 1e-10),
        (4, 1e-8, -9.9999999875e-09, -0.9999999975, 0.25),
        (4, 0.01, -0.009987500026041558, -0.9975000104166015, 0.24999687503255177),
        (4, 1, -0.877500806930886, -0.7598062761299103, 0.22172580340314985),
        (4, 20, -4.7386304704747015, -0.07401225141711527, 0.0036485271869675516),
        (4, 300, -8.782717154064947, -0.004995819383330766, 1.6638749183976354e-05),
        (4, 1e5, -17.49518330011882, -1.4999962499624994e-05, 1.499992499887498e-10),
        (10, 1e-8, -9.999999995e-09, -0.999999999, 0.1),
        (10, 0.01, -0.009995000002083332, -0.9990000008333322, 0.09999975000059523),
        (10, 1, -0.9502063729136446, -0.9008216176002874, 0.09755820686716336),
        (10, 20, -8.851721964010478, -0.20448093213457522, 0.009165832123084527),
        (10, 300, -20.66161062648108, -0.014912210744621384, 4.94137822894097e-05),
        (10, 1e5, -46.77653932337672, -4.4999212492125194e-05, 4.4998424976375767e-10),
        (50, 1e-8, -9.999999999e-09, -0.9999999998, 0.02),
        (50, 0.01, -0.00999900000001923, -0.9998000000076923, 0.019999997692307977),
        (50, 1, -0.9900019221278958, -0.9800076866148082, 0.019976951531110454),
        (50, 20, -16.25945975998344, -0.6480338953474639, 0.01380290477700679),
        (50, 300, -70.20201970908258, -0.07846250767960035, 0.0002508598354974173),
        (50, 1e5, -211.56822945780434, -0.00024497121221253506, 2.4494242413801524e-09),
        (512, 1e-8, -9.999999999902343e-09, -0.9999999999804687, 0.001953125),
        (512, 0.01, -0.00999990234375002, -0.9999804687500075, 0.001953124997773523),
        (512, 1, -0.9990234393553882, -0.9980468824215338, 0.00195310273551088),
        (512, 20, -19.609671266002177, -0.9609966936090759, 0.0019442638024663558),
        (512, 300, -222.83998060559884, -0.538526434744463, 0.0009988424184124887),
        (512, 1e5, -1604.3318878713656, -0.002551748735272604, 2.5484974486029687e-08),
    ]
)


def test_against_mpmath():
    for m in np.unique(KNOWN[:, 0]).astype(int).tolist():
        kappa, *expected = KNOWN[KNOWN[:, 0] == m, 1:].T
        # On the circle the tails are longest, and 128 nodes leave more.
        tolerance = 3e-12 if m == 2 else 3e-14
        for order, values in enumerate(expected):
            np.testing.assert_allclose(
                log_mean_tilt(kappa, m, order).numpy(), values, rtol=tolerance, atol=2e-14 * (not order)
            )
            narrow = log_mean_tilt(kappa.astype(np.float32), m, order)
            assert narrow.dtype == np.float32
            np.testing.assert_allclose(narrow.numpy(), values, rtol=1e-5, atol=4e-6 * (not order))


@pytest.mark.parametrize("m", [2, 3, 7, 10, 64, 512])
def test_against_scipys_bessel_functions(m):
    kappa, v = np.geomspace(0.1 * m, 100 * m, 13), m / 2 - 1
    low, high = special.ive(v, kappa), special.ive(v + 1, kappa)
    expected = special.gammaln(v + 1) + v * np.log(2 / kappa) + np.log(low)
    np.testing.assert_allclose(log_mean_tilt(kappa, m).numpy(), expected, rtol=1e-11, atol=1e-11)
    a = high / low
    np.testing.assert_allclose(1 + log_mean_tilt(kappa, m, 1).numpy(), a, rtol=1e-12)
    # (which cancels: that it is right to 1e-16 beside 1 is all that there is to compare)
    np.testing.assert_allclose(log_mean_tilt(kappa, m, 2).numpy(), 1 - a**2 - (m - 1) * a / kappa, atol=1e-14)


def test_in_three_dimensions_it_is_elementary():
    kappa = np.array([1e-8, 0.01, 1.0, 5.0, 50.0, 1e4])
    expected = np.log(-np.expm1(-2 * kappa) / (2 * kappa))
    np.testing.assert_allclose(log_mean_tilt(kappa, 3).numpy(), expected, rtol=1e-13, atol=1e-15)
    along = 1 / np.tanh(kappa[2:]) - 1 / kappa[2:]
    np.testing.assert_allclose(1 + log_mean_tilt(kappa[2:], 3, 1).numpy(), along, rtol=1e-12)


@pytest.mark.parametrize("m", [2, 5, 40])
def test_at_0_it_is_0_and_the_moments_are_those_of_a_uniform_direction(m):
    """E w = 0, E w^2 = 1 / m, E w^3 = 0, E w^4 = 3 / (m (m + 2))."""
    found = [log_mean_tilt(np.zeros(1), m, order).item() for order in range(5)]
    np.testing.assert_allclose(found, [0, -1, 1 / m, 0, 3 / (m * (m + 2)) - 3 / m**2], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("m", [2, 3, 12])
def test_derivatives(m):
    kappa = np.array([0.3, 2.0, 11.0])
    check_gradients(lambda k: log_mean_tilt(k, m), [kappa], order=2)
    for order in (1, 2, 3):
        check_gradients(lambda k, order=order: log_mean_tilt(k, m, order), [kappa])


def test_cumulants_of_central_moments():
    """Of the exponential distribution: (n - 1)!."""
    assert _cumulants([1.0, 0.0, 1.0, 2.0, 9.0, 44.0, 265.0])[2:] == [1.0, 2.0, 6.0, 24.0, 120.0]


def test_the_ends_in_float32_are_finite():
    kappa = tensor(np.array([0.0, 1e-40, 1e-8, 1e5, 1e9], "float32"), requires_grad=True)
    for m in (2, 8, 512):
        found = log_mean_tilt(kappa, m)
        assert np.isfinite(found.numpy()).all()
        (slope,) = backward(found.sum(), [kappa])
        assert (np.isfinite(slope.numpy()) & (slope.numpy() < 0) & (slope.numpy() >= -1.000001)).all()
