"""Two checkouts, each in processes of its own code, and what their times say."""

import json
import shutil
from pathlib import Path

import pytest

from benchmarks import against
from benchmarks.against import Elsewhere, Way, compare, summary, verdict
from benchmarks.harness import Plan
from benchmarks.worker import WorkerError

SHORT = Way(Plan(warm_up=0.0, rounds=2, lead_in=0.0, turn=0.0, sample=0.0, samples=2, steps=1), 2, 2)


def rounds(new, old=1.0):
    return [{"new": new, "old": old}] * 3


@pytest.fixture
def checkout(tmp_path):
    """A copy of what is measured, as another version of it."""
    for package in ("minivae", "benchmarks"):
        ignore = shutil.ignore_patterns("__pycache__", "results")
        shutil.copytree(against.HERE / package, tmp_path / package, ignore=ignore)
    return tmp_path


def test_each_works_with_its_own_code(checkout):
    path = checkout / "benchmarks" / "contenders" / "ours.py"
    path.write_text(path.read_text() + "\n\nContender.describe = lambda self: {'path': mv.__file__}\n")
    with Elsewhere(checkout, "minivae-eager", "digits") as other:
        assert Path(other.call("describe")["path"]) == checkout / "minivae" / "__init__.py"
    with Elsewhere(against.HERE, "minivae-eager", "digits") as here:
        assert "versions" in here.call("describe")
    assert not other._process.is_alive()


def test_two_checkouts_are_compared_by_turns():
    found = compare({"new": against.HERE, "old": against.HERE}, "minivae-compiled", "digits", SHORT)
    assert len(found["starts"]) == 2
    assert min(found["ratio"], found["new"], found["old"]) > 0


def test_one_that_computes_something_else_is_refused(checkout):
    path = checkout / "benchmarks" / "cases.py"
    path.write_text(path.read_text().replace("LR = 1e-3", "LR = 0.1"))
    with pytest.raises(WorkerError, match="do not do the same work"):
        compare({"new": against.HERE, "old": checkout}, "minivae-eager", "digits", SHORT)


def test_a_folder_whose_package_would_come_from_elsewhere_is_refused(checkout, capfd):
    shutil.rmtree(checkout / "minivae")
    with Elsewhere(checkout, "minivae-eager", "digits") as other, pytest.raises(WorkerError, match="exit code 1"):
        other.call("describe")
    assert "minivae" in capfd.readouterr().err


def test_the_ratio_is_the_median_of_the_starts_and_the_error_their_spread():
    found = summary([rounds(1.0), rounds(1.1), rounds(1.2)])
    assert found["starts"] == [1.0, 1.1, 1.2]
    assert (found["ratio"], found["new"], found["old"]) == (1.1, 1.1, 1.0)
    assert found["error"] == pytest.approx(2 * 0.1 / 3**0.5)


@pytest.mark.parametrize(
    ("ratio", "error", "word"),
    [(1.0, 0.02, "met"), (1.0, 0.04, "unclear"), (1.05, 0.04, "unclear"), (1.05, 0.01, "missed")],
)
def test_the_verdict_needs_more_than_the_error(ratio, error, word):
    assert verdict({"ratio": ratio, "error": error}) == word


@pytest.mark.parametrize(("ratios", "starts"), [([1.0] * 9, 3), ([1.0, 1.2] * 9, 5), ([1.2] * 9, 5)])
def test_starts_go_on_while_it_is_not_met(ratios, starts, monkeypatch):
    turns = iter(ratios)
    monkeypatch.setattr(against, "_start", lambda *_, **__: rounds(next(turns)))
    assert len(compare({}, "", "", SHORT._replace(least=3, most=5))["starts"]) == starts


def test_the_command_writes_each_row_and_tells_the_highest(tmp_path, monkeypatch, capsys):
    times = {"minivae-eager": 1.0, "minivae-compiled": 1.25}
    monkeypatch.setattr(against, "compare", lambda _, entry, *__: summary([rounds(times[entry])] * 2))
    command = ["--before", str(against.HERE), "--cases", "frey", "--contenders", *times]
    assert against.main([*command, "--out", str(tmp_path / "against.json")]) == 0
    rows = json.loads((tmp_path / "against.json").read_text())["rows"]
    assert [(row["case"], row["contender"], row["ratio"]) for row in rows] == [
        ("frey", *item) for item in times.items()
    ]
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "at most 1.03: 1 met, 0 unclear, 1 missed; the highest is 1.250 (frey, minivae-compiled)"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            ["--before", "/nowhere"],
            "--before /nowhere: it has no benchmarks/harness.py; expected a checkout of minivae",
        ),
        (["--before", str(against.HERE), "--starts", "1"], "--starts 1: expected at least 2"),
        (["--before", str(against.HERE), "--contenders", "jax"], "invalid choice: 'jax'"),
    ],
)
def test_wrong_arguments_end_the_program_before_work_starts(options, says, monkeypatch, capsys):
    monkeypatch.setattr(against, "compare", lambda *_: pytest.fail("something was measured"))
    with pytest.raises(SystemExit) as ended:
        against.main(options)
    assert ended.value.code == 2
    assert says in capsys.readouterr().err
