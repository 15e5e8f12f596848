"""Numerical derivatives: the errors that the choice of steps rests on."""

import numpy as np
import pytest

from minivae.autodiff import absolute, exp, log, matmul, sin, sum, tanh, tensor
from minivae.gradcheck.numerical import _STEPS, Map, compare


def exp_map(x, complex_step=False):
    return Map(exp, [tensor(np.float64(x), requires_grad=True)], ["x"], complex_step)


def slope_error(step):
    return max(abs(exp_map(x).slopes(0, np.array(1.0), None, step).central[0] / np.exp(x) - 1) for x in (0.1, 0.4, 0.9))


def test_the_first_step_is_near_the_best_one():
    """Truncation h^2 above it, rounding 1 / h below: the errors the module's text names."""
    errors = {factor: slope_error(_STEPS[0] * factor) for factor in (1e-3, 1, 1e3)}
    assert errors[1] < 1e-10
    assert 1e-6 < errors[1e3] < 1e-4  # (6e-3)^2 / 6
    assert errors[1e-3] > 1e-9


def test_complex_step_has_only_rounding():
    slopes = exp_map(0.5, complex_step=True).slopes(0, np.array(1.0), None, _STEPS[0])
    assert slopes.central[0] == pytest.approx(np.exp(0.5), rel=3e-16)


def test_pullback_and_slopes_of_a_matrix_are_its_columns_and_rows():
    a = np.arange(6.0).reshape(2, 3)
    f = Map(lambda x: matmul(a, x), [tensor(np.ones(3), requires_grad=True)], ["x"], False)
    np.testing.assert_array_equal(f.pullback(np.array([1.0, -2.0]))[0], a[0] - 2 * a[1])
    np.testing.assert_allclose(f.slopes(0, np.eye(3)[1], None, _STEPS[0]).central, a[:, 1], rtol=1e-9)
    v = np.array([2.0, 3.0])
    np.testing.assert_allclose(f.slopes(0, np.eye(3)[1], v, _STEPS[0]).central, [v @ a[:, 1]], rtol=1e-9)


def test_rounding_is_some_units_in_the_last_place_of_the_value():
    f = Map(lambda x: x * 1000.0, [tensor(np.ones(2), requires_grad=True)], ["x"], False)
    np.testing.assert_allclose(f.rounding(None), 1000 * 10 * 2.2e-16, rtol=0.1)
    np.testing.assert_allclose(f.rounding(np.array([3.0, 4.0])), [5000 * 10 * 2.2e-16], rtol=0.1)


@pytest.mark.parametrize("v", [None, np.array([1.0, -1.0])], ids=["element", "direction"])
@pytest.mark.parametrize("magnitude", [1e3, 1e6])
def test_rounding_before_a_cancellation_is_measured(magnitude, v):
    """A value near 0 does not tell that it is the difference of large ones; their rounding does."""
    f = Map(
        lambda x: (sin(x) * magnitude + exp(x)) - sin(x) * magnitude - exp(x),
        [tensor(np.array([0.5, 0.7]), requires_grad=True)],
        ["x"],
        False,
    )
    unit = 2.2e-16 * magnitude
    assert f.rounding(v).max() < 1e-2 * unit
    measured = f.measured_rounding(0, np.ones(2), v)
    assert (measured > unit).all()  # 20 times a deviation of 0.1 to 1 units
    assert (measured < 40 * unit).all()


@pytest.mark.parametrize(
    "f", [sin, exp, lambda x: absolute(x - 5e-9), lambda x: tanh(x * 1e3)], ids=["sin", "exp", "kink near", "bent"]
)
def test_what_is_smooth_and_a_single_kink_are_no_rounding(f):
    f = Map(f, [tensor(np.float64(0.0), requires_grad=True)], ["x"], False)
    assert f.measured_rounding(0, np.array(1.0), None) < 1e-11


@pytest.mark.parametrize(
    ("f", "x", "apart"), [(absolute, 0.0, 2.0), (absolute, 1.0, 0.0), (sin, 0.0, 0.0), (lambda x: x * x, 0.0, 0.0)]
)
def test_comparison_tells_a_kink_from_a_smooth_point(f, x, apart):
    f = Map(f, [tensor(np.float64(x), requires_grad=True)], ["x"], False)
    found = compare(f, 0, np.array(1.0), None, f.pullback(np.ones(1))[0].reshape(1), 0.0, 1e-6)
    assert found.apart == pytest.approx(apart)


def test_smaller_steps_serve_where_the_first_leaves_the_domain():
    f = Map(lambda x: sum(log(x)), [tensor(np.array([2e-6, 1.0]), requires_grad=True)], ["x"], False)
    u = np.array([1.0, 0.0])
    assert np.isnan(f.slopes(0, u, None, _STEPS[0]).central)
    found = compare(f, 0, u, None, np.array([5e5]), 0.0, 1e-2)
    assert found.error < 1e-2
    assert found.numerical == pytest.approx(5e5, rel=1e-2)
