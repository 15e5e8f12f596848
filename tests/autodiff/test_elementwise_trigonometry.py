"""Trigonometric and hyperbolic functions: values, derivatives near the ends of their ranges, angles."""

import numpy as np
import pytest

from minivae.autodiff import PRIMITIVES, arctan2, backward, grad, tensor
from minivae.gradcheck import check_gradients

RANGES = {
    **dict.fromkeys(["sin", "cos", "arctan", "sinh", "cosh", "tanh", "arcsinh"], (-3.0, 3.0)),
    "tan": (-1.5, 1.5),
    **dict.fromkeys(["arcsin", "arccos", "arctanh"], (-0.99, 0.99)),
    "arccosh": (1.01, 4.0),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", RANGES)
def test_values_are_numpys(name, dtype, backend_name):
    x = np.linspace(*RANGES[name], 7).astype(dtype)
    found = PRIMITIVES[name](tensor(x, backend=backend_name))
    assert found.dtype == dtype
    np.testing.assert_allclose(found.numpy(), getattr(np, name)(x), rtol=2 * np.finfo(dtype).eps)


@pytest.mark.parametrize("name", RANGES)
def test_derivatives(name):
    check_gradients(PRIMITIVES[name], [np.linspace(*RANGES[name], 5)], order=2)


# x, and the derivative there, by mpmath 1.3.0 at 50 digits (mp.diff) of the nearest float64.
ENDS = [
    ("arcsin", 1 - 2**-50, 23726566.406062893),
    ("arccos", 1 - 2**-50, -23726566.406062893),
    ("arcsin", -1 + 2**-50, 23726566.406062893),
    ("arctanh", 1 - 2**-50, 562949953421312.25),
    ("arccosh", 1 + 2**-50, 23726566.406062893),
    ("arctan", 1e8, 1e-16),
    ("arcsinh", 1e8, 1e-8),
    ("arccosh", 1e8, 1e-8),
]


@pytest.mark.parametrize(("name", "x", "expected"), ENDS)
def test_slopes_near_the_ends_keep_their_digits(name, x, expected):
    assert grad(PRIMITIVES[name])(np.float64(x)).item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", ["arcsin", "arccos", "arccosh"])
def test_outside_of_the_range_value_and_slope_are_nan(name):
    x = tensor([-2.0, 0.5 if name == "arccosh" else 2.0], np.float64, requires_grad=True)
    with np.errstate(invalid="ignore"):
        y = PRIMITIVES[name](x)
        (g,) = backward(y, [x], np.ones(2))
    assert np.isnan(y.numpy()).all()
    assert np.isnan(g.numpy()).all()


def test_angles_of_all_quadrants(backend_name):
    a, b = (x.ravel() for x in np.meshgrid([-2.0, -0.0, 0.0, 1.0], [-1.0, 0.0, 3.0]))
    found = arctan2(tensor(a, backend=backend_name), tensor(b, backend=backend_name))
    np.testing.assert_array_equal(found.numpy(), np.arctan2(a, b))
    away = (a != 0) | (b > 0)
    check_gradients(arctan2, [a[away], b[away]], order=2, allow_zero=True)


def test_the_origin_has_slope_zero():
    """As in PyTorch; and second derivatives too, which there are NaN."""
    a, b = (tensor(np.float64(0.0), requires_grad=True) for _ in range(2))
    first = backward(arctan2(a, b), [a, b], create_graph=True)
    assert [g.item() for g in first] == [0.0, 0.0]
    assert [g.item() for g in backward(first[0] + first[1], [a, b])] == [0.0, 0.0]
