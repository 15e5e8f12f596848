"""Products of one size in one call of cuBLAS; products that are written in the layout of their target."""

import numpy as np
import pytest

import minivae as mv
import minivae.autodiff as ad
from minivae import backend
from minivae.compiler.cuda import replay as replay_cupy
from minivae.compiler.cuda.blas import Blas, are_one_call, gemms

from ..doubles.cuda import kept
from ..doubles.fake_cublas import FakeCublas
from ..doubles.strict_array import StrictArray

RNG = np.random.default_rng(9)
X = RNG.standard_normal((5, 4)).astype("float32")
Y = RNG.standard_normal((5, 6)).astype("float32")
FLAT = RNG.standard_normal(48).astype("float32")


@pytest.fixture
def calls(monkeypatch):
    """How many products each call of cuBLAS is that a program makes, and their sizes."""
    made, prepare = [], Blas.prepare

    def noting(blas, *gemms):
        made.append((len(gemms), *gemms[0].size))
        return prepare(blas, *gemms)

    monkeypatch.setattr(Blas, "prepare", noting)
    return made


def state(cuda, array):
    return ad.Tensor(backend.asarray(array.copy(), backend=cuda.name))


def heads(cuda):
    """Two matrices one after the other in one vector, as an optimizer lays out parameters."""
    vector = state(cuda, FLAT).data
    return [ad.Tensor(vector[i : i + 12].reshape(4, 3)) for i in (0, 15)]


def test_two_heads_are_one_call(cuda, calls):
    one, other = heads(cuda)
    cuda.assert_runs(kept(lambda x: ad.exp(x @ one) + (x @ other) * 2), X)
    assert calls == [(2, 3, 5, 4)]


def test_the_first_waits_for_the_second(cuda, calls):
    one, other = heads(cuda)

    def step(x):
        first, largest = x @ one, ad.max(ad.cos(x))
        return first * largest * (x @ other)

    cuda.assert_runs(kept(step), X)
    assert calls == [(2, 3, 5, 4)]


def test_the_second_needs_the_first(cuda, calls):
    square = state(cuda, FLAT[:16].reshape(4, 4))
    cuda.assert_runs(kept(lambda x: (x @ square) @ square), X)
    assert calls == [(1, 4, 5, 4)] * 2


def test_other_sizes_and_layouts_are_calls_of_their_own(cuda, calls):
    one, other = heads(cuda)
    by_columns = state(cuda, FLAT[:12].reshape(3, 4))
    cuda.assert_runs(kept(lambda x: x @ one + x @ ad.transpose(by_columns)), X)
    cuda.assert_runs(kept(lambda x: ad.sum(x[:2] @ one) + ad.sum(x @ other)), X)
    assert {batch for batch, *_ in calls} == {1}


def test_in_whichever_order_they_lie(cuda, calls):
    """The first product has the later left operand and the earlier right one."""
    one, other = heads(cuda)
    rows = state(cuda, np.concatenate([X, X * 2]))
    cuda.assert_runs(kept(lambda x: (rows[5:] @ one) * x[:, :1] + rows[:5] @ other), X)
    assert calls == [(2, 3, 5, 4)]


def test_what_is_assigned_between_is_read_before(cuda, calls):
    one, other = heads(cuda)
    twin_one, twin_other = heads(cuda)

    def step(one, other, x):
        first = x @ one
        ad.assign(one, one * 0.5)
        return first + (x @ other) + ad.sum(one)

    result = state(cuda, X[:, :3])
    compiled = mv.compile(lambda x: ad.assign(result, step(one, other, x)))
    for _ in range(4):
        found = compiled(cuda.tensor(X)).numpy()
        np.testing.assert_allclose(found, step(twin_one, twin_other, cuda.tensor(X)).numpy(), rtol=1e-5, atol=1e-6)
    assert calls == [(1, 3, 5, 4)] * 2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_pair_against_numpy(fake, dtype):
    blas_of = backend.get_backend("strict").xp
    a, b, out = (RNG.standard_normal(shape).astype(dtype) for shape in ((2, 5, 4), (2, 4, 3), (2, 5, 3)))
    one, other = (gemms(*map(StrictArray, (a[i], b[i], out[i])))[0] for i in (0, 1))
    assert are_one_call(one, other)
    assert are_one_call(other, one)
    assert not are_one_call(one, one)  # both would write to one place
    blas = Blas(blas_of, FakeCublas(fake))
    blas.use(fake.stream)
    blas.prepare(one, other)()
    np.testing.assert_allclose(out, a @ b, rtol=1e-5)


