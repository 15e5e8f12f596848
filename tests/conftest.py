"""What every test may ask for: a backend, a generator; and a clean default afterwards."""

from __future__ import annotations

import os

if "PYTEST_XDIST_WORKER" in os.environ:  # before NumPy is there: workers that share the cores need no threads of BLAS
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from minivae import backend
from minivae.errors import BackendError

from . import quick
from .doubles import emulation_gaps, fake_cuda, strict_device  # noqa: F401  (adds the backend "strict")
from .doubles.cuda import Cuda

HERE = Path(__file__).parent

if emulation_gaps.emulated():
    emulation_gaps.fill()

# No test asserts on time: on a busy machine an example takes as long as it takes.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])


def pytest_configure(config: pytest.Config) -> None:
    """Hypothesis without deadlines, unless another profile is asked for."""
    if not config.getoption("--hypothesis-profile", None):
        settings.load_profile("untimed")


def is_quick(path: Path) -> bool:
    """Whether a file of tests is one of those of ``-m quick``."""
    return path.is_relative_to(HERE) and path.relative_to(HERE).as_posix() in quick.FILES


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Under ``-m quick`` other files are not even imported, which would take longer than the tests."""
    asked = config.option.markexpr == "quick" and collection_path.name.startswith("test_")
    return True if asked and not is_quick(collection_path) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the quick files, without those that are slow or of a release."""
    for item in items:
        if is_quick(item.path) and not any(map(item.get_closest_marker, ("slow", "release"))):
            item.add_marker("quick")


@pytest.fixture(params=["numpy", "strict", pytest.param("cupy", marks=pytest.mark.gpu)])
def backend_name(request: pytest.FixtureRequest) -> str:
    """Each backend in turn. Without a GPU "cupy" is skipped, or fails if one is required."""
    return usable(request.param)


def usable(name: str) -> str:
    """The name of a backend; without it the test is skipped, or fails if a GPU is required."""
    try:
        return backend.get_backend(name).name
    except BackendError as error:
        if os.environ.get("MINIVAE_REQUIRE_GPU") == "1":
            raise
        pytest.skip(str(error))


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> fake_cuda.Device:
    """The strict device with a CUDA side; compiled kernels are kept for the other tests."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler (cc)")
    folder = tmp_path_factory.getbasetemp() / "kernels"
    folder.mkdir(exist_ok=True)
    return fake_cuda.install(monkeypatch, folder)


@pytest.fixture(params=["strict", pytest.param("cupy", marks=pytest.mark.gpu)])
def cuda(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Cuda:
    """A device without a GPU, and a GPU."""
    if request.param == "strict":
        request.getfixturevalue("fake")
    return Cuda(usable(request.param), monkeypatch)


@pytest.fixture
def rng() -> np.random.Generator:
    """NumPy's generator with a fixed seed."""
    return np.random.default_rng(20131220)


@pytest.fixture(autouse=True)
def clean_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    """No default backend left over from the environment or from another test."""
    monkeypatch.delenv("MINIVAE_BACKEND", raising=False)
    monkeypatch.setattr(backend.arrays, "_default", None)


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> Iterator[None]:
    """SIGINT and SIGHUP as in the foreground: under ``nohup`` or in the background children would ignore them, too.

    SIGHUP does nothing here: what ``nohup`` has started goes on.
    """
    answers = {signal.SIGINT: signal.default_int_handler}
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        answers[signal.SIGHUP] = lambda number, frame: None
    before = {number: signal.signal(number, answer) for number, answer in answers.items()}
    yield
    for number, answer in before.items():
        signal.signal(number, answer)
