"""Element-wise kernels over rows and columns: values against NumPy over odd shapes and layouts; what is launched."""

from __future__ import annotations

import numpy as np
import pytest

import minivae as mv
import minivae.autodiff as ad
from minivae.compiler.analysis import Call
from minivae.compiler.cuda.grid import grid_of, text
from minivae.compiler.cuda.source import elementwise
from minivae.compiler.fuse import Kernel

from ..doubles.cuda import kept

RNG = np.random.default_rng(10)


def grid(shape, *arrays):
    return grid_of(shape, [*arrays, np.empty(shape)])


def test_neighbouring_axes_that_all_arrays_walk_as_one_are_one():
    full = np.empty((5, 3, 4))
    assert grid((5, 3, 4), full, np.empty(())) == ((1, 60), ((0, 1), (0, 0), (0, 1)))
    assert grid((5, 3, 4), full, np.empty(4)) == ((15, 4), ((4, 1), (0, 1), (4, 1)))
    assert grid((5, 3, 4), full, np.empty((3, 4))) == ((5, 12), ((12, 1), (0, 1), (12, 1)))
    assert grid((5, 3, 4), full, np.empty((5, 1, 1))) == ((5, 12), ((12, 1), (1, 0), (12, 1)))
    assert grid((5, 3, 4), full, np.empty((3, 1))).sizes == (5, 3, 4)
    assert grid((5, 1, 4), np.empty((1, 4))) == ((5, 4), ((0, 1), (4, 1)))
    assert grid((1, 1), np.empty(())) == ((1, 1), ((0, 0), (0, 0)))
    assert grid((), np.empty(())) == ((1, 1), ((0, 0), (0, 0)))
    assert grid((4,), np.empty(7)[::-2]) == ((1, 4), ((0, -2), (0, 1)))


def test_columns_are_what_lies_together():
    """Weights that are stored by columns are walked in that order."""
    by_columns = np.empty((3, 5)).T
    assert grid_of((5, 3), [by_columns, by_columns]) == ((1, 15), ((0, 1), (0, 1)))
    assert grid_of((5, 3), [np.empty(3), by_columns]) == ((3, 5), ((1, 0), (5, 1)))


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((1, 815_824), ((3187, 1), (256, 1))),
        ((100, 784), ((4, 100), (256, 1))),
        ((100, 20), ((1, 13), (32, 8))),
        ((70_000, 300), ((2, 65_535), (256, 1))),
        ((1, 1), ((1, 1), (1, 256))),
        ((9, 11, 2), ((1, 1), (2, 128))),
    ],
)
def test_what_is_launched(sizes, expected):
    assert grid_of(sizes, [np.empty(sizes), np.empty(sizes)])._replace(sizes=sizes).launch() == expected


def test_a_bias_costs_no_division_for_each_element():
    """And what was compiled for one size is the text of another."""

    def made(shape, bias):
        x, bias = np.ones(shape, "float32"), np.ones(bias, "float32")
        kernel = Kernel([Call(ad.PRIMITIVES["add"], (x, bias), {}, x + bias)], set(), {})
        return text(elementwise(kernel), grid_of(shape, [x, bias, x]))

    assert made((100, 784), 784) == made((7, 20), 20)
    assert not {"/", "%"} & {*made((100, 784), 784)}
    rows, columns = made((100, 3, 784), (3, 1)).split("threadIdx.x")
    assert "row / n1" in rows  # once for each row
    assert not {"/", "%"} & {*columns}


SHAPES = {
    "a bias": ((7, 5), (5,)),
    "a column": ((7, 5), (7, 1)),
    "both": ((7, 1), (1, 5)),
    "one number": ((7, 5), ()),
    "one row": ((1, 5), (5,)),
    "one element": ((1,), ()),
    "no axes": ((), ()),
    "three axes": ((2, 3, 5), (3, 1)),
    "four axes": ((2, 3, 4, 5), (3, 1, 5)),
    "five axes": ((2, 3, 2, 3, 2), (2, 1, 2, 1, 2)),
    "more rows than blocks": ((70_001, 3), (3,)),
    "more columns than a block": ((3, 1000), (3, 1)),
    "blocks that are not full": ((33, 257), (257,)),
    "no rows": ((0, 5), (5,)),
    "no columns": ((7, 0), (7, 1)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SHAPES)
def test_values_are_numpys(cuda, name, dtype):
    a, b = (RNG.standard_normal(shape).astype(dtype) for shape in SHAPES[name])
    state = ad.Tensor(cuda.tensor(a * 0 + b).data)

    def step(a, b):
        ad.assign(state, ad.square(a - b) + a)
        return state

    compiled = mv.compile(step)
    for scale in (1, 2, 3):
        x, y = (a * scale).astype(dtype), (b / scale).astype(dtype)
        found = compiled(*map(cuda.tensor, (x, y))).numpy()
        np.testing.assert_array_equal(found, np.square(x - y) + x)  # products and sums are rounded one by one


@pytest.mark.parametrize(
    "view",
    [ad.transpose, lambda x: x[::-1], lambda x: x[:, ::2], lambda x: ad.transpose(x)[::2, ::-1], lambda x: x[:, 1:2]],
)
def test_values_of_views(cuda, view):
    x = RNG.standard_normal((6, 5)).astype("float32")
    cuda.assert_runs(kept(lambda x, row: ad.exp(view(x) * row[:1]) + view(x) * view(x)), x, x[0], rtol=1e-6)


def test_what_is_computed_in_place_is_read_before(cuda):
    """Its target may be read by rows, and lie by columns."""
    x = RNG.standard_normal((6, 5)).astype("float32")
    target = ad.Tensor(cuda.tensor(np.ascontiguousarray(x.T)).data.T)
    compiled = mv.compile(lambda row: ad.assign(target, target * row + 1))
    expected, row = x.copy(), cuda.tensor(x[0])
    for _ in range(4):
        compiled(row)
        expected = expected * x[0] + np.float32(1)
    np.testing.assert_array_equal(target.numpy(), expected)
