"""grad, value_and_grad, vjp and jacobian, nested in each other and in recorded programs."""

import threading

import numpy as np
import pytest

from minivae.autodiff import (
    backward,
    cos,
    exp,
    getitem,
    grad,
    hessian,
    jacobian,
    matmul,
    no_grad,
    power,
    sin,
    stop_gradient,
    sum,
    tanh,
    tensor,
    value_and_grad,
    vjp,
)
from minivae.errors import InputError
from minivae.gradcheck import check_gradients


def variable(value, backend="numpy", dtype=np.float64):
    return tensor(value, dtype, backend, requires_grad=True)


def test_grad_takes_numbers_lists_arrays_and_tensors(backend_name):
    assert grad(lambda x: x * x)(3.0).item() == 6.0
    np.testing.assert_allclose(grad(lambda x: sum(exp(x)))([0.0, 1.0]).numpy(), np.exp([0.0, 1.0]), rtol=1e-6)
    x = tensor([1.0, 2.0], np.float64, backend_name)
    g = grad(lambda x: sum(x * x))(x)
    np.testing.assert_array_equal(g.numpy(), [2.0, 4.0])
    assert not x.requires_grad
    assert not g.requires_grad


def test_value_and_grad_by_one_or_several_arguments():
    f = lambda a, b, c=1.0: a * b * c  # noqa: E731
    value, g = value_and_grad(f)(2.0, 3.0, c=5.0)
    assert (value.item(), g.item()) == (30.0, 15.0)
    assert grad(f, 1)(2.0, 3.0).item() == 2.0
    value, (ga, gb) = value_and_grad(f, (0, 1))(2.0, 3.0)
    assert (ga.item(), gb.item()) == (3.0, 2.0)
    assert not value.requires_grad


@pytest.mark.parametrize("argnums", [1, -2, (0, 5)])
def test_argnums_must_be_positions(argnums):
    with pytest.raises(InputError, match=r"argnums is .*; expected positions among 1 arguments"):
        grad(lambda x: x, argnums)(1.0)


def test_function_must_return_one_number():
    with pytest.raises(InputError, match="f returned float; expected a Tensor"):
        grad(lambda x: 1.0)(1.0)
    for of in (grad, hessian):
        with pytest.raises(InputError, match=r"f returned shape \(2,\); expected one element"):
            of(lambda x: x * 2.0)([1.0, 2.0])


def test_nested_grads_give_derivatives_of_any_order():
    derivative = sin
    expected = [np.cos, lambda t: -np.sin(t), lambda t: -np.cos(t), np.sin, np.cos]
    for order in range(5):
        derivative = grad(derivative)
        np.testing.assert_allclose(derivative(np.float64(0.4)).item(), expected[order](0.4), rtol=1e-12)
    assert grad(grad(grad(lambda x: power(x, 4))))(np.float64(1.5)).item() == pytest.approx(36.0)
    assert grad(grad(grad(lambda x: exp(x * 2.0))))(np.float64(0.0)).item() == pytest.approx(8.0)


def test_inner_and_outer_derivatives_are_not_confused():
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0).item() == 1.0
    assert grad(lambda x: x * grad(lambda y: x * y)(2.0))(3.0).item() == 6.0
    assert grad(lambda x: grad(lambda y: x * y * y)(x))(3.0).item() == 12.0  # 2 x^2, through both
    f = lambda x: grad(lambda y: grad(lambda z: x * y * z)(y))(x)  # noqa: E731
    assert grad(f)(5.0).item() == 1.0


def test_grad_inside_a_recorded_function_reaches_what_it_closes_over():
    """A gradient penalty: the loss holds a gradient, and is differentiated by the weights."""

    def penalty(w):
        slope = grad(lambda x: sum(tanh(x * w)))(tensor(x))
        return sum(slope * slope)

    x = np.array([0.3, -0.8])
    check_gradients(penalty, [np.array([0.5, 1.5])])
    assert grad(penalty)(np.array([0.5, 1.5])).shape == (2,)


