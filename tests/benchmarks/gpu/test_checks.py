"""The other checks, as far as they can be without a GPU."""

import importlib.util
import time

import numpy as np
import pytest

from benchmarks.cases import CASES, Case
from benchmarks.gpu import capture, command, models, program, sanitizer, sizes, train, warm
from benchmarks.gpu.found import Context, Failure, LeftOut
from minivae import cli
from minivae.compiler import cuda
from minivae.models import MODELS


@pytest.fixture
def context(tmp_path):
    return Context(tmp_path, time.monotonic() + 600, True)


# ------------------------------------------------------------------ capture


def test_a_result_is_looked_at_beside_its_size_and_its_dtype():
    wanted = np.array([1000.0, 1.0])
    assert capture.beside(wanted.astype("float32"), wanted) == 0
    assert capture.beside((wanted + 0.01).astype("float32"), wanted) == pytest.approx(0.5, rel=0.01)
    assert capture.beside(wanted + 0.01, wanted) > 1
    assert capture.beside(np.array([True, False]), np.array([True, True])) > 1
    assert not capture.beside(wanted[:1], wanted) <= 1
    assert not capture.beside(np.array([np.nan, 1.0]), wanted) <= 1


def test_a_row_that_raises_does_not_stop_the_others(monkeypatch):
    class Row(capture.Row):
        def error(self, use):
            return self.call()

    def broken():
        raise TypeError("no\nsuch argument")

    rows = {"right": lambda: 0.1, "wrong": lambda: 2.0, "none": lambda: float("nan"), "broken": broken}
    with pytest.raises(Failure) as told:
        capture.errors({name: Row(call, None, None) for name, call in rows.items()})
    reason, found = told.value.args
    assert reason.split("; ") == [
        "wrong: wrong, 2 of what rounding makes",
        "none: wrong, nan of what rounding makes",
        "broken: TypeError: no such argument",
    ]
    assert found["errors_over_tolerance"]["right"] == 0.1


# ------------------------------------------------------------------- models


def test_a_model_is_trained_in_both_ways_resumed_and_used():
    found = models.model("cvae", "numpy")
    assert found["parameters_apart"] < 1e-6
    assert found["resumed_apart"] == 0
    assert found["uses"] == {"sample": True, "reconstruct": True, "log likelihood": True}


def test_what_is_wrong_with_a_model():
    found = {"terms_apart": 0.1, "parameters_apart": float("nan"), "resumed_apart": 0.0, "launches": 0}
    wrong = list(models._wrong({**found, "uses": {"sample": False, "reconstruct": "it has none"}}, "cupy"))
    assert wrong == ["terms apart by 1.0e-01", "parameters apart by nan", "no graph was launched", "sample: not finite"]


def test_every_model_is_an_item(context):
    assert list(models.items(context))[1:] == list(MODELS)


# ------------------------------------------------------------------- kernels


def test_jobs_are_done_by_several_processes_whatever_they_raise():
    jobs = [("math", "sqrt", (value,)) for value in (4.0, -1.0, 9.0)]
    found = warm.by_processes(jobs, 60.0, 2)
    assert (found["processes"], found["jobs"], found["done"]) == (2, 3, 3)


def test_jobs_that_take_too_long_are_ended():
    assert warm.by_processes([("time", "sleep", (600,))], 0.1, 1)["done"] == 0


def test_with_few_cores_nothing_is_done_beforehand(monkeypatch):
    monkeypatch.setattr(warm.os, "cpu_count", lambda: 2)
    with pytest.raises(LeftOut, match="there are 2 cores"):
        warm.kernels([("math", "sqrt", (4.0,))], 1.0)


# -------------------------------------------------------------------- sizes


def test_under_an_emulation_cases_are_small(context):
    assert sizes.case("wide", context._replace(emulated=False)) is CASES["wide"]
    small = sizes.case("frey", context)
    assert (small.data_dim, small.likelihood, small.batch_size) == (560, "gaussian", 20)


# ------------------------------------------------------------------ program


def test_items_of_a_step_are_named(fake):
    from benchmarks.contenders.gpu_minivae import Contender

    case = Case("tiny", 12, (7, 5), 3, 8, rows=40)
    with program._prepared() as prepared:
        contender = Contender(case, "compiled", "strict")
        for rows in case.minibatches()[:3]:
            contender.step(contender.array(rows))
        contender.loss()
    names = [name for name, _ in prepared]
    assert "matmul (8x12, 12x7 -> 8x7)" in names
    assert any(name.startswith("take (40x12, 8 -> ") for name in names)
    assert all(calls for _, calls in prepared)
    assert program.Device is cuda.replay.Device  # whose method is its own again
    assert "noting" not in program.Device._prepare.__qualname__


# -------------------------------------------------------------------- train


def test_a_run_on_random_pixels_is_trained_killed_and_resumed(context, monkeypatch):
    """On the CPU, in processes."""
    words = train.command

    def on_the_cpu(context, run):
        return ["numpy" if word == "cupy" else word for word in words(context, run)]

    monkeypatch.setattr(train, "command", on_the_cpu)
    found = train.trained(context, "warm")
    assert found["data"] == "random pixels, 200 and 40 rows of 784"
    assert len(found["test_bound"]) == train.EPOCHS
    found = train.resumed(context)
    assert found["bit_for_bit"], found
    assert 0 < found["killed_after_epochs"] < train.EPOCHS


def test_a_run_that_fails_says_why(context, monkeypatch):
    monkeypatch.setattr(train, "command", lambda *_: ["false"])
    with pytest.raises(Failure, match="exit code 1"):
        train.trained(context, "warm")


def test_without_matplotlib_no_figures_are_drawn(monkeypatch, capsys):
    find = importlib.util.find_spec
    monkeypatch.setattr(command, "find_spec", lambda name: None if name == "matplotlib" else find(name))
    monkeypatch.setattr(cli.train, "draw_run", None)
    assert command.main(["models"]) == 0
    assert cli.train.draw_run("anything") is None


# ---------------------------------------------------------------- sanitizer


@pytest.mark.parametrize(
    ("output", "errors", "why"),
    [
        ("========= ERROR SUMMARY: 0 errors", 0, None),
        ("========= RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)", 0, None),
        ("========= Invalid read\n========= ERROR SUMMARY: 3 errors", 3, "3 errors"),
        ("Segmentation fault", 0, "it gave no count; exit code 0"),
    ],
)
def test_errors_that_a_tool_counts(output, errors, why):
    if why is None:
        assert sanitizer.judged(0, output)["errors"] == errors
        return
    with pytest.raises(Failure) as told:
        sanitizer.judged(0, output)
    assert told.value.args[0] == why
    assert told.value.args[1]["errors"] == errors


def test_without_the_tool_it_is_left_out(context, monkeypatch):
    monkeypatch.setattr(sanitizer, "_places", lambda: iter([None, "/nowhere/at/all"]))
    with pytest.raises(LeftOut, match="compute-sanitizer is not installed"):
        sanitizer.checked(context, "memcheck")
