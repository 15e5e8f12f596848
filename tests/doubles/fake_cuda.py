"""The CUDA side of CuPy over the strict device, without a GPU.

What CuPy's replay asks of CuPy beyond arrays, made so that mistakes show:

- ``RawKernel`` and ``ReductionKernel`` compile the very C text that CUDA would get, with the C
  compiler of this machine, and run it in the arrays' own memory, the former thread by thread;
- while a stream is captured nothing is computed until the graph is launched, and a wait for
  the device is an error;
- cuBLAS (:mod:`tests.doubles.fake_cublas`) wants its stream and its workspace set.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from minivae.compiler.cuda import blas as cuda_blas
from minivae.compiler.cuda.source import TYPES

from . import strict_array, strict_device
from .fake_cublas import FakeCublas
from .fake_nvrtc import Compiler, Kernel
from .strict_array import StrictArray
from .strict_counter import counter
from .strict_device import Functions, StrictRandom, Ufunc, strict

PRODUCTS = (np.matmul, np.dot, np.tensordot, np.einsum)  # what CuPy gives to cuBLAS through its own handle


class Device:
    """What is being captured, if anything, the current stream, and the allocator of pinned memory."""

    def __init__(self) -> None:
        self.capturing: list[Callable[[], Any]] | None = None
        self.stream: Any = None
        self.pinned: Callable[[int], Any] = lambda size: None

    def perform(self, action: Callable[[], Any], *written: np.ndarray) -> Any:
        """Do it now; or, while capturing, undo it and do it at each launch."""
        if self.capturing is None:
            return action()
        before = [array.copy() for array in written]
        result = action()  # for its shape
        for array, old in zip(written, before, strict=True):
            array[...] = old
        self.capturing.append(action)
        return result


class Graph:
    def __init__(self, actions: list[Callable[[], Any]]) -> None:
        self._actions = actions

    def launch(self) -> None:
        for action in self._actions:
            action()


class Stream:
    """``cupy.cuda.Stream``: a context in which it is the current one."""

    def __init__(self, device: Device, non_blocking: bool = False, null: bool = False) -> None:
        self._device, self.ptr, self._before = device, 0 if null else id(self), None

    def __enter__(self) -> Stream:
        self._before, self._device.stream = self._device.stream, self
        return self

    def __exit__(self, *_: Any) -> None:
        self._device.stream = self._before

    def begin_capture(self) -> None:
        assert self.ptr, "cannot capture on the default (legacy) stream"
        self._device.capturing = []

    def end_capture(self) -> Graph:
        actions, self._device.capturing = self._device.capturing, None
        if actions is None:
            raise RuntimeError("cudaErrorIllegalState")
        return Graph(actions)


class FakeCupy(Functions):
    """CuPy's functions on the strict device, with kernels, streams, graphs and pools."""

    def __init__(self, device: Device, compiler: Compiler) -> None:
        super().__init__(np)
        self._device, self._compiler, self.cuda = device, compiler, Cuda(device)

    def get_default_pinned_memory_pool(self) -> Any:
        return Cuda.MemoryPool()

    def RawKernel(self, code: str, name: str, options: tuple[str, ...]) -> Kernel:
        return Kernel(self._device, self._compiler, code, name, options)

    def ReductionKernel(self, inputs: str, outputs: str, value: str, **options: Any) -> Callable:
        assert len(inputs.split(", ")) > 1, "CuPy would give it to CUB"
        assert (options["reduce_expr"], options["post_map_expr"], options["identity"]) == ("a + b", "y0 = a", "0")
        (kind,) = _dtypes(outputs)
        assert TYPES[kind] == options["reduce_type"]
        run = self._compiler.loop(inputs, outputs, f"y0 = {value}", options["preamble"])

        def kernel(*arrays: StrictArray, axis: tuple[int, ...], keepdims: bool) -> None:
            *hosts, out = (array._host for array in arrays)
            terms = np.empty(np.broadcast_shapes(*(host.shape for host in hosts)), kind)

            def action() -> None:
                out[...] = np.nan  # written before all terms are read, as on a device
                _run(run, hosts, [terms], terms.shape)
                np.sum(terms, axis=axis, keepdims=keepdims, out=out)

            self._device.perform(action, out)

        return kernel


class Cuda:
    """``cupy.cuda``."""

    def __init__(self, device: Device) -> None:
        self._device = device
        device.stream = Stream(device, null=True)

    def Stream(self, non_blocking: bool) -> Stream:
        return Stream(self._device, non_blocking)

    def get_current_stream(self) -> Stream:
        return self._device.stream

    def set_pinned_memory_allocator(self, allocate: Callable[[int], Any]) -> None:
        self._device.pinned = allocate

    class MemoryPool:
        malloc = staticmethod(lambda size: None)

    @staticmethod
    @contextmanager
    def using_allocator(malloc: Callable) -> Iterator[None]:
        yield

    class Device:
        id = 0


