"""Who is timed: a table of training loops' insides, each in the words of its own library.

A contender is an object with

``array(values)``
    a NumPy array as the library keeps it;
``step(rows, noise=None)``
    one training step, as ``benchmarks.cases`` defines it, on the data points ``rows``;
    ``noise``, ``(batch_size, latent_dim)``, takes the place of the noise drawn inside;
``loss()``
    the loss of the last step; waits until all steps are done;
``describe()``
    versions and threads.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, NamedTuple

from ..cases import Case

INSTALL = "python -m pip install 'minivae[bench,fast]'"


class Entry(NamedTuple):
    """A row of the table: how it is called, which class of which module makes it, and what must be installed."""

    label: str
    module: str
    options: dict[str, Any]
    needs: str = "numpy"


CONTENDERS = {
    "floor": Entry("the floor: the large matrix products alone, NumPy", "floor", {}),
    "minivae-eager": Entry("minivae, eager", "ours", {"mode": "eager"}),
    "minivae-compiled": Entry("minivae, compiled, NumPy alone", "ours", {"mode": "compiled"}),
    "minivae-fast": Entry("minivae, compiled + fast (Numba)", "ours", {"mode": "fast"}, "numba"),
    "torch-eager": Entry("PyTorch, eager, default Adam", "pytorch", {}, "torch"),
    "torch-fused": Entry("PyTorch, eager, fused Adam", "pytorch", {"fused": True}, "torch"),
    "torch-compile": Entry("PyTorch, torch.compile, fused Adam", "pytorch", {"fused": True, "compiled": True}, "torch"),
    "jax": Entry("JAX, jit of the whole step", "jax_jit", {}, "jax"),
    "autograd": Entry("HIPS autograd, Adam in NumPy", "hips_autograd", {}, "autograd"),
}
FLOOR = "floor"
TORCH = ("torch-eager", "torch-fused", "torch-compile")


def make(entry: Entry, case: Case) -> Any:
    """The contender of a row, with the model, the data and the starting weights of ``case``."""
    return importlib.import_module(f"{__name__}.{entry.module}").Contender(case, **entry.options)


def missing(entries: Mapping[str, Entry]) -> dict[str, str]:
    """Those that cannot run here, and what each of them lacks."""
    return {name: f"{entry.needs} is not installed" for name, entry in entries.items() if not find_spec(entry.needs)}
