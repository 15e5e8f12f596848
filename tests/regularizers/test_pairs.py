"""Sums over pairs by blocks of rows: what they are all at once, eagerly and replayed, in linear memory."""

import tracemalloc

import numpy as np
import pytest

from minivae import autodiff as ad
from minivae import compile
from minivae.autodiff import Parameter, backward, exp, grad, tensor
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.regularizers import KERNELS, mmd, pairs

EVERY_KERNEL = pytest.mark.parametrize("name", KERNELS)


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of two rows, for sets of 5 to 8 vectors of length 3."""
    monkeypatch.setattr(pairs, "ELEMENTS", 48)


def value_and_gradients(x, y, kernel):
    x, y = (tensor(v, requires_grad=True) for v in (x, y))
    value = mmd(x, y, kernel)
    return [value.numpy(), *(g.numpy() for g in backward(value, [x, y]))]


@EVERY_KERNEL
def test_blocks_give_what_all_pairs_at_once_give(name, rng, monkeypatch):
    """To rounding: 8 + 7 rows, so that the last block is a part of one."""
    x, y = rng.normal(size=(8, 3)), rng.normal(size=(7, 3)) + 0.5
    expected = value_and_gradients(x, y, KERNELS[name])
    monkeypatch.setattr(pairs, "ELEMENTS", 64)  # blocks of 3 rows, and of 2
    for found, wanted in zip(value_and_gradients(x, y, KERNELS[name]), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-15)


@EVERY_KERNEL
def test_first_and_second_derivatives(name, rng, small_blocks):
    check_gradients(lambda x, y: mmd(x, y, KERNELS[name]), [rng.normal(size=(5, 3)), rng.normal(size=(6, 3))], order=2)


@EVERY_KERNEL
def test_a_replayed_step_gives_the_same_numbers(name, rng, small_blocks):
    """Of other data than it was recorded with, bit for bit: nothing on the way is kept from the recording."""

    def step(x, y):
        return mmd(x, y, KERNELS[name]), grad(lambda x: mmd(x, y, KERNELS[name]))(x)

    compiled = compile(step)
    for _ in range(3):
        x, y = (tensor(rng.normal(size=(n, 3))) for n in (8, 6))
        for found, expected in zip(compiled(x, y), step(x, y), strict=True):
            np.testing.assert_array_equal(found.numpy(), expected.numpy())


def test_a_block_is_of_8_mib():
    assert pairs.ELEMENTS * np.dtype(np.float32).itemsize == 8 * 1024**2


def test_few_pairs_are_one_block_and_every_block_knows_the_length_of_the_vectors(rng, monkeypatch):
    seen = []

    def kernel(squared, dim):
        seen.append((squared.size, dim))
        return exp(-squared)

    x, y = (tensor(rng.normal(size=(n, 3))) for n in (8, 5))
    found = pairs.sum_over_pairs(x, y, kernel)
    assert seen == [(40, 3)]
    monkeypatch.setattr(pairs, "ELEMENTS", 48)  # of 3 rows and 5 * 3 differences each
    seen.clear()
    assert pairs.sum_over_pairs(x, y, kernel).item() == pytest.approx(found.item(), rel=1e-12)
    assert seen == [(1, 3), (15, 3), (15, 3), (10, 3)]  # of which the first only asks for parameters


def peak(f, *args):
    tracemalloc.start()
    try:
        f(*args)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@EVERY_KERNEL
@pytest.mark.parametrize("compiled", [False, True])
def test_memory_does_not_grow_with_the_number_of_pairs(name, compiled, rng, monkeypatch):
    """Twice the draws, four times the pairs: as much memory, but for some arrays of as many floats as the draws have.

    All pairs at once would be 400^2 * 20 float32, 12.8 MB, in each of several arrays.
    """
    monkeypatch.setattr(pairs, "ELEMENTS", 1 << 16)
    peaks = []
    for n in (200, 400):
        x, y = (tensor(rng.normal(size=(n, 20)).astype(np.float32)) for _ in range(2))
        step = grad(lambda x, y: mmd(x, y, KERNELS[name]))
        peaks.append(peak(compile(step) if compiled else step, x, y))
    assert peaks[1] < peaks[0] + 25 * 200 * 20 * 4
    assert peaks[1] < 4e6


def test_the_gradient_of_a_kernel_that_is_learnt_is_not_lost(rng, small_blocks):
    width, (x, y) = Parameter(np.array(0.7)), rng.normal(size=(2, 6, 3))

    def kernel(squared, dim):
        return exp(squared * -width)

    check_gradients(lambda _: mmd(x, y, kernel), [width])


# ------------------------------------------------------- kernels of the user's own


@pytest.mark.parametrize("rows", [20, 2500])
@pytest.mark.parametrize(
    "kernel",
    [
        lambda squared, dim: 1.0,
        lambda squared, dim: None,
        lambda squared, dim: np.exp(-squared.numpy()),
        lambda squared, dim: ad.mean(ad.exp(-squared), axis=-1, keepdims=True),
    ],
)
def test_a_kernel_that_gives_something_else_is_refused(rows, kernel, rng):
    x = tensor(rng.normal(size=(rows, 2)).astype(np.float32))
    with pytest.raises(InputError, match=r"kernel\(squared, dim\) is"):
        mmd(x, x + 3.0, kernel)


@pytest.mark.parametrize("rows", [50, 1500])
def test_a_width_that_is_an_input_of_a_recorded_step(rows, rng):
    x, y = (rng.normal(size=(rows, 4)).astype(np.float32) for _ in "xy")

    def step(x, y, width):
        return mmd(x, y, lambda squared, dim: ad.exp(-squared * width))

    recorded = compile(step)
    for width in np.float32([0.1, 0.5, 0.3]):
        expected = step(tensor(x), tensor(y), tensor(width)).item()
        assert recorded(tensor(x), tensor(y), width).item() == pytest.approx(expected, abs=1e-6)  # (float32 sums)
