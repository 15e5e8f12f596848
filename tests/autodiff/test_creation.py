"""Tensors of given numbers: NumPy's values, where they live, in which dtype; a compiled step makes them once."""

import numpy as np
import pytest

import minivae as mv
from minivae import backend
from minivae.autodiff import (
    arange,
    eye,
    full,
    full_like,
    hooked,
    ones,
    ones_like,
    tensor,
    tri,
    zeros,
    zeros_like,
)
from minivae.errors import InputError

MADE = {
    "zeros": (lambda **kw: zeros((2, 3), **kw), np.zeros((2, 3))),
    "ones": (lambda **kw: ones((2, 3), **kw), np.ones((2, 3))),
    "full": (lambda **kw: full((2, 3), 2.5, **kw), np.full((2, 3), 2.5)),
    "arange": (lambda **kw: arange(1.0, 3.0, 0.5, **kw), np.arange(1, 3, 0.5)),
    "eye": (lambda **kw: eye(2, 3, 1, **kw), np.eye(2, 3, 1)),
    "tri": (lambda **kw: tri(2, 3, 1, **kw), np.tri(2, 3, 1)),
}


@pytest.mark.parametrize("name", MADE)
def test_where_they_live_and_in_which_dtype(name, backend_name):
    make, expected = MADE[name]
    like = tensor(np.ones(2), backend=backend_name)
    for made, dtype, where in [
        (make(), "float32", "numpy"),
        (make(backend=backend_name), "float32", backend_name),
        (make(dtype="float64"), "float64", "numpy"),
        (make(like=like), "float64", backend_name),
        (make(like=like, dtype=np.float32), "float32", backend_name),
        (make(like=like, backend="numpy"), "float64", "numpy"),
    ]:
        assert (made.dtype, backend.backend_of(made.data).name) == (dtype, where)
        assert not made.requires_grad
        np.testing.assert_array_equal(made.numpy(), expected.astype(dtype))
    with backend.using(backend_name):
        assert backend.backend_of(make().data).name == backend_name


@pytest.mark.parametrize("name", MADE)
def test_a_compiled_step_makes_them_once(name):
    make, expected = MADE[name]
    step = mv.compile(lambda x: make(like=x) * x)
    x = tensor(np.full(expected.shape, 3.0))
    for _ in range(3):
        np.testing.assert_array_equal(step(x).numpy(), expected * 3)
    calls = []
    with hooked(lambda primitive, *_: calls.append(primitive)):
        make()
    assert [(call.kind, bool(call.vjps)) for call in calls] == [("constant", False)]
    assert name not in str(step.program)
    assert "constant" not in str(step.program)


def test_ones_like_a_tensor(backend_name):
    x = tensor(np.ones((2, 3)), backend=backend_name)
    for made, number in [(zeros_like(x), 0), (ones_like(x), 1), (full_like(x, 2.5), 2.5)]:
        assert (made.dtype, backend.backend_of(made.data).name) == (x.dtype, backend_name)
        np.testing.assert_array_equal(made.numpy(), np.full((2, 3), number))
    assert zeros_like(x, "int32").dtype == ones_like(x, "int32").dtype == full_like(x, 2, "int32").dtype == np.int32
    assert full_like(tensor([1, 2]), 3).dtype == np.int64
    assert full_like([[1.0]], 2).numpy().tolist() == [[2.0]]


def test_shapes_and_dtypes_of_full_are_numpys():
    for shape in [(), 3, np.int64(2), [2, 1], (0, 2)]:
        assert full(shape, 1.0).shape == zeros(shape).shape == np.zeros(shape).shape
    assert [full(1, x).dtype.name for x in (True, 2, 2.5, np.float64(2.5))] == ["bool", "int64", "float32", "float32"]


@pytest.mark.parametrize(
    "arguments", [(4,), (0,), (1, 4), (4, 1), (1, 10, 3), (5, 0, -2), (0.5, 2), (0, 1, 0.25), (3.0,), (np.int64(3),)]
)
def test_arange_is_numpys(arguments):
    found, expected = arange(*arguments), np.arange(*arguments)
    np.testing.assert_array_equal(found.numpy(), expected)
    assert found.dtype == (np.float32 if expected.dtype.kind == "f" else np.int64)


@pytest.mark.parametrize("n", [0, 1, 3])
@pytest.mark.parametrize("m", [None, 0, 2, 4])
@pytest.mark.parametrize("k", [-4, -1, 0, 2])
def test_patterns_are_numpys(n, m, k):
    np.testing.assert_array_equal(eye(n, m, k).numpy(), np.eye(n, m, k))
    np.testing.assert_array_equal(tri(n, m, k).numpy(), np.tri(n, m, k))


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda: zeros((2, -1)), r"shape is \(2, -1\); expected the lengths of axes"),
        (lambda: ones(2.0), r"shape is 2.0; expected the lengths of axes"),
        (lambda: zeros(2, "floot"), "dtype is 'floot'; expected one of numbers"),
        (lambda: zeros(2, backend="nunpy"), "backend is 'nunpy'; expected one of .*; did you mean 'numpy'"),
        (lambda: zeros(2, like=np.ones(2)), r"like is array\(\[1., 1.\]\); expected a Tensor"),
        (lambda: full(2, "1"), "value is '1'; expected a number"),
        (lambda: full(2, [1.0, 2.0]), r"value is \[1.0, 2.0\]; expected a number \(broadcast_to repeats a tensor\)"),
        (lambda: full_like([1.0], None), "value is None; expected a number"),
        (lambda: zeros_like("x"), "x is 'x'; expected a tensor, an array or a number"),
        (lambda: arange("3"), "start is '3'; expected a number"),
        (lambda: arange(0, np.inf), "stop is inf; expected a number"),
        (lambda: arange(None), "start is None; expected a number"),
        (lambda: arange(np.nan, 3), "start is nan; expected a number"),
        (lambda: arange(0, 3, 0), "step is 0; expected a number, not 0"),
        (lambda: arange(0, 3, tensor(1)), r"step is Tensor\(1.*; expected a number, not 0"),
        (lambda: eye(-1), "n is -1; expected an integer of at least 0"),
        (lambda: tri(2, 1.5), "m is 1.5; expected an integer of at least 0"),
        (lambda: eye(2, k=0.5), "k is 0.5; expected an integer, the number of a diagonal"),
    ],
)
def test_errors_say_what_came_and_what_was_expected(f, message):
    with pytest.raises(InputError, match=message):
        f()
