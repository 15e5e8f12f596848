"""JAX on a GPU: the contender of :mod:`.jax_jit`, where JAX has found one."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # others are on the same GPU

import jax

from ..cases import Case
from . import jax_jit


class Contender(jax_jit.Contender):
    """A loop around the jitted step.

    Args:
        platform: where it must run, in JAX's words.

    Raises:
        ImportError: JAX runs elsewhere, as it is installed.
    """

    def __init__(self, case: Case, platform: str = "gpu") -> None:
        if jax.default_backend() != platform:
            raise ImportError(f"JAX is installed for {jax.default_backend()}, not for {platform}")
        # On GPUs JAX multiplies float32 matrices in TensorFloat-32 by default; nobody else here does.
        jax.config.update("jax_default_matmul_precision", "highest")
        super().__init__(case)

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "device": jax.devices()[0].device_kind}
