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

import os
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from .errors import InputError, instance, integer_from_zero, lengths, one_of, shown
from .libraries import CupyLibrary, Library
from .memory import out_of_memory

DTYPES = ("float32", "float64")


# ------------------------------------------------------- libraries and the default

_libraries: dict[str, Library] = {"numpy": Library()}
_library_of_type: dict[type, Library] = {np.ndarray: _libraries["numpy"]}
_NUMBERS = (float, int, bool)
_default: str | None = None
_using: ContextVar[str | None] = ContextVar("minivae_backend", default=None)


def names() -> list[str]:
    """The libraries that can be asked for (asking may still say that one is unusable)."""
    return list(dict.fromkeys([*_libraries, "cupy"]))


def register(new: Library) -> Library:
    """Add a library, so that its arrays are recognised and its name can be asked for."""
    instance("new", new, Library, "a Library")
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
        if this is None:
            at = [x is array for x in arrays].index(True)
            raise InputError(f"arrays[{at}] is {shown(array)}; expected an array or a Python number")
        if found is not None and this is not found:
            raise InputError(
                f"arrays of two libraries in one operation: {found.name} and {this.name}; "
                "expected one: move the other with backend.asarray(x, backend=...)"
            )
        found = this
    return found or library()


def namespace(*arrays: Any) -> Any:
    """The array module (``numpy``, ``cupy``) that all ``arrays`` live in. See :func:`library_of`."""
    kind = type(arrays[0]) if arrays else None
    found = _library_of_type.get(kind)
    if found is not None:  # most often all are of one type, or numbers
        for array in arrays:
            if type(array) is not kind and type(array) not in _NUMBERS:
                break
        else:
            return found.xp
    return library_of(*arrays).xp


def is_array(value: Any) -> bool:
    """Whether ``value`` is an array (or a NumPy scalar) of a known library."""
    return type(value) in _library_of_type or _library_by_inheritance(value) is not None


def _library_by_inheritance(array: Any) -> Library | None:
    if isinstance(array, np.generic | np.ndarray):  # NumPy's scalars and subclasses (memmap)
        return _libraries["numpy"]
    for kind, this in list(_library_of_type.items()):
        if isinstance(array, kind):
            return this
    if type(array).__module__ == "cupy" and type(array).__name__ == "ndarray":  # not made through us; pragma: no cover
        return library("cupy")
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
    except TypeError:
        resolved = None
    if resolved is None or resolved.name not in DTYPES:
        raise InputError(f"dtype is {dtype!r}; expected one of {', '.join(DTYPES)}")
    return resolved


def number_dtype(dtype: Any) -> np.dtype:
    """A NumPy dtype of booleans or numbers.

    Raises:
        InputError: another dtype, or none.
    """
    try:
        resolved = np.dtype(dtype)
    except TypeError:
        resolved = None
    if resolved is None or resolved.kind not in "biufc" or dtype is None:
        raise InputError(f"dtype is {dtype!r}; expected one of numbers, such as 'float32'")
    return resolved


def asarray(value: Any, dtype: Any = None, backend: str | None = None, *, name: str = "value") -> Any:
    """``value`` as an array of a library, moved there if it lives in another.

    Args:
        value: an array of any library, a number, or a nested list of numbers.
        dtype: of the result. By default arrays keep theirs, and Python floats
            become float32.
        backend: where the result lives. By default arrays stay where they are and
            everything else goes to the default library.
        name: what messages call ``value``.

    Raises:
        InputError: ``value`` holds something else than numbers, or ``dtype`` is not one of numbers.
        OutOfMemoryError: it does not fit there.
    """
    dtype = None if dtype is None else number_dtype(dtype)
    source = library_of(value) if is_array(value) else None
    target = library(backend) if backend or source is None else source
    try:
        if source is None or value.dtype.kind not in "biufc":
            value = target.from_numpy(_host_array(name, value, dtype))
        elif source is not target:
            value = target.from_numpy(source.to_numpy(value))
        return target.xp.asarray(value, dtype=dtype)
    except MemoryError as error:
        raise out_of_memory(f"{name}, {getattr(value, 'shape', 'a list')}", target, error) from error


