"""The backends, and CuPy's on a pretend CuPy: its three errors, its generator's state."""

from __future__ import annotations

import base64
import configparser
import ctypes
import json
import sys
import types
import zlib
from pathlib import Path

import numpy as np
import pytest

from minivae.backend.cupy import CupyBackend
from minivae.backend.numpy import Backend
from minivae.errors import BackendError


class CUDARuntimeError(RuntimeError):
    pass


def returns(value):
    """A function that returns ``value``, or raises it if it is an error."""

    def function(*args):
        if isinstance(value, Exception):
            raise value
        return value

    return function


class PretendBits:
    """A bit generator whose state lies in memory that only a pointer shows, as in CuPy."""

    def __init__(self, seed, size):
        self.memory = np.zeros(64 * size, np.uint8)
        self.memory[:8] = np.frombuffer(np.int64(seed).tobytes(), np.uint8)

    def state(self):
        return self.memory.ctypes.data


class PretendArray(np.ndarray):
    def __new__(cls, shape, dtype, memptr):
        buffer = (ctypes.c_char * (shape[0] * np.dtype(dtype).itemsize)).from_address(memptr)
        return np.frombuffer(buffer, dtype).view(cls)

    def get(self):
        return np.array(self)


def pretend_libraries(monkeypatch, **missing):
    """CuPy's module of CUDA's libraries, which loads them when they are looked up; NVRTC when it is called."""

    def lookup(name):
        if name in missing and name != "nvrtc":
            raise missing[name]
        return types.SimpleNamespace(getVersion=returns(missing.get(name, (12, 9))))

    libraries = types.ModuleType("cupy_backends.cuda.libs")
    libraries.__getattr__ = lookup
    monkeypatch.setitem(sys.modules, "cupy_backends", types.ModuleType("cupy_backends"))
    monkeypatch.setitem(sys.modules, "cupy_backends.cuda", types.ModuleType("cupy_backends.cuda"))
    monkeypatch.setitem(sys.modules, "cupy_backends.cuda.libs", libraries)


def pretend_cupy(monkeypatch, driver=13000, devices=1, **missing):
    """A module ``cupy`` with as much of CuPy's interface as ``CupyBackend`` uses; ``missing`` libraries raise."""
    pretend_libraries(monkeypatch, **missing)
    cupy = types.ModuleType("cupy")
    cupy.ndarray, cupy.asarray, cupy.asnumpy, cupy.__version__ = PretendArray, np.asarray, np.asarray, "14.2.0"
    cupy.random = types.SimpleNamespace(
        Philox4x3210=PretendBits, Generator=lambda bits: types.SimpleNamespace(bit_generator=bits)
    )
    runtime = types.SimpleNamespace(
        CUDARuntimeError=CUDARuntimeError,
        driverGetVersion=returns(driver),
        getDeviceCount=returns(devices),
        runtimeGetVersion=returns(12090),
        getDeviceProperties=lambda number: {"name": b"Pretend GPU"},
    )
    cupy.cuda = types.SimpleNamespace(
        runtime=runtime,
        Device=lambda: types.SimpleNamespace(id=0, synchronize=returns(None)),
        UnownedMemory=lambda pointer, size, owner: pointer,
        MemoryPointer=lambda memory, offset: memory + offset,
    )
    monkeypatch.setitem(sys.modules, "cupy", cupy)


# -------------------------------------------------------------- CuPy's errors


def test_without_cupy_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(BackendError, match=r"cannot be imported .*pip install 'minivae\[cuda12x\]'"):
        CupyBackend()


@pytest.mark.parametrize("driver", [0, CUDARuntimeError("no driver")])
def test_without_a_driver_the_error_says_so(monkeypatch, driver):
    pretend_cupy(monkeypatch, driver=driver)
    with pytest.raises(BackendError, match="needs an NVIDIA driver"):
        CupyBackend()


@pytest.mark.parametrize(
    ("devices", "message"),
    [(0, "CUDA_VISIBLE_DEVICES"), (CUDARuntimeError("cudaErrorNoDevice"), "cudaErrorNoDevice")],
)
def test_without_a_device_the_error_says_so(monkeypatch, devices, message):
    pretend_cupy(monkeypatch, devices=devices)
    with pytest.raises(BackendError, match=f"no .*CUDA device.*{message}"):
        CupyBackend()


@pytest.mark.parametrize(
    ("module", "name", "error"),
    [
        ("nvrtc", "NVRTC", RuntimeError("Failure finding\n  libnvrtc.so.12" + "\n    libother.so" * 200)),
        ("cublas", "cuBLAS", ImportError('Failure finding\n  "libcublas.so.12"' + "\n    libother.so" * 200)),
    ],
)
def test_with_a_driver_only_one_line_says_what_is_missing_and_how_to_get_it(monkeypatch, module, name, error):
    pretend_cupy(monkeypatch, **{module: error})
    with pytest.raises(
        BackendError, match=rf"finds no {name}.*Failure finding .*pip install 'minivae\[cuda12x\]'"
    ) as e:
        CupyBackend()
    assert "\n" not in str(e.value)
    assert len(str(e.value)) < 450


