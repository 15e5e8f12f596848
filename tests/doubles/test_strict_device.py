"""The strict device catches each trap, and agrees with NumPy on ordinary work."""

from __future__ import annotations

import copy
import json
import operator

import numpy as np
import pytest

from minivae import backend

from .strict_counter import Forbidden
from .strict_device import strict, xp

counter = strict.counter


@pytest.fixture
def x():
    return strict.from_numpy(np.arange(6, dtype=np.float32).reshape(2, 3))


# ------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    "trap",
    [
        np.asarray,
        np.exp,
        np.sum,
        lambda x: np.add(x, x),
        lambda x: np.concatenate([x, x]),
        lambda x: np.zeros(3, np.float32) + x,
        lambda x: x + np.zeros(3, np.float32),
        lambda x: x * np.float32(2),
        lambda x: np.float64(2) * x,
        lambda x: operator.iadd(x, np.ones(3, np.float32)),
        lambda x: x == np.zeros(3),
        lambda x: operator.add(x, [1.0, 2.0, 3.0]),
        lambda x: x == None,  # noqa: E711
        lambda x: xp.exp(np.zeros(3)),
        lambda x: xp.add(x, x, out=np.zeros((2, 3), np.float32)),
        lambda x: xp.sum(np.zeros(3)),
        lambda x: xp.sum([1.0, 2.0]),
        lambda x: xp.where(x > 0, x, np.zeros(3)),
        lambda x: xp.stack([x, np.zeros((2, 3))]),
        lambda x: xp.asarray([x, x]),
        lambda x: xp.sum([x, x]),
        lambda x: xp.full((2,), np.float64(1.0)),
        lambda x: x[np.array([0, 1])],
        lambda x: x[[0, 1]],
        lambda x: operator.setitem(x, np.array([0]), 0.0),
        lambda x: operator.setitem(x, 0, np.zeros(3)),
        lambda x: range(x.sum()),
        lambda x: hash(x),
        lambda x: xp.sum(x, where=x > 0),
        lambda x: xp.max(x, initial=0.0),
        lambda x: xp.take(x, xp.asarray([0]), mode="clip"),
        lambda x: xp.add(x, x, where=x > 0),
        lambda x: xp.add.at(xp.zeros(3, "int64"), xp.asarray([0]), 1),
    ],
)
def test_host_data_and_what_cupy_refuses_are_type_errors(x, trap):
    with pytest.raises(TypeError):
        trap(x)


@pytest.mark.parametrize("name", ["block", "errstate", "geomspace", "vecdot", "no_such_name"])
def test_functions_that_cupy_lacks_are_lacking(name):
    assert not hasattr(xp, name)


def test_solving_does_not_broadcast_as_numpys_does():
    a = strict.xp.zeros((3, 2, 2)) + strict.xp.eye(2)
    assert strict.xp.linalg.solve(a, strict.xp.ones((3, 2, 1))).shape == (3, 2, 1)
    with pytest.raises(ValueError, match=r"does not broadcast: a has shape \(3, 2, 2\), b \(2, 1\)"):
        strict.xp.linalg.solve(a, strict.xp.ones((2, 1)))


def test_there_is_no_global_random_state():
    with pytest.raises(AttributeError, match=r"backend\.Generator"):
        _ = xp.random


def test_reductions_by_ufunc_are_those_of_cupy(x):
    assert float(xp.add.reduce(x, axis=None)) == 15
    assert xp.multiply.accumulate(x, axis=1).shape == (2, 3)
    with pytest.raises(NotImplementedError, match=r"maximum\.reduce"):
        xp.maximum.reduce(x)
    with pytest.raises(NotImplementedError, match=r"multiply\.at"):
        xp.multiply.at(x, 0, 2.0)


