"""PyTorch on a GPU: eager, compiled with CUDA graphs, and the whole step captured by hand, eager or compiled."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..cases import LR, Case
from . import pytorch


class Contender(pytorch.Contender):
    """The loop of :mod:`.pytorch`, its modules and data on a device.

    Args:
        mode: "eager" with PyTorch's default Adam; "fused"; "compile": fused, and
            ``torch.compile(mode="reduce-overhead")``, which captures forward and backward in CUDA
            graphs, and reads its inputs where they are, without copying the data set each time;
            "graph": fused, and the whole step in one ``torch.cuda.CUDAGraph``; "compiled graph":
            the same of a model through ``torch.compile``.
        device: PyTorch's name for it.

    Raises:
        ImportError: PyTorch is installed without CUDA.
    """

    WARM_UP = 3  # steps on a side stream before capture, as PyTorch's documentation has it

    def __init__(self, case: Case, mode: str, device: str = "cuda") -> None:
        if device == "cuda" and not torch.cuda.is_available():
            raise ImportError("PyTorch is installed without CUDA")
        with torch.device(device):  # where what is made in there lies; as a default it would slow each call down
            super().__init__(case, fused=mode != "eager")
        self.device, self.images, self.graphed = device, self.images.to(device), mode.endswith("graph")
        self.static = mode == "compile"
        if self.static:
            torch._dynamo.mark_static_address(self.images)
            self.model = torch.compile(self.model, mode="reduce-overhead")
        if mode == "compiled graph":
            self.model = torch.compile(self.model)
        if self.graphed:
            self.optimizer = torch.optim.Adam(self.model.parameters(), LR, fused=True, capturable=True)
        self.taken, self.graph, self.rows = 0, None, None

    def array(self, values: Any) -> Tensor:
        return torch.from_numpy(values).to(self.device)

    def step(self, rows: Tensor, noise: Tensor | None = None) -> None:
        if not self.graphed or noise is not None:
            super().step(self._in_its_place(rows) if self.static else rows, noise)
        elif self.taken < self.WARM_UP:
            self._on_a_side_stream(rows)
        else:
            self._launch(rows)
        self.taken += 1

    def _in_its_place(self, rows: Tensor) -> Tensor:
        """The rows, always in the same memory, which a graph then reads without a copy of its own."""
        if self.rows is None:
            self.rows = rows.clone()
            torch._dynamo.mark_static_address(self.rows)
        self.rows.copy_(rows)
        return self.rows

    def _on_a_side_stream(self, rows: Tensor) -> None:
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            super().step(rows)
        torch.cuda.current_stream().wait_stream(stream)

    def _launch(self, rows: Tensor) -> None:
        if self.graph is None:
            self.rows, self.graph = rows.clone(), torch.cuda.CUDAGraph()
            self.optimizer.zero_grad()  # gradients are made anew, in the graph's own memory
            with torch.cuda.graph(self.graph):
                super().step(self.rows)
        self.rows.copy_(rows)
        self.graph.replay()

    def describe(self) -> dict[str, Any]:
        name = torch.cuda.get_device_name() if self.device == "cuda" else self.device
        return {**super().describe(), "device": name, "cuda": torch.version.cuda}