def test_a_gradient_is_recorded_only_where_it_depends_on_a_parameter():
    x, w = np.array([0.3, -0.8]), variable([0.5, 1.5])
    f = lambda x: sum(tanh(x * w))  # noqa: E731
    assert grad(f)(x).requires_grad
    assert value_and_grad(f)(x)[0].requires_grad
    with no_grad():
        assert not grad(f)(x).requires_grad
    assert not grad(lambda x: sum(tanh(x)))(x).requires_grad
    (g,) = backward(sum(vjp(tanh, x)[1](w)[0]), [w])  # by the cotangent
    np.testing.assert_allclose(g.numpy(), 1 - np.tanh(x) ** 2, rtol=1e-12)


def test_vjp_pulls_back_as_often_as_asked(rng):
    a, x = rng.normal(size=(3, 4)), rng.normal(size=4)
    y, pullback = vjp(lambda a, x: matmul(a, x), a, x)
    np.testing.assert_allclose(y.numpy(), a @ x)
    for v in rng.normal(size=(2, 3)):
        ga, gx = pullback(v)
        np.testing.assert_allclose(gx.numpy(), v @ a)
        np.testing.assert_allclose(ga.numpy(), np.outer(v, x))


def test_jacobian_has_a_row_for_each_element_of_the_output(rng, backend_name):
    a, x = rng.normal(size=(2, 3)), rng.normal(size=(3, 2))
    matrix = jacobian(lambda x: matmul(tensor(a, backend=backend_name), x))(tensor(x, backend=backend_name))
    expected = np.einsum("ik,jl->ijkl", a, np.eye(2))
    np.testing.assert_allclose(matrix.numpy(), expected)
    assert jacobian(exp)(np.float64(0.0)).shape == ()
    assert jacobian(lambda a, x: matmul(a, x), 1)(a, x).shape == (2, 2, 3, 2)


@pytest.mark.parametrize("x", [np.ones(3), np.float64(1.0)])
def test_jacobian_of_no_elements_is_empty(x):
    assert jacobian(lambda x: getitem(x * np.ones(2)[:, None], slice(0, 0)))(x).shape == (0, x.size, *x.shape)


def test_hessian_is_the_jacobian_of_the_gradient(rng):
    x = rng.normal(size=3)
    hessian = jacobian(grad(lambda x: sum(exp(x)) * sum(x * x)))(x).numpy()
    e, s = np.exp(x), np.sum(x * x)
    expected = np.diag(e) * s + 2 * np.outer(e, x) + 2 * np.outer(x, e) + 2 * e.sum() * np.eye(3)
    np.testing.assert_allclose(hessian, expected, rtol=1e-12)


def test_jacobian_inside_grad_stays_connected(rng):
    x = rng.normal(size=3)
    f = lambda x: sum(jacobian(lambda y: sin(y) * x)(x))  # noqa: E731
    check_gradients(f, [x])
    np.testing.assert_allclose(grad(f)(x).numpy(), np.cos(x) - x * np.sin(x), rtol=1e-12)


def test_vjp_inside_grad_stays_connected():
    f = lambda x: vjp(lambda y: y * y * x, x)[1](1.0)[0]  # noqa: E731   (2 x^2)
    assert grad(f)(np.float64(3.0)).item() == pytest.approx(12.0)


def test_grad_works_inside_no_grad():
    with no_grad():
        assert grad(lambda x: x * x)(3.0).item() == 6.0
        assert grad(grad(lambda x: x * x * x))(3.0).item() == 18.0


def test_threads_differentiate_side_by_side():
    results = {}

    def work(k):
        x = np.full(50, 0.1 * k)
        results[k] = [grad(lambda x: sum(tanh(x) * cos(x)))(x).numpy() for _ in range(20)]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k, found in results.items():
        t = 0.1 * k
        expected = np.cos(t) / np.cosh(t) ** 2 - np.tanh(t) * np.sin(t)
        np.testing.assert_allclose(found, np.full((20, 50), expected), rtol=1e-12)


def test_stop_gradient_makes_a_constant():
    x = variable(3.0)
    assert backward(stop_gradient(x) * x, [x])[0].item() == 3.0
