"""Element-wise functions: values of every row, any shapes, ties, zeros to a power, NaN."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given

import minivae.autodiff as ad
from minivae.autodiff import (
    PRIMITIVES,
    Parameter,
    absolute,
    add,
    backward,
    clip,
    divide,
    grad,
    maximum,
    minimum,
    mod,
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


# x, p: x^p, its derivatives by x and by p, the second ones by x and x, x and p, p and p.
INF, NAN = np.inf, np.nan
POWERS = [
    (0.0, 2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0),
    (-0.0, 1.0, -0.0, 1.0, 0.0, 0.0, 1.0, 0.0),
    (0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0),
    (0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    (0.0, 0.5, 0.0, INF, 0.0, -INF, NAN, 0.0),
    (0.0, 1.5, 0.0, 0.0, 0.0, INF, 0.0, 0.0),
    (0.0, -1.0, INF, -INF, -INF, INF, INF, INF),
    (2.0, 0.0, 1.0, 0.0, np.log(2), 0.0, 0.5, np.log(2) ** 2),
    (-2.0, 3.0, -8.0, 12.0, NAN, -12.0, NAN, NAN),
    (-2.0, 2.0, 4.0, -4.0, NAN, 2.0, NAN, NAN),
    (-2.0, 0.5, NAN, NAN, NAN, NAN, NAN, NAN),
    (NAN, 0.0, 1.0, 0.0, NAN, 0.0, 0.0, NAN),
    (NAN, 2.0, NAN, NAN, NAN, 2.0, NAN, NAN),
]


def derivatives(f, *inputs):
    """The value, the first derivatives, and the second ones row by row."""
    variables = [tensor(np.float64(x), requires_grad=True) for x in inputs]
    with np.errstate(all="ignore"):
        y = f(*variables)
        first = backward(y, variables, create_graph=True)
        rows = [
            backward(g, variables, retain_graph=True) if g.requires_grad else [0.0 * g] * len(inputs) for g in first
        ]
    return y.item(), [g.item() for g in first], [[g.item() for g in row] for row in rows]


@pytest.mark.parametrize("point", POWERS, ids=lambda point: f"{point[0]}**{point[1]}")
def test_powers_at_zero_and_below(point):
    """As PyTorch's; where that has NaN at x = 0 by a factor 0 times infinity, the limit."""
    x, p, value, by_x, by_p, xx, xp, pp = point
    found = derivatives(power, x, p)
    np.testing.assert_array_equal(found[0], value)
    np.testing.assert_array_equal(found[1], [by_x, by_p])
    np.testing.assert_array_equal(found[2][0][0], xx)
    np.testing.assert_array_equal(found[2][1][1], pp)
    if not (x == 0 and p == 0.5):  # infinite both ways
        np.testing.assert_array_equal(found[2][0][1], xp)
    by_number = derivatives(lambda x: x**p, x)
    np.testing.assert_array_equal([by_number[1][0], by_number[2][0][0]], [by_x, xx])
    of_number = derivatives(lambda p: x**p, p)
    np.testing.assert_array_equal([of_number[1][0], of_number[2][0][0]], [by_p, pp])


@pytest.mark.parametrize("point", POWERS, ids=lambda point: f"{point[0]}**{point[1]}")
def test_first_derivatives_of_powers_are_pytorchs(point):
    torch = pytest.importorskip("torch", reason="the oracle, from pip install 'minivae[oracle]'")
    x, p = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in point[:2])
    by_x, by_p = torch.autograd.grad(x**p, [x, p])
    np.testing.assert_array_equal(point[3:5], [by_x.item(), by_p.item()])


@pytest.mark.parametrize("base", [2, 2.5, 0, 1])
def test_number_to_a_tensor_stays_in_backend_and_dtype(base, backend_name):
    p = tensor([1.0, 2.0], backend=backend_name, requires_grad=True)
    (g,) = backward(base**p, [p], [1.0, 1.0], create_graph=True)
    expected = [base * np.log(base), base**2 * np.log(base)] if base else [0.0, 0.0]
    np.testing.assert_allclose(g.numpy(), expected, rtol=1e-6)
    assert g.dtype == np.float32


# ----------------------------------------------------------------------- NaN

