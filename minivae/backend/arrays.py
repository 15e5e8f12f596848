"""The choice of a backend, and arrays: which backend one lives in, making and moving them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from ..checks import instance, one_of
from ..errors import BackendError, InputError, shown
from ..slips import did_you_mean
from .memory import out_of_memory
from .numpy import Backend

DTYPES = ("float32", "float64")


# ------------------------------------------------------- backends and the default

_backends: dict[str, Backend] = {"numpy": Backend()}
_backend_of_type: dict[type, Backend] = {np.ndarray: _backends["numpy"]}
_NUMBERS = (float, int, bool)
VARIABLE = "MINIVAE_BACKEND"  # of the environment
_default: str | None = None
_using: ContextVar[str | None] = ContextVar("minivae_backend", default=None)


def names() -> list[str]:
    """The backends that can be asked for (asking may still say that one is unusable)."""
    return list(dict.fromkeys([*_backends, "cupy"]))


def register(new: Backend) -> Backend:
    """Add a backend, so that its arrays are recognised and its name can be asked for."""
    instance("new", new, Backend, "a Backend")
    _backends[new.name] = new
    _backend_of_type[new.array_type] = new
    return new


def get_backend(name: str | None = None) -> Backend:
    """The backend called ``name``, or the default one.

    Raises:
        InputError: the name is unknown.
        BackendError: CuPy is not installed, finds no CUDA driver, or no device.
    """
    argument = "backend"
    if name is None and (name := _using.get() or _default) is None:
        name, argument = os.environ.get(VARIABLE) or "numpy", f"{VARIABLE}, of the environment,"
    if type(name) is not str or name not in _backends:
        name = one_of(argument, name, names())
    if name not in _backends:
        from .cupy import CupyBackend

        register(CupyBackend())
    return _backends[name]


def use(name: str) -> None:
    """Make ``name`` the process-wide default for new arrays."""
    global _default
    _default = get_backend(name).name


@contextmanager
def using(name: str) -> Iterator[Backend]:
    """Make ``name`` the default for new arrays inside a ``with`` block, in this thread."""
    token = _using.set(get_backend(name).name)
    try:
        yield get_backend(name)
    finally:
        _using.reset(token)


# ------------------------------------------------------------------- arrays


def backend_of(*arrays: Any) -> Backend:
    """The one backend that all ``arrays`` live in; Python scalars fit anywhere.

    Raises:
        InputError: arrays of two backends, or something that is no array.
    """
    found: Backend | None = None
    for array in arrays:
        kind = type(array)
        if kind is float or kind is int or kind is bool:
            continue
        this = _backend_of_type.get(kind) or _backend_by_inheritance(array)
        if this is None:
            at = [x is array for x in arrays].index(True)
            raise InputError(f"arrays[{at}] is {shown(array)}; expected an array or a Python number")
        if found is not None and this is not found:
            raise InputError(
                f"arrays of two backends in one operation: {found.name} and {this.name}; "
                "expected one: move the other with backend.asarray(x, backend=...)"
            )
        found = this
    return found or get_backend()


def xp_of(*arrays: Any) -> Any:
    """The array module (``numpy``, ``cupy``) that all ``arrays`` live in. See :func:`backend_of`."""
    kind = type(arrays[0] if arrays else None)
    found = _backend_of_type.get(kind)
    if found is not None:  # most often all are of one type, or numbers
        for array in arrays:
            if type(array) is not kind and type(array) not in _NUMBERS:
                break
        else:
            return found.xp
    return backend_of(*arrays).xp


def is_array(value: Any) -> bool:
    """Whether ``value`` is an array (or a NumPy scalar) of a known backend."""
    return type(value) in _backend_of_type or _backend_by_inheritance(value) is not None


def _backend_by_inheritance(array: Any) -> Backend | None:
    if isinstance(array, np.generic | np.ndarray):  # NumPy's scalars and subclasses (memmap)
        return _backends["numpy"]
    for kind, this in list(_backend_of_type.items()):
        if isinstance(array, kind):
            return this
    if type(array).__module__ == "cupy" and type(array).__name__ == "ndarray":  # not made through us; pragma: no cover
        return get_backend("cupy")
    return None


def float_dtype(dtype: Any = None) -> np.dtype:
    """float32 (the default) or float64 as a NumPy dtype; anything else is refused.

    Raises:
        InputError: another dtype.
    """
    if dtype is None:
        return np.dtype("float32")
    try:
        resolved = np.dtype(dtype)
    except Exception:  # NumPy looks into lists, dicts and attributes, and raises what it finds there
        resolved = None
    if resolved is None or resolved.name not in DTYPES:
        hint = did_you_mean(shown(dtype).strip("'"), DTYPES)
        raise InputError(f"dtype is {shown(dtype)}; expected one of {', '.join(DTYPES)}{hint}")
    return resolved


def number_dtype(dtype: Any) -> np.dtype:
    """A NumPy dtype of booleans or numbers.

    Raises:
        InputError: another dtype, or none.
    """
    try:
        resolved = np.dtype(dtype)
    except Exception:  # NumPy looks into lists, dicts and attributes, and raises what it finds there
        resolved = None
    if resolved is None or resolved.kind not in "biufc" or dtype is None:
        raise InputError(f"dtype is {shown(dtype)}; expected one of numbers, such as 'float32'")
    return resolved


def asarray(value: Any, dtype: Any = None, backend: str | None = None, *, name: str = "value") -> Any:
    """``value`` as an array of a backend, moved there if it lives in another.

    Args:
        value: an array of any backend, a number, or a nested list of numbers.
        dtype: of the result. By default arrays keep theirs, and Python floats
            become float32.
        backend: where the result lives. By default arrays stay where they are and
            everything else goes to the default backend.
        name: what messages call ``value``.

    Raises:
        InputError: ``value`` holds something else than numbers, or ``dtype`` is not one of numbers.
        OutOfMemoryError: it does not fit there.
    """
    dtype = None if dtype is None else number_dtype(dtype)
    source = backend_of(value) if is_array(value) else None
    target = get_backend(backend) if backend is not None or source is None else source
    try:
        if source is None or value.dtype.kind not in "biufc":
            value = target.from_numpy(_host_array(name, value, dtype))
        elif source is not target:
            value = target.from_numpy(source.to_numpy(value))
        return target.xp.asarray(value, dtype=dtype)
    except MemoryError as error:
        raise out_of_memory(f"{name}, {getattr(value, 'shape', 'a list')}", target, error) from error


def _host_array(name: str, value: Any, dtype: Any) -> np.ndarray:
    if np.ma.is_masked(value):
        raise InputError(f"{name} is a masked array with values that are missing; expected numbers everywhere")
    try:
        host = np.asarray(value)
    except Exception as error:
        raise InputError(f"{name} is {shown(value)}; expected an array or numbers ({error})") from error
    if host.dtype.kind not in "biuf":
        raise InputError(f"{name} is {shown(value)}, of dtype {host.dtype}; expected an array or numbers")
    if dtype is None and host.dtype == np.float64:
        dtype = np.float32
    return host if dtype is None else host.astype(dtype, copy=False)


def from_dlpack(value: Any) -> Any:
    """An array with the memory of another library's, in the backend of its device.

    Raises:
        InputError: ``value`` has no ``__dlpack__``, lies where no backend keeps arrays, or holds no numbers.
        BackendError: it lies on a CUDA device, and CuPy cannot be used.
    """
    if not (hasattr(value, "__dlpack__") and hasattr(value, "__dlpack_device__")):
        raise InputError(f"x is {shown(value)}; expected an array with __dlpack__, such as a tensor of PyTorch")
    kind = int(value.__dlpack_device__()[0])
    try:
        array = get_backend("cupy" if kind == Backend.DLPACK_CUDA else "numpy").xp.from_dlpack(value)
        number_dtype(array.dtype)
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        if isinstance(error, BackendError):
            raise
        raise InputError(f"x is {shown(value)}; expected an array of numbers on the CPU or CUDA ({error})") from error
    return array


def to_numpy(array: Any) -> np.ndarray:
    """The array in host memory, as NumPy's. The one place where data leave a device."""
    return backend_of(array).to_numpy(array)


def synchronize(backend: str | None = None) -> None:
    """Wait for the device of a backend; for timing."""
    get_backend(backend).synchronize()


def describe(backend: str | None = None) -> dict[str, Any]:
    """What is in use: backend, version, BLAS and threads, device."""
    return get_backend(backend).describe()
