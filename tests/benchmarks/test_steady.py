"""The memory of a training run stays as it is, however many steps it takes."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from benchmarks import steady
from minivae.compiler import numba as replay_numba

linux = pytest.mark.skipif(sys.platform != "linux", reason="counts what a process has written to, as Linux does")


@linux
@pytest.mark.slow
@pytest.mark.parametrize("kind", steady.KINDS)
def test_twenty_thousand_steps_take_no_more_memory_than_two_thousand(kind):
    if kind == "fast" and not replay_numba.is_installed():
        pytest.skip("needs Numba")
    found = steady.memory_after(kind, steady.STEPS)
    assert list(found) == ["2000", "20000"]
    assert found["20000"] - found["2000"] < 1024  # KiB: 58 bytes a step


@linux
def test_memory_that_is_kept_shows():
    before = steady.own_memory()
    kept = np.ones(1 << 23)  # 64 MiB, so much that it is never taken from what others have let go
    assert 65_000 < steady.own_memory() - before < 67_000
    del kept


@linux
def test_a_short_look_has_every_kind_of_step(monkeypatch):
    lines = []
    monkeypatch.setattr(steady, "memory_after", lambda kind, steps: dict.fromkeys(map(str, steps), 5))
    found = steady.run(True, lines.append)
    assert set(found) == set(steady.KINDS) - (set() if replay_numba.is_installed() else {"fast"})
    assert lines[0] == "  minivae, eager                   5 KiB after 200 steps, 5 KiB after 2000 steps"
