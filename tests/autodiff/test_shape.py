"""Moving, joining, indexing and summing: values as NumPy's, derivatives as adjoints, errors that say what is wrong."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minivae import backend
from minivae.autodiff import (
    PRIMITIVES,
    astype,
    backward,
    broadcast_to,
    concatenate,
    expand_dims,
    getitem,
    pad,
    reshape,
    scatter,
    split,
    squeeze,
    stack,
    sum,
    swapaxes,
    take,
    tensor,
    transpose,
)
from minivae.autodiff.shape import sum_to
from minivae.errors import InputError
from minivae.gradcheck import check_gradients

from .any_shape import assert_linear_map, axes_of, numbered, repeatable, shapes

# ------------------------------------------------- any shape, axis and index


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
@given(st.data())
def test_basic_indices(data):
    x = numbered(data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)))
    index = data.draw(hnp.basic_indices(x.shape, allow_newaxis=True))
    assert_linear_map(lambda x: getitem(x, index), x, x[index])
    assert_linear_map(lambda v: scatter(v, index, x.shape), numbered(np.shape(x[index])), scattered(x, index))


@repeatable
@given(st.data())
def test_integer_index_arrays_with_repeats(data):
    x = numbered(data.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=4)))
    index = data.draw(hnp.integer_array_indices(x.shape))
    assert_linear_map(lambda x: getitem(x, index), x, x[index])
    assert_linear_map(lambda v: scatter(v, index, x.shape), numbered(x[index].shape), scattered(x, index))


@repeatable
@given(st.data())
def test_boolean_masks(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4))
    mask = data.draw(hnp.arrays(bool, shape[: data.draw(st.integers(1, len(shape)))]))
    x = numbered(shape)
    assert_linear_map(lambda x: getitem(x, mask), x, x[mask])
    assert_linear_map(lambda v: scatter(v, mask, shape), numbered(x[mask].shape), scattered(x, mask))


def scattered(x, index):
    """1, 2, 3, ... added where ``index`` takes elements of x, one by one."""
    places = np.asarray(np.arange(x.size).reshape(x.shape)[index]).ravel()
    flat = np.zeros(x.size)
    for value, place in enumerate(places, start=1):
        flat[place] += value
    return flat.reshape(x.shape)


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
@given(hnp.array_shapes(max_dims=3, max_side=4), shapes, st.data())
def test_rows_at_integer_positions(shape, rows_shape, data):
    x = numbered(shape)
    rows = data.draw(hnp.arrays(np.int64, rows_shape, elements=st.integers(-len(x), len(x) - 1)))
    assert_linear_map(lambda x: take(x, rows), x, x[rows])


@pytest.mark.parametrize("rows", [[0, -3, 2], [[-1], [1]], []])
def test_rows_are_written_where_they_are_asked_for(rows, backend_name):
    x, rows = (
        backend.asarray(np.array(a, t), backend=backend_name) for a, t in ((numbered((3, 2)), float), (rows, int))
    )
    out = x[rows] * 0
    y = PRIMITIVES["take"].value(backend.namespace(x), x, rows, out=out)
    assert y is out
    np.testing.assert_array_equal(tensor(out).numpy(), tensor(x[rows]).numpy())


@pytest.mark.parametrize("rows", [[3], [-4, 0], [0, 7]])
def test_rows_that_are_not_there_are_refused_before_one_is_written(rows):
    out = np.full((len(rows), 2), 7.0)
    with pytest.raises(IndexError, match="and there are 3"):
        PRIMITIVES["take"].value(np, numbered((3, 2)), np.array(rows), out=out)
    np.testing.assert_array_equal(out, 7)


@repeatable
@given(shapes.filter(len), st.integers(1, 4), st.data())
def test_joining_and_cutting(shape, count, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = numbered(shape)
    assert_linear_map(lambda x: concatenate([x, x * 2.0] * count, axis), x, np.concatenate([x, x * 2] * count, axis))
    assert_linear_map(lambda x: stack([x] * count, axis), x, np.stack([x] * count, axis))
    joined = np.concatenate([x] * count, axis)
    assert_linear_map(lambda x: split(x, count, axis)[-1] * 3.0, joined, 3 * np.split(joined, count, axis)[-1])


@repeatable
@given(shapes, st.data())
def test_padding(shape, data):
    widths = [data.draw(st.tuples(st.integers(0, 2), st.integers(0, 2))) for _ in shape]
    x = numbered(shape)
    assert_linear_map(lambda x: pad(x, widths), x, np.pad(x, widths) if shape else x)


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


def test_index_tensors_live_where_the_tensor_lives(backend_name):
    x = tensor([[1.0, 2.0], [3.0, 4.0]], backend=backend_name, requires_grad=True)
    rows = tensor(np.array([1, 1, 0]), backend=backend_name)
    for y in (x[rows], take(x, rows)):
        assert y.numpy().tolist() == [[3.0, 4.0], [3.0, 4.0], [1.0, 2.0]]
        (g,) = backward(sum(y), [x])
        assert g.numpy().tolist() == [[1.0, 1.0], [2.0, 2.0]]
    assert x[x > 2.5].numpy().tolist() == [3.0, 4.0]
    assert x[:, rows[0]].numpy().tolist() == [2.0, 4.0]


def test_astype_sends_the_gradient_back_in_the_dtype_it_came_from(backend_name):
    x = tensor([1.0, 2.0], np.float64, backend_name, requires_grad=True)
    y = astype(x, np.float32)
    assert y.dtype == np.float32
    (g,) = backward(sum(y * y), [x])
    assert g.dtype == np.float64
    assert g.numpy().tolist() == [2.0, 4.0]


def test_joined_arrays_take_the_dtype_of_the_first_tensor(backend_name):
    x = tensor([1.0], backend=backend_name)
    array = backend.asarray(np.array([2.0]), backend=backend_name)
    for y in (concatenate([x, array]), concatenate([array, x]), stack([x, array]), concatenate([array, [3.0], x])):
        assert y.dtype == np.float32


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: sum(x, 2), r"axis is 2; expected axes of a tensor with 2 dimensions"),
        (lambda x: sum(x, (0, -3)), r"axis is \(0, -3\); expected axes of a tensor with 2 dimensions"),
        (lambda x: sum(x, (0, -2)), r"axis is \(0, -2\); expected no axis twice"),
        (lambda x: sum(sum(x), 0), r"axis is 0; expected axes of a tensor with 0 dimensions"),
        (lambda x: reshape(x, 4), r"reshape: x is \(2, 3\) .*, shape is \(4,\); .*\(cannot reshape"),
        (lambda x: transpose(x, (0,)), r"axes is \(0,\); expected an order of the 2 axes"),
        (lambda x: transpose(x, (0, 0)), r"axes is \(0, 0\); expected no axis twice"),
        (lambda x: swapaxes(x, 0, 2), r"b is 2; expected axes of a tensor with 2 dimensions"),
        (lambda x: expand_dims(x, 4), r"axis is 4; expected axes of a tensor with 3 dimensions"),
        (lambda x: squeeze(x, 0), r"axis is 0, of length 2; expected an axis of length 1"),
        (lambda x: broadcast_to(x, (2, 2)), r"broadcast_to: x is \(2, 3\) .*, shape is \(2, 2\)"),
        (lambda x: concatenate([]), r"inputs is empty, \[\]; expected at least one tensor"),
        (lambda x: concatenate([x, x[:, :2]]), r"concatenate: inputs\[0\] is \(2, 3\) .*, inputs\[1\] is \(2, 2\)"),
        (lambda x: concatenate([x, x[0]]), r"concatenate: inputs\[0\] is \(2, 3\) .*, inputs\[1\] is \(3,\)"),
        (lambda x: stack([x, x[:1]]), r"concatenate: inputs\[0\] is \(1, 2, 3\) .*, inputs\[1\] is \(1, 1, 3\)"),
        (lambda x: split(x, 2, 1), "sections is 2; expected a divisor of the axis length 3"),
        (lambda x: split(x, 0), "sections is 0; expected a divisor"),
        (lambda x: pad(x, [(1, 1)]), r"expected two integers >= 0 for each of the 2 axes"),
        (lambda x: pad(x, [(1, 1), (-1, 0)]), r"expected two integers >= 0 for each of the 2 axes"),
        (lambda x: x[2], r"getitem: x is \(2, 3\) .*, index is 2; .*\(index 2 is out of bounds"),
        (lambda x: x[x], r"getitem: x is \(2, 3\)"),
        (lambda x: take(x, [5]), r"take: x is \(2, 3\) .*, rows is \(1,\)"),
    ],
)
def test_errors_say_what_came_and_what_was_expected(f, message):
    with pytest.raises(InputError, match=message):
        f(tensor(np.ones((2, 3))))
