"""The tests marked gpu: how they are called, what is counted, what is written while they run."""

import json
import os
import subprocess
import sys

import pytest

from benchmarks.gpu import standins, suite
from benchmarks.gpu.found import Context, Failure, LeftOut
from benchmarks.gpu.process import ROOT

RESULTS = [
    {"outcome": "passed", "test": "a", "why": ""},
    {"outcome": "skipped", "test": "b", "why": "no torch"},
    {"outcome": "failed", "test": "c", "why": "1 is not 2"},
    {"outcome": "not collected, failed", "test": "d", "why": "No module named 'nowhere_at_all'"},
    {"outcome": "failed", "test": "e", "why": "EMULATOR: there is none"},
]


def test_results_are_counted(monkeypatch):
    monkeypatch.setattr(standins, "absent", lambda: ["nowhere_at_all"])
    assert suite.counted(RESULTS, emulated=True) == {
        "passed": 1,
        "failures": {"c": "1 is not 2"},
        "skipped": {"no torch": 1},
        "need_a_package": {"d": "nowhere_at_all"},
        "not_emulated": 1,
    }
    assert suite.counted(RESULTS)["failures"] == {"c": "1 is not 2", "e": "EMULATOR: there is none"}


@pytest.mark.parametrize(
    ("passed", "failures", "code", "why"),
    [
        (2, {}, 0, None),
        (2, {}, 1, None),  # what failed needs a package
        (2, {"a": "why"}, 1, "1 tests failed, 2 passed (pytest's exit code is 1)"),
        (0, {}, 5, "0 tests failed, 0 passed (pytest's exit code is 5)"),
        (2, {}, None, "the time was over: 2 tests passed, 0 failed by then"),
    ],
)
def test_verdicts(passed, failures, code, why):
    assert suite.verdict({"passed": passed, "failures": failures}, code) == why


def test_every_test_is_in_one_group():
    for number, group in enumerate(suite.GROUPS):
        words = suite.command(group)
        assert set(suite.GROUPS[group]) <= set(words)
        before = [path for name in list(suite.GROUPS)[:number] for path in suite.GROUPS[name]]
        assert {f"--ignore={path}" for path in before} <= set(words)
        assert all((ROOT / path).is_dir() for path in suite.GROUPS[group])


def test_without_pytest_they_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(suite, "find_spec", lambda name: None)
    with pytest.raises(LeftOut, match="pytest is not installed"):
        suite.run(Context(tmp_path, 0.0, False), "compiler")


def test_a_run_that_is_stopped_keeps_what_it_found(tmp_path, monkeypatch):
    def pytest_run(arguments, lines, seconds):
        lines.write_text("".join(json.dumps(result) + "\n" for result in RESULTS[:2]))

    monkeypatch.setattr(suite, "_pytest", pytest_run)
    with pytest.raises(Failure, match="the time was over: 1 tests passed, 0 failed by then") as told:
        suite.run(Context(tmp_path, 0.0, False), "compiler")
    assert told.value.args[1]["skipped"] == {"no torch": 1}


TESTS = """
import pytest

def test_passes(): pass
def test_fails(): assert 1 == 2, "one is not two"
def test_skips(): pytest.skip("no torch")
@pytest.fixture
def broken(): raise ValueError("no fixture")
def test_errs(broken): pass
"""


def test_each_result_is_a_line_when_it_is_there(tmp_path):
    (tmp_path / "test_them.py").write_text(TESTS)
    (tmp_path / "test_not_collected.py").write_text("import nowhere_at_all")
    environment = {**os.environ, suite.VARIABLE: str(tmp_path / "lines"), "PYTHONPATH": str(ROOT)}
    environment.pop("PYTEST_XDIST_WORKER", None)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "benchmarks.gpu.watch", "-p", "no:cacheprovider"]
    options = ["--continue-on-collection-errors", "--rootdir", str(tmp_path), "-c", os.devnull, str(tmp_path)]
    done = subprocess.run([*command, *options], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    results = {line["test"].rpartition("::")[2]: line for line in suite.read(tmp_path / "lines")}
    assert results["test_passes"]["outcome"] == "passed"
    assert results["test_fails"]["why"].startswith("AssertionError: one is not two")
    assert (results["test_skips"]["outcome"], results["test_skips"]["why"]) == ("skipped", "Skipped: no torch")
    assert results["test_errs"]["why"] == "ValueError: no fixture"
    (missing,) = (line for line in results.values() if line["outcome"] == "not collected, failed")
    assert "No module named 'nowhere_at_all'" in missing["why"]
