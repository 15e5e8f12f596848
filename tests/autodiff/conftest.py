"""What tests of CUDA replay ask for."""

from __future__ import annotations

import os
import shutil

import pytest

from minivae import backend
from minivae.errors import BackendError

from .. import fake_cuda
from .cuda import Cuda


@pytest.fixture
def fake(monkeypatch, tmp_path_factory):
    """The strict device with a CUDA side; compiled kernels are kept for the other tests."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler (cc)")
    folder = tmp_path_factory.getbasetemp() / "kernels"
    folder.mkdir(exist_ok=True)
    return fake_cuda.install(monkeypatch, folder)


@pytest.fixture(params=["strict", pytest.param("cupy", marks=pytest.mark.gpu)])
def cuda(request, monkeypatch):
    """A device without a GPU, and a GPU."""
    if request.param == "strict":
        request.getfixturevalue("fake")
    try:
        backend.library(request.param)
    except BackendError as error:
        if os.environ.get("MINIVAE_REQUIRE_GPU") == "1":
            raise
        pytest.skip(str(error))
    return Cuda(request.param, monkeypatch)
