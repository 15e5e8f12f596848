"""Matrix products: every promotion of shapes, dtypes, and errors."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given

from minivae import backend
from minivae.autodiff import backward, hooked, linear, matmul, outer, tensor
from minivae.errors import InputError

from .any_shape import assert_linear_map, numbered, repeatable

SHAPES = [
    ((2, 3), (3, 4)),
    ((3,), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3,)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 1, 2, 3), (6, 3, 4)),
    ((3,), (5, 3, 4)),
    ((5, 2, 3), (3,)),
    ((0, 3), (3, 4)),
    ((2, 0), (0, 4)),
    ((5, 0, 3), (3, 0)),
]


@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_products_are_numpys(a, b, rng, backend_name):
    a, b = rng.normal(size=a), rng.normal(size=b)
    found = tensor(a, backend=backend_name) @ tensor(b, backend=backend_name)
    np.testing.assert_allclose(found.numpy(), a @ b, rtol=1e-13, atol=1e-15)
    assert found.shape == (a @ b).shape


@repeatable
@given(hnp.mutually_broadcastable_shapes(signature=np.matmul.signature, max_dims=2, min_side=0, max_side=3))
def test_products_of_any_shapes_are_linear_in_either_side(shapes):
    a, b = (numbered(shape) for shape in shapes.input_shapes)
    assert_linear_map(lambda a: matmul(a, b), a, a @ b)
    assert_linear_map(lambda b: matmul(a, b), b, a @ b)


def test_flags_that_blas_raises_for_lanes_that_it_drops_are_not_told():
    with np.errstate(invalid="raise", over="warn"):
        assert np.isnan((tensor([[np.inf]]) @ tensor([[0.0]])).numpy()).all()
        with pytest.warns(RuntimeWarning, match="overflow"):
            tensor([[1e200]]) @ tensor([[1e200]])


def test_arrays_on_either_side_take_the_dtype_of_the_tensor(backend_name):
    x = tensor([[1.0, 2.0]], backend=backend_name)
    array = backend.asarray(np.ones((2, 2)), backend=backend_name)
    assert (x @ array).dtype == np.float32
    assert (array @ x.T).dtype == np.float32
    assert (x @ [[1.0], [1.0]]).numpy().tolist() == [[3.0]]


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ((2, 3), (2, 3), r"matmul: a is \(2, 3\) .*, b is \(2, 3\)"),
        ((), (3,), r"a has shape \(\) and b \(3,\); expected at least one axis each"),
        ((3,), (), r"a has shape \(3,\) and b \(\); expected at least one axis each"),
        ((2, 2, 3), (3, 3, 4), "matmul: a is"),
    ],
)
def test_shapes_that_do_not_go_together(a, b, message):
    with pytest.raises(InputError, match=message):
        matmul(tensor(np.ones(a)), tensor(np.ones(b)))


@pytest.mark.parametrize("lead", [(), (4,), (5, 4), (0,), (2, 0)])
def test_linear_is_the_affine_map(lead, rng, backend_name):
    x, weight, bias = rng.normal(size=(*lead, 3)), rng.normal(size=(3, 2)), rng.normal(size=2)
    arguments = [tensor(a, backend=backend_name, requires_grad=True) for a in (x, weight, bias)]
    y = linear(*arguments)
    np.testing.assert_allclose(y.numpy(), x @ weight + bias, rtol=1e-13, atol=1e-15)
    v = rng.normal(size=y.shape)
    gx, gw, gb = (g.numpy() for g in backward(y, arguments, backend.asarray(v, backend=backend_name)))
    np.testing.assert_allclose(gx, v @ weight.T, atol=1e-14)
    np.testing.assert_allclose(gw, x.reshape(-1, 3).T @ v.reshape(-1, 2), atol=1e-14)
    np.testing.assert_allclose(gb, v.reshape(-1, 2).sum(0), atol=1e-14)


@pytest.mark.parametrize(
    ("x", "weight", "bias"),
    [((4, 3), (2, 2), (2,)), ((4, 3), (3, 2), (3,)), ((4, 3), (3, 2), (1,)), ((4, 3), (3,), (3,)), ((), (3, 2), (2,))],
)
def test_linear_refuses_shapes_that_broadcasting_would_hide(x, weight, bias):
    with pytest.raises(InputError, match="x has shape"):
        linear(*(tensor(np.ones(shape)) for shape in (x, weight, bias)))


@pytest.mark.parametrize(("m", "n"), [(3, 7), (7, 3), (4, 4)])
def test_a_product_is_stored_along_its_shorter_axis(m, n):
    product = matmul(tensor(np.ones((m, 5), "float32")), tensor(np.ones((5, n), "float32"))).data
    assert product.strides == ((4, 4 * m) if m < n else (4 * n, 4))
    assert (product == 5).all()


@pytest.mark.parametrize("lead", [(5, 1), (2, 3, 1), (4, 2), (0, 2), (2, 0)])
def test_a_stack_times_one_matrix_is_one_product_forward_and_back(lead, rng, backend_name):
    a, b, v = rng.normal(size=(*lead, 3)), rng.normal(size=(3, 2)), rng.normal(size=(*lead, 2))
    arguments = [tensor(x, backend=backend_name, requires_grad=True) for x in (a, b)]
    ndims = []
    with hooked(lambda primitive, inputs, _, output: primitive.kind == "product" and ndims.append(output.ndim)):
        y = matmul(*arguments)
        ga, gb = backward(y, arguments, backend.asarray(v, backend=backend_name))
    assert ndims == [2, 2, 2]
    np.testing.assert_allclose(y.numpy(), a @ b, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(ga.numpy(), v @ b.T, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(gb.numpy(), a.reshape(-1, 3).T @ v.reshape(-1, 2), rtol=1e-13, atol=1e-15)


def test_linear_without_a_bias(rng, backend_name):
    x, weight = rng.normal(size=(4, 5, 3)), rng.normal(size=(3, 2))
    found = linear(tensor(x, backend=backend_name), tensor(weight, backend=backend_name))
    np.testing.assert_allclose(found.numpy(), x @ weight, rtol=1e-13, atol=1e-15)
    with pytest.raises(InputError, match=r"x has shape \(4, 3\) and weight has shape \(2, 3\); expected"):
        linear(tensor(x[:, 0]), tensor(weight.T))


@pytest.mark.parametrize(("a", "b"), [((2,), (3,)), ((2, 2), (2, 3)), ((), ()), ((0,), (2,))])
def test_outer_products(a, b, backend_name):
    a, b = numbered(a), numbered(b, 2.0)
    found = outer(tensor(a, backend=backend_name), tensor(b, backend=backend_name))
    np.testing.assert_array_equal(found.numpy(), np.outer(a, b))
    assert_linear_map(lambda a: outer(a, b), a, np.outer(a, b))
