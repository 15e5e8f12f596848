"""minivae on a GPU: the contender of :mod:`.ours`, its arrays in CuPy."""

from __future__ import annotations

import logging
from typing import Any

import minivae as mv

from ..cases import Case
from . import ours


class Contender(ours.Contender):
    """``VAE`` and ``Adam`` as ``fit`` runs them.

    Args:
        mode: "eager" or "compiled", which is one CUDA graph.
        backend: where the arrays live.
    """

    def __init__(self, case: Case, mode: str, backend: str = "cupy") -> None:
        self.log: list[str] = []  # where a graph cannot be captured, the log says why
        handler = logging.Handler(logging.WARNING)
        handler.emit = lambda record: self.log.append(record.getMessage())
        logging.getLogger("minivae").addHandler(handler)
        super().__init__(case, mode, backend)

    def state(self) -> dict[str, Any]:
        """The parameters, in host memory."""
        return self.model.state_dict()

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "backend": mv.backend.describe(self.backend), "log": self.log}
