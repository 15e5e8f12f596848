"""CPU against GPU: what agrees and what does not, on NumPy twice and on given results."""

import numpy as np
import pytest

from benchmarks.cases import Case
from benchmarks.gpu import agreement
from benchmarks.gpu.found import Failure

TINY = Case("tiny", 12, (7, 5), 3, 8, rows=40)


class Given:
    """In the place of a worker."""

    def __init__(self, result):
        self._result = result

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def call(self, *_):
        return self._result


def test_two_backends_that_agree():
    assert agreement.agreement(TINY, "numpy", "numpy", steps=4) == {
        "steps": 4,
        "differences": {"loss": 0.0, "parameters": 0.0, "parameters_but_a_thousandth": 0.0},
        "tolerances": agreement.TOLERANCES,
        "agrees": True,
        "log": [],
    }


def test_two_that_do_not(monkeypatch):
    runs = iter([([1.0, 2.0], {"w": np.ones(2)}, []), ([1.0, 2.1], {"w": np.array([1, np.nan])}, ["no graph"])])
    monkeypatch.setattr(agreement, "Remote", lambda *_: Given(next(runs)))
    with pytest.raises(Failure, match="no graph; CPU and GPU differ by more than rounding") as told:
        agreement.compare(TINY)
    found = told.value.args[1]
    assert found["differences"]["loss"] == pytest.approx(0.05)
    assert not found["agrees"]
