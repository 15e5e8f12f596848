"""What an emulation of CUDA does not have, for it alone: computed in host memory, which is the device's memory there.

An emulation may run CuPy's own Python and kernels with the C functions of CUDA replaced (docs/gpu.md, "The practice");
it is told by its module ``fakecuda``. It lacks some of CUDA's libraries and of its device functions. They are stood in
for where CuPy calls them, with pointers and leading dimensions, so that CuPy's code around them runs for real:

- cuSOLVER's ``getrf``, ``getrs``, ``potrf`` and ``potrfBatched``, and cuBLAS's ``getrfBatched``, ``getrsBatched``,
  ``getriBatched``, ``trsm`` and ``trsmBatched``, for float32 and float64, by LAPACK and BLAS;
- Thrust's ``sort`` and ``argsort``, by NumPy;
- in texts of kernels ``erfcx``, ``erfinv`` and ``normcdf``, ``__clz``, and shared memory whose size the launch tells.

What a library computes is not captured: while a stream is, it fails with a message that begins as those of the
emulation do, :data:`LACK`.
"""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Callable
from functools import wraps
from types import ModuleType
from typing import Any

import numpy as np
from scipy.linalg import blas, lapack

LACK = "EMULATOR:"
LETTERS = {"s": np.dtype("float32"), "d": np.dtype("float64")}


def emulated() -> bool:
    """Whether CuPy's device, should it have one, is an emulation in host memory."""
    return "fakecuda" in sys.modules


def fill() -> None:
    """Supply what is missing, once for all tests of this process."""
    import cupy
    from cupy.cuda import compiler, thrust
    from cupy_backends.cuda import libs
    from cupy_backends.cuda.libs import cublas

    compiled = compiler._compile_with_cache_cuda  # (not below its cache, whose keys are texts)
    compiler._compile_with_cache_cuda = lambda source, *others: compiled(with_text(source), *others)
    thrust.sort, thrust.argsort = _not_captured(cupy, sort), _not_captured(cupy, argsort)
    solver = ModuleType("cupy_backends.cuda.libs.cusolver")
    solver.create, solver.destroy = lambda: 1, lambda handle: None
    sys.modules[solver.__name__] = libs.cusolver = solver
    available = ModuleType("cupyx.cusolver")
    available.check_availability = lambda name: True
    sys.modules[available.__name__] = available
    for letter, dtype in LETTERS.items():
        for module, functions in ((solver, solver_functions(letter, dtype)), (cublas, blas_functions(letter, dtype))):
            for name, function in functions.items():
                setattr(module, letter + name, _not_captured(cupy, function))


def _not_captured(cupy: Any, function: Callable) -> Callable:
    @wraps(function)
    def call(*arguments: Any) -> Any:
        if cupy.cuda.get_current_stream().is_capturing():
            raise RuntimeError(f"{LACK} {function.__name__} is not captured")
        return function(*arguments)

    return call


# -------------------------------------------------------------------- memory


