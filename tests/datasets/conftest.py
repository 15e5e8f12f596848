"""Shared by the data tests: a home of their own, the real data if any, and damaged files."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from minivae.errors import InputError

REAL_DATA = os.environ.get("MINIVAE_DATA")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache for each test, and no MINIVAE_DATA unless the test asks for it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("MINIVAE_DATA", raising=False)
    return tmp_path / "cache" / "minivae"


@pytest.fixture
def real_data(monkeypatch) -> Path:
    """The folder of real data sets; skips where MINIVAE_DATA does not name one."""
    if not REAL_DATA:
        pytest.skip("needs the real data sets: set MINIVAE_DATA to their folder")
    monkeypatch.setenv("MINIVAE_DATA", REAL_DATA)
    return Path(REAL_DATA)


def damaged(content: bytes, count: int = 200, seed: int = 0) -> Iterator[bytes]:
    """Yield ``count`` seeded variants of ``content``: cut short, bytes changed, bytes put in.

    Half of the changes fall on the first 256 bytes, where headers lie.
    """
    generator = np.random.default_rng(seed)
    for index in range(count):
        limit = len(content) if index % 2 else min(256, len(content))
        place = int(generator.integers(limit))
        variant = bytearray(content)
        if index % 4 < 2:
            for place in generator.integers(limit, size=generator.integers(1, 4)):
                variant[place] = generator.integers(256)
        elif index % 4 == 2:
            variant[place:place] = generator.bytes(int(generator.integers(1, 9)))
        else:
            del variant[place:]
        yield bytes(variant)


def count_refusals(path: Path, content: bytes, load: Callable[[Path], object]) -> int:
    """Load every damaged variant of ``content``; return how many raised InputError.

    Any other exception goes through and fails the test.
    """
    refused = 0
    for variant in damaged(content):
        path.write_bytes(variant)
        try:
            load(path)
        except InputError as error:
            refused += "\n" not in str(error)  # a message of several lines does not count
    return refused


def peak_memory(f: Callable[[], object]) -> int:
    """The most bytes that Python and NumPy held for a call of ``f`` at any time, with its result."""
    tracemalloc.start()
    try:
        result = f()
        peak = tracemalloc.get_traced_memory()[1]
        del result
        return peak
    finally:
        tracemalloc.stop()
