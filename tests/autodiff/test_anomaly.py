"""Anomaly mode names the operation, its shapes and the line where a NaN or an infinity arose."""

import re

import numpy as np
import pytest

from minivae.autodiff import (
    PRIMITIVES,
    backward,
    detect_anomaly,
    divide,
    exp,
    grad,
    log,
    sqrt,
    sum,
    take,
    tensor,
    where,
)
from minivae.autodiff.tape import apply
from minivae.errors import InputError, MinivaeError, NonFiniteError

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, of the operation itself


def failure(f):
    with pytest.raises(NonFiniteError) as error, detect_anomaly():
        f()
    return str(error.value)


def test_forward_names_operation_shapes_and_line(backend_name):
    x = tensor([[1.0, -1.0]], backend=backend_name)
    y = x * 2.0
    message = failure(lambda: exp(log(y)))  # this line
    assert message.startswith("log of (1, 2) produced NaN, called at ")
    assert re.search(r"test_anomaly\.py:\d+: message = failure\(lambda: exp\(log\(y\)\)\)  # this line$", message)


@pytest.mark.parametrize(
    ("f", "start"),
    [
        (lambda: exp(tensor([1000.0])), "exp of (1,) produced an infinity"),
        (lambda: divide(1.0, tensor([0.0, 1.0])), "divide of 1.0, (2,) produced an infinity"),
        (lambda: tensor([1.0]) * np.inf, "multiply of (1,), inf produced an infinity"),
        (lambda: tensor([0.0]) / 0.0, "divide of (1,), 0.0 produced NaN"),
        (lambda: sum(tensor([1e38] * 10)), "sum of (10,) produced an infinity"),
    ],
)
def test_kind_and_operands(f, start):
    assert failure(f).startswith(start)


def test_backward_names_the_operation_whose_derivative_it_is_and_its_forward_line():
    def step():
        x = tensor([0.0, 1.0], np.float64, requires_grad=True)
        y = sqrt(x)  # the forward call
        z = sum(y)
        backward(z, [x])

    message = failure(step)
    assert message.startswith(
        "divide of (2,), (2,) produced an infinity in the derivative of sqrt, result shape (2,), "
    )
    assert re.search(r"whose forward call is at .*test_anomaly\.py:\d+: y = sqrt\(x\)  # the forward call$", message)


def test_backward_of_what_was_computed_before_the_block_has_no_line():
    x = tensor([0.0, 1.0], np.float64, requires_grad=True)
    y = sum(sqrt(x))
    assert failure(lambda: backward(y, [x])).endswith("whose forward call is at an unknown line")


def test_second_derivatives_are_watched_too():
    f = lambda x: sqrt(x) * x  # noqa: E731   (x^1.5, whose second derivative at 0 is infinite)
    message = failure(lambda: grad(grad(lambda x: f(x + 0.0)))(np.float64(0.0)))
    assert "in the derivative of" in message


def test_nothing_happens_where_all_is_finite(backend_name):
    x = tensor([1.0, 2.0], backend=backend_name, requires_grad=True)
    with detect_anomaly():
        (g,) = backward(sum(where(x > 1.5, exp(x), log(x))), [x])
    np.testing.assert_allclose(g.numpy(), [1.0, np.exp(2.0)], rtol=1e-6)


def test_the_check_ends_with_the_block():
    with detect_anomaly():
        pass
    assert np.isinf(exp(tensor([1000.0])).numpy())


def test_the_error_is_one_of_minivaes():
    assert issubclass(NonFiniteError, MinivaeError)
    assert issubclass(NonFiniteError, ArithmeticError)


def wrap_positions(name, monkeypatch):
    """Let a primitive compute as CuPy does: positions wrap around in silence."""
    value = PRIMITIVES[name].value

    def wrapping(xp, x, indices, axis, **others):
        length = others["shape"][axis] if others else x.shape[axis]
        return value(xp, x, indices % length, axis, **others)

    monkeypatch.setattr(PRIMITIVES[name], "value", wrapping)


@pytest.mark.parametrize("indices", [[3, 0], [0, -4]])
def test_positions_out_of_range_are_named_where_the_device_wraps_them(backend_name, indices, monkeypatch):
    wrap_positions("take", monkeypatch)
    x = tensor(np.eye(3, dtype="float32"), backend=backend_name)
    assert take(x, indices, 0).shape == (2, 3)  # nobody looks
    expected = (
        rf"take: indices lie between {min(indices)} and {max(indices)}, and there are 3, called at .*anomaly\.py:"
    )
    with pytest.raises(InputError, match=expected), detect_anomaly():
        take(x, indices, 0)
    with detect_anomaly():
        assert take(x, [2, -3], 0).shape == (2, 3)
        assert take(x, tensor(np.zeros(0, int), backend=backend_name), 0).shape == (0, 3)


def test_positions_that_are_put_back_are_looked_at_as_well(backend_name, monkeypatch):
    wrap_positions("put_back", monkeypatch)
    g, indices = tensor([1.0, 2.0], backend=backend_name), tensor(np.array([0, 3]), backend=backend_name)
    with pytest.raises(InputError, match=r"put_back: indices lie between 0 and 3, and there are 3"), detect_anomaly():
        apply(PRIMITIVES["put_back"], g, indices, axis=0, shape=(3,))
