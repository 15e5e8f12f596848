"""Diagonals and triangles: values as NumPy's, derivatives as adjoints, errors that say what is wrong."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minivae.autodiff import diag, diagonal, tensor, trace, tril, triu
from minivae.errors import InputError

from .any_shape import assert_linear_map, numbered, repeatable

matrices = hnp.array_shapes(min_dims=2, max_dims=4, min_side=0, max_side=4)
diagonals = st.integers(-5, 5)


@repeatable
@given(matrices, diagonals, st.data())
def test_diagonals_of_any_axes(shape, k, data):
    axes = data.draw(st.permutations(range(-len(shape), 0)))[:2]
    x = numbered(shape)
    assert_linear_map(lambda x: diagonal(x, k, *axes), x, np.diagonal(x, k, *axes))
    assert_linear_map(lambda x: trace(x, k, *axes), x, np.trace(x, k, *axes))
    assert_linear_map(diagonal, x, np.diagonal(x))


@pytest.mark.parametrize("shape", [(m, n) for m in range(6) for n in range(6)])
def test_every_diagonal_of_small_matrices(shape):
    x = numbered(shape)
    for k in range(-7, 8):
        np.testing.assert_array_equal(diag(tensor(x), k).numpy(), np.diag(x, k))


@repeatable
@given(hnp.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=4), diagonals)
def test_matrices_with_a_diagonal_and_diagonals_of_matrices(shape, k):
    x = numbered(shape)
    assert_linear_map(lambda x: diag(x, k), x, np.diag(x, k))


@repeatable
@given(matrices, diagonals)
def test_triangles(shape, k):
    x = numbered(shape)
    assert_linear_map(lambda x: tril(x, k), x, np.tril(x, k))
    assert_linear_map(lambda x: triu(x, k), x, np.triu(x, k))


@pytest.mark.parametrize("dtype", ["float32", "int64", "uint8"])
def test_dtypes_stay(dtype, backend_name):
    x = tensor(np.ones((2, 2), dtype), backend=backend_name)
    assert {f(x).dtype.name for f in (tril, triu, diag, diagonal)} == {dtype}


def test_what_is_left_out_may_be_anything():
    x = np.array([[1.0, np.nan], [np.inf, 2.0]])
    np.testing.assert_array_equal(tril(triu(tensor(x))).numpy(), np.diag([1.0, 2.0]))


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: diag(x[None]), r"x has shape \(1, 2, 3\); expected a vector or a matrix"),
        (lambda x: diag(x, 0.5), "k is 0.5; expected an integer, the number of a diagonal"),
        (lambda x: diagonal(x[0]), r"x has shape \(3,\); expected two axes or more"),
        (lambda x: diagonal(x, None), "offset is None; expected an integer"),
        (lambda x: diagonal(x, 0, 1, 1), r"\(axis1, axis2\) is \(1, 1\); expected each axis once"),
        (lambda x: trace(x, 0, 0, 2), r"\(axis1, axis2\) is \(0, 2\); expected axes of a tensor with 2 dimensions"),
        (lambda x: trace(x, 0, "a"), r"\(axis1, axis2\) is \('a', 1\); expected an integer"),
        (lambda x: tril(x[0]), r"x has shape \(3,\); expected matrices, \(..., m, n\)"),
        (lambda x: triu(x, "1"), "k is '1'; expected an integer, the number of a diagonal"),
    ],
)
def test_errors_say_what_came_and_what_was_expected(f, message):
    with pytest.raises(InputError, match=message):
        f(tensor(np.ones((2, 3))))