def test_assignment_to_duplicate_indices_is_refused(x):
    twice = xp.asarray([1, 1])
    with pytest.raises(ValueError, match="duplicate"):
        x[twice] = xp.ones((2, 3), "float32")
    with pytest.raises(ValueError, match="duplicate"):
        x[:, twice] += 1
    x[twice] = 7.0  # one value: the order of the writes does not matter
    assert x[1].tolist() == [7, 7, 7]
    xp.add.at(x, (slice(None), twice), xp.ones((2, 2), "float32"))
    assert x[:, 1].tolist() == [3, 9]


@pytest.mark.parametrize("index", [2, -3])
def test_out_of_range_indices_are_refused_not_wrapped(x, index):
    with pytest.raises(IndexError):
        x[xp.asarray([index])]
    with pytest.raises(IndexError):
        xp.take(x, xp.asarray([index]), axis=0)


# ------------------------------------------------------------ what is counted


@pytest.mark.parametrize(
    "wait",
    [
        lambda x: float(x.sum()),
        lambda x: int(x.sum()),
        lambda x: complex(x.sum()),
        lambda x: bool(x.sum() > 0),
        lambda x: x.sum().item(),
        lambda x: 1 if x.sum() > 0 else 0,
        lambda x: repr(x),
        lambda x: f"{x.sum():.3f}",
        lambda x: str(x),
        lambda x: x.get(),
        lambda x: x.tolist(),
        lambda x: x.tobytes(),
        lambda x: xp.asnumpy(x),
        lambda x: backend.to_numpy(x),
        lambda x: xp.nonzero(x),
        lambda x: xp.where(x > 0),
        lambda x: xp.unique(x),
        lambda x: xp.linalg.inv(x @ x.T),
        lambda x: x[x > 0],
        lambda x: operator.setitem(x, x > 0, 0.0),
        lambda x: strict.synchronize(),
    ],
)
def test_what_shows_values_is_one_synchronization(x, wait):
    with counter.count() as counts:
        wait(x)
    assert counts.synchronizations == 1
    with counter.forbid_synchronization(), pytest.raises(Forbidden, match="synchronization"):
        wait(x)


def test_ordinary_work_neither_waits_nor_moves(x):
    with counter.forbid_synchronization(), counter.forbid_transfers(), counter.forbid_dtype("float64"):
        y = xp.where(x > 2, xp.exp(-x), 0.5) @ x.T
        y = xp.concatenate([y, y], axis=1).reshape(2, 2, 2).sum(axis=(0, 2))
        y -= y.mean()
        y[0] = xp.max(x[:, 1:], axis=0, keepdims=True)[0, 0]
        assert y.shape == (2,)
        assert len(y) == 2
        assert xp.allclose(y, y).shape == ()


def test_transfers_are_counted_and_forbidden():
    with counter.count() as counts:
        y = xp.asarray([1, 2, 3])
        xp.asarray(y)
        y.get()
    assert (counts.to_device, counts.to_host) == (1, 1)
    with counter.forbid_transfers():
        with pytest.raises(Forbidden, match="to_device"):
            xp.asarray([1.0])
        with pytest.raises(Forbidden, match="to_host"):
            y.get()


def test_dtypes_made_are_recorded_and_forbidden(x):
    with counter.count() as counts:
        (x > 0).astype("int32")
    assert counts.dtypes == {"bool", "int32"}
    with counter.forbid_dtype("float64"), pytest.raises(Forbidden, match="float64"):
        x * xp.asarray([2.0, 2.0, 2.0])


def test_a_forbidden_block_ends(x):
    with counter.forbid_synchronization():
        pass
    counter.reset()
    assert float(x.sum()) == 15
    assert counter.synchronizations == 1
    assert counter.dtypes == {"float32"}


# -------------------------------------------------------- agreement with NumPy


