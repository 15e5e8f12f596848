"""The GPU's command: what it writes, what fails, and its parts on what there is without a GPU."""

import json
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks import gpu, gpu_runs
from benchmarks.cases import Case
from benchmarks.contenders import Entry
from benchmarks.harness import Plan
from benchmarks.worker import WorkerError
from minivae.errors import BackendError

TINY = Case("tiny", 12, (7, 5), 3, 8, rows=40)
BRIEF = Plan(warm_up=0.0, rounds=2, lead_in=0.0, turn=0.0, sample=0.0, samples=2, steps=1)
ON_CPU = {
    "minivae-graph": Entry("minivae", "gpu_minivae", {"mode": "compiled", "backend": "numpy"}),
    "minivae-eager": Entry("minivae, eager", "gpu_minivae", {"mode": "eager", "backend": "numpy"}),
    "torch-eager": Entry("PyTorch", "gpu_pytorch", {"mode": "eager", "device": "cpu"}, "torch"),
}


@pytest.fixture
def device(monkeypatch):
    monkeypatch.setattr(gpu, "describe_device", lambda: {"name": "a device"})


def run(tmp_path, *arguments):
    code = gpu.main(["--out", str(tmp_path / "gpu.json"), *arguments])
    return code, json.loads((tmp_path / "gpu.json").read_text())


# ------------------------------------------------------------- the command


def test_without_a_gpu_it_says_so_in_one_line(tmp_path, monkeypatch, capsys):
    def none(name):
        raise BackendError("backend 'cupy' finds no CUDA device")

    monkeypatch.setattr(gpu.backend, "get_backend", none)
    assert gpu.main(["--out", str(tmp_path / "gpu.json")]) == 2
    assert not (tmp_path / "gpu.json").exists()
    assert capsys.readouterr().err == "python -m benchmarks.gpu: backend 'cupy' finds no CUDA device\n"