def test_the_extras_bring_the_toolkit():
    config = configparser.ConfigParser()
    config.read(Path(__file__).parents[2] / "setup.cfg")
    extras = config["options.extras_require"]
    for version in ("12x", "13x"):
        assert extras[f"cuda{version}"].startswith(f"cupy-cuda{version}[ctk]>=14")


def test_errors_are_one_line(monkeypatch, tmp_path):
    (tmp_path / "cupy.py").write_text("raise ImportError('\\n=====\\nCuPy is not\\ncorrectly installed\\n')")
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BackendError, match="CuPy is not correctly installed") as caught:
        CupyBackend()
    assert "\n" not in str(caught.value)


# ------------------------------------------------------ CuPy's generator's state


def test_the_state_of_cupys_generator_is_its_memory(monkeypatch):
    pretend_cupy(monkeypatch)
    backend = CupyBackend()
    random = backend.random(7)
    bits = random.bit_generator.memory
    bits[1000:2000] = np.arange(1000) % 251
    kept, state = bits.copy(), json.loads(json.dumps(backend.get_random_state(random)))
    bits[:] = 1
    backend.set_random_state(random, state)
    np.testing.assert_array_equal(bits, kept)


def test_a_state_that_is_kept_is_a_copy_on_the_device(monkeypatch):
    pretend_cupy(monkeypatch)
    backend = CupyBackend()
    random = backend.random(7)
    bits = random.bit_generator.memory
    kept, before = backend.keep_random_state(random), bits.copy()
    assert isinstance(kept, PretendArray)
    monkeypatch.setattr(PretendArray, "get", lambda array: pytest.fail("the state leaves the device"))
    for _ in range(2):
        bits[:] = 1
        backend.restore_random_state(random, kept)
        np.testing.assert_array_equal(bits, before)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("lay", [lambda x: x, lambda x: x.T, lambda x: x[:, ::2]])
@pytest.mark.filterwarnings("ignore:invalid value")
def test_whether_all_is_finite_on_cupy_and_on_numpy(monkeypatch, number, lay):
    pretend_cupy(monkeypatch)
    x = np.full((4, 6), -np.finfo("float32").max, "float32")
    for backend in (Backend(), CupyBackend()):
        assert backend.is_finite(lay(x))
        spoiled = x.copy()
        spoiled[3, 4] = number
        assert not backend.is_finite(lay(spoiled))


def test_a_state_of_another_size_is_refused_and_changes_nothing(monkeypatch):
    pretend_cupy(monkeypatch)
    backend = CupyBackend()
    random = backend.random(7)
    kept = random.bit_generator.memory.copy()
    with monkeypatch.context() as patch:
        patch.setattr(CupyBackend, "streams", 256)
        other = backend.get_random_state(backend.random(7))
    with pytest.raises(ValueError, match=r"16384 bytes of state; expected 1048576"):
        backend.set_random_state(random, other)
    np.testing.assert_array_equal(random.bit_generator.memory, kept)


def test_a_state_that_unpacks_to_more_than_there_is_room_for_is_refused_in_time(monkeypatch):
    pretend_cupy(monkeypatch)
    backend = CupyBackend()
    bomb = base64.b64encode(zlib.compress(bytes(64 << 20))).decode("ascii")
    with pytest.raises(ValueError, match=r"1048577 bytes of state; expected 1048576"):
        backend.set_random_state(backend.random(7), bomb)


def test_describe_names_the_device(monkeypatch):
    pretend_cupy(monkeypatch)
    backend = CupyBackend()
    backend.synchronize()
    assert backend.describe() == {
        "backend": "cupy",
        "version": "14.2.0",
        "blas": "cuBLAS (CUDA 12090)",
        "threads": None,
        "device": "Pretend GPU",
    }


# ------------------------------------------------------ NumPy, and the real CuPy


def test_numpys_backend_describes_blas_and_threads():
    found = Backend().describe()
    assert found["version"] == np.__version__
    assert found["blas"]
    assert found["threads"] is None or found["threads"] >= 1


def test_the_names_that_cupys_backend_uses_are_cupys():
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    assert cupy.random.Philox4x3210.state
    assert cupy.random.Generator.standard_normal
    assert cupy.random.Generator.random
    assert cupy.cuda.UnownedMemory
    assert cupy.cuda.MemoryPointer
    assert cupy.cuda.runtime.CUDARuntimeError
    assert cupy.cuda.runtime.driverGetVersion() >= 0
    assert CupyBackend.streams % 256 == 0
    assert cupy.random.Philox4x3210._type_size(None) == CupyBackend.stream_bytes


def test_free_memory_of_this_machine_is_what_new_arrays_could_have():
    free = Backend().free_memory()
    assert free is None or 1 << 20 < free < 1 << 50


def test_free_memory_where_the_system_does_not_tell(monkeypatch):
    def absent(*args, **kwargs):
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr("builtins.open", absent)
    assert Backend().free_memory() is None


def test_free_memory_of_a_device_is_its_own_and_what_the_pool_keeps(monkeypatch):
    pretend_cupy(monkeypatch)
    cupy = sys.modules["cupy"]
    cupy.cuda.Device = lambda: types.SimpleNamespace(mem_info=(1000, 5000))
    cupy.get_default_memory_pool = lambda: types.SimpleNamespace(free_bytes=lambda: 24)
    assert CupyBackend().free_memory() == 1024
