"""CPU against GPU: what agrees and what does not, on NumPy twice and on given results."""

import numpy as np
import pytest

from benchmarks.cases import Case
from benchmarks.gpu import agreement
from benchmarks.gpu.found import Failure
from benchmarks.worker import WorkerError

TINY = Case("tiny", 12, (7, 5), 3, 8, rows=40)


class Given:
    """In the place of two processes."""

    def __init__(self, *results):
        self._results = results

    def run(self, of, steps):
        return self._results


class Broken:
    """In the place of a process."""

    def __init__(self, *_):
        self.closed = False

    def call(self, *_):
        raise WorkerError("OutOfMemoryError", "")

    def close(self):
        self.closed = True


def test_two_backends_that_agree():
    pair = agreement.Pair("numpy", "numpy")
    try:
        for _ in range(2):  # in the same processes
            assert agreement.agreement(TINY, pair, steps=4) == {
                "steps": 4,
                "differences": {"loss": 0.0, "parameters": 0.0, "parameters_but_a_thousandth": 0.0},
                "tolerances": agreement.TOLERANCES,
                "agrees": True,
                "log": [],
            }
    finally:
        pair.close()


def test_two_that_do_not():
    pair = Given(([1.0, 2.0], {"w": np.ones(2)}, []), ([1.0, 2.1], {"w": np.array([1, np.nan])}, ["no graph"]))
    with pytest.raises(Failure, match="no graph; CPU and GPU differ by more than rounding") as told:
        agreement.compare(TINY, pair)
    found = told.value.args[1]
    assert found["differences"]["loss"] == pytest.approx(0.05)
    assert not found["agrees"]


def test_a_process_that_broke_is_not_asked_again(monkeypatch):
    made = []
    monkeypatch.setattr(agreement, "Remote", lambda *_: made.append(Broken()) or made[-1])
    pair = agreement.Pair("numpy", "cupy")
    for _ in range(2):
        with pytest.raises(WorkerError, match="OutOfMemoryError"):
            pair.run(TINY, 4)
    assert [remote.closed for remote in made] == [True] * 4
