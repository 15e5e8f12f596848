"""Taking elements and putting them back: values as NumPy's, derivatives as adjoints, errors that say what is wrong."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minivae as mv
from minivae import backend
from minivae.autodiff import PRIMITIVES, backward, flip, getitem, scatter, sum, take, tensor
from minivae.errors import InputError

from .any_shape import assert_linear_map, axes_of, numbered, repeatable, shapes

# --------------------------------------------------------- any shape and index


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
@given(hnp.array_shapes(max_dims=3, max_side=4), shapes, st.data())
def test_elements_at_integer_positions(shape, indices_shape, data):
    x = numbered(shape)
    for axis in (None, data.draw(st.integers(-x.ndim, x.ndim - 1))):
        length = x.size if axis is None else shape[axis]
        indices = data.draw(hnp.arrays(np.int64, indices_shape, elements=st.integers(-length, length - 1)))
        assert_linear_map(lambda x, i=indices, axis=axis: take(x, i, axis), x, np.take(x, indices, axis))


@repeatable
@given(shapes, st.data())
def test_axes_backwards(shape, data):
    axes, x = data.draw(axes_of(shape)), numbered(shape)
    assert_linear_map(lambda x: flip(x, axes), x, np.flip(x, axes))


# ---------------------------------------------------------------- details


@repeatable
@given(hnp.array_shapes(max_dims=3, max_side=4), st.data())
def test_elements_put_back_at_integer_positions(shape, data):
    axis, x = data.draw(st.integers(0, len(shape) - 1)), numbered(shape)
    indices = data.draw(hnp.arrays(np.int64, shape[axis], elements=st.integers(-2, 1)))
    larger = (*shape[:axis], 2, *shape[axis + 1 :])
    expected = np.zeros(larger)
    np.add.at(expected, (slice(None),) * axis + (indices,), x)
    put_back = PRIMITIVES["put_back"]
    assert_linear_map(lambda x: put_back(x, tensor(indices), axis=axis, shape=larger), x, expected)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("indices", [[0, -2, 1], [[-1], [1]], [], 1])
def test_elements_are_written_where_they_are_asked_for(indices, axis, backend_name):
    x = backend.asarray(numbered((3, 2)), backend=backend_name)
    indices = backend.asarray(np.array(indices, int), backend=backend_name)
    expected = tensor(x).take(tensor(indices), axis)
    out = expected.data * 0
    y = PRIMITIVES["take"].value(backend.xp_of(x), x, indices, axis, out=out)
    assert y is out
    np.testing.assert_array_equal(tensor(out).numpy(), expected.numpy())


@pytest.mark.parametrize("indices", [[3], [-4, 0], [0, 7]])
def test_positions_that_are_not_there_are_refused_before_one_is_written(indices):
    out = np.full((len(indices), 2), 7.0)
    with pytest.raises(IndexError, match="and there are 3"):
        PRIMITIVES["take"].value(np, numbered((3, 2)), np.array(indices), 0, out=out)
    np.testing.assert_array_equal(out, 7)


def test_index_tensors_live_where_the_tensor_lives(backend_name):
    x = tensor([[1.0, 2.0], [3.0, 4.0]], backend=backend_name, requires_grad=True)
    rows = tensor(np.array([1, 1, 0]), backend=backend_name)
    for y in (x[rows], take(x, rows, 0), take(x, [1, 1, 0], 0)):
        assert y.numpy().tolist() == [[3.0, 4.0], [3.0, 4.0], [1.0, 2.0]]
        (g,) = backward(sum(y), [x])
        assert g.numpy().tolist() == [[1.0, 1.0], [2.0, 2.0]]
    assert x[x > 2.5].numpy().tolist() == [3.0, 4.0]
    assert x[:, rows[0]].numpy().tolist() == [2.0, 4.0]
    assert take(x, -1).item() == 4.0


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint32", "int64"])
def test_positions_may_be_of_any_dtype_of_integers(dtype, backend_name):
    x = tensor([1.0, 2.0, 3.0], backend=backend_name, requires_grad=True)
    indices = tensor(np.array([2, 0], dtype), backend=backend_name)
    y = take(x, indices)
    assert y.numpy().tolist() == [3.0, 1.0]
    (g,) = backward(sum(y * y), [x])
    assert g.numpy().tolist() == [2.0, 0.0, 6.0]


def test_positions_may_change_from_call_to_call_of_a_compiled_step():
    x = tensor(numbered((3, 2)), requires_grad=True)

    def step(indices):
        y = take(x, indices, 1)
        return [y, *backward(sum(y * y), [x])]

    compiled = mv.compile(step)
    for indices in ([1, 1], [0, -1], [1, 0]):
        indices = tensor(np.array(indices))
        for found, expected in zip(compiled(indices), step(indices), strict=True):
            np.testing.assert_array_equal(found.numpy(), expected.numpy())


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: x[2], r"getitem: x is \(2, 3\) .*, index is 2; .*\(index 2 is out of bounds"),
        (lambda x: x[x], r"getitem: x is \(2, 3\)"),
        (lambda x: take(x, [5], 0), r"take: x is \(2, 3\) .*, indices is \(1,\)"),
        (lambda x: take(x, 6), r"take: x is \(6,\) .*, indices is \(\)"),
        (lambda x: take(x, [0], 2), "axis is 2; expected axes of a tensor with 2 dimensions"),
        (lambda x: take(x, [0.5]), r"indices is \[0.5\], of dtype float32; expected integers"),
        (lambda x: take(x, [True]), r"indices is \[True\], of dtype bool; expected integers"),
        (lambda x: take(x, "a"), "indices is 'a', .*; expected an array or numbers"),
        (lambda x: flip(x, 2), "axis is 2; expected axes of a tensor with 2 dimensions"),
    ],
)
def test_errors_say_what_came_and_what_was_expected(f, message):
    with pytest.raises(InputError, match=message):
        f(tensor(np.ones((2, 3))))


@pytest.mark.parametrize("make", [lambda i: i, lambda i: i.tolist(), lambda i: (i,)])
@pytest.mark.parametrize("f", [getitem, take])
def test_an_index_may_be_changed_afterwards(f, make):
    x, i = tensor(np.arange(3.0), requires_grad=True), np.array([0, 1])
    index = make(i)
    if f is take and isinstance(index, tuple):
        pytest.skip("take has no tuples")
    y = sum(f(x, index))
    (index[0] if isinstance(index, tuple) else index)[0] = 2
    assert backward(y, [x])[0].tolist() == [1.0, 1.0, 0.0]
