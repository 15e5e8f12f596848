"""Other shapes, broadcasting and sums: values as NumPy's, derivatives as adjoints, errors that say what is wrong."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minivae as mv
from minivae.autodiff import (
    astype,
    backward,
    broadcast_to,
    expand_dims,
    flatten,
    mean,
    moveaxis,
    reshape,
    squeeze,
    sum,
    swapaxes,
    tensor,
    transpose,
)
from minivae.autodiff.shape import sum_to
from minivae.errors import InputError
from minivae.gradcheck import check_gradients

from .any_shape import assert_linear_map, axes_of, numbered, repeatable, shapes

# ------------------------------------------------------- any shape and axis


@repeatable
@given(shapes, st.data())
def test_sum_over_any_axes(shape, data):
    axes, keepdims = data.draw(axes_of(shape)), data.draw(st.booleans())
    x = numbered(shape)
    assert_linear_map(lambda x: sum(x, axes, keepdims), x, np.sum(x, axis=axes, keepdims=keepdims))


@repeatable
@given(hnp.mutually_broadcastable_shapes(num_shapes=1, max_dims=4, max_side=3, base_shape=(1, 2, 3)))
def test_broadcasting_and_its_adjoint(shapes):
    (shape,), result = shapes.input_shapes, shapes.result_shape
    x, v = numbered(shape), numbered(result, 2.0)
    assert_linear_map(lambda x: broadcast_to(x, result), x, np.broadcast_to(x, result))
    assert_linear_map(lambda v: sum_to(v, shape), v, backward_of_broadcast(v, shape))


def backward_of_broadcast(v, shape):
    """v summed to ``shape``, element by element."""
    total = np.zeros(shape)
    positions = np.broadcast_to(np.arange(total.size).reshape(shape), v.shape)
    np.add.at(total.reshape(-1), positions.ravel(), v.ravel())
    return total


@repeatable
@given(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3))
def test_gradients_of_broadcast_operands(shapes):
    a, b = (numbered(s) / 7 + 0.3 for s in shapes.input_shapes)
    check_gradients(lambda a, b: a * b + a, [a, b], order=2, mode="directions", allow_zero=True)


@repeatable
@given(shapes, st.data())
def test_transposes_and_reshapes(shape, data):
    x = numbered(shape)
    axes = data.draw(st.permutations(range(len(shape))))
    assert_linear_map(lambda x: transpose(x, axes), x, np.transpose(x, axes))
    assert_linear_map(lambda x: reshape(transpose(x), (x.size, 1)), x, x.T.reshape(-1, 1))


@repeatable
@given(shapes.filter(len), st.data())
def test_axes_exchanged_added_and_removed(shape, data):
    x, n = numbered(shape), len(shape)
    a, b = (data.draw(st.integers(-n, n - 1)) for _ in range(2))
    assert_linear_map(lambda x: swapaxes(x, a, b), x, np.swapaxes(x, a, b))
    at = data.draw(st.integers(-n - 1, n))
    assert_linear_map(lambda x: expand_dims(x, at), x, np.expand_dims(x, at))
    assert_linear_map(lambda x: squeeze(x, at), np.expand_dims(x, at), x)


@repeatable
@given(shapes, st.data())
def test_several_axes_moved_added_and_removed(shape, data):
    x, n = numbered(shape), len(shape)
    source = data.draw(st.lists(st.sampled_from(range(n)), unique=True)) if n else []
    destination = data.draw(st.permutations(range(n)))[: len(source)]
    source = [a - data.draw(st.sampled_from([0, n])) for a in source]
    assert_linear_map(lambda x: moveaxis(x, source, destination), x, np.moveaxis(x, source, destination))
    new = data.draw(st.lists(st.integers(-n - 2, n + 1), min_size=2, max_size=2))
    if len({a % (n + 2) for a in new}) == 2:
        larger = np.expand_dims(x, tuple(new))
        assert_linear_map(lambda x: expand_dims(x, new), x, larger)
        assert_linear_map(lambda x: squeeze(x, tuple(new)), larger, x)
    assert_linear_map(squeeze, x, np.squeeze(x))
    assert_linear_map(lambda x: squeeze(x, ()), x, x)
    assert_linear_map(flatten, x, x.ravel())


# ---------------------------------------------------------------- details


def test_shapes_and_axes_may_be_numpy_integers_lists_or_one_number():
    x = tensor(np.ones((2, 3)))
    assert reshape(x, 6).shape == reshape(x, np.int64(6)).shape == reshape(x, [6]).shape == (6,)
    assert reshape(x, np.int64(3), -1).shape == (3, 2)
    assert sum(x, np.int64(1)).shape == sum(x, [1]).shape == (2,)
    assert sum(x, ()).shape == (2, 3)


def test_broadcast_to_the_same_shape_is_the_tensor_itself():
    x = tensor([1.0])
    assert broadcast_to(x, (1,)) is x


def test_astype_sends_the_gradient_back_in_the_dtype_it_came_from(backend_name):
    x = tensor([1.0, 2.0], np.float64, backend_name, requires_grad=True)
    y = astype(x, np.float32)
    assert y.dtype == np.float32
    (g,) = backward(sum(y * y), [x])
    assert g.dtype == np.float64
    assert g.numpy().tolist() == [2.0, 4.0]


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool"])
def test_no_gradient_flows_through_integers(dtype, backend_name):
    x = tensor([1.5, 0.0], np.float64, backend_name, requires_grad=True)
    (g,) = backward(sum(astype(astype(x, dtype), "float64") * x), [x])
    np.testing.assert_array_equal(g.numpy(), np.array([1.5, 0.0]).astype(dtype))


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: sum(x, 2), r"axis is 2; expected axes of a tensor with 2 dimensions"),
        (lambda x: sum(x, (0, -3)), r"axis is \(0, -3\); expected axes of a tensor with 2 dimensions"),
        (lambda x: sum(x, (0, -2)), r"axis is \(0, -2\); expected each axis once"),
        (lambda x: sum(sum(x), 0), r"axis is 0; expected axes of a tensor with 0 dimensions"),
        (lambda x: reshape(x, 4), r"reshape: x is \(2, 3\) .*, shape is \(4,\); .*\(cannot reshape"),
        (lambda x: transpose(x, (0,)), r"axes is \(0,\); expected an order of the 2 axes"),
        (lambda x: transpose(x, (0, 0)), r"axes is \(0, 0\); expected each axis once"),
        (lambda x: swapaxes(x, 0, 2), r"b is 2; expected axes of a tensor with 2 dimensions"),
        (lambda x: expand_dims(x, 4), r"axis is 4; expected axes of a tensor with 3 dimensions"),
        (lambda x: squeeze(x, 0), r"axis is 0, of length 2; expected an axis of length 1"),
        (lambda x: broadcast_to(x, (2, 2)), r"broadcast_to: x is \(2, 3\) .*, shape is \(2, 2\)"),
        (lambda x: expand_dims(x, None), "axis is None; expected an integer, or several"),
        (lambda x: expand_dims(x, (0, 0)), r"axis is \(0, 0\); expected each axis once"),
        (lambda x: squeeze(x, (-1, 0)), r"axis is \(-1, 0\), of length 2; expected an axis of length 1"),
        (lambda x: moveaxis(x, 0, 2), "destination is 2; expected axes of a tensor with 2 dimensions"),
        (lambda x: moveaxis(x, (0, 1), 0), r"destination is 0; expected as many axes as in source, \(0, 1\)"),
        (lambda x: moveaxis(x, None, 0), "source is None; expected an integer, or several"),
    ],
)
def test_errors_say_what_came_and_what_was_expected(f, message):
    with pytest.raises(InputError, match=message):
        f(tensor(np.ones((2, 3))))


def test_orders_of_axes_in_all_forms():
    x = tensor(np.ones((2, 3)))
    for y in (x.transpose(1, 0), x.transpose([1, 0]), x.transpose(np.array([1, 0])), x.transpose(), x.transpose(None)):
        assert y.shape == (3, 2)


def test_mean_of_ones_is_one_for_any_count():
    for count in range(1, 200):
        assert mean(np.ones(count)).item() == 1.0


def test_mean_over_no_elements_is_nan_and_sum_zero():
    x = tensor(np.ones((2, 0)))
    assert np.isnan(mean(x).item())
    assert np.isnan(mean(x, 1).numpy()).all()
    assert mean(x, 0).shape == (0,)
    assert sum(x, 1).numpy().tolist() == [0.0, 0.0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(("shape", "axis"), [((1,), None), ((1, 5), 0), ((5, 1), 1), ((1, 5, 1), (0, 2)), ((1, 0), 0)])
def test_a_recorded_sum_over_axes_of_length_1_is_numpys_bit_for_bit_without_a_reduction(
    backend_name, shape, axis, keepdims, dtype
):
    x = np.full(shape, -0.0, dtype)
    x.ravel()[2:] = [np.nan, -np.inf, 1e-40][: max(x.size - 2, 0)]
    step = mv.compile(lambda x: sum(x, axis, keepdims=keepdims), fast=False)
    step(tensor(x, backend=backend_name))
    y = step(tensor(x, backend=backend_name))
    expected = np.sum(x, axis, keepdims=keepdims)
    assert y.shape == expected.shape
    assert " sum(" not in str(step.program)
    assert "sum_of_one(" in str(step.program)
    if "cupy" not in backend_name:  # which takes the smallest numbers to be 0
        assert y.numpy().tobytes() == np.asarray(expected).tobytes()


def test_a_sum_of_integers_over_an_axis_of_length_1_is_wider_as_ever(backend_name):
    x = tensor(np.ones((1, 2), "int32"), backend=backend_name)
    assert mv.compile(lambda x: sum(x, 0))(x).dtype == sum(x, 0).dtype == np.sum(np.ones((1, 2), "int32"), 0).dtype
