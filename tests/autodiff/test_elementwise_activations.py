"""Activations: values against SciPy; for hard arguments see test_elementwise_extremes."""

import numpy as np
import pytest
import scipy.special

from minivae.autodiff import backward, log_sigmoid, logaddexp, relu, sigmoid, softplus, tensor
from minivae.gradcheck import check_gradients

X = np.array([[-3.0, -0.4], [0.3, 2.0]])
VALUES = {
    sigmoid: scipy.special.expit,
    softplus: lambda x: -scipy.special.log_expit(-x),
    log_sigmoid: scipy.special.log_expit,
    relu: lambda x: np.maximum(x, 0),
}


@pytest.mark.parametrize("f", VALUES)
def test_values_and_derivatives(f, backend_name):
    np.testing.assert_allclose(f(tensor(X, backend=backend_name)).numpy(), VALUES[f](X), rtol=1e-14)
    check_gradients(f, [X], order=2, allow_zero=f is relu)


def test_relu_is_zero_at_zero_with_its_slopes():
    x = tensor([0.0, -0.0], np.float64, requires_grad=True)
    (g,) = backward(relu(x), [x], [2.0, 3.0], create_graph=True)
    assert g.numpy().tolist() == [0.0, 0.0]
    assert backward(g, [x], [5.0, 7.0])[0].numpy().tolist() == [0.0, 0.0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logaddexp_of_large_numbers(dtype, backend_name):
    a = np.array([1e4, -1e4, 1e4, 0.0, -np.inf, np.inf], dtype)
    b = np.array([1e4 - 1, -1e4 - 3, -1e4, 1e-30, 1.0, 1.0], dtype)
    x, y = (tensor(v, backend=backend_name, requires_grad=True) for v in (a, b))
    z = logaddexp(x, y)
    np.testing.assert_array_equal(z.numpy(), np.logaddexp(a, b))
    gx, gy = backward(z, [x, y], [1.0] * 6)
    wide = a.astype(np.float64) - b
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(gx.numpy(), scipy.special.expit(wide), rtol=4 * eps, atol=1e-37)
    np.testing.assert_allclose(gy.numpy(), scipy.special.expit(-wide), rtol=4 * eps, atol=1e-37)


def test_logaddexp_of_equal_numbers():
    x = tensor([2.0, 3.0], np.float64, requires_grad=True)
    (g,) = backward(logaddexp(x, x), [x], np.ones(2))
    np.testing.assert_allclose(g.numpy(), 1)
    check_gradients(logaddexp, [X, X.copy()], order=2)


def test_logaddexp_of_nothing_is_nothing():
    """log(0 + 0), whose slopes are 0 / 0, as in PyTorch."""
    x = tensor([-np.inf], np.float64, requires_grad=True)
    assert logaddexp(x, -np.inf).numpy().tolist() == [-np.inf]
    with np.errstate(invalid="ignore"):
        (g,) = backward(logaddexp(x, -np.inf), [x], [1.0])
    assert np.isnan(g.numpy()).all()
