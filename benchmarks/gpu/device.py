"""Check 1: versions, CuPy's configuration, one kernel and one reduction, and how long both compile."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from . import describe
from .found import Context, Failure, LeftOut

N = 100_000
TOLERANCE = 1e-5  # float32 against float64, of the size of the result


def items(context: Context) -> dict[str, Callable[[], dict[str, Any]]]:
    """Its items."""
    return {
        "versions": describe.everything,
        "show_config": partial(configuration, context),
        "one kernel": partial(compiled, kernel, lambda x: np.tanh(x) + 1),
        "one reduction": partial(compiled, reduction, lambda x: np.square(x).sum()),
    }


def configuration(context: Context) -> dict[str, Any]:
    """What ``cupy.show_config`` prints."""
    from cupyx import get_runtime_info

    try:
        return {"lines": [" ".join(line.split()) for line in str(get_runtime_info()).splitlines()]}
    except Exception as error:
        if context.emulated:
            raise LeftOut(f"the emulation has no answer to it: {error}") from error
        raise


def kernel(xp: Any) -> Any:
    """One element-wise kernel."""
    return xp.ElementwiseKernel("float32 x", "float32 y", "y = tanhf(x) + 1.0f", "minivae_check_kernel")


def reduction(xp: Any) -> Any:
    """One reduction."""
    return xp.ReductionKernel("float32 x", "float32 y", "x * x", "a + b", "y = a", "0", "minivae_check_reduction")


def compiled(make: Callable[[Any], Any], reference: Callable[[Any], Any]) -> dict[str, Any]:
    """Seconds of the first call, without and with a cache on the disk, and of the second; the result is right.

    Raises:
        Failure: it is not.
    """
    import cupy as xp

    host = np.random.default_rng(0).standard_normal(N).astype("float32")
    x, seconds = xp.asarray(host), {}
    with _empty_cache():
        for when in ("compiled", "from the disk"):
            xp.clear_memo()
            function = make(xp)
            seconds[when], result = _timed(lambda f=function: f(x).get())
            seconds[f"{when}, again"], result = _timed(lambda f=function: f(x).get())
    expected = reference(host.astype("float64"))
    error = float(np.max(np.abs(result - expected)) / np.max(np.abs(expected)))
    found = {"seconds_of_a_call": seconds, "error": error}
    if not error <= TOLERANCE:
        raise Failure(f"wrong by {error:.1e}", found)
    return found


@contextmanager
def _empty_cache() -> Iterator[None]:
    before = os.environ.get("CUPY_CACHE_DIR")
    with TemporaryDirectory() as folder:
        os.environ["CUPY_CACHE_DIR"] = folder
        try:
            yield
        finally:
            os.environ.pop("CUPY_CACHE_DIR") if before is None else os.environ.update(CUPY_CACHE_DIR=before)


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = call()
    return round(time.perf_counter() - start, 6), result
