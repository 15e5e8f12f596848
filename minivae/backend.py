"""Array libraries: which one an array lives in, making arrays and noise, moving them.

NumPy is always there; CuPy is imported only when asked for. An array *knows* its
library: an operation takes the namespace from its inputs (:func:`namespace`), so two
models on two libraries live side by side in one process. A default says only where
*new* arrays are made. In order of precedence it is set by

1. an argument (``backend="cupy"``),
2. ``with backend.using("cupy"):`` (this thread only),
3. ``backend.use("cupy")``,
4. the environment variable ``MINIVAE_BACKEND``,
5. ``"numpy"``.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from .errors import BackendError, InputError, one_of

DTYPES = ("float32", "float64")


# ---------------------------------------------------------------- libraries


class Library:
    """One array library: NumPy, and the base that others derive from.

    Attributes:
        name: what users call it.
        xp: its namespace, a module with NumPy's functions.
        array_type: the class of its arrays.
    """

    name = "numpy"
    xp: Any = np
    array_type: type = np.ndarray

    def random(self, seed: int) -> Any:
        """A generator with NumPy's ``Generator`` methods, seeded."""
        return np.random.Generator(np.random.PCG64(seed))

    def get_random_state(self, random: Any) -> Any:
        """The state of such a generator, as JSON can hold it."""
        return random.bit_generator.state

    def set_random_state(self, random: Any, state: Any) -> None:
        """Put a state from :meth:`get_random_state` back."""
        random.bit_generator.state = state

    def to_numpy(self, array: Any) -> np.ndarray:
        """The array in host memory (not copied if it is there already)."""
        return np.asarray(array)

    def from_numpy(self, array: np.ndarray) -> Any:
        """A host array moved to where this library keeps its arrays."""
        return array

    def synchronize(self) -> None:
        """Wait until all work given to the device is done (a no-op on the CPU)."""

    def describe(self) -> dict[str, Any]:
        """Library, version, BLAS with its threads, and device."""
        blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return {
            "library": "numpy",
            "version": np.__version__,
            "blas": f"{blas.get('name')} {blas.get('version')}",
            "threads": _blas_threads(),
            "device": "cpu",
        }


class CupyLibrary(Library):
    """CuPy on the current CUDA device. Made only by :func:`library`, which checks first."""

    name = "cupy"

    def __init__(self) -> None:
        self.xp = _import_usable_cupy()
        self.array_type = self.xp.ndarray

    def random(self, seed: int) -> Any:
        # Generator (not RandomState): its state lives on the device, so that drawing
        # can be captured in a CUDA graph.
        return self.xp.random.Generator(self.xp.random.Philox4x3210(seed))

    def get_random_state(self, random: Any) -> Any:
        return self._state_array(random).get().tolist()

    def set_random_state(self, random: Any, state: Any) -> None:
        self._state_array(random)[...] = self.xp.asarray(state, dtype=self.xp.int8)

    def to_numpy(self, array: Any) -> np.ndarray:
        return self.xp.asnumpy(array)

    def from_numpy(self, array: np.ndarray) -> Any:
        return self.xp.asarray(array)

    def synchronize(self) -> None:
        self.xp.cuda.get_current_stream().synchronize()

    def describe(self) -> dict[str, Any]:
        runtime = self.xp.cuda.runtime
        device = self.xp.cuda.Device()
        properties = runtime.getDeviceProperties(device.id)
        return {
            "library": "cupy",
            "version": self.xp.__version__,
            "blas": f"cuBLAS (CUDA {runtime.runtimeGetVersion()})",
            "threads": None,
            "device": properties["name"].decode(),
        }


_libraries: dict[str, Library] = {"numpy": Library()}
_library_of_type: dict[type, Library] = {np.ndarray: _libraries["numpy"]}
_default: str | None = None
_using: ContextVar[str | None] = ContextVar("minivae_backend", default=None)


def names() -> list[str]:
    """The libraries that can be asked for (asking may still say that one is unusable)."""
    return list(dict.fromkeys([*_libraries, "cupy"]))


def register(new: Library) -> Library:
    """Add a library, so that its arrays are recognised and its name can be asked for."""
    _libraries[new.name] = new
    _library_of_type[new.array_type] = new
    return new


def library(name: str | None = None) -> Library:
    """The library called ``name``, or the default one.

    Raises:
        InputError: the name is unknown.
        BackendError: CuPy is not installed, finds no CUDA driver, or no device.
    """
    if name is None:
        name = _using.get() or _default or os.environ.get("MINIVAE_BACKEND") or "numpy"
    if name not in _libraries:
        one_of("backend", name, names())
        register(CupyLibrary())
    return _libraries[name]


def use(name: str) -> None:
    """Make ``name`` the process-wide default for new arrays."""
    global _default
    _default = library(name).name


@contextmanager
def using(name: str) -> Iterator[Library]:
    """Make ``name`` the default for new arrays inside a ``with`` block, in this thread."""
    token = _using.set(library(name).name)
    try:
        yield library(name)
    finally:
        _using.reset(token)


# ------------------------------------------------------------------- arrays