def test_a_file_that_cannot_be_written_ends_it_before_the_work(tmp_path, device, capsys):
    assert gpu.main(["--out", str(tmp_path / "nowhere" / "gpu.json")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("python -m benchmarks.gpu: cannot write ")


def test_a_part_that_fails_is_written_down_and_loses_nothing_of_the_others(tmp_path, device, monkeypatch):
    def broken(args):
        raise ZeroDivisionError("by zero")

    def failing(args):
        raise gpu.Failure("two things differ", {"difference": 2})

    parts = {"tests": broken, "agreement": failing, "steps": lambda args: {"found": args.cases}}
    monkeypatch.setattr(gpu, "PARTS", parts)
    code, results = run(tmp_path, "--cases", "digits")
    assert code == 1
    assert results["device"] == {"name": "a device"}
    assert results["tests"] == {"failed": "ZeroDivisionError: by zero"}
    assert results["agreement"] == {"difference": 2, "failed": "two things differ"}
    assert results["steps"] == {"found": ["digits"]}
    assert {"minivae", "numpy"} <= results["versions"].keys() | {"minivae"}
    code, results = run(tmp_path, "--only", "steps")
    assert code == 0
    assert "tests" not in results


# ------------------------------------------------------------------- tests

XML = """<testsuites><testsuite>
<testcase classname="tests.a" name="passes"/>
<testcase classname="tests.a" name="skipped"><skipped message="no torch"/></testcase>
<testcase classname="tests.a" name="fails"><failure message="1 is not 2">...</failure></testcase>
<testcase classname="tests.b" name="breaks"><error message="no fixture">...</error></testcase>
</testsuite></testsuites>"""


def test_a_report_of_pytest_is_read():
    assert gpu.read_report(ElementTree.fromstring(XML)) == {
        "passed": 1,
        "failures": {"tests.a::fails": "1 is not 2", "tests.b::breaks": "no fixture"},
        "skipped": {"tests.a::skipped": "no torch"},
    }


@pytest.mark.parametrize(
    ("written", "code", "failure"),
    [
        (XML, 1, "2 tests failed, 1 passed"),
        ("<testsuites/>", 5, "0 tests failed, 0 passed"),
        (None, 4, "pytest ended with exit code 4"),
        ('<testsuites><testcase classname="a" name="b"/></testsuites>', 0, None),
    ],
)
def test_the_tests_are_those_marked_gpu_and_need_one(tmp_path, device, monkeypatch, written, code, failure):
    def pytest_run(command, env, **options):
        assert command[command.index("-m", 3) + 1] == "gpu"
        assert env["MINIVAE_REQUIRE_GPU"] == "1"
        (report,) = (Path(part.partition("=")[2]) for part in command if part.startswith("--junitxml"))
        if written:
            report.write_text(written)
        return subprocess.CompletedProcess(command, code, "out", "err")

    monkeypatch.setattr(gpu.subprocess, "run", pytest_run)
    exit_code, results = run(tmp_path, "--only", "tests")
    assert exit_code == (1 if failure else 0)
    assert results["tests"].get("failed") == failure


# -------------------------------------------------------------------- runs


def test_two_libraries_that_agree_and_two_that_do_not(monkeypatch):
    assert gpu_runs.agreement(TINY, "numpy", "numpy", steps=4) == {
        "steps": 4,
        "differences": {"loss": 0.0, "parameters": 0.0, "parameters_but_a_thousandth": 0.0},
        "tolerances": gpu_runs.TOLERANCES,
        "agrees": True,
        "log": [],
    }
    runs = iter([([1.0, 2.0], {"w": np.ones(2)}, []), ([1.0, 2.1], {"w": np.array([1, np.nan])}, ["why"])])
    monkeypatch.setattr(gpu_runs, "Remote", lambda *_: _Given(next(runs)))
    found = gpu_runs.agreement(TINY, "numpy", "cupy")
    assert found["differences"]["loss"] == pytest.approx(0.05)
    assert (found["agrees"], found["log"]) == (False, ["why"])


def test_one_case_that_breaks_does_not_lose_the_others(tmp_path, device, monkeypatch):
    good = {"differences": {"loss": 1e-7}, "agrees": True, "log": []}
    results = {"digits": good, "frey": {**good, "agrees": False}, "wide": {**good, "log": ["no graph"]}}

    def agreement(case, first, second):
        if case.name not in results:
            raise WorkerError("OutOfMemoryError", "")
        return results[case.name]

    def measure(case, entries, plan):
        if case.name not in results:
            raise WorkerError("OutOfMemoryError", "")
        ours = {"median": 1e-4, "log": results[case.name]["log"]}
        return {"contenders": {"minivae-graph": ours}, "failed": {"jax": "broke"} if case.name == "frey" else {}}

    monkeypatch.setattr(gpu_runs, "agreement", agreement)
    monkeypatch.setattr(gpu_runs, "measure", measure)
    chosen = ["--cases", "digits", "frey", "mnist-100", "wide"]
    code, found = run(tmp_path, "--only", "agreement", "steps", *chosen)
    assert code == 1
    assert found["agreement"]["failed"].split("; ") == [
        "frey: CPU and GPU differ by more than rounding",
        "mnist-100: OutOfMemoryError",
        "wide: no graph",
    ]
    assert found["agreement"]["digits"] == good
    assert found["steps"]["failed"].split("; ") == [
        "frey: jax: broke",
        "mnist-100: OutOfMemoryError",
        "wide: minivae-graph: no graph",
    ]
    assert found["steps"]["cases"].keys() == {"digits", "frey", "wide"}
    code, found = run(tmp_path, "--only", "agreement", "steps", "--cases", "digits")
    assert code == 0
    assert [target["met"] for target in found["steps"]["targets"]] == [None, None]


class _Given:
    """In the place of a worker."""

    def __init__(self, result):
        self._result = result

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def call(self, *_):
        return self._result


def test_contenders_take_turns_and_a_broken_one_does_not_stop_the_others():
    broken = Entry("broken", "nowhere_at_all", {}, "numpy")
    no_gpu = Entry("PyTorch", "gpu_pytorch", {"mode": "impossible", "device": "nowhere"}, "torch")
    absent = Entry("absent", "gpu_jax", {}, "no_such_package")
    entries = {"absent": absent, "broken": broken, **ON_CPU, "no-gpu": no_gpu}
    found = gpu_runs.measure(TINY, entries, BRIEF)
    assert found["left_out"]["absent"] == "no_such_package is not installed"
    assert found["left_out"]["broken"].startswith("ModuleNotFoundError")
    assert {"minivae-graph", "minivae-eager"} <= found["contenders"].keys()
    assert found["ratios"]["minivae-graph"] == 1
    for result in found["contenders"].values():
        assert result["median"] > 0
        assert result["first_loss"] == pytest.approx(found["contenders"]["minivae-graph"]["first_loss"], rel=0.1)
    if "no-gpu" in found["failed"]:  # PyTorch is installed
        assert "torch-eager" in found["contenders"]


def test_a_target_is_judged_by_the_fastest_of_the_others():
    cases = {"mnist-100": {"ratios": {"torch-compile": 0.5, "torch-graph": 1.1, "torch-eager": 0.2}}}
    graphs, eager = gpu_runs.verdicts(cases)
    assert (graphs["ratio"], graphs["met"]) == (1.1, False)
    assert (eager["ratio"], eager["met"]) == (0.2, True)
    assert [(v["ratio"], v["met"]) for v in gpu_runs.verdicts({})] == [(None, None)] * 2
