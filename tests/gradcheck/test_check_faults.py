"""The checker checked: every kind of wrong gradient is caught, in both modes."""

import numpy as np
import pytest

from minivae.autodiff import getitem, matmul, stop_gradient, sum, tensor, transpose
from minivae.autodiff.tape import Operation
from minivae.errors import GradientError
from minivae.gradcheck import check_gradients

MODES = ["jacobian", "directions"]
both_modes = pytest.mark.parametrize("mode", MODES)


def exp_with(rule):
    """The exponential with another derivative rule."""
    return Operation("faulty", lambda xp, x, out=None: xp.exp(x), (rule,))


def product_with(rule, broadcasts=False):
    """The product a b with another rule for b."""
    right = lambda g, y, a, b: g * b  # noqa: E731
    return Operation("faulty", lambda xp, a, b, out=None: a * b, (right, rule), broadcasts=broadcasts)


def write_into(g, y, x):
    g.data[...] = g.data * y.data
    return g


WRONG_RULES = {
    "right": lambda g, y, x: g * y,
    "sign": lambda g, y, x: -g * y,
    "factor 1.01": lambda g, y, x: g * y * 1.01,
    "factor 1.001": lambda g, y, x: g * y * 1.001,
    "factor 1000": lambda g, y, x: g * y * 1000,
    "zero": lambda g, y, x: g * 0.0,
    "transposed axis": lambda g, y, x: transpose(g * y),
    "transposed cotangent": lambda g, y, x: transpose(g) * y,
    "upstream ignored": lambda g, y, x: y * 1.0,
    "input for output": lambda g, y, x: g * x,
    "not a number": lambda g, y, x: g * np.nan,
}


@both_modes
@pytest.mark.parametrize("fault", WRONG_RULES)
def test_wrong_rules_are_caught(fault, mode, rng, backend_name):
    f = exp_with(WRONG_RULES[fault])
    x = tensor(rng.normal(size=(4, 4)), backend=backend_name)
    if fault == "right":
        assert check_gradients(f, [x], mode=mode).largest_error < 1e-9
    else:
        with pytest.raises(GradientError, match=r"wrong gradient|is not finite"):
            check_gradients(f, [x], mode=mode)


@both_modes
@pytest.mark.parametrize("transposed", [True, False])
def test_matrix_product_with_a_transpose_missing_is_caught(transposed, mode, rng):
    weight = rng.normal(size=(4, 4))
    rule = lambda g, y, x: matmul(g, weight.T if transposed else weight)  # noqa: E731
    f = Operation("faulty", lambda xp, x, out=None: x @ weight, (rule,))
    x = rng.normal(size=(3, 4))
    if transposed:
        check_gradients(f, [x], mode=mode)
    else:
        with pytest.raises(GradientError, match="wrong gradient"):
            check_gradients(f, [x], mode=mode)


@both_modes
@pytest.mark.parametrize("fault", ["no sum", "first row alone", "mean for sum"])
def test_missing_broadcast_sum_is_caught(fault, mode, rng):
    rules = {
        "no sum": lambda g, y, a, b: g * a,
        "first row alone": lambda g, y, a, b: getitem(g * a, 0),
        "mean for sum": lambda g, y, a, b: sum(g * a, 0) / 3,
    }
    a, b = rng.normal(size=(3, 4)), rng.normal(size=4)
    check_gradients(product_with(lambda g, y, a, b: g * a, broadcasts=True), [a, b], mode=mode)
    with pytest.raises(GradientError, match=r"wrong gradient|has shape \(3, 4\); expected \(4,\)"):
        check_gradients(product_with(rules[fault]), [a, b], mode=mode)


@pytest.mark.parametrize("factor", [1.5, 1.01, 0.0, -1.0])
def test_one_wrong_element_in_ten_thousand_is_caught_in_directions(factor, rng):
    mask = np.ones(10_000)
    mask[7_321] = factor
    with pytest.raises(GradientError, match="wrong gradient"):
        check_gradients(exp_with(lambda g, y, x: g * y * mask), [rng.normal(size=10_000)], mode="directions")


def test_one_wrong_element_in_ten_thousand_is_named_in_the_jacobian(rng):
    wrong = np.ones((100, 100))
    wrong[73, 21] = 1.001
    f = Operation(
        "faulty",  # (100,) -> (100,), whose Jacobian has 10^4 elements
        lambda xp, x, out=None: weight @ x,
        (lambda g, y, x: matmul(g, weight * wrong),),
    )
    weight = rng.normal(size=(100, 100))
    with pytest.raises(GradientError, match=r"d output\[73\] / d inputs\[0\]\[21\].*; 1 of 10000 are wrong"):
        check_gradients(f, [rng.normal(size=100)], mode="jacobian")


@both_modes
def test_write_into_the_upstream_gradient_is_caught(mode, rng):
    f = exp_with(write_into)
    with pytest.raises(GradientError, match="writes into the cotangent"):
        check_gradients(f, [rng.normal(size=3)], mode=mode)
    with pytest.raises(GradientError, match="wrong gradient"):  # it spoils what goes to x directly
        check_gradients(lambda x: (x + f(x)) * 2.0, [rng.normal(size=3)], mode=mode)


@both_modes
def test_fault_in_the_second_derivative_alone_is_caught_at_order_two(mode, rng):
    f = exp_with(lambda g, y, x: g * stop_gradient(y))
    x = rng.normal(size=3)
    assert check_gradients(f, [x], mode=mode).order == 1
    with pytest.raises(GradientError, match="wrong gradient"):
        check_gradients(f, [x], mode=mode, order=2)


def test_message_names_element_values_and_error():
    f = product_with(lambda g, y, a, b: g * a * np.array([[1.0, 1.0], [1.0, 1.5]]))
    with pytest.raises(GradientError) as error:
        check_gradients(f, [np.full((2, 2), 2.0), np.ones((2, 2))], mode="jacobian")
    assert str(error.value) == (
        "wrong gradient: d output[1, 1] / d inputs[1][1, 1] is 3 by backpropagation, 2 numerically; "
        "relative error 0.33, tolerance 1e-06; 1 of 16 are wrong"
    )


def test_message_at_order_two_names_the_gradient():
    f = product_with(lambda g, y, a, b: stop_gradient(g) * a)
    with pytest.raises(GradientError, match=r"d \(v\^T d output / d inputs\[1\]\)\[0\] / d v\[0\] is 0 by"):
        check_gradients(f, [[1.0, 2.0], [0.3, 0.4]], order=2)


def test_message_in_directions_names_the_input():
    f = product_with(lambda g, y, a, b: g * a * 1.1)
    with pytest.raises(GradientError, match=r"<v, J u> by inputs\[1\] \(random direction \d; mode='jacobian' names"):
        check_gradients(f, [[1.0, 2.0], [0.3, 0.4]], mode="directions")
