"""The time of a step: what is judged, what is left out, what fails; on the CPU."""

import threading

import pytest

from benchmarks.cases import CASES, Case
from benchmarks.contenders import Entry
from benchmarks.gpu import steps
from benchmarks.gpu.found import Failure
from benchmarks.gpu.steps import BRIEF, CONTENDERS, TARGETS, measure, timed, verdicts
from benchmarks.worker import WorkerError

TINY = Case("tiny", 12, (7, 5), 3, 8, rows=40)
ON_CPU = {
    "minivae-graph": Entry("minivae", "gpu_minivae", {"mode": "compiled", "backend": "numpy"}),
    "minivae-eager": Entry("minivae, eager", "gpu_minivae", {"mode": "eager", "backend": "numpy"}),
    "torch-eager": Entry("PyTorch", "gpu_pytorch", {"mode": "eager", "device": "cpu"}, "torch"),
}


def test_contenders_take_turns_and_a_broken_one_does_not_stop_the_others():
    broken = Entry("broken", "nowhere_at_all", {}, "numpy")
    no_gpu = Entry("PyTorch", "gpu_pytorch", {"mode": "impossible", "device": "nowhere"}, "torch")
    absent = Entry("absent", "gpu_jax", {}, "no_such_package")
    entries = {"absent": absent, "broken": broken, **ON_CPU, "no-gpu": no_gpu}
    found = measure(TINY, entries, BRIEF)
    assert found["left_out"]["absent"] == "no_such_package is not installed"
    assert found["left_out"]["broken"].startswith("ModuleNotFoundError")
    assert {"minivae-graph", "minivae-eager"} <= found["contenders"].keys()
    assert found["ratios"]["minivae-graph"] == 1
    for result in found["contenders"].values():
        assert result["median"] > 0
        assert result["first_loss"] == pytest.approx(found["contenders"]["minivae-graph"]["first_loss"], rel=0.1)
    if "no-gpu" in found["failed"]:  # PyTorch is installed
        assert "torch-eager" in found["contenders"]


class Slow:
    """In the place of a remote: ready when it is killed."""

    def __init__(self):
        self.killed = threading.Event()

    def call(self, *_):
        self.killed.wait(60)
        raise WorkerError("its process ended with exit code -9", "")

    def kill(self):
        self.killed.set()


class Quick(Slow):
    def call(self, *_):
        return 5.0, 0.001


def test_who_is_not_ready_in_time_is_ended_and_the_others_are_timed():
    ready = steps._ready({"slow": Slow(), "quick": Quick()}, 0.0, 0.2)
    assert ready == {"slow": "it was not ready after 0 s", "quick": (5.0, 0.001)}


def test_a_contender_that_broke_or_was_not_captured_fails_the_case(monkeypatch):
    ours = {"median": 1e-4, "log": ["no graph"]}
    found = {"contenders": {"minivae-graph": ours}, "failed": {"jax": "broke"}, "ratios": {}, "left_out": {}}
    monkeypatch.setattr(steps, "measure", lambda of, entries, plan, patience: dict(found))
    with pytest.raises(Failure) as told:
        timed(CASES["wide"], BRIEF)
    reason, kept = told.value.args
    assert reason == "minivae-graph: no graph; jax: broke"
    assert kept["contenders"] == {"minivae-graph": ours}
    assert kept["broken"] == {"jax": "broke"}
    assert not {"failed", "left_out"} & kept.keys()
    assert [target["met"] for target in kept["targets"]] == [None, None]


def test_a_target_is_judged_by_the_fastest_of_the_others():
    ratios = {"torch-compile": 0.5, "torch-graph": 1.1, "torch-eager": 0.2, "jax": 0.9}
    best, jax, eager = verdicts("mnist-100", {"ratios": ratios})
    assert (best["ratio"], best["met"]) == (1.1, False)
    assert (jax["ratio"], jax["met"]) == (0.9, True)
    assert (eager["ratio"], eager["met"]) == (0.2, True)


def test_targets_and_timed_cases_are_of_the_tables():
    assert set(steps.TIMED) <= CASES.keys()
    for case, others, _ in TARGETS:
        assert case in CASES
        assert set(others) <= CONTENDERS.keys()
