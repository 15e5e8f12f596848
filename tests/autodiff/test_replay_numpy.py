"""Kernels on NumPy: block by block the same numbers, in whatever order the axes lie."""

import numpy as np
import pytest

import minivae.autodiff as ad
from minivae import backend

RNG = np.random.default_rng(5)
MATRIX = RNG.standard_normal((7, 9)).astype("float32")


@pytest.mark.parametrize("block", [1, 9, 20, 1 << 14, None])
@pytest.mark.parametrize("x", [MATRIX, MATRIX.T, MATRIX[:, 0], MATRIX[:1], MATRIX[0, 0], MATRIX[:0]])
def test_any_block_gives_the_same(x, block, monkeypatch):
    monkeypatch.setattr(backend.library("numpy"), "cache_block", block)

    def step(x):
        return ad.where(x > 0, -ad.softplus(x) * x, 0.5 - ad.astype(ad.astype(x, "float64"), "float32"))

    compiled = ad.compile(step)
    compiled(x * 0)
    assert compiled(x).numpy().tobytes() == step(ad.tensor(x)).numpy().tobytes()


@pytest.mark.parametrize("order", ["C", "F"])
def test_negative_between_strided_arrays(order, monkeypatch):
    """NumPy's own is wrong there."""
    monkeypatch.setattr(backend.library("numpy"), "cache_block", 4)
    x = ad.tensor(np.array(RNG.standard_normal((4, 4)), "float32", order=order))
    compiled = ad.compile(lambda: -x)
    compiled()
    np.testing.assert_array_equal(compiled().numpy(), 0 - x.data)


@pytest.mark.parametrize("block", [3, 1 << 14])
def test_operands_broadcast_in_every_block(block, monkeypatch):
    monkeypatch.setattr(backend.library("numpy"), "cache_block", block)
    column, row, number = MATRIX[:, :1], MATRIX[0], np.float32(3)
    compiled = ad.compile(lambda x, *others: ad.sin(sum((x * other for other in others), x)))
    for scale in (0, 1):
        found = compiled(MATRIX * scale, column, row, np.array(number)).numpy()
    expected = np.sin(MATRIX + MATRIX * column + MATRIX * row + MATRIX * number)
    np.testing.assert_array_equal(found, expected)
