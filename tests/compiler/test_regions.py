"""Which arrays touch the same assigned memory: against what NumPy says of each pair."""

import numpy as np
import pytest

from minivae import backend
from minivae.compiler.regions import Regions, bounds_of, geometry_of, meet


def views(rng, count):
    """Views of all kinds of two vectors and a matrix."""
    bases = np.zeros(60, np.float32), np.zeros(31), np.zeros((7, 5), np.float32)
    found = []
    for _ in range(count):
        base = bases[rng.integers(3)]
        parts = [slice(*sorted(rng.integers(0, n + 1, 2)), int(rng.choice([1, 1, 2]))) for n in base.shape]
        view = base[tuple(parts)]
        view = view[::-1] if rng.random() < 0.3 else view
        found.append(view.T if rng.random() < 0.3 else view)
    return found


@pytest.mark.parametrize("seed", range(30))
def test_an_array_meets_a_target_where_their_bounds_do(seed):
    rng = np.random.default_rng(seed)
    arrays = views(rng, 25)
    targets = [arrays[i] for i in rng.choice(len(arrays), int(rng.integers(1, 8)), replace=False)]
    regions = Regions(targets)
    for x in arrays:
        touched = any(np.may_share_memory(x, target) for target in targets)
        assert bool(regions.cells(x)) == touched
        for target in targets:
            assert meet(regions.cells(x), regions.cells(target)) == np.may_share_memory(x, target)
            assert meet(regions.cells(target), regions.cells(x)) == np.may_share_memory(x, target)


def test_without_targets_nothing_is_touched():
    assert not Regions([]).cells(np.zeros(3))
    assert not Regions([np.zeros(0)]).cells(np.zeros(0))


def test_bounds_hold_every_element(rng):
    for x in views(rng, 60):
        if x.size:
            start, stop = bounds_of(x)
            places = [x[i : i + 1].ctypes.data for i in range(len(x))] if x.ndim == 1 else [x.ctypes.data]
            assert all(start <= place < stop for place in places)
            assert stop - start >= x.itemsize
    x = np.zeros((4, 6))
    assert bounds_of(x[1:3])[0] - bounds_of(x)[0] == 48
    assert bounds_of(x[:, ::-2]) == (bounds_of(x)[0] + 8, bounds_of(x)[1])
    assert bounds_of(x[::-1]) == bounds_of(x)


def test_the_same_elements_at_the_same_indices_have_one_geometry():
    x = np.zeros((4, 6))
    same = x[:], x.reshape(1, 4, 6), x.reshape(4, 1, 6), x.T.T
    assert {geometry_of(y) for y in same} == {geometry_of(x)}
    other = x.T, x[::-1], x[1:], x[:, :5], x.reshape(6, 4), x.view(np.int64), x.copy(), x[::2]
    assert all(geometry_of(y) != geometry_of(x) for y in other)
    assert geometry_of(x[1:], -48).start == geometry_of(x).start
    assert geometry_of(x, 48).start == geometry_of(x[1:]).start


def test_addresses_are_of_the_backend(backend_name):
    x = backend.asarray(np.zeros((3, 4)), backend=backend_name)
    where = backend.backend_of(x)
    assert where.bounds(x)[1] - where.bounds(x)[0] == 96
    assert where.address(x[1:]) - where.address(x) == 32
