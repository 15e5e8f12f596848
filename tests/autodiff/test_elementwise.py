"""Element-wise functions: values of every row, any shapes, ties, zeros to a power."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given

from minivae.autodiff import (
    PRIMITIVES,
    absolute,
    add,
    backward,
    clip,
    divide,
    grad,
    maximum,
    minimum,
    negative,
    power,
    relu,
    sigmoid,
    sign,
    sqrt,
    subtract,
    tensor,
    where,
)
from minivae.errors import InputError
from minivae.gradcheck import check_gradients

from .any_shape import assert_linear_map, numbered, repeatable


def test_a_function_of_integers_that_needs_floats_says_so():
    with pytest.raises(InputError, match="sigmoid: x is"):
        sigmoid(np.array([1, 2]))


# -------------------------------------------------------------------- power


@pytest.mark.parametrize("tensor_exponent", [False, True])
@pytest.mark.parametrize(
    ("p", "x", "slope"),
    [(0, [0.0, 2.0, -1.0], [0.0, 0.0, 0.0]), (1, [0.0, -2.0], [1.0, 1.0]), (2, [0.0, -3.0], [0.0, -6.0])],
)
def test_slopes_of_powers_at_zero_and_below(p, x, slope, tensor_exponent):
    exponent = tensor(float(p), np.float64) if tensor_exponent else p
    (g,) = backward(power(y := tensor(x, np.float64, requires_grad=True), exponent), [y], np.ones(len(x)))
    np.testing.assert_array_equal(g.numpy(), slope)


def test_second_derivatives_of_integer_powers_at_zero():
    second = grad(grad(lambda x: x**2 + x**3 + x**1 + x**0))
    assert second(np.float64(0.0)).item() == 2.0


def test_slope_by_the_exponent():
    x, p = np.array([0.0, 2.0, 0.5]), tensor([1.5, 1.5, 2.0], np.float64, requires_grad=True)
    (g,) = backward(power(x, p), [p], np.ones(3))
    np.testing.assert_allclose(g.numpy(), [0.0, 2**1.5 * np.log(2), 0.25 * np.log(0.5)])  # 0 at 0, the limit


@pytest.mark.parametrize("base", [2, 2.5, 0, 1])
def test_number_to_a_tensor_stays_in_library_and_dtype(base, backend_name):
    p = tensor([1.0, 2.0], backend=backend_name, requires_grad=True)
    (g,) = backward(base**p, [p], [1.0, 1.0], create_graph=True)
    expected = [base * np.log(base), base**2 * np.log(base)] if base else [0.0, 0.0]
    np.testing.assert_allclose(g.numpy(), expected, rtol=1e-6)
    assert g.dtype == np.float32


# ------------------------------------------------------------ kinks and ties


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (relu, [-1.0, 0.0, 1.0], [0.0, 0.0, 1.0]),
        (absolute, [-2.0, 0.0, 3.0], [-1.0, 0.0, 1.0]),
        (lambda x: clip(x, -1.0, 1.0), [-2.0, -1.0, 0.0, 1.0, 2.0], [0.0, 1.0, 1.0, 1.0, 0.0]),
        (lambda x: maximum(x, 1.0), [0.0, 1.0, 2.0], [0.0, 0.5, 1.0]),
        (lambda x: minimum(1.0, x), [0.0, 1.0, 2.0], [1.0, 0.5, 0.0]),
        (sign, [-2.0, 0.0], [0.0, 0.0]),
    ],
)
def test_slopes_at_kinks_are_as_documented(f, x, slope):
    y = tensor(x, np.float64, requires_grad=True)
    v = np.arange(2.0, len(x) + 2)  # not ones: a rule that forgot it would pass
    (g,) = backward(f(y) + y * 0.0, [y], v)
    np.testing.assert_array_equal(g.numpy(), v * slope)


def test_ties_share_the_gradient_between_both_sides(backend_name):
    a = tensor([1.0, 2.0, 3.0], backend=backend_name, requires_grad=True)
    b = tensor([1.0, 3.0, 2.0], backend=backend_name, requires_grad=True)
    for f, expected in ((maximum, [0.5, 0.0, 1.0]), (minimum, [0.5, 1.0, 0.0])):
        v = [2.0, 3.0, 4.0]  # not ones: a rule that forgot it would pass
        ga, gb = backward(f(a, b), [a, b], v)
        np.testing.assert_array_equal(ga.numpy(), np.multiply(v, expected))
        np.testing.assert_array_equal(gb.numpy(), v - ga.numpy())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_clip_leaves_what_lies_inside(dtype):
    x = np.array([-0.1, 0.1, 0.3], dtype)
    y = clip(x, 0.1, 0.2)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y.numpy(), np.array([0.1, 0.1, 0.2], dtype))
    np.testing.assert_array_equal(clip(x, high=0.2).numpy(), np.array([-0.1, 0.1, 0.2], dtype))
    np.testing.assert_array_equal(clip(x, low=0.1).numpy(), np.array([0.1, 0.1, 0.3], dtype))


# ------------------------------------------------------------------- where


@pytest.mark.parametrize(
    ("a", "b", "dtype"),
    [(1.0, 0.0, "float32"), (1, 0.5, "float32"), (0.5, 1, "float32"), (1, 0, "int64"), (np.float64(1), 0.0, "float32")],
)
def test_where_of_two_numbers(a, b, dtype, backend_name):
    condition = tensor(np.array([True, False]), backend=backend_name)
    y = where(condition, a, b)
    assert y.dtype == dtype
    assert y.numpy().tolist() == [a, b]


def test_where_takes_an_array_as_condition_and_keeps_float32():
    y = where(np.array([True, False]), tensor([1.0, 2.0]), np.array([5.0, 6.0]))
    assert y.dtype == np.float32
    assert y.numpy().tolist() == [1.0, 6.0]


def test_where_hides_the_slope_of_the_branch_not_taken_but_not_its_infinity():
    """As in every such engine: guard the argument, not the result."""
    x = tensor([0.0, 4.0], np.float64, requires_grad=True)
    safe = where(x > 0.0, sqrt(where(x > 0.0, x, 1.0)), 0.0)
    (g,) = backward(safe, [x], np.ones(2))
    np.testing.assert_array_equal(g.numpy(), [0.0, 0.25])


# ------------------------------------------------------- values of every row

NUMPY = {"identity": lambda x: x, "stop_gradient": lambda x: x, "relu": lambda x: np.maximum(x, 0)}
UNARY = ["negative", "square", "sqrt", "identity", "stop_gradient", "exp", "expm1", "log", "log1p", "sin", "cos"]
UNARY += ["tanh", "relu", "sign", "absolute"]
BINARY = ["add", "subtract", "multiply", "divide", "power", "maximum", "minimum"]
COMPARISONS = ["greater", "greater_equal", "less", "less_equal", "equal", "not_equal"]


@pytest.mark.parametrize("name", UNARY)
def test_unary_values_are_numpys(name, backend_name):
    x = np.array([[0.25, 2.0], [1.0, 0.5]])
    found = PRIMITIVES[name](tensor(x, backend=backend_name))
    np.testing.assert_allclose(found.numpy(), NUMPY.get(name, getattr(np, name, None))(x), rtol=1e-15)


@pytest.mark.parametrize("name", sorted({*UNARY, "sigmoid", "softplus"} - {"sign", "stop_gradient"}))
def test_unary_derivatives(name):
    x = np.array([[0.25, 2.0], [1.1, 0.5]])
    check_gradients(PRIMITIVES[name], [x], order=2)
    if name not in ("sqrt", "log"):
        check_gradients(PRIMITIVES[name], [-0.4 * x], order=2, allow_zero=name == "relu")


@pytest.mark.parametrize("name", BINARY)
@repeatable
@given(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3))
def test_values_and_derivatives_of_any_two_shapes(name, shapes):
    rng, row = np.random.default_rng(1), PRIMITIVES[name]
    a, b = (rng.uniform(0.4, 2.0, shape) for shape in shapes.input_shapes)
    np.testing.assert_allclose(row(tensor(a), tensor(b)).numpy(), getattr(np, name)(a, b), rtol=1e-15)
    check_gradients(row, [a, b], order=2, mode="directions", allow_zero=True)


@repeatable
@given(hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, min_side=0, max_side=3))
def test_where_of_any_three_shapes(shapes):
    condition, a, b = (numbered(shape) for shape in shapes.input_shapes)
    condition = condition % 3 < 1.5
    for fill in (a, np.zeros_like(a)):  # linear in b alone where the other is zero
        expected = np.where(condition, fill, b)
        np.testing.assert_array_equal(where(condition, tensor(fill), tensor(b)).numpy(), expected)
    zero = np.zeros(())
    assert_linear_map(lambda a: where(condition, a, zero), a, np.where(condition, a, zero))
    assert_linear_map(lambda b: where(condition, zero, b), b, np.where(condition, zero, b))


@pytest.mark.parametrize("name", BINARY + COMPARISONS)
def test_binary_values_are_numpys(name, backend_name):
    a, b = np.array([[0.5, 2.0, 3.0]]), np.array([[2.0], [3.0]])
    found = PRIMITIVES[name](tensor(a, backend=backend_name), tensor(b, backend=backend_name))
    np.testing.assert_allclose(found.numpy(), getattr(np, name)(a, b), rtol=1e-15)
    assert found.dtype == (bool if name in COMPARISONS else np.float64)


def test_rows_are_functions_of_tensors_numbers_and_arrays():
    assert add(tensor(1.0), 2.0).item() == 3.0
    assert subtract(5.0, tensor(2.0)).item() == 3.0
    assert divide(np.float32(6.0), tensor(2.0)).item() == 3.0
    assert negative(3.0).item() == -3.0
