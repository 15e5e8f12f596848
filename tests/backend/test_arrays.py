"""Defaults and their precedence, which backend an array lives in, moving, and noise."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading

import numpy as np
import pytest

from minivae import backend
from minivae.errors import BackendError, InputError

# ----------------------------------------------------- where new arrays are made


def test_importing_minivae_imports_nothing_heavy():
    code = "import sys, minivae, minivae.backend; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"cupy", "matplotlib", "torch", "numba", "scipy.io", "scipy.stats"}
    assert not heavy & set(run.stdout.split())


def test_the_default_is_numpy():
    assert backend.get_backend().name == "numpy"
    assert backend.get_backend("numpy") is backend.get_backend()


def test_precedence_of_the_defaults(monkeypatch):
    monkeypatch.setenv("MINIVAE_BACKEND", "strict")
    assert backend.get_backend().name == "strict"
    backend.use("numpy")
    assert backend.get_backend().name == "numpy"
    with backend.using("strict") as inside:
        assert backend.get_backend() is inside is backend.get_backend("strict")
        assert backend.get_backend("numpy").name == "numpy"
        with backend.using("numpy"):
            assert backend.get_backend().name == "numpy"
        assert backend.get_backend().name == "strict"
    assert backend.get_backend().name == "numpy"


def test_using_ends_with_an_error():
    with pytest.raises(RuntimeError, match="inside"), backend.using("strict"):
        raise RuntimeError("inside")
    assert backend.get_backend().name == "numpy"


def test_using_is_of_one_thread_and_use_of_all():
    def name_in_a_thread():
        found = []
        thread = threading.Thread(target=lambda: found.append(backend.get_backend().name))
        thread.start()
        thread.join()
        return found[0]

    with backend.using("strict"):
        assert name_in_a_thread() == "numpy"
    backend.use("strict")
    assert name_in_a_thread() == "strict"


@pytest.mark.parametrize("ask", [backend.get_backend, backend.use, lambda name: backend.generator(0, name)])
def test_an_unknown_name_is_refused_with_the_nearest(ask):
    with pytest.raises(InputError, match=r"backend is 'nunpy'.*did you mean 'numpy'"):
        ask("nunpy")


def test_an_unknown_name_in_the_environment_is_refused(monkeypatch):
    monkeypatch.setenv("MINIVAE_BACKEND", "jax")
    with pytest.raises(InputError, match="MINIVAE_BACKEND, of the environment, is 'jax'; expected one of numpy"):
        backend.asarray([1.0])


def test_cupy_can_always_be_asked_for(monkeypatch):
    assert "cupy" in backend.names()
    monkeypatch.delitem(backend.arrays._backends, "cupy", raising=False)
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(BackendError, match="needs CuPy"):
        backend.use("cupy")
    assert backend.get_backend().name == "numpy"


# ------------------------------------------------- where an array lives, and moving


def test_an_array_knows_its_backend(backend_name):
    x = backend.asarray([1.0, 2.0], backend=backend_name)
    assert backend.backend_of(x).name == backend_name
    assert backend.backend_of(x, 2.0, 3, True).name == backend_name
    assert backend.xp_of(x, x) is backend.get_backend(backend_name).xp
    assert backend.is_array(x)


def test_python_numbers_alone_live_in_the_default():
    assert backend.backend_of(1.0).name == "numpy"
    with backend.using("strict"):
        assert backend.backend_of(1.0, 2).name == "strict"


def test_numpys_scalars_and_subclasses_are_numpys(tmp_path):
    mapped = np.memmap(tmp_path / "x", np.float32, "w+", shape=(2,))
    assert backend.backend_of(np.float32(1), mapped).name == "numpy"
    assert backend.is_array(np.float32(1))
    assert backend.is_array(mapped)


def test_a_subclass_lives_where_its_base_does():
    class Special(backend.get_backend("strict").array_type):
        pass

    assert backend.backend_of(Special.__new__(Special)).name == "strict"


def test_arrays_of_two_backends_are_refused():
    with pytest.raises(InputError, match="two backends in one operation: strict and numpy"):
        backend.backend_of(backend.asarray([1.0], backend="strict"), np.ones(1))


@pytest.mark.parametrize("value", ["text", None, [1.0], object()])
def test_what_is_no_array_is_refused(value):
    assert not backend.is_array(value)
    with pytest.raises(InputError, match=re.escape(f"arrays[0] is {value!r}; expected an array")):
        backend.backend_of(value)


def test_arrays_move_there_and_back(backend_name, rng):
    host = rng.normal(size=(3, 2)).astype(np.float32)
    x = backend.asarray(host, backend=backend_name)
    back = backend.to_numpy(x)
    assert type(back) is np.ndarray
    np.testing.assert_array_equal(back, host)
    assert backend.backend_of(backend.asarray(x, backend="numpy")).name == "numpy"
    assert backend.asarray(x) is x
    backend.synchronize(backend_name)


def test_arrays_stay_where_they_are_and_lists_go_to_the_default():
    x = np.ones(2)
    with backend.using("strict"):
        assert backend.asarray(x) is x
        assert backend.backend_of(backend.asarray([1.0])).name == "strict"


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        (1.5, None, "float32"),
        ([[1.5], [2.0]], None, "float32"),
        (np.array(1.5), None, "float64"),
        (np.float64(1.5), None, "float64"),
        (np.ones(2, np.uint8), None, "uint8"),
        ([1, 2], None, "int64"),
        ([True], None, "bool"),
        ([1.5], "float64", "float64"),
        (np.ones(2, np.uint8), "float32", "float32"),
    ],
)
def test_dtypes_are_kept_and_python_floats_become_float32(backend_name, value, dtype, expected):
    x = backend.asarray(value, dtype, backend_name)
    assert x.dtype == expected
    assert backend.backend_of(x).name == backend_name
    np.testing.assert_array_equal(backend.to_numpy(x), value)


def test_float64_is_not_rounded_through_float32():
    assert backend.asarray(0.1, "float64").item() == 0.1


def test_a_list_of_device_arrays_is_refused():
    with pytest.raises(InputError, match="implicit conversion"):
        backend.asarray([backend.asarray(1.0, backend="strict")])


def test_float_dtypes():
    assert backend.float_dtype() == np.float32
    assert backend.float_dtype("float64") == backend.float_dtype(np.float64) == np.float64


def test_describe(backend_name):
    found = backend.describe(backend_name)
    assert found["backend"] == backend_name
    assert found.keys() == {"backend", "version", "blas", "threads", "device"}
    json.dumps(found)


# ------------------------------------------------------------------- randomness


def draws(generator):
    parts = [generator.standard_normal((5, 3)), generator.uniform((7,)), generator.standard_normal((), "float64")]
    return np.concatenate([backend.to_numpy(part).ravel() for part in parts])


def test_the_same_seed_draws_the_same_and_another_others(backend_name):
    first, again, other = (draws(backend.generator(seed, backend_name)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.any(first == other)


def test_draws_have_backend_dtype_and_shape(backend_name):
    generator = backend.generator(0, backend_name)
    for draw in (generator.standard_normal, generator.uniform):
        x = draw((2, 3))
        assert (backend.backend_of(x).name, x.dtype, x.shape) == (backend_name, np.float32, (2, 3))
        assert draw([2], "float64").dtype == np.float64


def test_draws_are_of_their_distributions(backend_name):
    generator, n = backend.generator(4, backend_name), 200_000
    normal, uniform = (backend.to_numpy(draw((n,))) for draw in (generator.standard_normal, generator.uniform))
    # Five standard errors of the estimates: 1 and sqrt(2) / sqrt(n); sqrt(1 / 12) / sqrt(n).
    assert abs(normal.mean()) < 5 / n**0.5
    assert abs(normal.var() - 1) < 5 * (2 / n) ** 0.5
    assert abs(uniform.mean() - 0.5) < 5 * (1 / 12 / n) ** 0.5
    assert uniform.min() >= 0
    assert uniform.max() < 1


@pytest.mark.parametrize("method", ["standard_normal", "uniform"])
def test_draws_into_an_array_are_the_same_draws(backend_name, method):
    out = backend.asarray(np.zeros((4, 2), np.float32), backend=backend_name)
    assert getattr(backend.generator(0, backend_name), method)((4, 2), out=out) is out
    expected = getattr(backend.generator(0, backend_name), method)((4, 2))
    np.testing.assert_array_equal(backend.to_numpy(out), backend.to_numpy(expected))


def test_the_state_goes_through_json_and_back(backend_name):
    generator = backend.generator(5, backend_name)
    draws(generator)
    state = json.loads(json.dumps(generator.state))
    expected = draws(generator)
    resumed = backend.generator(99, backend_name)
    resumed.state = state
    np.testing.assert_array_equal(draws(resumed), expected)


def test_a_stream_goes_back_to_where_it_was_kept_and_draws_the_same_again(backend_name):
    generator = backend.generator(5, backend_name)
    draws(generator)
    kept, expected = generator.keep(), draws(generator)
    for _ in range(2):
        generator.restore(kept)
        np.testing.assert_array_equal(draws(generator), expected)


def test_going_back_is_refused_in_a_step_that_is_recorded(backend_name):
    generator = backend.generator(5, backend_name)
    kept = generator.keep()
    with backend.no_direct_draws(), pytest.raises(InputError, match="the state of a generator is set inside a step"):
        generator.restore(kept)


@pytest.mark.parametrize("state", [None, 5, {}, {"bit_generator": "MT19937"}, "not base 64!", "bm90IHpsaWI="])
def test_a_state_of_something_else_is_refused(backend_name, state):
    generator = backend.generator(0, backend_name)
    with pytest.raises(InputError, match=f"not the state of a generator on {backend_name}"):
        generator.state = state


@pytest.mark.parametrize("number", [-1, 2**128, 1.5, "1", None])
def test_a_state_with_another_number_in_it_is_refused(number):
    generator = backend.generator(0, "numpy")
    state = generator.state
    state["state"]["inc"] = number
    with pytest.raises(InputError, match="not the state of a generator on numpy"):
        generator.state = state


def test_two_generators_are_independent_of_each_other_and_of_global_state():
    first = backend.generator(0)
    np.random.seed(0)  # noqa: NPY002
    expected = draws(backend.generator(0))
    draws(backend.generator(1))
    np.testing.assert_array_equal(draws(first), expected)


def test_numpy_integers_are_seeds():
    np.testing.assert_array_equal(draws(backend.generator(np.int64(3))), draws(backend.generator(3)))
