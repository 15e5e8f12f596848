"""A strict device: NumPy behind an array class that behaves as CuPy's, and counts.

Code that works here puts no host array where a device array belongs, uses no function
or argument that CuPy lacks and no index that CuPy would wrap silently, and tells how
often it made the host wait. In doubt the device is stricter than CuPy, never laxer.
What CuPy has and lacks was read from CuPy 14.2.

Importing this module adds the backend ``"strict"`` to :mod:`minivae.backend`::

    with strict.counter.forbid_synchronization(), strict.counter.forbid_dtype("float64"):
        step(batch)
    with strict.counter.count() as counts:
        report(loss)
    assert counts.synchronizations == 1
"""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import scipy.special

from minivae import backend

from .strict_array import StrictArray, argument, call, host_index, operand
from .strict_counter import counter


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What NumPy has and CuPy lacks.
LACKING = _words(
    """
    False_ ScalarType True_ asmatrix block bmat busday_count busday_offset busdaycalendar
    bytes_ char character clongdouble complex256 core ctypeslib datetime64
    datetime_as_string datetime_data dtypes einsum_path emath errstate f2py flexible
    float128 frompyfunc fromregex geomspace get_include getbufsize geterr geterrcall
    histogram_bin_edges info insert is_busday isnat little_endian longdouble ma matrix
    matvec memmap nanpercentile nanquantile ndenumerate nditer nested_iters object_ polyder
    polydiv polyint rec recarray record sctypeDict setbufsize seterr seterrcall show_runtime
    spacing str_ strings test timedelta64 typecodes unstack vecdot vecmat void
    linalg.diagonal linalg.matrix_norm linalg.multi_dot linalg.outer linalg.svdvals
    linalg.tensordot linalg.test linalg.trace linalg.vecdot linalg.vector_norm
    """
)
LACKING_KEYWORDS = _words("correction device initial like stable subok where")
LACKING_KEYWORDS_OF = {  # where they are others
    "clip": {"min", "max"},
    "copyto": set(),
    "std": {"correction", "mean", "where"},
    "take": {"mode"},
    "var": {"correction", "mean", "where"},
}

# What learns a shape from values, or checks values, waits for them.
SYNCHRONIZING = _words(
    """
    argwhere bincount compress extract flatnonzero intersect1d nonzero setdiff1d setxor1d
    trim_zeros union1d unique unique_all unique_counts unique_inverse unique_values
    linalg.cholesky linalg.det linalg.eigh linalg.eigvalsh linalg.inv linalg.lstsq
    linalg.matrix_rank linalg.pinv linalg.qr linalg.slogdet linalg.solve linalg.svd
    """
)
OF_LISTS = _words("column_stack concat concatenate dstack hstack row_stack select stack vstack")
OF_SHAPES = _words("broadcast_shapes empty full indices ones zeros")
FROM_HOST = _words("array asanyarray asarray ascontiguousarray asfortranarray")
TO_ZERO_DIM = _words("allclose array_equal array_equiv")  # Python bools in NumPy


class Functions:
    """A module's functions, for device arrays; what CuPy lacks is lacking."""

    def __init__(self, module: types.ModuleType, prefix: str = "") -> None:
        self._module, self._prefix = module, prefix

    def __getattr__(self, name: str) -> Any:
        if self._prefix + name in LACKING or name.startswith("_"):
            raise AttributeError(f"CuPy has no {self._prefix}{name}")
        found = getattr(self._module, name)
        wrapped = self._wrap(name, found)
        setattr(self, name, wrapped)
        return wrapped

    def _wrap(self, name: str, found: Any) -> Any:
        if found is np.ndarray:
            return StrictArray
        if isinstance(found, np.ufunc):
            return Ufunc(found)
        if isinstance(found, types.ModuleType):
            if name not in ("fft", "linalg", "lib", "stride_tricks"):
                raise AttributeError(f"xp.{name} is not on the strict device; randomness is backend.Generator")
            return Functions(found, f"{name}.")
        if callable(found) and not isinstance(found, type):
            return Function(found, self._prefix + name)
        return found  # dtypes and constants

    @staticmethod
    def asnumpy(array: StrictArray) -> np.ndarray:
        return array.get()


