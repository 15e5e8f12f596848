"""What every test may ask for: a library, a generator; and a clean default afterwards."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import numpy as np
import pytest

from minivae import backend
from minivae.errors import BackendError

from . import strict_device  # noqa: F401  (adds the library "strict")


@pytest.fixture(params=["numpy", "strict", pytest.param("cupy", marks=pytest.mark.gpu)])
def backend_name(request: pytest.FixtureRequest) -> str:
    """Each library in turn. Without a GPU "cupy" is skipped, or fails if one is required."""
    try:
        return backend.library(request.param).name
    except BackendError as error:
        if os.environ.get("MINIVAE_REQUIRE_GPU") == "1":
            raise
        pytest.skip(str(error))


@pytest.fixture
def rng() -> np.random.Generator:
    """NumPy's generator with a fixed seed."""
    return np.random.default_rng(20131220)


@pytest.fixture(autouse=True)
def clean_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    """No default library left over from the environment or from another test."""
    monkeypatch.delenv("MINIVAE_BACKEND", raising=False)
    monkeypatch.setattr(backend, "_default", None)


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> Iterator[None]:
    """SIGINT as in the foreground: under ``nohup`` or in the background it would be ignored, here and in children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