def memory(address: int, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """What lies at an address, row by row; written to, it changes there."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer((ctypes.c_char * size).from_address(address), dtype).reshape(shape)


def columns(address: int, shape: tuple[int, int], leading: int, dtype: Any) -> np.ndarray:
    """A matrix that lies column by column."""
    return memory(address, (shape[1], leading), dtype)[:, : shape[0]].T


# ---------------------------------------------------- factors and solutions


def solver_functions(letter: str, dtype: np.dtype) -> dict[str, Callable]:
    """cuSOLVER's functions, without the letter of their dtype."""

    def size(*_: Any) -> int:
        return 1

    def getrf(handle: int, m: int, n: int, a: int, lda: int, work: int, pivots: int, info: int) -> None:
        matrix = columns(a, (m, n), lda, dtype)
        matrix[...], places, failed = getattr(lapack, letter + "getrf")(matrix)
        memory(info, (1,), np.int32)[0] = failed
        if pivots:
            memory(pivots, (min(m, n),), np.int32)[...] = places + 1  # theirs count from 1

    def getrs(
        handle: int, trans: int, n: int, count: int, a: int, lda: int, pivots: int, b: int, ldb: int, info: int
    ) -> None:
        right, places = columns(b, (n, count), ldb, dtype), memory(pivots, (n,), np.int32) - 1
        if right.size:
            solve = getattr(lapack, letter + "getrs")
            right[...], failed = solve(columns(a, (n, n), lda, dtype), places, right, trans=trans)
            assert not failed
        memory(info, (1,), np.int32)[0] = 0

    def potrf(handle: int, uplo: int, n: int, a: int, lda: int, work: int, size: int, info: int) -> None:
        matrix = columns(a, (n, n), lda, dtype)
        factor, failed = getattr(lapack, letter + "potrf")(matrix, lower=uplo == 0, clean=False)
        matrix[...], memory(info, (1,), np.int32)[0] = factor, failed

    def potrf_batched(handle: int, uplo: int, n: int, a: int, lda: int, info: int, count: int) -> None:
        for i, one in enumerate(memory(a, (count,), np.uintp)):
            potrf(handle, uplo, n, int(one), lda, 0, 0, info + 4 * i)

    found = {"getrf": getrf, "getrs": getrs, "potrf": potrf, "potrfBatched": potrf_batched}
    return {**found, "getrf_bufferSize": size, "potrf_bufferSize": size}


def blas_functions(letter: str, dtype: np.dtype) -> dict[str, Callable]:
    """cuBLAS's functions, without the letter of their dtype."""
    solver = solver_functions(letter, dtype)

    def getrf(handle: int, n: int, a: int, lda: int, pivots: int, info: int, count: int) -> None:
        for i, one in enumerate(memory(a, (count,), np.uintp)):
            solver["getrf"](handle, n, n, int(one), lda, 0, pivots + 4 * n * i, info + 4 * i)

    def getrs(
        handle: int, trans: int, n: int, columns: int, a: int, lda: int, p: int, b: int, ldb: int, info: int, count: int
    ) -> None:
        pairs = zip(memory(a, (count,), np.uintp), memory(b, (count,), np.uintp), strict=True)
        for i, (one, right) in enumerate(pairs):
            solver["getrs"](handle, trans, n, columns, int(one), lda, p + 4 * n * i, int(right), ldb, info)

    def getri(handle: int, n: int, a: int, lda: int, p: int, c: int, ldc: int, info: int, count: int) -> None:
        places = memory(p, (count, n), np.int32) - 1
        pairs = zip(memory(a, (count,), np.uintp), memory(c, (count,), np.uintp), strict=True)
        for i, (one, made) in enumerate(pairs):
            inverse, failed = getattr(lapack, letter + "getri")(columns(int(one), (n, n), lda, dtype), places[i])
            columns(int(made), (n, n), ldc, dtype)[...], memory(info + 4 * i, (1,), np.int32)[0] = inverse, failed

    def trsm(
        handle: int, side: int, uplo: int, trans: int, diag: int, m: int, n: int, alpha: int, a: int, lda: int, *b: int
    ) -> None:
        right, order = columns(b[0], (m, n), b[1], dtype), n if side else m
        options = {"side": side, "lower": uplo == 0, "trans_a": trans, "diag": diag}
        factor, matrix = memory(alpha, (1,), dtype)[0], columns(a, (order, order), lda, dtype)
        right[...] = getattr(blas, letter + "trsm")(factor, matrix, right, **options)

    def trsm_batched(*arguments: int) -> None:
        *options, a, lda, b, ldb, count = arguments
        for one, right in zip(memory(a, (count,), np.uintp), memory(b, (count,), np.uintp), strict=True):
            trsm(*options, int(one), lda, int(right), ldb)

    single = {"trsm": trsm, "trsmBatched": trsm_batched}
    return {**single, "getrfBatched": getrf, "getrsBatched": getrs, "getriBatched": getri}


# --------------------------------------------------------------------- sorts


def sort(dtype: Any, data: int, keys: int, shape: tuple[int, ...]) -> None:
    """Thrust's: rows of the last axis, in place; NaN last."""
    memory(data, tuple(shape), dtype).sort(axis=-1)


def argsort(dtype: Any, places: int, data: int, keys: int, shape: tuple[int, ...]) -> None:
    """Thrust's: the places that sort the rows, equal elements in their order; the data are sorted, too."""
    rows = memory(data, tuple(shape), dtype)
    found = np.argsort(rows, axis=-1, kind="stable")
    memory(places, tuple(shape), np.intp)[...] = found
    rows[...] = np.take_along_axis(rows, found, axis=-1)


# --------------------------------------------------------------------- texts

# In long double, whose erfc ends at 106 only; exp(x^2) erfc(x) then is exact to a few units of a double.
SPECIAL = """
inline int __clz(int x) { return x ? __builtin_clz(x) : 32; }
inline double normcdf(double x) { return erfc(-x * 0.70710678118654752440) / 2; }
inline float normcdff(float x) { return (float)normcdf((double)x); }
inline double erfcx(double x) {
    if (x < 50) return (double)(expl((long double)x * x) * erfcl(x));
    double y = 1 / (x * x);
    return (1 - y / 2 * (1 - y * 3 / 2 * (1 - y * 5 / 2 * (1 - y * 7 / 2)))) / x * 0.56418958354775628695;
}
inline float erfcxf(float x) { return (float)erfcx(x); }
inline double erfinv(double x) {
    if (!(fabs(x) < 1)) return fabs(x) == 1 ? x * HUGE_VAL : NAN;
    long double a = fabsl(x), l = logl((1 - a) * (1 + a)), b = 2 / (3.14159265358979323846L * 0.147L) + l / 2;
    long double t = sqrtl(sqrtl(b * b - l / 0.147L) - b);  // Winitzki's, to 0.002; then Halley's steps
    for (int i = 0; i < 4; i++) {
        long double wrong = a < 0.5L ? erfl(t) - a : (1 - a) - erfcl(t);
        long double u = wrong / (1.12837916709551257390L * expl(-t * t));
        t -= u / (1 + t * u);
    }
    return copysign((double)t, x);
}
inline float erfinvf(float x) { return (float)erfinv((double)x); }
"""
ASKS_FOR = re.compile(r"\b(__clz|normcdff?|erfcxf?|erfinvf?)\s*\(")
SIZED_AT_LAUNCH = re.compile(r"extern __shared__ (.+?) (\w+)\[\];")
NVRTC = "__CUDACC_RTC__"  # what is kept of the text for NVIDIA's compiler is as CuPy wrote it


def with_text(source: str) -> str:
    """A kernel's text with what its compiler lacks in front."""
    fixed = rf"\n#ifdef {NVRTC}\n\g<0>\n#else\n__shared__ \1 \2[49152 / sizeof(\1)];\n#endif\n"
    source = SIZED_AT_LAUNCH.sub(fixed, source)
    return f"#ifndef {NVRTC}{SPECIAL}#endif\n{source}" if ASKS_FOR.search(source) else source
