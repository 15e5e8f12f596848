"""CuPy on an NVIDIA GPU, as far as it differs from NumPy. Imported only when it is asked for."""

from __future__ import annotations

import base64
import importlib
import zlib
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from ..errors import BackendError
from ..optional import import_optional
from .numpy import Backend


class CupyBackend(Backend):
    """CuPy on the current CUDA device.

    Raises:
        BackendError: CuPy is not installed, or finds no CUDA driver, no device, no NVRTC or no cuBLAS.
    """

    name = "cupy"
    cache_block = None
    cuda = True
    streams = 16384  # Philox streams that draw side by side; CuPy wants a multiple of 256
    stream_bytes = 64  # of the state of one: cuRAND's curandStatePhilox4_32_10_t

    def __init__(self) -> None:
        self.xp = _import_usable_cupy()
        self.array_type = self.xp.ndarray

    @property
    def special(self) -> Any:
        return importlib.import_module("cupyx.scipy.special")

    def random(self, seed: int) -> Any:
        # Generator (not RandomState): its state lives on the device, so that drawing
        # can be captured in a CUDA graph.
        return self.xp.random.Generator(self.xp.random.Philox4x3210(seed, size=self.streams))

    def get_random_state(self, random: Any) -> Any:
        state = self._state_memory(random).get().tobytes()
        return base64.b64encode(zlib.compress(state)).decode("ascii")

    def set_random_state(self, random: Any, state: Any) -> None:
        memory = self._state_memory(random)
        data = zlib.decompressobj().decompress(base64.b64decode(state, validate=True), memory.size + 1)
        if len(data) != memory.size:
            raise ValueError(f"{len(data)} bytes of state; expected {memory.size}")
        memory[...] = self.xp.asarray(np.frombuffer(data, np.uint8))

    def keep_random_state(self, random: Any) -> Any:
        return self._state_memory(random).copy()  # a mebibyte, which never leaves the device

    def restore_random_state(self, random: Any, kept: Any) -> None:
        self._state_memory(random)[...] = kept

    def is_finite(self, array: Any) -> bool:
        # CuPy would compile all() by CUB, 4 s for each kind of array; a product and a sum are there anyway.
        # 0 times NaN or an infinity is NaN, and so is a sum that it is in.
        rows = array.T if array.flags.f_contiguous else array
        return float((rows.reshape(-1) * 0.0).sum()) == 0

    def _state_memory(self, random: Any) -> Any:
        """The device memory that holds the generator's state, as bytes; not a copy.

        CuPy's bit generators cannot be pickled, but ``state()`` tells where the state lies.
        """
        bits, size = random.bit_generator, self.streams * self.stream_bytes
        memory = self.xp.cuda.UnownedMemory(bits.state(), size, bits)
        return self.xp.ndarray((size,), np.uint8, memptr=self.xp.cuda.MemoryPointer(memory, 0))

    def address(self, array: Any) -> int:  # pragma: no cover (needs a GPU)
        return array.data.ptr

    def to_numpy(self, array: Any) -> np.ndarray:  # pragma: no cover (needs a GPU)
        return self.xp.asnumpy(array, order="A")  # what lies by columns need not be copied there first

    def from_numpy(self, array: np.ndarray) -> Any:  # pragma: no cover (needs a GPU)
        return self.xp.asarray(array)

    def linalg_errors(self) -> AbstractContextManager:  # pragma: no cover (needs a GPU)
        return importlib.import_module("cupyx").errstate(linalg="raise")

    def solve_triangular(self, a: Any, b: Any, lower: bool) -> Any:  # pragma: no cover (needs a GPU)
        if not b.size:
            return self.xp.empty(b.shape, dtype=self.xp.result_type(a, b))
        return importlib.import_module("cupyx.scipy.linalg").solve_triangular(a, b, lower=lower)

    def free_memory(self) -> int:
        cuda = self.xp.cuda
        return cuda.Device().mem_info[0] + self.xp.get_default_memory_pool().free_bytes()

    def synchronize(self) -> None:
        self.xp.cuda.Device().synchronize()  # all streams

    def describe(self) -> dict[str, Any]:
        runtime = self.xp.cuda.runtime
        device = self.xp.cuda.Device()
        properties = runtime.getDeviceProperties(device.id)
        return {
            "backend": "cupy",
            "version": self.xp.__version__,
            "blas": f"cuBLAS (CUDA {runtime.runtimeGetVersion()})",
            "threads": None,
            "device": properties["name"].decode(),
        }


_INSTALL = "pip install 'minivae[cuda12x]'  or  'minivae[cuda13x]'"


def _import_usable_cupy() -> Any:
    try:
        cupy = import_optional("cupy", "cuda", "ndarray")
    except ImportError as error:
        raise BackendError(
            f"backend 'cupy' needs CuPy, which cannot be imported ({_one_line(error)}); install it with  {_INSTALL}"
        ) from error
    _require_device(cupy.cuda.runtime)
    _require_toolkit()
    return cupy


def _require_device(runtime: Any) -> None:
    try:
        driver = runtime.driverGetVersion()
    except runtime.CUDARuntimeError:
        driver = 0
    if driver == 0:
        raise BackendError("backend 'cupy' needs an NVIDIA driver, and none is loaded; install the driver first")
    try:
        count = runtime.getDeviceCount()
    except runtime.CUDARuntimeError as error:
        raise BackendError(f"backend 'cupy' finds no usable CUDA device ({error})") from error
    if count == 0:
        raise BackendError("backend 'cupy' finds no CUDA device; check CUDA_VISIBLE_DEVICES and nvidia-smi")


def _require_toolkit() -> None:
    """The driver brings neither NVRTC, which compiles kernels, nor cuBLAS; CuPy itself would say so in the first step.

    Both are loaded here as CuPy loads them: NVRTC when it is called, cuBLAS before its module.
    """
    for what, module, call in (("NVRTC", "nvrtc", "getVersion"), ("cuBLAS", "cublas", "")):
        try:
            found = getattr(importlib.import_module("cupy_backends.cuda.libs"), module)
            if call:
                getattr(found, call)()
        except (ImportError, AttributeError, OSError, RuntimeError) as error:
            raise BackendError(
                f"backend 'cupy' finds no {what}, a part of the CUDA toolkit ({_one_line(error)}); "
                f"install it with  {_INSTALL}"
            ) from error


def _one_line(error: Exception, most: int = 200) -> str:
    """What an error says, in one line; CuPy explains itself over many."""
    text = " ".join(str(error).split())
    return text if len(text) <= most else f"{text[:most]}..."
