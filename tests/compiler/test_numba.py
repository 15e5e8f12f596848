"""Compiled loops: the bits of NumPy, one function for each expression, and what is left to NumPy."""

import errno
import pickle

import numpy as np
import pytest

import minivae as mv
import minivae.autodiff as ad
from minivae import backend
from minivae.autodiff.elementwise import clip
from minivae.compiler import numba as replay_numba
from minivae.errors import InputError

pytest.importorskip("numba", reason="needs Numba: pip install 'minivae[fast]'")

RNG = np.random.default_rng(0)
# Every pair of special values meets somewhere in these.
SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-42, 3e38, 0.3])
A, B = (x.ravel() for x in np.meshgrid(SPECIAL, SPECIAL))
UNARY = {"negative": ad.negative, "square": ad.square, "sqrt": ad.sqrt, "absolute": ad.absolute, "relu": ad.relu}
UNARY |= {"isnan": ad.isnan, "isfinite": ad.isfinite, "floor": ad.floor, "ceil": ad.ceil, "rint": ad.round}
BINARY = {
    name: getattr(ad, name)
    for name in (
        *("add", "subtract", "multiply", "divide", "maximum", "minimum"),
        *("greater", "greater_equal", "less", "less_equal", "equal", "not_equal"),
    )
}


@pytest.fixture(autouse=True)
def small_kernels(monkeypatch):
    monkeypatch.setattr(replay_numba, "LEAST_SIZE", 2)
    monkeypatch.setattr(replay_numba, "LEAST_OPERATIONS", 1)


def sources_of(monkeypatch):
    """The list to which the text of every loop is added from now on."""
    sources, compiled = [], replay_numba._compiled

    def noted(source, cached):
        sources.append(source)
        return compiled(source, cached)

    monkeypatch.setattr(replay_numba, "_compiled", noted)
    return sources


def assert_same_bits(step, *inputs):
    compiled = mv.compile(step, fast=True)
    with np.errstate(all="ignore"):
        compiled(*(np.ones_like(x) for x in inputs))
        found, expected = compiled(*inputs).numpy(), step(*map(ad.tensor, inputs)).numpy()
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    numbers = ~np.isnan(expected)
    assert found[numbers].tobytes() == expected[numbers].tobytes()


def test_every_function_of_a_loop_is_tested_here():
    assert set(replay_numba.EXPRESSIONS) == {*UNARY, *BINARY, "where"} - {"relu"}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_argument(name, dtype, monkeypatch):
    sources = sources_of(monkeypatch)
    assert_same_bits(lambda x: UNARY[name](x * 1.0), SPECIAL.astype(dtype))
    assert sources


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two_arguments(name, dtype, monkeypatch):
    sources = sources_of(monkeypatch)
    a, b = A.astype(dtype), B.astype(dtype)
    assert_same_bits(lambda a, b: ad.where(BINARY[name](a, b), a, 1.0) * 1.0, a, b)
    assert_same_bits(lambda a, b: BINARY[name](a, b), a, b)
    assert sources


@pytest.mark.parametrize("number", [2.5, -np.inf, np.nan, 0.1])
def test_numbers_have_the_dtype_of_the_arrays(number):
    for dtype in ("float32", "float64"):
        assert_same_bits(lambda x: (x + number) * 0.1, RNG.standard_normal(50).astype(dtype))


def test_pixels_become_numbers():
    assert_same_bits(lambda x: ad.astype(x, "float32") / 255.0, np.arange(256, dtype=np.uint8))


@pytest.mark.parametrize("shape", [(7,), (5, 7), (1, 5, 7), (3, 5, 7), (5, 1, 7), (5, 1), (1, 1), (0, 7)])
@pytest.mark.parametrize("block", [None, 1, 8, 1 << 15])
def test_any_shape_broadcasts_as_in_numpy(shape, block, monkeypatch):
    """Against a row, a column, a number, the transposed, with functions that stay NumPy's between."""
    monkeypatch.setattr(backend.get_backend("numpy"), "cache_block", block)
    x = RNG.standard_normal(shape).astype("float32")
    for other in (x, x[..., :1], x[..., -1:], x[:1], x.sum(), np.ascontiguousarray(x.T).T):
        assert_same_bits(lambda x, b: ad.tanh(x * b + 1.0) * x - (b + 2.0) * b, x, np.asarray(other, "float32"))


def test_what_is_read_and_written_is_one_argument(monkeypatch):
    sources = sources_of(monkeypatch)
    p = ad.tensor(np.zeros(20, np.float32))
    step = mv.compile(lambda g: ad.assign(p, p - g * 0.5), fast=True)
    for _ in range(3):
        step(np.ones(20, np.float32))
    assert sources == [
        "def loop(x0, x1):\n"
        "    for i0 in range(x0.shape[0]):\n"
        "        t0 = (x0[i0] * np.float32(0.5))\n"
        "        t1 = (x1[i0] - t0)\n"
        "        x1[i0] = t1"
    ]
    np.testing.assert_array_equal(p.numpy(), -1.5)


