"""The runner: time limits, processes that crash, what is gone on with, the minutes; on fake checks, without a GPU."""

import importlib
import json
import os
import time

import pytest

from benchmarks.gpu import describe, found, process, runner, summary
from benchmarks.gpu.runner import Check
from minivae.errors import BackendError

FAKE = "tests.benchmarks.gpu.fake_checks"
ABOUT = {"emulated": False, "device": {"name": "a device"}, "versions": {}, "machine": {}}


@pytest.fixture
def fakes(monkeypatch, tmp_path):
    """Two checks that do what a plan says; runs them, and returns the exit code and what was written of each."""
    checks = {name: Check(FAKE, 1, f"the {name} one") for name in ("first", "second")}
    monkeypatch.setattr(runner, "CHECKS", checks)
    monkeypatch.setattr(describe, "everything", lambda: dict(ABOUT))

    def run(plan, *arguments, minutes=2.0):
        (tmp_path / "plan.json").write_text(json.dumps(plan))
        code = runner.main(["--out", str(tmp_path), "--minutes", str(minutes), *arguments])
        return code, json.loads((tmp_path / "summary.json").read_text())["checks"]

    return run


@pytest.fixture
def one(monkeypatch, tmp_path):
    """Runs one check with a limit in seconds; returns what was written."""

    def run(plan, limit=60.0, emulated=False):
        (tmp_path / "plan.json").write_text(json.dumps(plan))
        process.attend(FAKE, tmp_path / "01-fake.json", limit, emulated)
        return json.loads((tmp_path / "01-fake.json").read_text())

    return run


def ran(tmp_path):
    return (tmp_path / "ran.txt").read_text().split()


# ---------------------------------------------------------------- one check


def test_each_item_is_told_as_it_ended(one):
    state = one({"a": "pass", "b": "raise", "c": "fail", "d": "absent", "e": "lack"})
    items = state["items"]
    assert state["ended"]
    assert items["a"]["found"] == "a"
    assert items["b"]["failed"] == "ZeroDivisionError: by zero"
    assert (items["c"]["failed"], items["c"]["difference"]) == ("two things differ", 2)
    assert items["d"]["left_out"] == "no such tool"
    assert "EMULATOR" in items["e"]["failed"]
    assert all(item["seconds"] >= 0 for item in items.values())


def test_what_an_emulation_lacks_is_no_failure_there(one):
    state = one({"a": "lack"}, emulated=True)
    assert state["items"]["a"]["left_out"] == "RuntimeError: EMULATOR: there is none"


def test_an_item_that_takes_its_process_with_it_loses_nothing_of_the_others(one, tmp_path):
    state = one({"a": "pass", "b": "crash", "c": "exit", "d": "pass"})
    assert state["items"]["b"]["failed"] == "its process ended with exit code -11 (SIGSEGV)"
    assert state["items"]["c"]["failed"] == "its process ended with exit code 7"
    assert state["items"]["a"]["found"] == "a"
    assert state["items"]["d"]["found"] == "d"
    assert ran(tmp_path) == ["a", "b", "c", "d"]
    assert state["ended"]


class Clock:
    """Time for the runner that passes only while a certain item runs, however slow the machine is."""

    def __init__(self, path, item):
        self.path, self.item, self.now = path, item, 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += 5 if found.read(self.path).get("running") == self.item else 0
        time.sleep(0.02)


def test_an_item_that_hangs_is_stopped_and_leaves_time_for_the_next(one, monkeypatch, tmp_path):
    monkeypatch.setattr(process, "time", Clock(tmp_path / "01-fake.json", "a"))
    state = one({"a": "hang", "b": "pass"}, limit=60.0)
    assert state["items"]["a"]["failed"].startswith("stopped: it took more than ")
    assert state["items"]["b"]["found"] == "b"
    assert state["ended"]
    assert "running" not in state


def test_what_a_check_started_ends_with_it(one, tmp_path, monkeypatch):
    started, clock = tmp_path / "child.txt", Clock(tmp_path / "01-fake.json", "a")
    monkeypatch.setattr(process, "time", clock)
    monkeypatch.setattr(clock, "sleep", lambda s: Clock.sleep(clock, s) if started.exists() else time.sleep(0.02))
    state = one({"a": "child"}, limit=60.0)
    assert state["items"]["a"]["failed"].startswith("stopped")
    pid = int(started.read_text())
    deadline = time.monotonic() + 30
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(pid)


