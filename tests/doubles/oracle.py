"""PyTorch as an oracle. A test module that imports this is skipped where PyTorch is missing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

torch = pytest.importorskip("torch", reason="the oracle is PyTorch: pip install 'minivae[oracle]'")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """PyTorch on one thread: sums come in one order, and other tests keep their cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
