"""What a run's folder asks of what trains in it."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np

from .history import History


@runtime_checkable
class Resumable(Protocol):
    """What a run's folder asks of a trainer: ``Trainer`` has it, and so may another algorithm's."""

    history: History

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]: ...

    def load_state(self, arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> None: ...


@runtime_checkable
class Judged(Protocol):
    """What a trainer has beside that whose reports may be judged by a validation part."""

    best: dict[str, np.ndarray] | None

    def best_state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]: ...
