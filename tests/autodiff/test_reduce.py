"""Reductions: large and infinite terms, ties, no elements, and agreement with NumPy and SciPy."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from minivae.autodiff import (
    all,
    any,
    argmax,
    argmin,
    backward,
    log_softmax,
    logsumexp,
    max,
    mean,
    min,
    norm,
    one_hot_of_largest,
    prod,
    softmax,
    std,
    sum,
    tensor,
    var,
)
from minivae.errors import InputError
from minivae.gradcheck import check_gradients

from .any_shape import axes_of, repeatable

HUGE = np.array([[1e4, 1e4 - 1, -1e4], [-1e4, -1e4 - 3, -1e4], [0.0, 1e-30, -1e4]])
AXES = [None, 0, -1, (0, 1)]


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logsumexp_of_large_terms(axis, dtype, backend_name):
    x = tensor(HUGE.astype(dtype), backend=backend_name, requires_grad=True)
    wide = x.numpy().astype(np.float64)
    y = logsumexp(x, axis, keepdims=True)
    expected = scipy.special.logsumexp(wide, axis, keepdims=True)
    np.testing.assert_allclose(y.numpy(), expected, rtol=2e-7 if dtype == np.float32 else 1e-15)
    (g,) = backward(sum(y), [x])
    np.testing.assert_allclose(g.numpy(), np.exp(wide - expected), rtol=2e-6 if dtype == np.float32 else 1e-11)


def test_logsumexp_with_infinite_terms(backend_name):
    x = tensor([[-np.inf, 1.0], [-np.inf, -np.inf], [np.inf, 0.0]], backend=backend_name)
    np.testing.assert_array_equal(logsumexp(x, 1).numpy(), [1.0, -np.inf, np.inf])


def test_masked_terms_of_logsumexp_get_no_gradient():
    x = tensor([-np.inf, 0.0, 0.0], requires_grad=True)
    (g,) = backward(logsumexp(x), [x])
    assert g.numpy().tolist() == [0.0, 0.5, 0.5]


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_softmax_of_large_logits_sums_to_one(axis, backend_name):
    x = tensor(np.float32(HUGE), backend=backend_name)
    p, log_p = softmax(x, axis), log_softmax(x, axis)
    np.testing.assert_allclose(p.numpy(), scipy.special.softmax(HUGE, axis), rtol=1e-6, atol=1e-30)
    np.testing.assert_allclose(sum(p, axis).numpy(), 1, rtol=1e-6)
    np.testing.assert_allclose(log_p.numpy(), scipy.special.log_softmax(HUGE, axis), rtol=1e-6, atol=1e-30)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("f", [max, min, mean, var, sum, std, prod, norm, any, all])
def test_values_are_numpys(f, axis, keepdims, rng, backend_name):
    x = rng.normal(size=(3, 4))
    x = x > 0.5 if f in (any, all) else x
    numpy = np.linalg.norm if f is norm else getattr(np, f.__name__)
    found, expected = f(tensor(x, backend=backend_name), axis, keepdims), numpy(x, axis=axis, keepdims=keepdims)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-14, atol=1e-15)


NUMPYS = {
    **{max: np.max, min: np.min, mean: np.mean, var: np.var, sum: np.sum, logsumexp: scipy.special.logsumexp},
    **{softmax: scipy.special.softmax, log_softmax: scipy.special.log_softmax, prod: np.prod, std: np.std},
    norm: lambda x, axis, keepdims: np.sqrt(np.sum(x * x, axis, keepdims=keepdims)),
}


@pytest.mark.parametrize("f", NUMPYS)
@repeatable
@given(hnp.array_shapes(min_dims=0, max_dims=4, max_side=3), st.data())
def test_values_and_derivatives_of_any_shape_over_any_axes(f, shape, data):
    """No two elements are equal or close, so that the largest has a gradient by differences."""
    x = np.random.default_rng(len(shape)).permutation(np.prod(shape, dtype=int)).reshape(shape) * 0.3 - 1
    if f in (softmax, log_softmax):
        options = {"axis": data.draw(st.sampled_from(range(-len(shape), len(shape))))} if shape else {"axis": None}
    else:
        options = {"axis": data.draw(axes_of(shape)), "keepdims": data.draw(st.booleans())}
    expected = NUMPYS[f](x, **options)
    np.testing.assert_allclose(f(tensor(x), **options).numpy(), expected, rtol=1e-13, atol=1e-14)
    if f is not std or np.prod(shape) != np.size(expected):  # of one element it is 0, where it has a kink
        check_gradients(lambda x: f(x, **options), [x], order=2, mode="directions", allow_zero=True)


@pytest.mark.parametrize("f", [max, min])
def test_ties_share_the_gradient(f, backend_name):
    rows = [[2.0, 2.0, 2.0], [1.0, 1.0, 1.0]] if f is max else [[2.0, 2.0, 2.0], [7.0, 7.0, 7.0]]
    x = tensor(rows, backend=backend_name, requires_grad=True)
    (g,) = backward(f(x), [x])
    np.testing.assert_allclose(g.numpy(), [[1 / 3] * 3, [0.0] * 3], rtol=1e-6)
    (g,) = backward(f(x, 1), [x], [3.0, 6.0])
    np.testing.assert_allclose(g.numpy(), [[1.0] * 3, [2.0] * 3], rtol=1e-6)


@pytest.mark.parametrize("f", [max, min, argmax, argmin])
def test_extremes_of_no_elements_are_errors(f):
    with pytest.raises(InputError, match=rf"{f.__name__}: x is \(2, 0\) .*\((zero-size array|.* empty sequence)"):
        f(tensor(np.ones((2, 0))))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exponentials_of_no_elements(dtype, backend_name):
    """log 0 is -inf, as in SciPy; of no logits there are no probabilities, as in PyTorch (SciPy raises)."""
    x = tensor(np.ones((2, 0), dtype), backend=backend_name, requires_grad=True)
    for axis, expected in ((1, [-np.inf] * 2), (0, []), (None, -np.inf)):
        y = logsumexp(x, axis)
        assert y.dtype == dtype
        np.testing.assert_array_equal(y.numpy(), expected)
        assert backward(sum(y), [x])[0].shape == (2, 0)
    assert logsumexp(x, 1, keepdims=True).shape == (2, 1)
    for f in (softmax, log_softmax):
        for axis in (0, 1, None):
            y = f(x, axis)
            assert (y.shape, y.dtype) == ((2, 0), dtype)
            assert backward(sum(y), [x])[0].shape == (2, 0)
    assert softmax(np.ones((0, 3)), 1).shape == (0, 3)


def test_products_and_truth_of_no_elements(backend_name):
    x = tensor(np.ones((2, 0)), backend=backend_name, requires_grad=True)
    assert prod(x, 1).numpy().tolist() == [1.0, 1.0]
    assert backward(prod(x), [x])[0].shape == (2, 0)
    assert (any(x).item(), all(x).item()) == (False, True)
    assert norm(x, 1).numpy().tolist() == [0.0, 0.0]


def test_variance_of_numbers_far_from_zero():
    x = 1e6 + np.array([1.0, 2.0, 3.0, 4.0])
    assert var(x).item() == pytest.approx(1.25, rel=1e-12)
    check_gradients(lambda x: var(x + 1e3), [np.array([0.5, -1.0, 2.0])], order=2)


# ------------------------------------------------------------------------ NaN


@pytest.mark.parametrize("f", [max, min, var, std, prod, norm, logsumexp, softmax, log_softmax])
def test_where_the_value_is_nan_the_gradient_is(f, backend_name):
    """In all elements of that row, and in no other."""
    x = tensor(np.array([[1.0, np.nan, 2.0], [3.0, 5.0, 4.0]]), backend=backend_name, requires_grad=True)
    y = f(x, 1)
    (g,) = backward(sum(y), [x])
    np.testing.assert_array_equal(np.isnan(y.numpy()).reshape(2, -1).all(1), [True, False])
    expected = [[True] * 3, [False] * 3]
    if f is prod:  # the product of the others of NaN is a number
        expected[0] = [True, False, True]
    np.testing.assert_array_equal(np.isnan(g.numpy()), expected)


@pytest.mark.parametrize("f", [max, min])
def test_infinite_extremes_have_their_gradient(f):
    x = tensor([-np.inf, -np.inf] if f is max else [np.inf, np.inf], np.float64, requires_grad=True)
    assert backward(f(x), [x])[0].numpy().tolist() == [0.5, 0.5]


# ------------------------------------------------------------------ positions


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("f", [argmax, argmin])
def test_positions_are_numpys(f, axis, keepdims, rng, backend_name):
    x = rng.integers(0, 3, (4, 5)).astype(np.float32)  # with ties: the first counts
    found = f(tensor(x, backend=backend_name), axis, keepdims)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found.numpy(), getattr(np, f.__name__)(x, axis, keepdims=keepdims))


def test_positions_are_constants():
    x = tensor([1.0, 3.0, 3.0], requires_grad=True)
    assert argmax(x).item() == 1
    assert not argmax(x).requires_grad
    for f in (argmax, argmin):
        with pytest.raises(InputError, match=r"axis is \(0, 1\); expected an integer"):
            f(np.ones((2, 2)), (0, 1))


def test_the_largest_in_the_dtype_of_its_input(backend_name):
    x = tensor(np.float32([[1.0, 3.0, 3.0], [2.0, 0.0, -1.0]]), backend=backend_name)
    found = one_hot_of_largest(x)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found.numpy(), [[0, 1, 0], [1, 0, 0]])


def test_truth_is_of_what_is_not_zero(backend_name):
    x = tensor(np.array([[0.0, -0.0], [np.nan, 2.0], [0.0, 1.0]]), backend=backend_name, requires_grad=True)
    assert any(x, 1).numpy().tolist() == [False, True, True]
    assert all(x, 1).numpy().tolist() == [False, True, False]
    assert not any(x).requires_grad


# ------------------------------------------------------------- spread and size


@pytest.mark.parametrize("ddof", [0, 1, 0.5, 3])
@pytest.mark.parametrize("f", [var, std])
def test_degrees_of_freedom(f, ddof, rng, backend_name):
    x = rng.normal(size=(4, 3))
    for axis in (None, 0, -1):
        found = lambda x, axis=axis: f(x, axis, ddof=ddof)  # noqa: E731
        if axis == -1 and ddof == 3:
            with np.errstate(divide="ignore"):
                assert np.isinf(found(tensor(x, backend=backend_name)).numpy()).all()  # as in NumPy
            continue
        expected = getattr(np, f.__name__)(x, axis, ddof=ddof)
        np.testing.assert_allclose(found(tensor(x, backend=backend_name)).numpy(), expected, rtol=1e-14)
        check_gradients(found, [x], order=2)


def test_more_degrees_than_elements_are_none():
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert var([1.0, 2.0], ddof=5).item() == np.inf
    with pytest.warns(RuntimeWarning, match="invalid value"):
        assert np.isnan(var([2.0], ddof=1).item())
    assert np.isnan(var(np.ones(0), ddof=1).item())


@pytest.mark.parametrize("f", [std, norm])
def test_where_a_root_is_zero_its_derivatives_are(f):
    x = tensor([[0.0, 0.0], [3.0, 4.0]], np.float64, requires_grad=True)
    y = f(x, 1)
    (g,) = backward(y, [x], [1.0, 1.0], create_graph=True)
    assert y.numpy()[0] == 0
    assert g.numpy()[0].tolist() == [0.0, 0.0]
    assert np.isfinite(backward(sum(g * g), [x])[0].numpy()).all()
    assert np.isfinite(backward(sum(f(x * 0.0)), [x])[0].numpy()).all()
