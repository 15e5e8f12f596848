"""cuBLAS without a GPU: it reads and writes raw memory, column by column, by its own rules."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np


class FakeCublas:
    """Some of cuBLAS's functions by their C names, with ctypes' arguments."""

    def __init__(self, device: Any) -> None:
        self._device, self._stream, self._has_workspace = device, None, False

    def cublasCreate_v2(self, handle: Any) -> int:
        return 0

    def cublasSetStream_v2(self, handle: Any, stream: ctypes.c_void_p) -> int:
        self._stream, self._has_workspace = stream.value or 0, False
        return 0

    def cublasSetWorkspace_v2(self, handle: Any, memory: ctypes.c_void_p, size: ctypes.c_size_t) -> int:
        self._has_workspace = bool(memory.value) and size.value >= 4 << 20
        return 0

    def cublasSgemm_v2(self, *arguments: Any) -> int:
        return self._gemm(np.float32, *arguments)

    def cublasDgemm_v2(self, *arguments: Any) -> int:
        return self._gemm(np.float64, *arguments)

    def cublasSgemmStridedBatched(self, *arguments: Any) -> int:
        return self._batched(np.float32, *arguments)

    def cublasDgemmStridedBatched(self, *arguments: Any) -> int:
        return self._batched(np.float64, *arguments)

    def cublasSgemmBatched(self, *arguments: Any) -> int:
        return self._at_addresses(np.float32, *arguments)

    def cublasDgemmBatched(self, *arguments: Any) -> int:
        return self._at_addresses(np.float64, *arguments)

    def _at_addresses(self, kind: Any, *arguments: Any) -> int:
        *before, a, lda, b, ldb, beta, c, ldc, count = arguments
        for i in range(count.value):
            one, other, out = (ctypes.c_void_p.from_address(x.value + 8 * i) for x in (a, b, c))
            self._gemm(kind, *before, one, lda, other, ldb, beta, out, ldc)
        return 0

    def _gemm(self, kind: Any, *arguments: Any) -> int:
        *before, a, lda, b, ldb, beta, c, ldc = arguments
        none, one = ctypes.c_longlong(0), ctypes.c_int(1)
        return self._batched(kind, *before, a, lda, none, b, ldb, none, beta, c, ldc, none, one)

    def _batched(self, kind: Any, handle: Any, flip_a: Any, flip_b: Any, *arguments: Any) -> int:
        assert self._stream == self._device.stream.ptr, "cuBLAS was sent to another stream"
        assert self._has_workspace, "setting the stream takes the workspace back"
        m, n, k, alpha, a, lda, stride_a, b, ldb, stride_b, beta, c, ldc, stride_c, count = arguments
        assert (alpha._obj.value, beta._obj.value) == (1, 0)
        m, n, k = m.value, n.value, k.value
        left = _columns_first(kind, (k, m) if flip_a.value else (m, k), a, lda, stride_a, count)
        right = _columns_first(kind, (n, k) if flip_b.value else (k, n), b, ldb, stride_b, count)
        out = _columns_first(kind, (m, n), c, ldc, stride_c, count)

        def action() -> None:
            out[...] = (left.swapaxes(1, 2) if flip_a.value else left) @ (
                right.swapaxes(1, 2) if flip_b.value else right
            )

        self._device.perform(action, out)
        return 0


def _columns_first(kind: Any, shape: tuple[int, int], pointer: Any, leading: Any, stride: Any, count: Any) -> Any:
    """The memory of ``count`` matrices as cuBLAS sees it: element (i, j) lies at i + j leading."""
    (rows, columns), leading, stride, count = shape, leading.value, stride.value, count.value
    assert leading >= rows, f"leading dimension {leading} of a matrix with {rows} rows"
    size, width = np.dtype(kind).itemsize, (count - 1) * stride + (columns - 1) * leading + rows
    memory = (ctypes.c_char * (width * size)).from_address(pointer.value)
    return np.ndarray((count, rows, columns), kind, memory, 0, (stride * size, size, leading * size))
