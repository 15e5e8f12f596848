"""cuBLAS calls: every layout that it can be told of, against NumPy, in memory as cuBLAS sees it."""

import _ctypes
import ctypes
import itertools
import sys
import types

import numpy as np
import pytest

from minivae import backend
from minivae.compiler.cuda import blas as cuda_blas
from minivae.compiler.cuda.blas import Blas, gemms, layout, suits
from minivae.errors import BackendError

from ..doubles import fake_cuda
from ..doubles.fake_cublas import FakeCublas
from ..doubles.strict_array import StrictArray

RNG = np.random.default_rng(3)
LAYOUTS = {
    "rows": lambda x: x,
    "columns": lambda x: x.swapaxes(-1, -2).copy().swapaxes(-1, -2),
    "part of rows": lambda x: np.concatenate([x, x], -1)[..., : x.shape[-1]],
    "part of columns": lambda x: (
        np.concatenate([x, x], -2).swapaxes(-1, -2).copy().swapaxes(-1, -2)[..., : x.shape[-2], :]
    ),
}
SHAPES = [
    ((3, 4), (4, 2)),
    ((1, 4), (4, 2)),
    ((3, 1), (1, 2)),
    ((3, 4), (4, 1)),
    ((1, 1), (1, 1)),
    ((5, 3, 4), (5, 4, 2)),
    ((5, 3, 4), (4, 2)),
    ((3, 4), (5, 4, 2)),
    ((1, 3, 4), (5, 4, 2)),
    ((2, 5, 3, 4), (2, 5, 4, 2)),
    ((2, 1, 3, 4), (5, 4, 2)),
    ((2, 1, 3, 4), (1, 5, 4, 2)),
]


@pytest.fixture
def device(monkeypatch, tmp_path):
    return fake_cuda.install(monkeypatch, tmp_path)


def multiply(device, a, b, out):
    blas = Blas(backend.get_backend("strict").xp, FakeCublas(device))
    blas.use(device.stream)
    for gemm in gemms(*map(StrictArray, (a, b, out))):
        blas.prepare(gemm)()


@pytest.mark.parametrize(("shape_a", "shape_b"), SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_products_of_every_layout(device, shape_a, shape_b, dtype):
    a, b = (RNG.standard_normal(shape).astype(dtype) for shape in (shape_a, shape_b))
    for lay_a, lay_b, lay_out in itertools.product(LAYOUTS.values(), repeat=3):
        out = lay_out(np.full((a @ b).shape, np.nan, dtype))
        whole = out if out.base is None else out.base
        spare = np.isnan(whole).sum() - out.size
        multiply(device, lay_a(a), lay_b(b), out)
        np.testing.assert_allclose(out, a @ b, rtol=1e-5, atol=1e-6)
        assert np.isnan(whole).sum() == spare  # nothing beside the result is written


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (np.zeros((3, 4)), (False, 4)),
        (np.zeros((4, 3)).T, (True, 3)),
        (np.zeros((3, 8))[:, :4], (False, 8)),
        (np.zeros((1, 4)), (False, 4)),
        (np.zeros((4, 1)), (False, 1)),
        (np.zeros((6, 8))[::2, :1], (False, 16)),
        (np.zeros((3, 8))[:, ::2], None),
        (np.zeros((3, 4))[::-1], None),
        (np.broadcast_to(np.zeros(4), (3, 4)), None),
        (np.broadcast_to(np.zeros((3, 1)), (3, 4)), None),
    ],
)
def test_layouts(x, expected):
    assert layout(x) == expected


def test_what_cublas_is_not_asked_for():
    x = np.zeros((2, 2), "float32")
    assert suits(x, x, x)
    for other in (x.astype("float64"), x.astype("int32"), x[:0]):
        assert not suits(x, other, x)
    assert not suits(*[x.astype("float16")] * 3)


def test_a_refusal_is_an_error(device):
    functions = FakeCublas(device)
    functions.cublasCreate_v2 = lambda handle: 1
    with pytest.raises(BackendError, match="cuBLAS refused cublasCreate_v2 with status 1"):
        Blas(backend.get_backend("strict").xp, functions)


def test_the_functions_are_found_in_the_library_that_cupy_loads():
    """Needs CuPy and cuBLAS, but no GPU."""
    pytest.importorskip("cupy", reason="CuPy is not installed")
    try:
        functions = cuda_blas._load()
    except BackendError as error:
        pytest.skip(str(error))
    for name in ("Create_v2", "SetStream_v2", "SetWorkspace_v2"):
        assert getattr(functions, f"cublas{name}")
    for letter in "SD":
        assert getattr(functions, f"cublas{letter}gemm_v2")
        assert getattr(functions, f"cublas{letter}gemmStridedBatched")


@pytest.fixture
def cupys_module(monkeypatch):
    """CuPy's module of cuBLAS, in a file that is a library without such functions; and NVIDIA's search."""
    package = types.ModuleType("cupy_backends.cuda.libs")
    package.cublas = types.SimpleNamespace(__file__=_ctypes.__file__)
    pathfinder = types.SimpleNamespace(load_nvidia_dynamic_lib=lambda name: types.SimpleNamespace(abs_path=name))
    for name in ("cupy_backends", "cupy_backends.cuda"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "cupy_backends.cuda.libs", package)
    monkeypatch.setitem(sys.modules, "cuda", types.SimpleNamespace(pathfinder=pathfinder))


def test_a_library_without_the_functions_is_an_error(cupys_module):
    with pytest.raises(BackendError, match=r"cuBLAS cannot be loaded .*cublasCreate_v2"):
        cuda_blas._load()


def test_on_windows_the_librarys_own_file_is_loaded(cupys_module, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    loaded = types.SimpleNamespace(cublasCreate_v2=None)
    monkeypatch.setattr(ctypes, "CDLL", {"cublas": loaded}.__getitem__)
    assert cuda_blas._load() is loaded


def test_on_windows_a_search_that_fails_is_an_error(cupys_module, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")

    def fails(name):
        raise RuntimeError(f"no {name}64_12.dll")

    monkeypatch.setattr(sys.modules["cuda"].pathfinder, "load_nvidia_dynamic_lib", fails)
    with pytest.raises(BackendError, match=r"no cublas64_12\.dll"):
        cuda_blas._load()
