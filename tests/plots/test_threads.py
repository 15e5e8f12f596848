"""Pictures drawn by several threads at once are, byte for byte, those that are drawn alone."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import matplotlib
import pytest

from minivae import plots

from ..misuse import pictures  # noqa: F401  (their table)
from ..misuse.subject import SUBJECTS, Subject

THREADS = 4
DRAWING = [subject for subject in SUBJECTS if subject.label in plots.__all__ and "path" in subject.good]
slow = pytest.mark.slow


@pytest.fixture(autouse=True)
def drawn():
    """In place of the one that looks at every figure."""


@pytest.fixture
def reproducible(monkeypatch):
    """No dates and no chance in SVG and PDF; threads that take turns every few instructions."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    with matplotlib.rc_context({"svg.hashsalt": "minivae"}):
        yield
    sys.setswitchinterval(before)


def drawing(subject: Subject, path: Path) -> bytes:
    """The file of one picture."""
    subject.call(**{**subject.good, "path": path})
    return path.read_bytes()


@pytest.mark.parametrize("suffix", [".png", pytest.param(".svg", marks=slow), pytest.param(".pdf", marks=slow)])
def test_threads_draw_what_one_alone_draws(reproducible, tmp_path, suffix):
    alone = {subject.label: drawing(subject, tmp_path / f"alone{suffix}") for subject in DRAWING}
    assert len(alone) == len(plots.__all__) - 1  # all but the grid of a manifold
    begun, other = threading.Barrier(THREADS), []

    def work(number: int) -> None:
        begun.wait()
        for subject in DRAWING[number:] + DRAWING[:number]:
            try:
                assert drawing(subject, tmp_path / f"{number}{suffix}") == alone[subject.label]
            except Exception as error:
                other.append((subject.label, type(error)))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert other == []