class Function:
    """One function of the device."""

    def __init__(self, function: Any, name: str) -> None:
        self._function, self.__name__ = function, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        name = self.__name__
        lacking = kwargs.keys() & LACKING_KEYWORDS_OF.get(name, LACKING_KEYWORDS)
        if lacking:
            raise TypeError(f"CuPy's {name} has no argument {', '.join(sorted(lacking))}")
        if name in SYNCHRONIZING or (name == "where" and len(args) == 1):
            counter.note("synchronization")
        if name in FROM_HOST:
            return self._from_host(*args, **kwargs)
        if name == "linalg.solve" and args[0].shape[:-1] != args[1].shape[: args[0].ndim - 1]:
            raise ValueError(f"CuPy's solve does not broadcast: a has shape {args[0].shape}, b {args[1].shape}")
        if args and isinstance(args[0], list | tuple) and name not in OF_LISTS | OF_SHAPES:
            raise TypeError(f"{name} of a host {type(args[0]).__name__}; expected a device array")
        found = call(self._function, args, kwargs, _arrays if name in OF_LISTS else argument)
        return StrictArray(np.asarray(found)) if name in TO_ZERO_DIM else found

    def _from_host(self, value: Any, *args: Any, **kwargs: Any) -> StrictArray:
        if isinstance(value, StrictArray):
            return call(self._function, (value, *args), kwargs)
        counter.note("to_device")
        argument(value if isinstance(value, list | tuple) else None)
        return StrictArray(np.array(self._function(value, *args, **kwargs)))


def _arrays(value: Any) -> Any:
    return [operand(item) for item in value] if isinstance(value, list | tuple) else argument(value)


class Ufunc:
    """One element-wise function of the device."""

    def __init__(self, ufunc: np.ufunc) -> None:
        self._ufunc, self.__name__ = ufunc, ufunc.__name__
        self.nin, self.nout = ufunc.nin, ufunc.nout

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        lacking = kwargs.keys() - {"out", "dtype", "casting"}
        if lacking:
            raise TypeError(f"CuPy's {self.__name__} has no argument {', '.join(sorted(lacking))}")
        return call(self._ufunc, args, kwargs, operand)

    def at(self, array: StrictArray, index: Any, value: Any) -> None:
        if self.__name__ not in ("add", "subtract", "maximum", "minimum"):
            raise NotImplementedError(f"CuPy has no {self.__name__}.at")
        if array.dtype.name not in ("int32", "uint32", "uint64", "float32", "float64"):
            raise TypeError(f"CuPy has no atomic {self.__name__} for {array.dtype.name}")
        self._ufunc.at(operand(array), host_index(index)[0], operand(value))

    def reduce(self, *args: Any, **kwargs: Any) -> StrictArray:
        return self._along_axis("reduce", *args, **kwargs)

    def accumulate(self, *args: Any, **kwargs: Any) -> StrictArray:
        return self._along_axis("accumulate", *args, **kwargs)

    def outer(self, *args: StrictArray, **kwargs: Any) -> StrictArray:
        return call(self._ufunc.outer, args, kwargs, operand)

    def _along_axis(self, method: str, *args: Any, **kwargs: Any) -> StrictArray:
        if self.__name__ not in ("add", "multiply"):
            raise NotImplementedError(f"CuPy has no {self.__name__}.{method}")
        return call(getattr(self._ufunc, method), args, kwargs)


class StrictRandom:
    """The methods of CuPy's ``Generator`` that minivae uses, drawing NumPy's numbers."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.Generator(np.random.PCG64(seed))
        self.bit_generator = self._generator.bit_generator

    def standard_normal(self, size: tuple, dtype: Any = np.float64, out: Any = None) -> StrictArray:
        return call(self._generator.standard_normal, (size,), {"dtype": dtype, "out": out})

    def random(self, size: tuple, dtype: Any = np.float64, out: Any = None) -> StrictArray:
        return call(self._generator.random, (size,), {"dtype": dtype, "out": out})


class StrictBackend(backend.Backend):
    """The strict device as a backend of :mod:`minivae.backend`."""

    name = "strict"
    xp = Functions(np)
    special = Functions(scipy.special)
    array_type = StrictArray
    counter = counter

    def random(self, seed: int) -> StrictRandom:
        return StrictRandom(seed)

    def address(self, array: StrictArray) -> int:
        return super().address(array._host)

    def solve_triangular(self, a: StrictArray, b: StrictArray, lower: bool) -> StrictArray:
        return call(super().solve_triangular, (a, b, lower), {})

    def to_numpy(self, array: StrictArray) -> np.ndarray:
        return array.get()

    def from_numpy(self, array: np.ndarray) -> StrictArray:
        return self.xp.asarray(array)

    def synchronize(self) -> None:
        counter.note("synchronization")

    def describe(self) -> dict[str, Any]:
        return {
            "backend": "strict",
            "version": np.__version__,
            "blas": None,
            "threads": None,
            "device": "strict",
        }


strict = backend.register(StrictBackend())
xp = strict.xp
