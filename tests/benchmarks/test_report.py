"""Tables, targets and plots from results; and the committed ones belong together."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import overhead, plot, report, steady, targets
from benchmarks.growth import SWEEPS

HERE = Path(command.__file__).parent


def contender(milliseconds):
    times = {"median": milliseconds / 1e3, "lower": milliseconds / 2e3, "upper": milliseconds / 5e2}
    return {
        **times,
        "steps": 200,
        "versions": {"library": "1.2"},
        "blas": "a BLAS",
        "threads": 2,
        "peak_memory_mib": 100.0,
    }


def case(**milliseconds):
    found = {name.replace("_", "-"): contender(value) for name, value in milliseconds.items()}
    return {"title": "sizes", "contenders": found, "left_out": {"autograd": "autograd is not installed"}}


ENVIRONMENT = {
    **{"date": "today", "cpu": "a processor", "cores": 2, "system": "Linux", "python": "3"},
    **{"load_before": 0.1, "variables": {"A": "1"}},
}
STEP = case(
    **{"floor": 2.0, "minivae_eager": 6.0, "minivae_compiled": 4.0, "minivae_fast": 3.0},
    **{"torch_eager": 6.5, "torch_fused": 5.0, "torch_compile": 4.5, "jax": 2.5},
)


def run(seconds, memory):
    keys = ("seconds_to_bound", "epochs_to_bound", "seconds", "training_seconds", "last_bound")
    return {**dict.fromkeys(keys, seconds), "peak_memory_mib": memory, "around_the_step": 1.05}


@pytest.fixture
def results():
    """All parts, with numbers that are easily divided."""
    task = {"hidden": 5, "latent": 2, "lr": 0.1, "epochs": 3, "bound": -7.0}
    runs = {"minivae train": run(1.0, 150.0), "torch_script.py": run(2.0, 300.0)}
    way = {"forward": {"median": 2e-6}, "backward": {"median": 4e-6}}
    return {
        "steps": dict.fromkeys(("digits", "frey", "mnist-100", "mnist-1000", "wide"), STEP),
        "train": {"mnist": {"task": task, "rounds": 3, "runs": runs}},
        "overhead": {name: {"minivae": way, "torch": way} for name in overhead.OPERATIONS},
        "growth": {sweep: {str(n): STEP for n in sizes} for sweep, sizes in SWEEPS.items()},
        "steady": {kind: {"2000": 20480, "20000": 20500} for kind in steady.KINDS},
        "environments": dict.fromkeys(report.FILES["cpu.json"], ENVIRONMENT),
    }


def test_every_target_is_judged_by_its_ratio(results):
    ratios = [verdict.ratio for verdict in targets.judge(results)]
    mnist = [4 / 4.5, 3 / 4.5, 3 / 2.5, 3 / 2]
    expected = [*mnist, 3 / 2.5, 3 / 2.5, 4 / 4.5, 4 / 4.5, 4 / 2.5, 4 / 2.5, 6 / 6.5, 1, 1.05, 0.5]
    np.testing.assert_allclose(ratios[: len(expected)], expected)
    assert set(ratios[len(expected) :]) == {None}  # of the cliffs, which these results do not have
    words = [verdict.word for verdict in targets.judge(results)]
    assert [n for n, word in enumerate(words) if word == "missed"] == [2, 3, 4, 5, 6, 7, 8, 9]
    assert set(words[: len(expected)]) == {"met", "missed"}


def test_a_target_is_not_judged_when_one_that_it_is_against_was_not_measured(results):
    del results["overhead"]
    results["steps"]["mnist-100"] = case(minivae_compiled=4.0, torch_eager=6.5, torch_fused=5.0)
    words = {v.target.what + v.target.against: v.word for v in targets.judge(results)}
    assert words["MNIST, batch 100, compiledbest PyTorch"] == "not measured"
    assert words["one tiny operation with tape, eagerPyTorch eager"] == "not measured"
    assert {v.word for v in targets.judge({})} == {"not measured"}


def test_the_tables_hold_times_ratios_and_who_was_left_out(results):
    text = report.markdown(results)
    assert "| JAX, jit of the whole step | 2.5 | 1.25 to 5 | 0.83 | 1.25 | 100 | 2 | 200 |" in text
    assert "Left out: HIPS autograd, Adam in NumPy (autograd is not installed)." in text
    assert "| `minivae train` | 1.00 | 1 | 1.00 | 1.00 | 1.00 | 150 |" in text
    assert "| `tanh` | 2.00 | 4.00 | 2.00 | 4.00 |" in text
    assert "| minivae, compiled + fast | 20.00 | 20.02 | 20 |" in text
    assert "| hidden units 2000 | 4, 100 | 3, 100 | 5, 100 | 2.5, 100 |" in text
    assert "today, a processor, 2 cores, Linux, Python 3, A=1; load before the start 0.1." in text


def test_tables_take_the_place_between_the_markers():
    text = f"prose\n{report.BEGIN}\nold\n{report.END}\nmore\n"
    assert report.into(text, "new\n") == f"prose\n{report.BEGIN}\n\nnew\n\n{report.END}\nmore\n"
    assert report.into(report.into(text, "new\n"), "new\n") == report.into(text, "new\n")


def test_each_part_is_kept_in_its_file(results, tmp_path):
    results["cliffs"], results["environments"]["cliffs"] = {"rows": {}}, ENVIRONMENT
    report.save_all(results, tmp_path)
    assert set(report.load(tmp_path / "cliffs.json")) == {"cliffs", "environments"}
    assert report.load_all(tmp_path) == json.loads(json.dumps(results))
    assert report.load_all(tmp_path / "nowhere") == {}
    assert sorted(part for parts in report.FILES.values() for part in parts) == sorted(command.PARTS)


def test_the_plots_are_drawn(results, tmp_path):
    plot.steps(results["steps"], tmp_path / "steps.png")
    plot.growth(results["growth"], tmp_path / "growth.png")
    assert all((tmp_path / name).stat().st_size > 20_000 for name in ("steps.png", "growth.png"))


def test_the_committed_tables_are_those_of_the_committed_results():
    results = report.load_all(report.RESULTS)
    if not results:
        pytest.skip("no results are committed yet: python -m benchmarks")
    assert set(results) == {*command.PARTS, "environments"}
    readme = (HERE / "README.md").read_text()
    assert report.into(readme, report.markdown(results)) == readme
    for found in results["steps"].values():
        assert all(contender["steps"] >= 200 for contender in found["contenders"].values())


def test_the_command_measures_writes_and_keeps_what_was_there(tmp_path, capsys):
    report.save({"steps": {"mnist-100": STEP}, "environments": {"steps": ENVIRONMENT}}, tmp_path / "cpu.json")
    assert command.main(["--quick", "--only", "overhead", "--out", str(tmp_path)]) == 0
    results = json.loads((tmp_path / "cpu.json").read_text())
    assert set(results["overhead"]["tanh"]["minivae"]) == {"forward", "backward"}
    assert results["steps"] == {"mnist-100": STEP}
    assert {path.name for path in tmp_path.iterdir()} == {"cpu.json", "cpu.md", "steps.png"}
    assert "met     0.92 (at most 1)  MNIST, batch 100, eager: PyTorch eager, default Adam" in capsys.readouterr().out


def test_report_alone_measures_nothing_and_quick_alone_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "_measure", lambda *_: pytest.fail("something was measured"))
    monkeypatch.setattr(command, "_write", lambda *_: pytest.fail("something was written"))
    assert command.main(["--quick", "--only", "report"]) == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--only", "train", "--cases", "wide"], "--cases is for the part 'steps', and --only names train"),
        (["--cases", "tall"], "invalid choice: 'tall'"),
        (["--out", __file__], "File exists"),
    ],
)
def test_wrong_arguments_end_the_program_before_work_starts(options, says, monkeypatch, capsys):
    monkeypatch.setattr(command, "_measure", lambda *_: pytest.fail("something was measured"))
    with pytest.raises(SystemExit) as ended:
        command.main(options)
    assert ended.value.code == 2
    assert says in capsys.readouterr().err