def replayed(function, size, **options):
    """A recorded step that changes an array of that size by a function of it."""
    state = ad.tensor(np.ones(size, np.float32))
    mv.compile(lambda: ad.assign(state, function(state)), **options)()


def test_small_arrays_and_single_operations_are_left_to_numpy(monkeypatch):
    monkeypatch.undo()
    sources = sources_of(monkeypatch)
    replayed(lambda x: x * 2.0 + 1.0, (1 << 14) - 1)
    replayed(lambda x: ad.exp(x) * 2.0, 1 << 14)
    assert not sources
    replayed(lambda x: x * 2.0 + 1.0, 1 << 14)
    assert len(sources) == 1


def test_a_very_long_chain_is_left_to_numpy(monkeypatch):
    """Compiling it would take longer than it is likely to run."""
    x, sources = np.ones(50, np.float32), sources_of(monkeypatch)
    # What reads the input is a kernel by itself; the others are put off until the result is read.
    for count, loops in ((replay_numba.MOST_OPERATIONS + 1, 2), (replay_numba.MOST_OPERATIONS + 2, 1)):

        def step(x, count=count):
            for _ in range(count):
                x = x * 0.5
            return x

        del sources[:]
        chain = mv.compile(step, fast=True)
        for _ in range(2):
            chain(x).numpy()
        assert len(sources) == loops


def test_fast_is_a_choice(monkeypatch):
    sources = sources_of(monkeypatch)
    for fast, expected in ((False, 0), (None, 1), (True, 2)):
        replayed(lambda x: x * 2.0 + 1.0, 5, fast=fast)
        assert len(sources) == expected
    monkeypatch.setattr(replay_numba, "is_installed", lambda: False)
    with pytest.raises(InputError, match=r"fast is True, and Numba is not installed; .*minivae\[fast\]"):
        mv.compile(lambda x: x, fast=True)
    replayed(lambda x: x * 3.0 + 1.0, 5)
    assert len(sources) == 2


def test_a_limit_is_arithmetic():
    assert_same_bits(lambda x: clip(x, -1.0, 0.5) * 2.0, SPECIAL.astype("float32"))


def test_constants_without_axes_are_told_apart():
    """NumPy makes scalars of them, and scalars have no address of their own."""

    def step(x):
        variance = ad.exp(ad.constant_like(x, -1.5))
        return ad.square(x) * variance + ad.constant_like(x, 2.0) * -variance

    assert_same_bits(step, A.astype(np.float32))


class Failing:
    """In the place of ``numba.njit``: what it makes cannot be compiled, or only without a cache."""

    def __init__(self, jitted, error, always=False):
        self.jitted, self.error, self.always = jitted, error, always

    def __call__(self, *arguments, cache=False, **options):
        if isinstance(self.error, RuntimeError) and cache:
            raise self.error  # as it is made
        loop = self.jitted(*arguments, **options)
        if cache or self.always:
            loop.compile = self.compile
        return loop

    def compile(self, types):
        raise self.error


@pytest.mark.parametrize(
    ("error", "always", "said"),
    [
        (
            RuntimeError("cannot cache function:\nno locator available"),
            False,
            "Numba's cache cannot be used (Runtime",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), False, "Numba's cache cannot be used (OSError: [Errno 28]"),
        (pickle.UnpicklingError("pickle data was truncated"), False, "Numba's cache cannot be used (UnpicklingError: "),
        (EOFError(), False, "Numba's cache cannot be used (EOFError: )"),
        (ValueError("LLVM"), True, "Numba cannot compile (ValueError: LLVM); NumPy does its work, slower"),
    ],
)
def test_without_cache_or_compiler_the_numbers_are_the_same_and_it_is_said_once(
    monkeypatch, caplog, error, always, said
):
    import numba

    monkeypatch.setattr(numba, "njit", Failing(numba.njit, error, always))
    monkeypatch.setattr(replay_numba, "_said", [])
    monkeypatch.setattr(replay_numba, "_compiled", replay_numba._compiled.__wrapped__)
    state = ad.tensor(np.ones(5, np.float32))
    for factor in (5.25, 0.5):
        step = mv.compile(lambda factor=factor: ad.assign(state, state * factor + 1.0), fast=True)
        step()
        step()
    np.testing.assert_array_equal(state.numpy(), (((5.25 + 1) * 5.25 + 1) * 0.5 + 1) * 0.5 + 1)
    (line,) = (record.getMessage() for record in caplog.records if record.name == "minivae")
    assert line.startswith(said)
    assert "\n" not in line
