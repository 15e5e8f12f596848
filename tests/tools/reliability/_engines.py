"""Which engine replays a recorded step, for campaigns that go through all of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from minivae.compiler import numba as replay_numba


@contextmanager
def numba(on: bool) -> Iterator[None]:
    """Numba's loops for any number of elements, or for none."""
    before = replay_numba.LEAST_SIZE
    replay_numba.LEAST_SIZE = 2 if on else sys.maxsize
    try:
        yield
    finally:
        replay_numba.LEAST_SIZE = before
