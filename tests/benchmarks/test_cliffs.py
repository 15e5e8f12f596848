"""Both libraries do the same work in every row, at any size, and what takes too long is stopped."""

import json
import time
from importlib.util import find_spec

import numpy as np
import pytest

from benchmarks import cliffs, report, targets
from benchmarks.cliffs import RECORDINGS, ROWS, Session
from benchmarks.worker import Remote, WorkerError

SIZES = {"digamma": 60, "digamma_back": 60}
torch = pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed")


class Small(Session):
    """All in a few milliseconds."""

    def __init__(self, torch):
        super().__init__(False, torch)

    def compare(self, name):
        ROWS[name] = ROWS[name]._replace(quick_size=SIZES.get(name, 6))
        return super().compare(name, True)

    def record(self, name):
        RECORDINGS[name] = RECORDINGS[name]._replace(quick_size=6)
        return super().record(name, True)

    def computed(self, name):
        """The first result of each library, and whether a second run gives the same."""
        made = [(backend, ROWS[name].make(backend, SIZES.get(name, 6))) for backend in self._backends]
        runs = [[backend.array(make()()[0]).tolist() for _ in range(2)] for backend, make in made]
        return [first for first, _ in runs], all(first == second for first, second in runs)


@pytest.fixture(scope="module")
def remote():
    with Remote(Small, find_spec("torch") is not None) as remote:
        yield remote


@torch
@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_computed_by_both_and_compared(name, remote):
    found = remote.call("compare", name)
    assert found["size"] == SIZES.get(name, 6)
    for key in ("minivae", "torch", "ratio"):
        assert 0 < found[key]["lower"] <= found[key]["median"] <= found[key]["upper"]
        assert found[key]["samples"] == cliffs.QUICK_PAIRS[0]


@pytest.mark.parametrize("name", ROWS)
def test_every_run_of_a_row_is_the_same_work(name, remote):
    results, same = remote.call("computed", name)
    assert same
    assert all(np.shape(result) == np.shape(results[0]) for result in results)


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recording_is_timed_beside_its_step(name, remote):
    found = remote.call("record", name)
    assert (found["size"], found["stopped"]) == (6, False)
    assert found["eager"] >= 0  # of a clock that may be coarse


@pytest.mark.parametrize("wall", [False, True])
def test_versions_and_threads_are_told(wall):
    with Remote(Session, wall, False) as remote:  # not the one above: this file imports NumPy, and with it BLAS
        found = remote.call("describe")
    assert {"minivae", "numpy"} <= set(found["versions"])
    assert wall or found["threads"] == 1
    assert "torch_threads" not in found


def test_results_that_differ_are_refused():
    same = [np.ones(3), np.zeros(2)]
    cliffs.require_equal("a row", same, [np.ones(3) + 1e-5, np.zeros(2)])
    for other in (np.ones(3) * 1.1, np.full(3, np.nan), np.ones((1, 3))):
        with pytest.raises(WorkerError, match="a row: the two do not do the same work; result 0 differs"):
            cliffs.require_equal("a row", same, [other, np.zeros(2)])
    with pytest.raises(ValueError, match="shorter"):
        cliffs.require_equal("a row", same, same[:1])


def work(*_):
    """For much longer than it is let."""
    end = time.process_time() + 20
    while time.process_time() < end:
        time.perf_counter()


def test_what_takes_too_long_is_stopped_and_nothing_after_it():
    with pytest.raises(TimeoutError), cliffs.at_most(0.05):
        work()
    with cliffs.at_most(0.05):
        pass
    end = time.process_time() + 0.1
    while time.process_time() < end:
        time.perf_counter()


def test_a_recording_that_is_stopped_counts_as_the_limit(monkeypatch):
    monkeypatch.setattr(cliffs, "GIVE_UP", 0.05)
    session = object.__new__(Session)
    session._clock = time.perf_counter
    monkeypatch.setattr(Session, "_first_calls", work)
    found = session.record("recurrent", True)
    assert (found["seconds"], found["stopped"]) == (0.05, True)


def measured(small):
    statistics = {"median": 0.002, "lower": 0.001, "upper": 0.003, "samples": 5}
    sizes = {name: row.quick_size if small else row.size for name, row in (ROWS | RECORDINGS).items()}
    row = dict.fromkeys(("minivae", "torch"), statistics) | {"ratio": statistics | {"median": 2.5}}
    return {
        "wall": False,
        "rows": {name: row | {"size": sizes[name]} for name in ROWS},
        "recordings": {
            name: {"size": sizes[name], "eager": 0.01, "seconds": 4.0, "stopped": name == "long chain"}
            for name in RECORDINGS
        },
        **{"versions": {"minivae": "0"}, "threads": 1, "torch_threads": 1},
    }


def test_limits_are_targets_of_full_sizes_alone():
    judged = [v for v in targets.judge({"cliffs": measured(small=False)}) if v.ratio is not None]
    assert [v.word for v in judged] == ["met"] * len(ROWS) + ["missed"]
    assert judged[-1].target.what == "record 3,000 element-wise operations"
    assert {v.word for v in targets.judge({"cliffs": measured(small=True)})} == {"not measured"}


def test_the_table_says_what_was_measured():
    lines = list(report._cliffs(measured(small=False)))
    assert "| concatenate 10,000 tensors and go back | 2 | 2 | 2.50 | 0.00 to 0.00 | 5 |" in lines
    assert "| record 20,000 element-wise operations | 0.01 | over 4 |" in lines
    assert lines[-1] == "Versions: minivae 0. Threads of NumPy's BLAS: 1; of PyTorch: 1."


def test_the_command_writes_what_the_tables_are_made_of(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cliffs, "run", lambda quick, say, wall: measured(small=quick) | {"wall": wall})
    assert cliffs.main(["--quick"]) == 0
    assert cliffs.main(["--wall", "--out", str(tmp_path / "cliffs.json")]) == 0
    assert set(json.loads((tmp_path / "cliffs.json").read_text())) == {"cliffs", "environments"}
    assert report.load_all(tmp_path)["cliffs"]["wall"]
    assert "missed  4.00 (at most 2)  record 3,000 element-wise operations: a second" in capsys.readouterr().out


def test_a_row_that_cannot_be_measured_ends_the_command(monkeypatch, capsys):
    def fail(*_):
        raise WorkerError("split differs", "Traceback\n")

    monkeypatch.setattr(cliffs, "run", fail)
    assert cliffs.main(["--quick"]) == 1
    assert capsys.readouterr().err == "Traceback\npython -m benchmarks.cliffs: split differs\n"