def library_of(*arrays: Any) -> Library:
    """The one library that all ``arrays`` live in; Python scalars fit anywhere.

    Raises:
        InputError: arrays of two libraries, or something that is no array.
    """
    found: Library | None = None
    for array in arrays:
        kind = type(array)
        if kind is float or kind is int or kind is bool:
            continue
        this = _library_of_type.get(kind) or _library_by_inheritance(array)
        if found is not None and this is not found:
            raise InputError(
                f"arrays of two libraries in one operation: {found.name} and {this.name}; "
                "move one with backend.asarray(x, backend=...)"
            )
        found = this
    return found or library()


def namespace(*arrays: Any) -> Any:
    """The array module (``numpy``, ``cupy``) that all ``arrays`` live in. See :func:`library_of`."""
    return library_of(*arrays).xp


def _library_by_inheritance(array: Any) -> Library:
    if isinstance(array, np.generic | np.ndarray):  # NumPy's scalars and subclasses (memmap)
        return _libraries["numpy"]
    for kind, this in list(_library_of_type.items()):
        if isinstance(array, kind):
            return this
    if type(array).__module__.partition(".")[0] == "cupy":  # made by the caller, not through us
        return library("cupy")
    raise InputError(f"expected an array or a Python number, got {type(array).__name__}")


def is_array(value: Any) -> bool:
    """Whether ``value`` is an array of a library in use."""
    return isinstance(value, (np.generic, *_library_of_type))


def float_dtype(dtype: Any = None) -> np.dtype:
    """float32 (the default) or float64 as a NumPy dtype; anything else is refused.

    Raises:
        InputError: another dtype.
    """
    if dtype is None:
        return np.dtype("float32")
    try:
        resolved = np.dtype(dtype)
    except TypeError:
        resolved = None
    if resolved is None or resolved.name not in DTYPES:
        raise InputError(f"dtype is {dtype!r}; expected one of {', '.join(DTYPES)}")
    return resolved


def asarray(value: Any, dtype: Any = None, backend: str | None = None) -> Any:
    """``value`` as an array of a library, moved there if it lives in another.

    Args:
        value: an array of any library, a number, or a nested list of numbers.
        dtype: of the result. By default arrays keep theirs, and Python floats
            become float32.
        backend: where the result lives. By default arrays stay where they are and
            everything else goes to the default library.
    """
    known = is_array(value)
    source = library_of(value) if known else None
    target = library(backend) if backend or source is None else source
    if source is not target:
        host = np.asarray(source.to_numpy(value) if source else value)
        if dtype is None and not known and host.dtype == np.float64:
            dtype = np.float32
        value = target.from_numpy(host if dtype is None else host.astype(dtype, copy=False))
    return target.xp.asarray(value, dtype=dtype)


def to_numpy(array: Any) -> np.ndarray:
    """The array in host memory, as NumPy's. The one place where data leave a device."""
    return library_of(array).to_numpy(array)


def synchronize(backend: str | None = None) -> None:
    """Wait for the device of a library; for timing."""
    library(backend).synchronize()


def describe(backend: str | None = None) -> dict[str, Any]:
    """What is in use: library, version, BLAS and threads, device."""
    return library(backend).describe()


# --------------------------------------------------------------- randomness


class Generator:
    """An explicit stream of random numbers on one library.

    Its state can be read and put back (``state``), so that a resumed run draws what the
    uninterrupted one would have drawn.

    Args:
        seed: a non-negative integer.
        backend: the library to draw in; the default one if None.

    Raises:
        InputError: the seed is not a non-negative integer.
    """

    def __init__(self, seed: int, backend: str | None = None) -> None:
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
            raise InputError(f"seed is {seed!r}; expected an integer of at least 0")
        self.library = library(backend)
        self._random = self.library.random(int(seed))

    def standard_normal(self, shape: Sequence[int], dtype: Any = None, out: Any = None) -> Any:
        """Draws from N(0, 1)."""
        return self._random.standard_normal(tuple(shape), dtype=float_dtype(dtype), out=out)

    def uniform(self, shape: Sequence[int], dtype: Any = None, out: Any = None) -> Any:
        """Draws from the uniform distribution on [0, 1)."""
        return self._random.random(tuple(shape), dtype=float_dtype(dtype), out=out)

    @property
    def state(self) -> Any:
        """Where the stream stands, as JSON can hold it."""
        return self.library.get_random_state(self._random)

    @state.setter
    def state(self, state: Any) -> None:
        self.library.set_random_state(self._random, state)


def generator(seed: int, backend: str | None = None) -> Generator:
    """A new :class:`Generator`."""
    return Generator(seed, backend)


# ------------------------------------------------------------- what is here


def _import_usable_cupy() -> Any:
    install = "install it with  pip install 'minivae[cuda12x]'  or  'minivae[cuda13x]'"
    try:
        cupy = importlib.import_module("cupy")
    except ImportError as error:
        raise BackendError(f"backend 'cupy' needs CuPy, which cannot be imported ({error}); {install}") from error
    runtime = cupy.cuda.runtime
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
    return cupy


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
