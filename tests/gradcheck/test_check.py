"""The checker checked: nothing passes vacuously, kinks are reported as such, and what it varies it puts back."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import (
    Parameter,
    absolute,
    astype,
    clip,
    exp,
    getitem,
    log,
    matmul,
    maximum,
    multiply,
    relu,
    sign,
    sin,
    sqrt,
    standard_normal,
    stop_gradient,
    sum,
    tanh,
    tensor,
)
from minivae.autodiff.tape import Operation
from minivae.errors import GradientError, InputError
from minivae.gradcheck import check_gradients

MODES = ["jacobian", "directions"]
both_modes = pytest.mark.parametrize("mode", MODES)


def exp_with(rule):
    """The exponential with another derivative rule."""
    return Operation("faulty", lambda xp, x, out=None: xp.exp(x), (rule,))


# ------------------------------------------------------------ vacuous checks


@both_modes
@pytest.mark.parametrize(
    ("f", "inputs", "message"),
    [
        (lambda: tensor(np.float64(1.0)), [], "the inputs have 0 elements, the output 1"),
        (lambda x: sum(x), [np.zeros((0, 3))], "the inputs have 0 elements, the output 1"),
        (lambda x: getitem(x, slice(0, 0)), [np.ones(3)], "the inputs have 3 elements, the output 0"),
        (lambda x: x * 0.0, [np.ones(3)], r"the gradient by inputs\[0\] is zero throughout"),
        (lambda x, y: x * 1.0, [np.ones(3), np.ones(2)], r"the gradient by inputs\[1\] is zero throughout"),
        (lambda x, y: x * 1.0, [np.ones(3), np.ones((2, 0))], r"the gradient by inputs\[1\] is zero throughout"),
        (lambda x: relu(x), [-np.ones(3)], r"the gradient by inputs\[0\] is zero throughout"),
    ],
)
def test_vacuous_checks_are_refused_unless_allowed(f, inputs, message, mode):
    with pytest.raises(GradientError, match=message):
        check_gradients(f, inputs, mode=mode)
    for order in (1, 2):
        assert check_gradients(f, inputs, mode=mode, order=order, allow_zero=True).largest_error < 1e-6


@both_modes
def test_allowing_zero_does_not_allow_a_wrong_zero(mode):
    with pytest.raises(GradientError, match="wrong gradient"):
        check_gradients(lambda x: stop_gradient(x) * 2.0, [np.ones(3)], mode=mode, allow_zero=True)


# ----------------------------------------------------------- kinks and jumps


@both_modes
@pytest.mark.parametrize(
    ("f", "x", "apart"),
    [
        (relu, 0.0, "1"),
        (absolute, [1.0, 0.0], "2"),
        (lambda x: sum(absolute(x)), [1.0, 0.0], "2"),
        (lambda x: maximum(x, 1.0), [[1.0, 3.0]], "1"),
        (lambda x: clip(x, -1.0, 1.0), [0.0, -1.0], "1"),
        (lambda x: x + absolute(x) * 0.01, 0.0, "0.02"),
        (lambda x: sign(x) * 2.0 + x, 0.0, "inf"),
        (lambda x: x + astype(x > 0, np.float64), [1.0, 0.0], "inf"),
        (lambda x: sqrt(absolute(x) + 1e-300), 0.0, r"\d+"),
        (lambda x: (absolute(x) + exp(x) * 10.0) - exp(x) * 10.0, 0.0, "2|1.999"),  # in spite of its rounding
        (lambda x: x * x + absolute(x) * 1e-5, 0.0, "2.*e-05|1.99.*e-05"),
    ],
)
def test_kinks_and_jumps_are_reported_as_such(f, x, apart, mode):
    digits = apart if mode == "jacobian" or apart == "inf" else r"\d"  # times random numbers in directions
    with pytest.raises(GradientError, match=rf"not differentiable .* to both sides differ by {digits}"):
        check_gradients(f, [x], mode=mode)


def test_kink_of_one_element_in_a_thousand_is_reported_in_directions(rng):
    x = rng.normal(size=1000)
    x[123] = 0.0
    with pytest.raises(GradientError, match="not differentiable"):
        check_gradients(relu, [x], mode="directions")


@both_modes
@pytest.mark.parametrize(
    ("f", "x"),
    [
        (relu, 3e-6),  # a kink nearer than the first step
        (absolute, [-1e-6, 2.0]),
        (lambda x: tanh(x * 1e3), [0.0, 1e-3]),  # bends on a scale of 1e-3
        (log, [1e-3, 1.0]),
        (lambda x: x * x, [0.0, 1e-9]),  # stationary: the slopes to both sides have opposite signs
        (lambda x: sin(x), [1e4, np.pi / 2]),
        (lambda x: exp(x), [30.0, -30.0]),
        (lambda x: x * x * 1e-12, [1.0, 2.0]),
        (lambda x: x * 1e-4 + 1e4, [1.0, 2.0]),  # rounding of f hides most of its slope
        (lambda x: (sin(x) * 1e4 + x) - sin(x) * 1e4, [1.0, 2.0]),  # that of a difference does not show in it
        (lambda x: (sin(x) * 10.0 - 2.0) - sin(x) * 10.0 + 2.0, [1.0, 2.0]),  # zero but for rounding
    ],
)
def test_smooth_points_are_not_mistaken_for_kinks_or_faults(f, x, mode):
    check_gradients(f, [x], mode=mode, allow_zero=True)


@both_modes
@pytest.mark.parametrize("hide", [lambda y, x: sum(y) - 500.0, lambda y, x: (y + sin(x) * 1e4) - sin(x) * 1e4])
def test_rounding_does_not_hide_a_fault(hide, mode):
    f = exp_with(lambda g, y, x: g * y * 1.001)
    with pytest.raises(GradientError, match="wrong gradient"):
        check_gradients(lambda x: hide(f(x), x), [[0.1, 0.2]], mode=mode)


# ------------------------------------------------------------- complex step


def test_complex_step_is_exact_to_rounding(rng):
    f = lambda x: tanh(x) * exp(x) / (x * x + 1.0)  # noqa: E731
    x = rng.normal(size=(3, 2))
    for mode in MODES:
        assert check_gradients(f, [x], complex_step=True, mode=mode).largest_error < 5e-15
        assert check_gradients(f, [x], complex_step=True, mode=mode, order=2).largest_error < 5e-14
        assert check_gradients(f, [x], mode=mode).largest_error > 1e-13  # what differences cannot reach


def test_complex_step_sees_faults_that_differences_cannot(rng):
    f = exp_with(lambda g, y, x: g * y * (1 + 1e-8))
    x = rng.normal(size=3)
    check_gradients(f, [x])
    with pytest.raises(GradientError, match="wrong gradient"):
        check_gradients(f, [x], complex_step=True)


@pytest.mark.parametrize(("f", "name"), [(absolute, "absolute"), (lambda x: sign(x) + x, "sign")])
def test_complex_step_refuses_what_is_not_analytic(f, name):
    with pytest.raises(InputError, match=f"complex_step needs an analytic f, and {name} is not"):
        check_gradients(f, [[1.0, -2.0]], complex_step=True)


# ------------------------------------------------ inputs, modes and the report


def test_report_counts_what_was_compared():
    report = check_gradients(lambda a, b: matmul(a, b), [np.ones((2, 3)), np.ones((3, 4))])
    assert (report.mode, report.order, report.comparisons, report.tolerance) == ("jacobian", 1, 8 * (6 + 12), 1e-6)
    assert 0 < report.largest_error < 1e-9
    report = check_gradients(exp, [np.ones(3)], order=2, tolerance=1e-5)
    assert (report.order, report.comparisons, report.tolerance) == (2, 9 + 3 * (3 + 3), 1e-5)


def test_auto_takes_directions_for_large_inputs():
    assert check_gradients(exp, [np.ones(150)]).mode == "jacobian"
    report = check_gradients(exp, [np.ones(151)])
    assert (report.mode, report.comparisons) == ("directions", 4)


@both_modes
def test_parameters_are_varied_in_place_and_put_back(mode, backend_name):
    weight = Parameter(backend.asarray(np.float32([1.0, 2.0]), backend=backend_name))
    scale = Parameter(backend.asarray(np.float32(3.0), backend=backend_name))
    data = weight.data, scale.data
    loss = lambda *_: exp(weight) * scale  # noqa: E731  (they are not taken from the arguments)
    report = check_gradients(loss, [weight, scale], mode=mode)
    assert report.largest_error < 1e-8
    assert weight.data is data[0]
    assert scale.data is data[1]
    assert weight.dtype == np.float32


@both_modes
def test_parameters_are_put_back_after_a_failure(mode):
    weight = Parameter(np.float32([1.0, 2.0]))
    data = weight.data
    with pytest.raises(GradientError):
        check_gradients(lambda w: stop_gradient(w) + w, [weight], mode=mode)
    assert weight.data is data
    np.testing.assert_array_equal(data, np.float32([1.0, 2.0]))


@both_modes
def test_arrays_and_tensors_given_are_not_touched(mode, rng):
    a, b = rng.normal(size=3), tensor(rng.normal(size=3))
    before = a.copy(), b.numpy().copy()
    check_gradients(multiply, [a, b], order=2, mode=mode)
    np.testing.assert_array_equal(a, before[0])
    np.testing.assert_array_equal(b.numpy(), before[1])
    assert not b.requires_grad


@pytest.mark.parametrize(
    ("f", "inputs", "options", "message"),
    [
        (exp, [1.0], {"mode": "jacobain"}, "did you mean 'jacobian'"),
        (exp, [1.0], {"order": 3}, "order is 3; expected 1 or 2"),
        (exp, [np.arange(3)], {}, r"inputs\[0\] has dtype int64; expected floating point"),
        (exp, [None], {}, "expected a tensor, an array or a number"),
        (lambda x: x.numpy(), [1.0], {}, "f returned float64; expected a Tensor"),
        (lambda x: None, [1.0], {}, "f returned NoneType; expected a Tensor"),
        (lambda x: astype(x, np.float32), [1.0], {}, "f returned float32"),
        (lambda x: x / 0.5 * np.inf, [1.0], {}, "f is not finite at the inputs"),
    ],
)
def test_what_cannot_be_checked_is_refused(f, inputs, options, message):
    with pytest.raises(InputError, match=message):
        check_gradients(f, inputs, **options)


def test_noise_drawn_inside_is_refused():
    noise = backend.generator(0)
    with pytest.raises(InputError, match="two values at the same inputs; pass its noise in"):
        check_gradients(lambda x: x * standard_normal(noise, (3,), np.float64), [np.ones(3)])
