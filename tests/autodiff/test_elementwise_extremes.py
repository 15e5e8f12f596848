"""Element-wise functions where it is hard: large logits, large log-variances, tiny and denormal numbers."""

import numpy as np
import pytest
import scipy.special

from minivae.autodiff import (
    absolute,
    backward,
    exp,
    expm1,
    log,
    log1p,
    log_sigmoid,
    negative,
    relu,
    sigmoid,
    sin,
    softplus,
    sqrt,
    tanh,
    tensor,
)
from minivae.autodiff.backward import sweep

LOGITS = [0.0, 1e-40, -1e-30, 1e-5, 1.0, -1.0, 10.0, -10.0, 20.0, -20.0, 50.0, -50.0, 80.0, -80.0]
SATURATED = [90.0, -90.0, 100.0, -100.0, 700.0, -700.0, 1e4, -1e4]
ROUNDING = {np.float32: 3e-7, np.float64: 5e-16}
both_dtypes = pytest.mark.parametrize("dtype", ROUNDING)


def value_and_slopes(f, x, dtype, backend="numpy"):
    """f(x), f'(x), f''(x), element by element."""
    x = tensor(np.array(x, dtype), backend=backend, requires_grad=True)
    y = f(x)
    ones = np.ones(x.shape, dtype)
    (first,) = backward(y, [x], ones.tolist(), create_graph=True)
    (second,) = sweep(first, [x], ones.tolist())
    return [t.numpy() for t in (y, first, second)]


def softplus_exact(x):
    return -scipy.special.log_expit(-np.float64(x))


@both_dtypes
def test_logistic_functions_are_accurate_for_any_logit(dtype, backend_name):
    x = np.array(LOGITS, dtype)
    wide, rtol = x.astype(np.float64), ROUNDING[dtype]
    p, q = scipy.special.expit(wide), scipy.special.expit(-wide)
    softplus_found = value_and_slopes(softplus, x, dtype, backend_name)
    for found, expected in zip(softplus_found, [softplus_exact(wide), p, p * q], strict=True):
        np.testing.assert_allclose(found, expected, rtol=2 * rtol, atol=1e-7 if dtype == np.float32 else 1e-16)
    np.testing.assert_allclose(softplus_found[0], softplus_exact(wide), rtol=2 * rtol)
    np.testing.assert_allclose(sigmoid(x).numpy(), p, rtol=2 * rtol)
    np.testing.assert_allclose(log_sigmoid(x).numpy(), scipy.special.log_expit(wide), rtol=2 * rtol)


@both_dtypes
def test_saturated_logits_give_finite_values_and_slopes(dtype, backend_name):
    x = np.array(SATURATED, dtype)
    wide, tiny = x.astype(np.float64), np.finfo(dtype).tiny * 4  # what a clipped sigmoid keeps above 0
    p = scipy.special.expit(wide)
    for f, expected in (
        (softplus, [softplus_exact(wide), p]),
        (sigmoid, [p, 0 * p]),
        (log_sigmoid, [scipy.special.log_expit(wide), 1 - p]),
        (tanh, [np.sign(wide), 0 * p]),
    ):
        found = value_and_slopes(f, x, dtype, backend_name)
        assert all(np.isfinite(t).all() for t in found)
        np.testing.assert_allclose(found[0], expected[0], rtol=1e-6, atol=tiny)
        np.testing.assert_allclose(found[1], expected[1], rtol=1e-6, atol=1e-36)
        np.testing.assert_allclose(found[2], 0, atol=1e-36)
    assert (sigmoid(x).numpy() > 0).all()  # its logarithm stays finite


@both_dtypes
def test_softplus_of_infinities(dtype):
    np.testing.assert_array_equal(softplus(np.array([np.inf, -np.inf], dtype)).numpy(), [np.inf, 0.0])


@both_dtypes
def test_values_near_zero_keep_their_relative_accuracy(dtype):
    x = np.array([1e-30, -1e-20, 1e-8, -1e-4], dtype)
    wide = x.astype(np.float64)
    np.testing.assert_allclose(expm1(x).numpy(), np.expm1(wide), rtol=2 * ROUNDING[dtype])
    np.testing.assert_allclose(log1p(x).numpy(), np.log1p(wide), rtol=2 * ROUNDING[dtype])


def without_flushing(dtype, backend_name):
    if (dtype, backend_name) == (np.float32, "cupy"):
        pytest.skip("CuPy compiles its kernels so that float32 numbers below 1.2e-38 are 0 (-ftz=true)")


@both_dtypes
@pytest.mark.parametrize("sign_of_x", [1, -1])
def test_denormal_numbers_are_numbers(dtype, sign_of_x, backend_name):
    without_flushing(dtype, backend_name)
    x = np.array([np.finfo(dtype).smallest_subnormal * 8 * sign_of_x], dtype)
    for f in (expm1, log1p, sin, tanh, negative, lambda x: x * 1):
        value, slope, curvature = value_and_slopes(f, x, dtype, backend_name)
        np.testing.assert_array_equal(value, -x if f is negative else x)  # not flushed to zero
        assert abs(slope) == 1
        assert abs(curvature) <= 1
    positive = sign_of_x > 0
    for f, expected in (
        (exp, [1, 1, 1]),
        (sigmoid, [0.5, 0.25, 0]),
        (softplus, [np.log(2), 0.5, 0.25]),
        (log_sigmoid, [-np.log(2), 0.5, -0.25]),
        (relu, [x[0] * positive, positive, 0]),
        (absolute, [abs(x[0]), sign_of_x, 0]),
    ):
        found = value_and_slopes(f, x, dtype, backend_name)
        np.testing.assert_allclose(np.ravel(found), expected, rtol=ROUNDING[dtype], atol=abs(x[0]))


@both_dtypes
def test_logarithm_and_root_of_the_smallest_numbers(dtype, backend_name):
    without_flushing(dtype, backend_name)
    smallest = np.array([np.finfo(dtype).smallest_subnormal, np.finfo(dtype).smallest_normal], dtype)
    wide = smallest.astype(np.longdouble)
    for f, value, slope in ((log, np.log(wide), 1 / wide), (sqrt, np.sqrt(wide), 0.5 / np.sqrt(wide))):
        x = tensor(smallest, backend=backend_name, requires_grad=True)
        np.testing.assert_allclose(f(x).numpy(), value, rtol=ROUNDING[dtype])
        (g,) = backward(f(y := x[1:]), [y], np.ones(1, dtype).tolist())  # beyond: 1 / x is too large a number
        np.testing.assert_allclose(g.numpy(), slope[1:], rtol=ROUNDING[dtype])


@both_dtypes
def test_log_variances_of_thirty(dtype):
    x = np.array([-30.0, 30.0], dtype)
    for found in value_and_slopes(exp, x, dtype):
        np.testing.assert_allclose(found, np.exp(x.astype(np.float64)), rtol=2 * ROUNDING[dtype])
