"""The harness: enough steps, all of them counted, and nobody who computes something else."""

import math

import pytest

from benchmarks import harness
from benchmarks.cases import Case
from benchmarks.contenders import CONTENDERS, Entry
from benchmarks.harness import FULL, Plan, Session, measure, statistics
from benchmarks.worker import WorkerError

TINY = Case("tiny", 12, (7,), 3, 8, rows=40)
SHORT = Plan(warm_up=0.0, rounds=2, lead_in=0.0, turn=0.0, sample=0.0, samples=3, steps=2)


@pytest.mark.parametrize("seconds", [1e-6, 1e-4, 3e-3, 0.1, 2.0])
def test_a_full_measurement_times_at_least_200_steps(seconds):
    samples, steps = FULL.sizes(seconds)
    assert FULL.rounds * samples * steps >= 200
    assert steps * seconds >= FULL.sample
    assert samples * steps * seconds >= FULL.turn * (1 - 1e-9)


def test_statistics_are_median_and_quartiles():
    assert statistics([3, 1, 2, 5, 4]) == {"lower": 2, "median": 3, "upper": 4, "samples": 5}


def test_measure_times_everyone_who_can_run_and_says_who_cannot():
    entries = {name: CONTENDERS[name] for name in ("floor", "minivae-eager", "minivae-compiled")}
    entries["absent"] = Entry("a library", "pytorch", {}, "no_such_package")
    entries["broken"] = Entry("a library", "no_such_module", {})
    result = measure(TINY, entries, SHORT)
    assert set(result["left_out"]) == {"absent", "broken"}
    assert result["left_out"]["absent"] == "no_such_package is not installed"
    assert result["left_out"]["broken"].startswith("ModuleNotFoundError: No module named")
    assert list(result["contenders"]) == ["floor", "minivae-eager", "minivae-compiled"]
    for found in result["contenders"].values():
        assert 0 < found["lower"] <= found["median"] <= found["upper"] < 1
        assert (found["samples"], found["steps"]) == (6, 12)
        assert found["peak_memory_mib"] > 10  # (counted from that of the process that tests)
    eager, compiled = (result["contenders"][f"minivae-{mode}"]["first_loss"] for mode in ("eager", "compiled"))
    assert eager == compiled > 0


def test_minivae_itself_is_never_left_out():
    with pytest.raises(WorkerError, match="KeyError: 'slow'"):
        measure(TINY, {"ours": Entry("minivae, slow", "ours", {"mode": "slow"})}, SHORT)


@pytest.mark.parametrize("other", [106.0, 94.0, math.nan])
def test_contenders_with_another_loss_are_refused(other):
    with pytest.raises(WorkerError, match=r"tiny: .* do not do the same work; .* a 100, b"):
        harness.require_agreement(TINY, {"floor": 0.0, "a": 100.0, "b": other})


def test_contenders_with_the_same_loss_but_for_noise_are_not():
    harness.require_agreement(TINY, {"floor": 0.0, "a": -100.0, "b": -101.0})


def test_a_turn_is_samples_of_steps(monkeypatch):
    session = Session(CONTENDERS["minivae-compiled"], TINY)
    steps = []
    monkeypatch.setattr(session.contender, "step", lambda rows: steps.append(rows.numpy().tolist()))
    assert len(session.turn(0.0, 3, 2)) == 3
    assert len(steps) == 6
    assert steps[:5] == TINY.minibatches().tolist()  # an epoch, and the next begins
    assert steps[5] == steps[0]