def _host_array(name: str, value: Any, dtype: Any) -> np.ndarray:
    try:
        host = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} is {shown(value)}; expected an array or numbers ({error})") from error
    if host.dtype.kind not in "biuf":
        raise InputError(f"{name} is {shown(value)}, of dtype {host.dtype}; expected an array or numbers")
    if dtype is None and host.dtype == np.float64:
        dtype = np.float32
    return host if dtype is None else host.astype(dtype, copy=False)


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
    uninterrupted one would have drawn. The libraries draw different numbers from one seed.

    Args:
        seed: a non-negative integer.
        backend: the library to draw in; the default one if None.

    Raises:
        InputError: the seed is not a non-negative integer; a state set is no such state.
    """

    def __init__(self, seed: int, backend: str | None = None) -> None:
        _refuse_while_recording("a generator is made")
        seed = integer_from_zero("seed", seed)
        self.library = library(backend)
        self._random = self.library.random(seed)

    def standard_normal(self, shape: Sequence[int], dtype: Any = None, out: Any = None) -> Any:
        """Draws from N(0, 1), as an array."""
        return self._draw("standard_normal", shape, dtype, out)

    def uniform(self, shape: Sequence[int], dtype: Any = None, out: Any = None) -> Any:
        """Draws from the uniform distribution on [0, 1), as an array."""
        return self._draw("uniform", shape, dtype, out)

    def _draw(self, name: str, shape: Sequence[int], dtype: Any = None, out: Any = None) -> Any:
        """Draws of a kind, by name.

        Raises:
            InputError: inside :func:`no_direct_draws`, unless an operation asks.
        """
        _refuse_while_recording(f"a generator's {name}() is called", f"draw with minivae.{name}(generator, shape)")
        return _drawn(getattr(self._random, _DRAWS[name]), shape, dtype, out)

    @property
    def state(self) -> Any:
        """Where the stream stands, as JSON can hold it."""
        return self.library.get_random_state(self._random)

    @state.setter
    def state(self, state: Any) -> None:
        _refuse_while_recording("the state of a generator is set")
        try:
            self.library.set_random_state(self._random, state)
        except (KeyError, TypeError, ValueError, OverflowError, zlib.error) as error:
            raise InputError(f"not the state of a generator on {self.library.name}: {error}") from error


_DRAWS = {"standard_normal": "standard_normal", "uniform": "random"}


class _Drawing(threading.local):
    refused = False


_drawing = _Drawing()


@contextmanager
def no_direct_draws(refused: bool = True) -> Iterator[None]:
    """A ``with`` block in which generators draw for operations alone (which say so by ``refused=False``)."""
    before, _drawing.refused = _drawing.refused, refused
    try:
        yield
    finally:
        _drawing.refused = before


def refuses_direct_draws() -> bool:
    """Whether we are in a block of :func:`no_direct_draws`."""
    return _drawing.refused


def _refuse_while_recording(what: str, instead: str = "do it before the call of the step") -> None:
    if _drawing.refused:
        raise InputError(
            f"{what} inside a step that compile() records, which would happen once and not at each call; {instead}"
        )


def _drawn(draw: Callable, shape: Sequence[int], dtype: Any, out: Any) -> Any:
    shape, dtype = lengths("shape", shape), float_dtype(dtype)
    if out is not None and not is_array(out):  # NumPy 2.4 would look into it as if it were one, and may crash
        raise InputError(f"out is {shown(out)}; expected an array")
    try:
        return draw(shape, dtype=dtype, out=out)
    except (TypeError, ValueError) as error:
        raise InputError(f"out is {shown(out)}; expected {dtype} of shape {shape} ({error})") from error


def require_generator(name: str, value: Any) -> Generator:
    """Return ``value`` if it is a :class:`Generator`, or raise :class:`InputError` naming it."""
    return instance(name, value, Generator, "a Generator of minivae: backend.generator(seed)")


def generator(seed: int, backend: str | None = None) -> Generator:
    """A new :class:`Generator`."""
    return Generator(seed, backend)
