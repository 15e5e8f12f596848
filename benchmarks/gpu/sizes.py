"""The cases of the benchmarks; under an emulation, which multiplies in plain loops, small ones of the same kind."""

from __future__ import annotations

from dataclasses import replace

from ..cases import CASES, Case
from .found import Context

SMALL = {"hidden": (32,), "latent_dim": 4, "batch_size": 20, "rows": 400}


def case(name: str, context: Context) -> Case:
    """A case by name."""
    return replace(CASES[name], **SMALL) if context.emulated else CASES[name]