# ------------------------------------------------------- the layout of a target


@pytest.fixture
def copies(cuda, monkeypatch):
    """How often a program assigns to memory by a copy."""
    made, put = [], replay_cupy.setitem

    def noting(*arguments):
        made.append(arguments)
        put(*arguments)

    monkeypatch.setattr(replay_cupy, "setitem", noting)
    return made


def by_columns(cuda):
    return ad.Tensor(state(cuda, FLAT[:24].reshape(6, 4)).data.T)


def test_a_product_is_written_by_columns_where_its_target_is(cuda, copies):
    target = by_columns(cuda)
    cuda.assert_runs(lambda x, rows: ad.assign(target, ad.transpose(x) @ rows), X, Y)
    assert not copies


def test_a_product_that_others_read_keeps_its_own_layout(cuda, copies):
    target, total = by_columns(cuda), state(cuda, np.zeros(24, "float32"))

    def step(x, rows):
        y = ad.transpose(x) @ rows
        ad.assign(total, ad.reshape(y, -1))
        return ad.assign(target, y)

    cuda.assert_runs(step, X, Y)
    assert copies


def test_a_target_that_cublas_cannot_write_is_copied_to(cuda, copies):
    target = ad.Tensor(state(cuda, np.zeros((4, 12), "float32")).data[:, ::2])
    cuda.assert_runs(lambda x, rows: ad.assign(target, ad.transpose(x) @ rows), X, Y)
    assert copies


# ----------------------------------------------------------- sums over rows


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(5, 4), (1, 3), (7, 1), (2, 3, 4), (70_001, 2), (3, 1000)])
def test_a_sum_over_rows_is_a_product_with_ones(cuda, calls, shape, dtype):
    terms = RNG.standard_normal(shape).astype(dtype)
    compiled = mv.compile(step := kept(lambda x: ad.sum(ad.max(ad.reshape(x, -1, 1, *shape), 1), range(len(shape)))))
    for scale in (1, 2, 3):
        given = cuda.tensor((terms * scale).astype(dtype))
        found, rounded = compiled(given).numpy(), terms.size * np.finfo(dtype).eps  # once for each term
        np.testing.assert_allclose(found, step(given).numpy(), rtol=1e-5, atol=rounded)
    assert calls == [(1, shape[-1], 1, terms.size // shape[-1])] * (terms.size > shape[-1])


def test_the_sums_of_two_heads_are_one_call(cuda, calls):
    vector = state(cuda, FLAT).data
    one, other = ad.Tensor(vector[:4]), ad.Tensor(vector[8:12])

    def step(x):
        y = ad.max(ad.reshape(x, 1, 5, 4), 0)
        ad.assign(one, ad.sum(y, 0))
        ad.assign(other, ad.sum(y, 0) + 0)
        return one + other

    compiled = mv.compile(step)
    for _ in range(3):
        np.testing.assert_allclose(compiled(cuda.tensor(X)).numpy(), 2 * X.sum(0), rtol=1e-5)
    assert calls == [(2, 4, 1, 5)]


@pytest.mark.parametrize(
    "over",
    [
        lambda x: ad.sum(x, 0, keepdims=True),
        lambda x: ad.sum(x, 1),
        lambda x: ad.sum(x),
        lambda x: ad.sum(x[:0], 0),
        lambda x: ad.sum(x[:, ::2], 0),
        lambda x: ad.sum(ad.astype(x, "int32"), 0),
        lambda x: ad.sum(ad.transpose(ad.reshape(x, 1, 5, 4), (2, 0, 1)), (0, 1)),
    ],
)
def test_other_sums_are_no_products(cuda, calls, over):
    cuda.assert_runs(kept(lambda x: over(ad.max(ad.reshape(x, 1, 5, 4), 0))), X)
    assert not calls