CHOOSING = {
    "relu": relu,
    "absolute": absolute,
    "clip": lambda x: clip(x, -1.0, 1.0),
    "maximum": lambda x: maximum(x, 0.5),
    "minimum": lambda x: minimum(0.5, x),
    "mod": lambda x: mod(x, 2.0),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CHOOSING)
def test_where_the_value_is_nan_the_gradient_is(name, dtype, backend_name):
    x = tensor(np.array([np.nan, 0.25, -3.0], dtype), backend=backend_name, requires_grad=True)
    (g,) = backward(CHOOSING[name](x), [x], [2.0, 3.0, 5.0])
    np.testing.assert_array_equal(np.isnan(g.numpy()), [True, False, False])


@pytest.mark.parametrize("f", [maximum, minimum, mod, clip, lambda a, b: clip(0.25, a, b)])
def test_nan_on_one_side_is_nan_on_both(f):
    a = tensor([np.nan, 1.0, 1.0], np.float64, requires_grad=True)
    b = tensor([1.0, np.nan, 2.0], np.float64, requires_grad=True)
    for g in backward(f(a, b), [a, b], np.ones(3)):
        np.testing.assert_array_equal(np.isnan(g.numpy()), [True, True, False])


def test_maximum_of_infinities():
    a, b = (tensor(v, np.float64, requires_grad=True) for v in ([np.inf, -np.inf, -np.inf], [np.inf, -np.inf, 1.0]))
    ga, gb = backward(maximum(a, b), [a, b], np.ones(3))
    assert (ga.numpy().tolist(), gb.numpy().tolist()) == ([0.5, 0.5, 0.0], [0.5, 0.5, 1.0])


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


# low, high: below, at and between the two, above; the slopes by x, low and high.
BOUNDS = [
    (1.0, 2.0, [0.0, 1.0, 1.5, 2.0, 3.0], [0, 1, 1, 1, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 1]),
    (2.0, 1.0, [0.0, 1.0, 1.5, 2.0, 3.0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]),
    (1.0, 1.0, [0.0, 1.0, 3.0], [0, 1, 0], [0, 0, 0], [0, 0, 1]),
]


@pytest.mark.parametrize(("low", "high", "x", "by_x", "by_low", "by_high"), BOUNDS)
def test_bounds_of_clip_have_a_gradient_as_in_pytorch(low, high, x, by_x, by_low, by_high, backend_name):
    v = np.arange(2.0, len(x) + 2)
    inputs = [tensor(np.float64(n), backend=backend_name, requires_grad=True) for n in (np.array(x), low, high)]
    found = backward(clip(*inputs), inputs, v.tolist())
    for g, expected in zip(found, (v * by_x, v @ by_low, v @ by_high), strict=True):
        np.testing.assert_array_equal(g.numpy(), expected)
    torch = pytest.importorskip("torch", reason="the oracle, from pip install 'minivae[oracle]'")
    twins = [torch.tensor(n.numpy(), requires_grad=True) for n in inputs]
    expected = torch.autograd.grad(torch.clip(*twins), twins, torch.tensor(v))
    for g, twin in zip(found, expected, strict=True):
        np.testing.assert_array_equal(g.numpy(), twin.numpy())


def test_a_parameter_as_one_bound_alone():
    p = Parameter(np.array([0.5]))
    x = np.array([0.0, 0.25, 1.0])
    np.testing.assert_array_equal(backward(clip(x, p).sum(), [p])[0].numpy(), [2.0])
    np.testing.assert_array_equal(backward(clip(x, high=p).sum(), [p])[0].numpy(), [1.0])
    np.testing.assert_array_equal(backward(clip(0.0, p).sum(), [p])[0].numpy(), [1.0])


