"""On what was measured, and when."""

from __future__ import annotations

import os
import platform
import resource
import time
from pathlib import Path
from typing import Any

# What changes how many threads the contenders use, or for how long idle ones spin.
VARIABLES = (
    *("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "XLA_FLAGS"),
    *("OPENBLAS_NUM_THREADS", "OPENBLAS_THREAD_TIMEOUT"),
)


def describe() -> dict[str, Any]:
    """Date, processor, its cores, load before the measurement, system, Python, and thread settings."""
    return {
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
    }


def _cpu() -> str:
    """The processor's name, and the widest vectors that it has."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    facts = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    flags = facts.get("flags", "").split()
    vectors = next((name for flag, name in (("avx512f", "AVX-512"), ("avx2", "AVX2")) if flag in flags), "")
    return ", ".join(filter(None, (facts.get("model name", platform.machine()), vectors)))


def mebibytes(ru_maxrss: int) -> float:
    """A peak memory as ``getrusage`` and ``wait4`` give it, in MiB."""
    return ru_maxrss / (2**20 if platform.system() == "Darwin" else 2**10)


def peak_memory() -> float:
    """The most memory that this process has had, in MiB. Linux counts from its parent's on, so that has to be small."""
    return mebibytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
