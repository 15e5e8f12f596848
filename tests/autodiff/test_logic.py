"""Comparisons, and what is made of them: NumPy's values, booleans, no gradient."""

import numpy as np
import pytest

from minivae.autodiff import PRIMITIVES, backward, tensor, where

A = np.array([[0.5, 2.0, 3.0, np.nan, np.inf, -0.0]])
B = np.array([[2.0], [3.0], [np.nan], [0.0], [-np.inf]])
PAIRS = ["greater", "greater_equal", "less", "less_equal", "equal", "not_equal"]
PAIRS += ["logical_and", "logical_or", "logical_xor"]
SINGLE = ["isnan", "isfinite", "logical_not"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", PAIRS + SINGLE)
def test_values_are_numpys(name, dtype, backend_name):
    arrays = (A.astype(dtype), B.astype(dtype))[: 2 if name in PAIRS else 1]
    found = PRIMITIVES[name](*(tensor(x, backend=backend_name) for x in arrays))
    assert found.dtype == bool
    np.testing.assert_array_equal(found.numpy(), getattr(np, name)(*arrays))


@pytest.mark.parametrize("name", PAIRS + SINGLE)
def test_of_booleans_and_integers(name, backend_name):
    for array in (np.array([True, False, True]), np.array([0, 2, -1])):
        arrays = (array, array[::-1].copy())[: 2 if name in PAIRS else 1]
        found = PRIMITIVES[name](*(tensor(x, backend=backend_name) for x in arrays))
        assert found.dtype == bool
        np.testing.assert_array_equal(found.numpy(), getattr(np, name)(*arrays))


@pytest.mark.parametrize("name", PAIRS + SINGLE)
def test_no_gradient_flows(name):
    x = tensor([0.5, -1.0, 2.0], np.float64, requires_grad=True)
    y = PRIMITIVES[name](*((x, 0.75) if name in PAIRS else (x,)))
    assert not y.requires_grad
    assert y.node is None
    (g,) = backward((where(y, 1.0, 0.0) * x).sum(), [x])
    np.testing.assert_array_equal(g.numpy(), y.numpy())  # x is what y was multiplied by


def test_operators_make_masks(backend_name):
    x = tensor(np.array([0.2, 1.5, np.nan, 3.0]), backend=backend_name)
    inside = (x > 0.5) & (x < 2.0)
    assert inside.numpy().tolist() == [False, True, False, False]
    assert (~inside | (x == 1.5)).numpy().tolist() == [True] * 4
    assert ((x > 1) ^ (x > 2)).numpy().tolist() == [False, True, False, False]
    assert (inside & True).numpy().tolist() == inside.numpy().tolist()
