"""What the tests over any shape share: strategies of shapes and axes, and the check of a linear map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from minivae.autodiff import backward, tensor

repeatable = settings(deadline=None, max_examples=60, derandomize=True)
shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)


@st.composite
def axes_of(draw: Callable, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """None, or some axes in any order, counted from either end."""
    if not shape or draw(st.booleans()):
        return None
    axes = draw(st.lists(st.sampled_from(range(len(shape))), unique=True))
    return tuple(axis - draw(st.sampled_from([0, len(shape)])) for axis in axes)


def numbered(shape: tuple[int, ...], start: float = 1.0) -> np.ndarray:
    """start, start + 1, ... in this shape."""
    return np.arange(start, start + np.prod(shape, dtype=int)).reshape(shape)


def assert_linear_map(f: Callable, x: np.ndarray, expected: Any) -> None:
    """f(x) is as expected, and for the map's adjoint <v, f(x)> = <f^T v, x>, exactly (in small integers)."""
    variable = tensor(x, requires_grad=True)
    y = f(variable)
    np.testing.assert_array_equal(y.numpy(), expected)
    assert y.shape == np.shape(expected)
    v = numbered(y.shape, 2.0)
    (g,) = backward(y, [variable], v)
    assert g.shape == x.shape
    assert np.sum(g.numpy() * x) == np.sum(v * expected)
