"""On what a run ran: the device, the versions, the machine."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from minivae import backend

from .. import machine

PACKAGES = (
    *("minivae", "numpy", "scipy", "cupy-cuda12x", "cupy-cuda13x", "torch", "jax", "jaxlib"),
    *("matplotlib", "pytest", "pytest-xdist", "hypothesis"),
)


def everything() -> dict[str, Any]:
    """Device, whether it is an emulation of one, versions and machine.

    Raises:
        BackendError: there is no device that CuPy can use.
    """
    found = device()
    emulated = "emulated" in found["name"]
    return {"emulated": emulated, "device": found, "versions": versions(), "machine": machine.describe()}


def device() -> dict[str, Any]:
    """The GPU in use: name, memory, compute capability, driver and CUDA.

    Raises:
        BackendError: there is none that CuPy can use.
    """
    xp = backend.get_backend("cupy").xp
    runtime, found = xp.cuda.runtime, xp.cuda.Device()
    properties = runtime.getDeviceProperties(found.id)
    return {
        "name": properties["name"].decode(),
        "memory_mib": properties["totalGlobalMem"] >> 20,
        "compute_capability": found.compute_capability,
        "driver": runtime.driverGetVersion(),
        "cuda": runtime.runtimeGetVersion(),
        "count": runtime.getDeviceCount(),
    }


def versions() -> dict[str, str]:
    """Of what is installed."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
