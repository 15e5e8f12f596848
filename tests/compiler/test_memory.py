"""Arena: values that live at the same time lie apart, and memory is used again."""

from itertools import combinations

import numpy as np
import pytest

import minivae as mv
import minivae.autodiff as ad
from minivae.compiler.memory import Arena, _like, _Room

from .steps import INPUTS, RandomStep


def program_of(step, *inputs):
    compiled = mv.compile(step)
    with np.errstate(all="ignore"):
        compiled(*inputs)
    return compiled.program


@pytest.mark.parametrize("seed", range(40))
def test_living_values_do_not_overlap(seed):
    lives = program_of(RandomStep(seed), *(np.full(shape, 0.5, "float32") for shape in INPUTS)).lives
    for of_dtype in lives.values():
        for a, b in combinations(of_dtype.values(), 2):
            at_once = a.first <= b.last and b.first <= a.last
            assert not at_once or a.stop <= b.start or b.stop <= a.start


def deep(x):
    """Twenty products, each needed for the next alone."""
    for _ in range(20):
        x = x @ x
    return x


def test_memory_is_used_again():
    x = np.eye(32, dtype="float32")
    program = program_of(deep, x)
    assert program.nbytes == 2 * x.nbytes


def test_each_dtype_has_memory_of_its_own():
    p = ad.tensor(np.zeros((4, 4), "float64"))

    def step(x):
        ad.assign(p, ad.astype(x @ x, "float64") @ p + 1)

    program = program_of(step, np.eye(4, dtype="float32"))
    assert {dtype.name for dtype in program.lives} == {"float32", "float64"}


def test_places_keep_the_order_of_axes():
    """Sums depend on the order of the elements in memory."""
    x = np.random.default_rng(0).standard_normal((50, 40)).astype("float32")
    compiled = mv.compile(lambda x: ad.exp(ad.transpose(x)) + 0)
    compiled(x)
    found = compiled(x).numpy()
    assert found.strides == np.exp(x.T).strides


@pytest.mark.parametrize("seed", range(20))
def test_a_room_gives_the_lowest_place_that_is_free(seed):
    """Against a search through all that lives."""
    rng, room, lives = np.random.default_rng(seed), _Room(), []
    for first in range(60):
        array = np.zeros(int(rng.choice([0, 1, 5, 16, 17, 33, 100])), rng.choice([np.float32, np.float32, np.int8]))
        unit = 64 // array.itemsize
        size = max(1, -(-array.size // unit)) * unit
        last = first + int(rng.choice([0, 0, 1, 3, 10, 40]))
        living = sorted((life.start, life.stop) for life in lives if life.last >= first)
        start = 0
        for a, b in living:
            if start + size <= a:
                break
            start = max(start, b)
        found = room.take(array, first, last)
        assert found == (first, last, start, start + size)
        lives.append(found)
        assert room.stop == max(life.stop for life in lives)


def test_an_array_keeps_its_order_of_axes():
    x = np.arange(24.0).reshape(2, 3, 4)
    for given in (x, x.T, x.transpose(1, 0, 2), x.transpose(0, 2, 1)[:, ::-1], np.zeros(())):
        memory = np.arange(100.0)
        found = _like(given, memory[: given.size])
        assert found.shape == given.shape
        assert (
            np.argsort(found.strides, kind="stable").tolist()
            == np.argsort(np.abs(given.strides), kind="stable").tolist()
        )
        assert np.shares_memory(found, memory)


def test_axes_of_length_1_in_front_are_added_to_what_has_fewer():
    x = np.arange(12, dtype="float32").reshape(3, 4) / 10
    step = lambda x: ad.sum(ad.reshape(ad.exp(x), 1, 1, 3, 4) * x + ad.reshape(x, 1, 3, 4), 2)  # noqa: E731
    compiled = mv.compile(step)
    for scale in np.float32([1, 2, 3]):
        np.testing.assert_array_equal(compiled(x * scale).numpy(), step(ad.tensor(x * scale)).numpy())


@pytest.mark.parametrize(
    ("shape", "ndim", "expected"), [((3,), 3, (1, 1, 3)), ((1, 1, 3), 1, (3,)), ((2, 3), 2, (2, 3))]
)
def test_a_place_has_as_many_axes_as_are_asked_for(shape, ndim, expected):
    arena = object.__new__(Arena)
    arena.place = lambda array: array
    assert arena.place_with(np.zeros(shape), ndim).shape == expected
