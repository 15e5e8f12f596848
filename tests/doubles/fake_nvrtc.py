"""NVRTC without a GPU: CUDA C by the C compiler of this machine, and CuPy's kernels from their text."""

from __future__ import annotations

import ctypes
import hashlib
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from minivae.compiler.cuda.source import TYPES

from .strict_array import StrictArray

PRELUDE = """
#include <math.h>
#include <stdbool.h>
#include <string.h>
#define __device__ static
#define __global__ static
__attribute__((unused)) static struct { unsigned x, y; } blockIdx, threadIdx, blockDim, gridDim;
static float __int_as_float(int bits) { float x; memcpy(&x, &bits, 4); return x; }
static double __longlong_as_double(long long bits) { double x; memcpy(&x, &bits, 8); return x; }
"""


class Compiler:
    """Compiles C functions, each once, into a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def loop(self, inputs: str, outputs: str, body: str, preamble: str) -> Callable:
        """A function of a length and pointers that runs ``body`` for each element."""
        parameters = [declaration.split() for declaration in f"{inputs}, {outputs}".split(", ")]
        pointers = ", ".join(f"{TYPES[dtype]} *_{name}" for dtype, name in parameters)
        names = "\n".join(f"#define {name} _{name}[_i]" for _, name in parameters)
        loop = f"void run(long _n, {pointers}) {{\nfor (long _i = 0; _i < _n; _i++) {{\n{body};\n}}\n}}"
        return self._run(f"{preamble}\n{names}\n{loop}\n")

    def grid(self, text: str, name: str) -> Callable:
        """A function of a grid, of its blocks and of a CUDA function's arguments, which runs that for each thread."""
        declared = parameters(text, name)
        names = ", ".join(one.split()[-1] for one in declared)
        call = f"{name}({names})"
        for place in ("threadIdx.x", "threadIdx.y", "blockIdx.x", "blockIdx.y"):
            end = place.replace("threadIdx", "blockDim").replace("blockIdx", "gridDim")
            call = f"for ({place} = 0; {place} < {end}; {place}++) {call}"
        sizes = "gridDim.x = gx; gridDim.y = gy; blockDim.x = bx; blockDim.y = by;"
        given = ", ".join(["unsigned gx", "unsigned gy", "unsigned bx", "unsigned by", *declared])
        run = f"void run({given}) {{\n{sizes}\n{call};\n}}\n"
        return self._run(text.replace('extern "C" ', "") + run)

    def _run(self, text: str) -> Callable:
        source = f"{PRELUDE}\n{text}"
        backend = self._folder / f"{hashlib.sha256(source.encode()).hexdigest()[:20]}.so"
        if not backend.exists():
            # Rounding after each operation, as NumPy does it.
            options = [
                "-std=c11",
                "-O1",
                "-ffp-contract=off",
                "-shared",
                "-fPIC",
                "-Werror=double-promotion",
                "-Werror=unused-variable",
            ]
            command = ["cc", *options, "-x", "c", "-", "-o", str(backend), "-lm"]
            done = subprocess.run(command, input=source, text=True, capture_output=True)
            assert done.returncode == 0, f"{done.stderr}\n{source}"
        return ctypes.CDLL(str(backend)).run


def parameters(text: str, name: str) -> list[str]:
    """The declarations of a CUDA function's parameters."""
    found = re.search(rf'extern "C" __global__ void {name}\((.*)\) {{', text)
    assert found, text
    return found[1].split(", ")


class Kernel:
    """``cupy.RawKernel``: compiled when it is first called."""

    def __init__(self, device: Any, compiler: Compiler, code: str, name: str, options: tuple[str, ...]) -> None:
        assert options == ("--fmad=false",)
        self._device, self._compiler, self._code, self._name = device, compiler, code, name
        self._run: Any = None

    def __call__(self, grid: tuple[int, int], block: tuple[int, int], arguments: tuple[Any, ...]) -> None:
        assert 0 < block[0] * block[1] <= 1024
        assert 0 < grid[0] < 1 << 31
        assert 0 < grid[1] <= 65535
        if self._run is None:
            self._run = self._compiler.grid(self._code, self._name)
        hosts = [x._host for x in arguments if isinstance(x, StrictArray)]
        numbers = arguments[len(hosts) :]
        assert all(isinstance(number, np.int64) for number in numbers)
        given = [ctypes.c_void_p(host.ctypes.data) for host in hosts] + [ctypes.c_longlong(int(n)) for n in numbers]
        action = lambda: self._run(*map(ctypes.c_uint, (*grid, *block)), *given)  # noqa: E731
        declared = parameters(self._code, self._name)
        self._device.perform(action, *(x for x, one in zip(hosts, declared, strict=False) if "const" not in one))