def _dtypes(declarations: str) -> list[str]:
    return [declaration.split()[0] for declaration in declarations.split(", ")]


def _run(run: Callable, inputs: list[np.ndarray], outputs: list[np.ndarray], shape: tuple[int, ...]) -> None:
    """Run a compiled loop; contiguous arrays in their own memory, so that what is computed in place is."""
    whole = [np.ascontiguousarray(np.broadcast_to(x, shape)) for x in inputs]
    places = [x if x.flags.c_contiguous else np.empty(shape, x.dtype) for x in outputs]
    pointers = [ctypes.c_void_p(x.ctypes.data) for x in (*whole, *places)]
    run(ctypes.c_long(int(np.prod(shape))), *pointers)
    for place, x in zip(places, outputs, strict=True):
        if place is not x:
            x[...] = place


class Pointer:
    def __init__(self, array: StrictArray) -> None:
        self.ptr = array._host.ctypes.data


def install(monkeypatch: Any, folder: Path) -> Device:
    """Give the strict device a CUDA side, for one test."""
    device = Device()
    xp = FakeCupy(device, Compiler(folder))
    monkeypatch.setattr(type(strict), "cuda", True)
    monkeypatch.setattr(type(strict), "cache_block", None)
    monkeypatch.setattr(type(strict), "xp", xp)
    monkeypatch.setattr(StrictArray, "data", property(Pointer), raising=False)
    blas = cuda_blas.Blas(xp, FakeCublas(device))
    monkeypatch.setattr(cuda_blas, "blas_of", lambda *_: blas)
    _defer_methods(monkeypatch, device)
    return device


def _defer_methods(monkeypatch: Any, device: Device) -> None:
    """Nothing that the strict device does otherwise is done while capturing, and waiting is an error."""
    assign, taken, at, note = StrictArray.__setitem__, StrictArray.__getitem__, Ufunc.at, counter.note

    def deferred_assign(self: StrictArray, index: Any, value: Any) -> None:
        device.perform(lambda: assign(self, index, value), self._host)

    def deferred_taken(self: StrictArray, index: Any) -> StrictArray:
        found = taken(self, index)
        if device.capturing is not None and not np.may_share_memory(found._host, self._host):  # no view
            device.capturing.append(lambda: np.copyto(found._host, taken(self, index)._host))
        return found

    def deferred_at(self: Ufunc, array: StrictArray, index: Any, value: Any) -> None:
        device.perform(lambda: at(self, array, index, value), array._host)

    def strict_note(what: str) -> None:
        if what == "synchronization" and device.capturing is not None:
            raise RuntimeError("the device is waited for while a stream is capturing")
        if what == "to_device":
            device.pinned(1)
        note(what)

    monkeypatch.setattr(StrictArray, "__setitem__", deferred_assign)
    monkeypatch.setattr(StrictArray, "__getitem__", deferred_taken)
    monkeypatch.setattr(Ufunc, "at", deferred_at)
    monkeypatch.setattr(counter, "note", strict_note)
    for module in (strict_array, strict_device):
        monkeypatch.setattr(module, "call", _deferred_call(module.call, device))
    for name in ("standard_normal", "random"):
        monkeypatch.setattr(StrictRandom, name, _deferred_draw(getattr(StrictRandom, name), device))


def _deferred_call(call: Callable, device: Device) -> Callable:
    """NumPy's functions, methods and operators on the strict device, put off while a stream is captured."""

    def deferred(function: Callable, args: tuple, kwargs: dict, take: Callable = strict_array.argument) -> Any:
        if device.capturing is None:
            return call(function, args, kwargs, take)
        if function in PRODUCTS and all(x.size for x in args):
            raise NotImplementedError("calling cuBLAS API during stream capture is currently unsupported")
        out = _out(function, args, kwargs)
        if out is not None:
            return device.perform(lambda: call(function, args, kwargs, take), out._host)
        made = call(function, args, kwargs, take)
        if isinstance(made, StrictArray) and not any(_shares(made, x) for x in args):
            again = lambda: np.copyto(made._host, call(function, args, kwargs, take)._host)  # noqa: E731
            made._host[...] = 0
            device.capturing.append(again)
        return made

    return deferred


def _shares(made: StrictArray, x: Any) -> bool:
    return isinstance(x, StrictArray) and np.shares_memory(made._host, x._host)


def _out(function: Callable, args: tuple, kwargs: dict) -> Any:
    """The array that a function writes to, if it is given one."""
    if function is np.copyto:
        return args[0]
    if isinstance(function, np.ufunc) and len(args) > function.nin:
        return args[function.nin]
    return kwargs.get("out")


def _deferred_draw(draw: Callable, device: Device) -> Callable:
    def deferred(self: Any, size: tuple, dtype: Any, out: Any = None) -> Any:
        if device.capturing is None:
            return draw(self, size, dtype, out)
        assert out is not None, "what is drawn in a graph has a place"
        device.capturing.append(lambda: draw(self, size, dtype, out))
        return out

    return deferred
