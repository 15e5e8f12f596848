"""What the CUDA side of the strict device offers, CuPy offers too. (CuPy imports without a GPU.)"""

from __future__ import annotations

import inspect

import pytest

from . import fake_cuda


def parameters(function):
    return [name for name in inspect.signature(function).parameters if name != "self"]


def test_it_offers_what_cupy_offers():
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    public = [name for name in vars(fake_cuda.Cuda) if not name.startswith("_")]
    assert {"Stream", "MemoryPool", "using_allocator", "get_current_stream", "Device"} <= {*public}
    for name in public:
        assert hasattr(cupy.cuda, name)
    assert hasattr(cupy.get_default_pinned_memory_pool(), "malloc")
    for name in ("begin_capture", "end_capture", "__enter__", "__exit__"):
        assert hasattr(fake_cuda.Stream, name)
        assert hasattr(cupy.cuda.Stream, name)
    assert "non_blocking" in parameters(cupy.cuda.Stream.__init__)
    assert hasattr(cupy.cuda.Graph, "launch")
    assert hasattr(cupy.cuda.MemoryPool, "malloc")


def test_kernels_take_what_cupys_take():
    """CuPy looks at declarations and names when a kernel is made, before it needs a GPU."""
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    assert callable(cupy.RawKernel('extern "C" __global__ void minivae_add() {}', "minivae_add", ("--fmad=false",)))
    cupy.ReductionKernel(
        "float32 x0",
        "float32 y0",
        "x0",
        reduce_expr="a + b",
        post_map_expr="y0 = a",
        identity="0",
        name="minivae_sum",
        reduce_type="float",
        preamble="",
    )


def test_while_capturing_nothing_is_done(monkeypatch, tmp_path):
    device = fake_cuda.install(monkeypatch, tmp_path)
    xp = fake_cuda.strict.xp
    x, y = xp.ones(3), xp.zeros(3)
    with xp.cuda.Stream(non_blocking=True) as stream:
        stream.begin_capture()
        xp.add(x, 1, out=y)
        xp.copyto(x, y)
        x[1:] = 5
        z = y * 2
        with pytest.raises(RuntimeError, match="capturing"):
            float(x[0])
        with pytest.raises(NotImplementedError, match="cuBLAS"):
            y @ y
        graph = stream.end_capture()
    assert device.capturing is None
    assert [a.get().tolist() for a in (x, y, z)] == [[1, 1, 1], [0, 0, 0], [0, 0, 0]]
    graph.launch()
    assert [a.get().tolist() for a in (x, y, z)] == [[2, 5, 5], [2, 2, 2], [4, 4, 4]]
    with pytest.raises(AssertionError, match="legacy"):
        xp.cuda.get_current_stream().begin_capture()