def test_clip_keeps_integers(backend_name):
    x = tensor(np.array([-3, 2, 9]), backend=backend_name)
    for found, expected in ((clip(x, 0), [0, 2, 9]), (clip(x, high=5), [-3, 2, 5]), (clip(x, 0, 5), [0, 2, 5])):
        assert found.dtype == np.int64
        assert found.numpy().tolist() == expected


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
UNARY = ["negative", "square", "sqrt", "identity", "stop_gradient", "exp", "expm1", "log", "log1p", "log2", "log10"]
UNARY += ["relu", "sign", "absolute", "floor", "ceil", "round"]
CONSTANT = ["sign", "floor", "ceil", "round"]
BINARY = ["add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "logaddexp"]


@pytest.mark.parametrize("name", UNARY)
def test_unary_values_are_numpys(name, backend_name):
    x = np.array([[0.25, 2.0], [1.0, 0.5]])
    found = PRIMITIVES[name](tensor(x, backend=backend_name))
    np.testing.assert_allclose(found.numpy(), NUMPY.get(name, getattr(np, name, None))(x), rtol=1e-15)


@pytest.mark.parametrize("name", sorted({*UNARY, "sigmoid", "softplus"} - {*CONSTANT, "stop_gradient"}))
def test_unary_derivatives(name):
    x = np.array([[0.25, 2.0], [1.1, 0.5]])
    check_gradients(PRIMITIVES[name], [x], order=2)
    if name not in ("sqrt", "log", "log2", "log10"):
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


@pytest.mark.parametrize("name", [*BINARY, "mod"])
def test_binary_values_are_numpys(name, backend_name):
    a, b = np.array([[0.5, 2.0, 3.0]]), np.array([[2.0], [3.0]])
    found = PRIMITIVES[name](tensor(a, backend=backend_name), tensor(b, backend=backend_name))
    np.testing.assert_allclose(found.numpy(), getattr(np, name)(a, b), rtol=1e-15)
    assert found.dtype == np.float64


# ---------------------------------------------------------- steps and remainders

A, B = (x.ravel() for x in np.meshgrid([-7.5, -2.0, -0.5, 0.0, 0.5, 2.0, 7.0], [-2.0, -0.3, 0.4, 3.0]))


def test_mod_has_the_sign_of_the_divisor(backend_name):
    found = mod(tensor(A, backend=backend_name), tensor(B, backend=backend_name))
    off = np.abs(found.numpy() - np.mod(A, B))  # CuPy may find a multiple of B where NumPy finds one just missed
    assert (np.minimum(off, np.abs(np.abs(B) - off)) <= 1e-15 * (backend_name == "cupy")).all()
    assert (found.numpy() * np.sign(B) >= -1e-15 * (backend_name == "cupy")).all()
    np.testing.assert_array_equal((tensor(np.array([7, -7])) % 3).numpy(), [1, 2])


def test_slopes_of_mod():
    """1 by the dividend; by the divisor minus how often it goes into the dividend, as in PyTorch."""
    a, b = (tensor(v, requires_grad=True) for v in (A, B))
    ga, gb = backward(mod(a, b), [a, b], np.ones(A.size))
    np.testing.assert_array_equal(ga.numpy(), 1)
    np.testing.assert_array_equal(gb.numpy(), -np.floor_divide(A, B))
    # 1 / 0.1 is rounded up to 10, and 0.1 goes into 1 only 9 times.
    one = tensor(0.1, np.float64, requires_grad=True)
    assert backward(mod(1.0, one), [one])[0].item() == -9.0


def test_round_is_to_the_even_number_of_two():
    x = tensor([0.5, 1.5, -0.5, -1.5, 2.4])
    assert ad.round(x).numpy().tolist() == [0.0, 2.0, -0.0, -2.0, 2.0]
    assert x.round().numpy().tolist() == ad.round(x).numpy().tolist()


@pytest.mark.parametrize("name", CONSTANT)
def test_no_gradient_flows_through_steps(name):
    x = tensor([0.3, -1.7], np.float64, requires_grad=True)
    assert not PRIMITIVES[name](x).requires_grad
    (g,) = backward((PRIMITIVES[name](x) * x).sum(), [x])
    np.testing.assert_array_equal(g.numpy(), PRIMITIVES[name](x).numpy())


def test_rows_are_functions_of_tensors_numbers_and_arrays():
    assert add(tensor(1.0), 2.0).item() == 3.0
    assert subtract(5.0, tensor(2.0)).item() == 3.0
    assert divide(np.float32(6.0), tensor(2.0)).item() == 3.0
    assert negative(3.0).item() == -3.0


def test_a_number_that_does_not_fit_is_named():
    with pytest.raises(InputError, match=r"add: a is \(2,\) uint8 on numpy, b is -1; expected what goes together"):
        add(tensor(np.array([1, 2], np.uint8)), -1)
