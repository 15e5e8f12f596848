"""Reductions: large and infinite terms, ties, no elements, and agreement with NumPy and SciPy."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from minivae.autodiff import backward, log_softmax, logsumexp, max, mean, min, softmax, sum, tensor, var
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
@pytest.mark.parametrize(("f", "numpy"), [(max, np.max), (min, np.min), (mean, np.mean), (var, np.var), (sum, np.sum)])
def test_values_are_numpys(f, numpy, axis, keepdims, rng, backend_name):
    x = rng.normal(size=(3, 4))
    found = f(tensor(x, backend=backend_name), axis, keepdims)
    np.testing.assert_allclose(found.numpy(), numpy(x, axis=axis, keepdims=keepdims), rtol=1e-14, atol=1e-15)


NUMPYS = {
    **{max: np.max, min: np.min, mean: np.mean, var: np.var, sum: np.sum, logsumexp: scipy.special.logsumexp},
    **{softmax: scipy.special.softmax, log_softmax: scipy.special.log_softmax},
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
    check_gradients(lambda x: f(x, **options), [x], order=2, mode="directions", allow_zero=True)


@pytest.mark.parametrize("f", [max, min])
def test_ties_share_the_gradient(f, backend_name):
    rows = [[2.0, 2.0, 2.0], [1.0, 1.0, 1.0]] if f is max else [[2.0, 2.0, 2.0], [7.0, 7.0, 7.0]]
    x = tensor(rows, backend=backend_name, requires_grad=True)
    (g,) = backward(f(x), [x])
    np.testing.assert_allclose(g.numpy(), [[1 / 3] * 3, [0.0] * 3], rtol=1e-6)
    (g,) = backward(f(x, 1), [x], [3.0, 6.0])
    np.testing.assert_allclose(g.numpy(), [[1.0] * 3, [2.0] * 3], rtol=1e-6)


def test_mean_of_ones_is_one_for_any_count():
    for count in range(1, 200):
        assert mean(np.ones(count)).item() == 1.0


def test_mean_over_no_elements_is_nan_and_sum_zero():
    x = tensor(np.ones((2, 0)))
    assert np.isnan(mean(x).item())
    assert np.isnan(mean(x, 1).numpy()).all()
    assert mean(x, 0).shape == (0,)
    assert sum(x, 1).numpy().tolist() == [0.0, 0.0]


@pytest.mark.parametrize("f", [max, min, logsumexp])
def test_extremes_of_no_elements_are_errors(f):
    with pytest.raises(InputError, match=rf"{f.__name__}: x is \(2, 0\) .*\(zero-size array"):
        f(tensor(np.ones((2, 0))))


@pytest.mark.parametrize("f", [sum, max, min, logsumexp, mean, var, softmax, log_softmax])
def test_wrong_axes_are_named(f):
    with pytest.raises(InputError, match="axis is 3; expected axes of a tensor with 2 dimensions"):
        f(tensor(np.ones((2, 2))), 3)


def test_variance_of_numbers_far_from_zero():
    x = 1e6 + np.array([1.0, 2.0, 3.0, 4.0])
    assert var(x).item() == pytest.approx(1.25, rel=1e-12)
    check_gradients(lambda x: var(x + 1e3), [np.array([0.5, -1.0, 2.0])], order=2)
