"""What minivae asks of a backend, and how NumPy does it."""

from __future__ import annotations

import importlib
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np


class Backend:
    """One backend: NumPy, and the base that others derive from.

    Attributes:
        name: what users call it.
        xp: the module of its functions, which have NumPy's names.
        array_type: the class of its arrays.
        cache_block: how many elements of a few arrays stay in the processor's cache
            together; None where work is not worth cutting up.
        cuda: whether ``xp`` has CuPy's kernels from source, streams and graphs.
    """

    DLPACK_CUDA = 2  # DLPack's number of a CUDA device

    name = "numpy"
    xp: Any = np
    array_type: type = np.ndarray
    cache_block: int | None = 1 << 15
    cuda = False

    @property
    def special(self) -> Any:
        """The module with SciPy's special functions for its arrays, imported when first asked for."""
        return importlib.import_module("scipy.special")

    def random(self, seed: int) -> Any:
        """A generator with NumPy's ``Generator`` methods, seeded."""
        return np.random.Generator(np.random.PCG64(seed))

    def get_random_state(self, random: Any) -> Any:
        """The state of such a generator, as JSON can hold it."""
        return random.bit_generator.state

    def set_random_state(self, random: Any, state: Any) -> None:
        """Put a state from :meth:`get_random_state` back."""
        random.bit_generator.state = state
        if random.bit_generator.state != state:  # NumPy cuts 1.5 to 1
            raise ValueError("one of its numbers is out of range")

    def keep_random_state(self, random: Any) -> Any:
        """The state of such a generator where it is, for :meth:`restore_random_state` in this process."""
        return self.get_random_state(random)

    def restore_random_state(self, random: Any, kept: Any) -> None:
        """Put a state from :meth:`keep_random_state` back."""
        self.set_random_state(random, kept)

    def is_finite(self, array: Any) -> bool:
        """Whether no element of an array of floats is NaN or infinite. Waits for the device."""
        return bool(self.xp.isfinite(array).all())

    def to_numpy(self, array: Any) -> np.ndarray:
        """The array in host memory (not copied if it is there already)."""
        return np.asarray(array)

    def from_numpy(self, array: np.ndarray) -> Any:
        """A host array moved to where this backend keeps its arrays."""
        return array

    def address(self, array: Any) -> int:
        """Where the first element of an array lies."""
        return array.__array_interface__["data"][0]

    def bounds(self, array: Any) -> tuple[int, int]:
        """The addresses of the first byte that an array touches and of the one after the last."""
        start = self.address(array)
        if array.flags.c_contiguous or not array.size:
            return start, start + array.nbytes
        steps = [(n - 1) * stride for n, stride in zip(array.shape, array.strides, strict=True)]
        ahead = sum(step for step in steps if step > 0)
        return start + sum(steps) - ahead, start + ahead + array.itemsize

    def linalg_errors(self) -> AbstractContextManager:
        """A ``with`` block in which ``xp.linalg`` raises LinAlgError for a matrix that it cannot factor."""
        return nullcontext()

    def solve_triangular(self, a: Any, b: Any, lower: bool) -> Any:
        """The solution x of a x = b for triangular ``a``: ``(..., n, n)`` and ``(..., n, k)``, with equal batches."""
        import scipy.linalg  # here: it is large

        trtrs: Any = scipy.linalg.get_lapack_funcs("trtrs", (a, b))
        x = np.empty(b.shape, trtrs.dtype)
        for i in np.ndindex(b.shape[:-2] if x.size else (0,)):
            x[i], failed = trtrs(a[i], b[i], lower=lower)
            if failed:
                raise np.linalg.LinAlgError(f"0 on the diagonal at {failed - 1}")
        return x

    def copy(self, array: Any) -> Any:
        """A copy that lies in memory as the array does, gaps and repeated elements as well.

        How sums round depends on that.
        """
        if array.flags.forc or not array.size or self.xp is not np:
            return self.xp.array(array)
        start, stop = self.bounds(array)
        memory = np.empty(stop - start, np.uint8)
        made = np.ndarray(array.shape, array.dtype, memory, self.address(array) - start, array.strides)
        made[...] = array
        return made

    def free_memory(self) -> int | None:
        """Bytes that new arrays could have; None where the system does not tell."""
        try:
            with open("/proc/meminfo", encoding="ascii") as file:
                available = next(line for line in file if line.startswith("MemAvailable"))
        except (OSError, StopIteration):
            return None
        return int(available.split()[1]) << 10

    def synchronize(self) -> None:
        """Wait until all work given to the device is done (a no-op on the CPU)."""

    def describe(self) -> dict[str, Any]:
        """Backend, version, BLAS with its threads, and device."""
        blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return {
            "backend": "numpy",
            "version": np.__version__,
            "blas": f"{blas.get('name')} {blas.get('version')}",
            "threads": _blas_threads(),
            "device": "cpu",
        }


def _blas_threads() -> int | None:
    """How many threads NumPy's own OpenBLAS uses; None where it cannot be asked."""
    import ctypes
    from pathlib import Path

    folder = Path(np.__file__).parent.with_name("numpy.libs")
    for path in folder.glob("libscipy_openblas*"):
        count = getattr(ctypes.CDLL(str(path)), "scipy_openblas_get_num_threads64_", None)
        if count is not None:
            return int(count())
    return None