def alive(pid):
    """Whether a process runs; not one that has ended and is only not waited for."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_check_that_cannot_begin_says_why(one):
    state = one("broken")
    assert state["failed"].startswith("its process ended with exit code 1; ")
    assert "ImportError: no such check" in state["failed"]
    assert not state.get("ended")


def test_without_time_nothing_is_started(one, tmp_path):
    state = one({"a": "pass"}, limit=0.0)
    assert state["not_run"] == "no time was left of 0 s"
    assert not (tmp_path / "ran.txt").exists()


def test_items_that_ran_are_not_run_again(one, tmp_path):
    path = tmp_path / "01-fake.json"
    found.write(path, {"planned": ["a", "b"], "items": {"a": {"found": "before"}}, "not_run": "no time was left"})
    state = one({"a": "pass", "b": "pass"})
    assert state["items"]["a"] == {"found": "before"}
    assert ran(tmp_path) == ["b"]
    assert "not_run" not in state


# --------------------------------------------------------------- the command


def test_checks_run_in_order_and_are_summed_up(fakes, tmp_path):
    code, checks = fakes({"a": "pass", "b": "absent"})
    assert code == 0
    for check in checks.values():
        assert (check["state"], check["passed"], check["left_out"]) == ("passed", 1, {"b": "no such tool"})
    assert [path.name for path in sorted(tmp_path.glob("0*.json"))] == ["01-first.json", "02-second.json"]
    assert "a: passed" in (tmp_path / "01-first.log").read_text()


def test_what_has_ended_is_not_run_again_unless_it_is_named(fakes, tmp_path):
    fakes({"a": "pass"})
    code, _ = fakes({"a": "pass"})
    assert (code, ran(tmp_path)) == (0, ["a", "a"])
    code, checks = fakes({"a": "fail"}, "--only", "second")
    assert (code, ran(tmp_path)) == (1, ["a", "a", "a"])
    assert [check["state"] for check in checks.values()] == ["passed", "failed"]
    assert checks["second"]["failed"] == {"a": "two things differ"}


def test_minutes_are_shared_and_what_is_not_needed_is_the_next_ones(fakes, monkeypatch):
    limits = []
    monkeypatch.setattr(runner, "attend", lambda module, path, limit, emulated: limits.append(limit))
    fakes({}, minutes=1.0)
    assert limits[0] == pytest.approx(30, abs=5)
    assert limits[1] == pytest.approx(60, abs=5)


def test_when_the_minutes_are_over_it_says_what_is_missing(fakes):
    code, checks = fakes({"a": "pass"}, minutes=0.0)
    assert code == 1
    assert [check["state"] for check in checks.values()] == ["not run", "not run"]
    assert checks["first"]["why"] == "no time was left of 0 s"


def test_without_a_gpu_it_says_so_in_one_line(tmp_path, monkeypatch, capsys):
    def none():
        raise BackendError("backend 'cupy' finds no CUDA device")

    monkeypatch.setattr(describe, "everything", none)
    assert runner.main(["--out", str(tmp_path / "gpu")]) == 2
    assert not (tmp_path / "gpu").exists()
    assert capsys.readouterr().err == "python -m benchmarks.gpu: backend 'cupy' finds no CUDA device\n"


def test_a_folder_that_cannot_be_written_ends_it_before_the_work(tmp_path, fakes, capsys):
    (tmp_path / "file").write_text("")
    assert runner.main(["--out", str(tmp_path / "file")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("python -m benchmarks.gpu: ")


def test_all_is_gathered_in_one_file_without_times_of_an_emulation(fakes, tmp_path, monkeypatch):
    monkeypatch.setattr(describe, "everything", lambda: ABOUT | {"emulated": True})
    fakes({"a": "pass", "b": "fail"})
    assert runner.main(["--out", str(tmp_path), "--gather", str(tmp_path / "all.json")]) == 0
    whole = json.loads((tmp_path / "all.json").read_text())
    assert whole["checks"]["first"]["items"] == {
        "a": {"found": "a"},
        "b": {"difference": 2, "failed": "two things differ"},
    }
    assert whole["checks"]["second"]["state"] == "failed"
    assert summary.without_times({"us": 1, "rows": [{"median": 2, "item": "x"}]}) == {"rows": [{"item": "x"}]}


def test_every_check_has_items_that_are_told_without_a_gpu(tmp_path):
    context = found.Context(tmp_path, time.monotonic() + 60, False)
    for check in runner.CHECKS.values():
        assert importlib.import_module(check.module).items(context)
    assert os.listdir(tmp_path) == []