@pytest.mark.parametrize(
    "work",
    [
        lambda xp, a, b: a + b - 2 * a / (1 + abs(b)),
        lambda xp, a, b: (a @ b.T) ** 2,
        lambda xp, a, b: 1 - a // 2 + (-b) % 3,
        lambda xp, a, b: xp.exp(a).sum(axis=0, keepdims=True),
        lambda xp, a, b: a.mean(),
        lambda xp, a, b: a[1, 2],
        lambda xp, a, b: a[None, ..., ::-1],
        lambda xp, a, b: a[:, xp.asarray([2, 0])],
        lambda xp, a, b: a[xp.asarray([1, 0]), xp.asarray([0, 2])],
        lambda xp, a, b: a[a > 2],
        lambda xp, a, b: xp.stack([a, b], axis=1),
        lambda xp, a, b: xp.einsum("ij,kj->ik", a, b),
        lambda xp, a, b: xp.clip(a, 1.0, 3.0),
        lambda xp, a, b: xp.pad(a, ((1, 0), (0, 2))),
        lambda xp, a, b: xp.linalg.norm(a, axis=1),
        lambda xp, a, b: xp.where(a > b, 1.0, b),
        lambda xp, a, b: xp.broadcast_to(a[0], (4, 3)).copy(),
        lambda xp, a, b: xp.logical_not(a > 1) | (b <= a),
        lambda xp, a, b: a.T.reshape(-1).astype("float64"),
        lambda xp, a, b: xp.arange(4) * 2.5,
        lambda xp, a, b: xp.add.outer(a[0], b[1]),
        lambda xp, a, b: xp.array_equal(a, b),
    ],
)
def test_agrees_with_numpy(rng, work):
    a, b = rng.normal(size=(2, 2, 3)).astype(np.float32)
    expected = np.asarray(work(np, a, b))
    found = work(xp, strict.from_numpy(a), strict.from_numpy(b))
    assert isinstance(found, strict.array_type)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    np.testing.assert_array_equal(backend.to_numpy(found), expected)


def test_functions_may_give_several_arrays(x):
    left, right = xp.split(x, [1], axis=1)
    assert (left.shape, right.shape) == ((2, 1), (2, 2))
    fraction, whole = xp.modf(x / 2)
    assert xp.array_equal(fraction + whole, x / 2)


def test_out_and_unchanged_arrays_keep_their_identity(x):
    y = xp.empty_like(x)
    assert xp.exp(x, out=y) is y
    assert xp.exp(x, y) is y
    assert x.sum(axis=0, out=y[0]).shape == (3,)
    fraction, whole = out = xp.empty_like(x), xp.empty_like(x)
    found = xp.modf(x, out=out)
    assert found[0] is fraction
    assert found[1] is whole
    assert xp.asarray(x) is x
    assert x.astype("float32", copy=False) is x
    assert x.astype("float32") is not x


def test_views_share_memory_and_copies_do_not(x):
    x[0][...] = 9.0
    x.T[1, 1] = 8.0
    row, entry = x[1], x[1, 2]
    row += 1
    assert x.tolist() == [[9, 9, 9], [4, 9, 6]]
    assert entry.item() == 6
    before = x.tolist()
    for other in (copy.copy(x), copy.deepcopy(x), x[xp.asarray(0)], x[xp.asarray([0, 1])]):
        other += 1
    assert x.tolist() == before


def test_the_host_cannot_reach_device_memory():
    host = np.zeros(3, np.float32)
    x = strict.from_numpy(host)
    host += 1
    x.get()[:] = 5
    assert x.tolist() == [0, 0, 0]


def test_operators_give_way_as_those_of_cupy_do(x):
    class Tensor:
        __array_ufunc__ = None

        def __radd__(self, other):
            return "reflected"

    class Bystander:
        def __radd__(self, other):
            return "never called"

    assert x + Tensor() == "reflected"
    with pytest.raises(TypeError, match="Bystander"):
        x + Bystander()


def test_the_backend_draws_and_describes():
    draws = backend.Generator(3, "strict")
    state = json.loads(json.dumps(draws.state))
    out = xp.empty((4,), "float32")
    assert draws.standard_normal((4,), out=out) is out
    draws.state = state
    assert xp.array_equal(draws.standard_normal((4,)), out)
    assert strict.describe()["backend"] == "strict"
