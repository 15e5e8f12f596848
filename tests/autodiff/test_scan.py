"""Running sums and products, recurrences and sorting: zeros, ties, NaN, axes, and agreement with NumPy."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minivae.autodiff as ad
from minivae.autodiff import argsort, backward, cumprod, cumsum, prod, sort, tensor
from minivae.errors import InputError
from minivae.gradcheck import check_gradients

from .any_shape import assert_linear_map, numbered, repeatable

ZEROS = [[2.0, 0.0, 3.0, -1.0], [0.0, 0.0, 4.0, 0.5], [1.0, 2.0, 0.0, 0.0], [-0.5, 1.5, 2.0, 3.0], [0.0] * 4]
NUMPYS = {cumsum: np.cumsum, cumprod: np.cumprod, sort: np.sort, argsort: np.argsort}


@pytest.mark.parametrize("f", NUMPYS)
@repeatable
@given(hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4), st.data())
def test_values_and_derivatives_of_any_shape_along_any_axis(f, shape, data):
    axis = data.draw(st.sampled_from([None, *range(-len(shape), len(shape))]))
    x = np.random.default_rng(len(shape)).permutation(np.prod(shape, dtype=int)).reshape(shape) * 0.3 - 1
    np.testing.assert_allclose(f(tensor(x), axis).numpy(), NUMPYS[f](x, axis), rtol=1e-14)
    if f is not argsort:
        check_gradients(lambda x: f(x, axis), [x], order=2, mode="directions", allow_zero=True)


@repeatable
@given(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4), st.data())
def test_running_sums_and_sorting_are_linear_maps(shape, data):
    axis = data.draw(st.sampled_from(range(-len(shape), len(shape))))
    x = numbered(shape)
    assert_linear_map(lambda x: cumsum(x, axis), x, np.cumsum(x, axis))
    shuffled = np.random.default_rng(1).permutation(x.ravel()).reshape(shape)
    assert_linear_map(lambda x: sort(x, axis), shuffled, np.sort(shuffled, axis))


@pytest.mark.parametrize("f", [cumsum, cumprod])
def test_the_default_is_all_in_a_row(f, backend_name):
    x = tensor(np.array([[1.0, 2.0], [3.0, 4.0]]), backend=backend_name)
    np.testing.assert_array_equal(f(x).numpy(), NUMPYS[f](x.numpy()))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("axis", [0, 1])
def test_backwards_too(axis, reverse, backend_name):
    x = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    there = lambda x: np.flip(x, axis) if reverse else x  # noqa: E731
    for name, function in (("cumsum", np.cumsum), ("cumprod", np.cumprod)):
        found = ad.apply(ad.PRIMITIVES[name], tensor(x, backend=backend_name), axis=axis, reverse=reverse)
        np.testing.assert_array_equal(found.numpy(), there(function(there(x), axis)))


# ------------------------------------------------------------ zeros in products


@pytest.mark.parametrize("row", ZEROS)
def test_products_with_zeros_have_their_derivatives(row):
    """Divided by an element nothing is. The numerical derivatives know no zeros."""
    for f in (lambda x: prod(x), lambda x: cumprod(x, 0)):
        check_gradients(f, [np.array(row)], order=2, allow_zero=True)
        check_gradients(lambda x, f=f: ad.grad(lambda y: ad.sum(f(y) * f(y)))(x), [np.array(row)], allow_zero=True)


@pytest.mark.parametrize("name", ["prod", "cumprod"])
def test_products_with_zeros_are_pytorchs(name):
    torch = pytest.importorskip("torch", reason="the oracle, from pip install 'minivae[oracle]'")
    x = np.array(ZEROS)
    v = np.random.default_rng(0).normal(size=(5, 4) if name == "cumprod" else 5)
    ours, twin = tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    (g,) = backward(getattr(ad, name)(ours, 1), [ours], v, create_graph=True)
    (expected,) = torch.autograd.grad(getattr(twin, name)(1), twin, torch.tensor(v), create_graph=True)
    np.testing.assert_allclose(g.numpy(), expected.detach().numpy(), rtol=1e-14)
    w = np.random.default_rng(1).normal(size=x.shape)
    (second,) = backward(ad.sum(g * w), [ours])
    (expected,) = torch.autograd.grad((expected * torch.tensor(w)).sum(), twin)
    np.testing.assert_allclose(second.numpy(), expected.numpy(), rtol=1e-13, atol=1e-14)


def test_third_derivative_of_a_product_of_zeros():
    x = np.zeros(3)
    third = ad.jacobian(ad.hessian(prod))(x).numpy()
    expected = np.zeros((3, 3, 3))
    for i, j, k in np.ndindex(3, 3, 3):
        expected[i, j, k] = len({i, j, k}) == 3
    np.testing.assert_array_equal(third, expected)


def test_products_that_overflow_in_parts():
    x = tensor([1e-200, 1e-200, 1e200, 1e200], np.float64, requires_grad=True)
    (g,) = backward(prod(x[1:3]), [x])
    np.testing.assert_allclose(g.numpy(), [0.0, 1e200, 1e-200, 0.0])


# ----------------------------------------------------------------- recurrence


@pytest.mark.parametrize("reverse", [False, True])
def test_a_recurrence_of_one_element_or_none(reverse, backend_name):
    for n in (0, 1):
        a, b = (tensor(np.full((2, n), v), backend=backend_name, requires_grad=True) for v in (3.0, 5.0))
        y = ad.apply(ad.PRIMITIVES["recurrence"], a, b, axis=1, reverse=reverse)
        np.testing.assert_array_equal(y.numpy(), np.full((2, n), 5.0))
        ga, gb = backward(ad.sum(y), [a, b])
        np.testing.assert_array_equal(ga.numpy(), np.zeros((2, n)))
        np.testing.assert_array_equal(gb.numpy(), np.ones((2, n)))


def test_values_are_written_where_they_are_asked_for(backend_name):
    x = np.array([[3.0, 1.0, 2.0], [0.5, 4.0, 0.25]])
    order = np.array([[2, 0, 1], [0, 2, 1]])
    for name, inputs, attributes in [
        ("cumsum", (x,), {"axis": 1, "reverse": False}),
        ("cumsum", (x,), {"axis": 0, "reverse": True}),
        ("cumprod", (x,), {"axis": 1, "reverse": False}),
        ("cumprod", (x,), {"axis": 1, "reverse": True}),
        ("recurrence", (x, x + 1), {"axis": 1, "reverse": False}),
        ("recurrence", (x, x + 1), {"axis": 1, "reverse": True}),
        ("sort", (x,), {"axis": 1}),
        ("permute", (x, order), {"axis": 1}),
        ("argsort", (x,), {"axis": 1}),
    ]:
        arrays = [tensor(v, backend=backend_name).data for v in inputs]
        value, xp = ad.PRIMITIVES[name].value, tensor(x, backend=backend_name).xp
        expected = tensor(value(xp, *arrays, **attributes)).numpy()
        out = xp.zeros(x.shape, dtype=expected.dtype)
        assert value(xp, *arrays, out=out, **attributes) is out
        np.testing.assert_array_equal(tensor(out).numpy(), expected, err_msg=name)
        for array, before in zip(arrays, inputs, strict=True):
            np.testing.assert_array_equal(tensor(array).numpy(), before)


# -------------------------------------------------------------------- sorting


def test_equal_elements_stay_in_their_order(backend_name):
    x = tensor(np.array([2.0, 1.0, 2.0, 1.0, 2.0]), backend=backend_name, requires_grad=True)
    assert argsort(x).numpy().tolist() == [1, 3, 0, 2, 4]
    assert argsort(x).dtype == np.int64
    (g,) = backward(sort(x), [x], [1.0, 2.0, 3.0, 4.0, 5.0])
    assert g.numpy().tolist() == [3.0, 1.0, 4.0, 2.0, 5.0]


def test_nan_is_last_and_keeps_the_gradient_of_its_place():
    x = tensor([np.nan, 1.0, -1.0], np.float64, requires_grad=True)
    y = sort(x)
    np.testing.assert_array_equal(y.numpy(), [-1.0, 1.0, np.nan])
    assert backward(y, [x], [1.0, 2.0, 3.0])[0].numpy().tolist() == [3.0, 2.0, 1.0]


def test_integers_are_sorted_and_summed_as_numpy_does(backend_name):
    x = np.array([3, 1, 2], np.int32)
    for f in NUMPYS:
        found, expected = f(tensor(x, backend=backend_name)), NUMPYS[f](x)
        assert (found.dtype, found.numpy().tolist()) == (expected.dtype, expected.tolist())


@pytest.mark.parametrize("f", NUMPYS)
def test_wrong_axes_are_named(f):
    for axis, said in ((2, "expected axes of a tensor with 2 dimensions"), ((0, 1), "expected an integer")):
        with pytest.raises(InputError, match=f"axis is .*; {said}"):
            f(tensor(np.ones((2, 2))), axis)
