"""Matrix products through a cuBLAS handle of our own, so that they can be captured in a CUDA graph.

CuPy's own products refuse to run while a stream is captured (as of 14.2). cuBLAS itself
does not, if its workspace was set beforehand. It counts columns first: memory that holds a
matrix row by row is, to cuBLAS, the transposed matrix column by column. So C = A B is asked
for as C' = B' A', and no data move.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import product
from threading import get_ident
from typing import Any, NamedTuple

import numpy as np

from ...errors import BackendError

_WORKSPACE = 32 << 20  # bytes: what NVIDIA recommends for Hopper; 4 MiB would do before it
_INT, _LONG, _POINTER = ctypes.c_int, ctypes.c_longlong, ctypes.c_void_p


class Gemm(NamedTuple):
    """One call of cuBLAS: ``batch`` products of m x k with k x n matrices, in its order of operands.

    Attributes:
        transposed: for each of the two operands, whether cuBLAS is to transpose it.
        size: (m, n, k) as cuBLAS counts them.
        arrays: the two operands and the result.
        leading: the leading dimension of each of the three.
        strides: from one product to the next, of each of the three, in elements.
        batch: how many products.
    """

    transposed: tuple[bool, bool]
    size: tuple[int, int, int]
    arrays: tuple[Any, Any, Any]
    leading: tuple[int, int, int]
    strides: tuple[int, int, int]
    batch: int


def suits(a: Any, b: Any, out: Any) -> bool:
    """Whether cuBLAS multiplies arrays of these dtypes, and has something to do."""
    known = out.dtype.name in ("float32", "float64") and a.dtype == b.dtype == out.dtype
    return known and all(x.size for x in (a, b, out))


def gemms(a: Any, b: Any, out: Any) -> list[Gemm]:
    """The calls of cuBLAS that write ``a @ b`` to ``out``, each array having a :func:`layout`.

    Args:
        a: ``(..., M, K)``.
        b: ``(..., K, N)``; leading axes are broadcast to those of ``out``.
        out: ``(..., M, N)``.
    """
    if _layout(out)[0]:  # columns first: the transposed product
        a, b, out = b.swapaxes(-1, -2), a.swapaxes(-1, -2), out.swapaxes(-1, -2)
    (flip_b, lead_b), (flip_a, lead_a), (_, lead_out) = map(_layout, (b, a, out))
    (m, k), n = a.shape[-2:], b.shape[-1]
    return [
        Gemm((flip_b, flip_a), (n, m, k), matrices, (lead_b, lead_a, lead_out), strides, count)
        for matrices, strides, count in _batches(b, a, out)
    ]


def are_one_call(first: Gemm, second: Gemm) -> bool:
    """Whether two products are of one size, in one layout, and to two places: cuBLAS computes both in one call."""
    if first.batch != 1 or second.batch != 1 or first[:2] != second[:2] or first.leading != second.leading:
        return False
    if any(x.dtype != y.dtype for x, y in zip(first.arrays, second.arrays, strict=True)):
        return False
    one, other = first.arrays[2], second.arrays[2]
    return abs(one.data.ptr - other.data.ptr) >= one.itemsize * first.leading[2] * first.size[1]


def _layout(x: Any) -> tuple[bool, int]:
    found = layout(x)
    assert found is not None, "rows or columns are contiguous"
    return found


def layout(x: Any) -> tuple[bool, int] | None:
    """How the last two axes lie: (columns first?, elements from one row, or column, to the next).

    None where neither rows nor columns are contiguous.
    """
    rows, columns = x.shape[-2:]
    down, right = (stride // x.itemsize for stride in x.strides[-2:])
    if (right == 1 or columns == 1) and (down >= columns or rows == 1):
        return False, down if rows > 1 else columns
    if (down == 1 or rows == 1) and (right >= rows or columns == 1):
        return True, right if columns > 1 else rows
    return None


def _batches(*arrays: Any) -> Iterator[tuple[tuple, tuple, int]]:
    """The arrays cut along their leading axes but the last of these, along which cuBLAS strides itself."""
    out = arrays[-1]
    *outer, count = out.shape[:-2] or (1,)
    for index in product(*map(range, outer)):
        cuts = [_cut(x, index) for x in arrays]
        yield tuple(cuts), tuple(_stride(x) for x in cuts), count


def _cut(x: Any, index: tuple[int, ...]) -> Any:
    """The part of ``x`` at an index into the outer leading axes of the result, as they broadcast."""
    own = x.ndim - 3  # how many of them x has
    if own <= 0:
        return x
    return x[tuple(0 if n == 1 else i for i, n in zip(index[-own:], x.shape, strict=False))]


def _stride(x: Any) -> int:
    return x.strides[0] // x.itemsize if x.ndim == 3 and x.shape[0] > 1 else 0


class Blas:
    """A cuBLAS handle with a workspace of its own, for one device and one thread.

    Args:
        xp: CuPy.
        functions: cuBLAS's functions by their C names; those of the library that CuPy loads by default.

    Raises:
        BackendError: cuBLAS is missing or refuses.
    """

    def __init__(self, xp: Any, functions: Any = None) -> None:
        self._xp, self._functions = xp, _load() if functions is None else functions
        self._handle, self._workspace = _POINTER(), xp.empty(_WORKSPACE, np.uint8)
        self._call("cublasCreate_v2", ctypes.byref(self._handle))
        self._one = {"float32": ctypes.c_float(1), "float64": ctypes.c_double(1)}
        self._zero = {"float32": ctypes.c_float(0), "float64": ctypes.c_double(0)}

    def use(self, stream: Any) -> None:
        """Send what follows to a stream. Before capture: cuBLAS then needs no memory of its own."""
        self._call("cublasSetStream_v2", self._handle, _POINTER(stream.ptr))
        # Setting the stream took the workspace back.
        size = ctypes.c_size_t(self._workspace.nbytes)
        self._call("cublasSetWorkspace_v2", self._handle, _POINTER(self._workspace.data.ptr), size)

    def prepare(self, *gemms: Gemm) -> Callable[[], None]:
        """The call of one product, or of two that :func:`are_one_call`, ready to be made; it holds on to its arrays."""
        gemm, kind = gemms[0], gemms[0].arrays[2].dtype.name
        one, zero = (ctypes.byref(number[kind]) for number in (self._one, self._zero))
        way, (left, right, out), count, tables = self._places(gemms)
        name = f"cublas{'S' if kind == 'float32' else 'D'}gemm{way}"
        numbers = [*map(_INT, gemm.transposed), *map(_INT, gemm.size)]
        arguments = [self._handle, *numbers, one, *left, *right, zero, *out, *count]

        def run(held: Any = (gemms, tables)) -> None:
            self._call(name, *arguments)

        return run

    def _places(self, gemms: Sequence[Gemm]) -> tuple[str, list[tuple], list[ctypes.c_int], list[Any]]:
        """How cuBLAS is told where the arrays lie: in a function of that ending, for each, and how many; on tables."""
        gemm = gemms[0]
        if len(gemms) > 1:  # wherever they lie: their addresses lie on the device, too
            arrays = zip(*(each.arrays for each in gemms), strict=True)
            tables = [self._xp.array([x.data.ptr for x in each], dtype=np.uint64) for each in arrays]
            places = zip(tables, gemm.leading, strict=True)
            return "Batched", [(_POINTER(x.data.ptr), _INT(n)) for x, n in places], [_INT(len(gemms))], tables
        if gemm.batch > 1:
            strided = zip(gemm.arrays, gemm.leading, gemm.strides, strict=True)
            places = [(_POINTER(x.data.ptr), _INT(n), _LONG(stride)) for x, n, stride in strided]
            return "StridedBatched", places, [_INT(gemm.batch)], []
        return "_v2", [(_POINTER(x.data.ptr), _INT(n)) for x, n in zip(gemm.arrays, gemm.leading, strict=True)], [], []

    def _call(self, name: str, *arguments: Any) -> None:
        status = getattr(self._functions, name)(*arguments)
        if status:
            raise BackendError(f"cuBLAS refused {name} with status {status}")


def _load() -> Any:
    """cuBLAS's functions, from the library that CuPy itself loads.

    Raises:
        BackendError: it is not found, or is none.
    """
    try:
        # In these words, CuPy finds and loads the library first; importing the module alone does not.
        from cupy_backends.cuda.libs import cublas  # type: ignore[import-not-found]

        functions = ctypes.CDLL(_library_of(cublas))
        functions.cublasCreate_v2  # noqa: B018 (raises where there is no such function)
        return functions
    except (ImportError, OSError, AttributeError, RuntimeError) as error:
        raise BackendError(f"cuBLAS cannot be loaded ({' '.join(str(error).split())})") from error


def _library_of(module: Any) -> str:
    """A file in which cuBLAS's functions are found.

    On Linux CuPy's module does, which is linked to the library: what is looked up in it is found there. Windows
    looks into the file named, and no further, so the library's own is asked of NVIDIA's search, as CuPy does.
    """
    if sys.platform != "win32":
        return module.__file__
    from cuda import pathfinder  # type: ignore[import-not-found]

    return pathfinder.load_nvidia_dynamic_lib("cublas").abs_path


@lru_cache
def blas_of(xp: Any, device: int, thread: int) -> Blas:  # pragma: no cover - needs a GPU
    """The handle of a device and a thread; cuBLAS's handles are not for two threads at once."""
    return Blas(xp)


def current_blas(xp: Any) -> Blas:
    """The handle of the current device and thread."""
    return blas_of(xp, xp.cuda.Device().id, get_ident())
