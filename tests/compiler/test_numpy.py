"""Kernels on NumPy: block by block the same numbers, in whatever order the axes lie."""

import numpy as np
import pytest

import minivae as mv
import minivae.autodiff as ad
from minivae import backend
from minivae.compiler import numba as replay_numba

NEEDS_NUMBA = pytest.mark.skipif(not replay_numba.is_installed(), reason="needs Numba: pip install 'minivae[fast]'")
RNG = np.random.default_rng(5)
MATRIX = RNG.standard_normal((7, 9)).astype("float32")


@pytest.mark.parametrize("block", [1, 9, 20, 1 << 14, None])
@pytest.mark.parametrize("x", [MATRIX, MATRIX.T, MATRIX[:, 0], MATRIX[:1], MATRIX[0, 0], MATRIX[:0]])
def test_any_block_gives_the_same(x, block, monkeypatch):
    monkeypatch.setattr(backend.get_backend("numpy"), "cache_block", block)

    def step(x):
        return ad.where(x > 0, -ad.softplus(x) * x, 0.5 - ad.astype(ad.astype(x, "float64"), "float32"))

    compiled = mv.compile(step)
    compiled(x * 0)
    assert compiled(x).numpy().tobytes() == step(ad.tensor(x)).numpy().tobytes()


@pytest.mark.parametrize("order", ["C", "F"])
def test_negative_between_strided_arrays(order, monkeypatch):
    """NumPy's own is wrong there."""
    monkeypatch.setattr(backend.get_backend("numpy"), "cache_block", 4)
    x = ad.tensor(np.array(RNG.standard_normal((4, 4)), "float32", order=order))
    compiled = mv.compile(lambda: -x)
    compiled()
    np.testing.assert_array_equal(compiled().numpy(), 0 - x.data)


@pytest.mark.parametrize("block", [3, 1 << 14])
def test_operands_broadcast_in_every_block(block, monkeypatch):
    monkeypatch.setattr(backend.get_backend("numpy"), "cache_block", block)
    column, row, number = MATRIX[:, :1], MATRIX[0], np.float32(3)
    compiled = mv.compile(lambda x, *others: ad.sin(sum((x * other for other in others), x)))
    for scale in (0, 1):
        found = compiled(MATRIX * scale, column, row, np.array(number)).numpy()
    expected = np.sin(MATRIX + MATRIX * column + MATRIX * row + MATRIX * number)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("fast", [False, pytest.param(True, marks=NEEDS_NUMBA)])
def test_kernels_run_along_the_memory_of_most_of_their_arrays(fast, monkeypatch):
    """By rows or by columns, with rows, columns and numbers broadcast against it: the same bits."""
    monkeypatch.setattr(replay_numba, "LEAST_SIZE", 2)
    monkeypatch.setattr(backend.get_backend("numpy"), "cache_block", 12)
    by_columns = [np.asfortranarray(MATRIX), np.asfortranarray(MATRIX + 1)]

    def step(x, y, z, row, column, number):
        return (x * y + row) * z - ad.tanh(x + column) * number

    for arrays in ([*by_columns, MATRIX], [MATRIX, *by_columns], [MATRIX, MATRIX + 1, by_columns[0]]):
        inputs = [*arrays, MATRIX[0], MATRIX[:, :1], MATRIX[0, 0]]
        compiled = mv.compile(step, fast=fast)
        compiled(*(x * 0 for x in inputs))
        found, expected = compiled(*inputs).data, step(*map(ad.tensor, inputs)).data
        np.testing.assert_array_equal(found, expected)
        assert found.strides == expected.strides
