"""``minivae info`` and ``runs``."""

import numpy as np
import pytest

import minivae as mv
from minivae import __version__, autodiff, datasets
from minivae.models import VAE
from minivae.runs import Run

from .conftest import SMALL


def test_info_on_the_installation(cli):
    result = cli("info", "--json").json
    assert result["minivae"] == __version__
    assert result["backend"]["backend"] == "numpy"
    assert result["backend"]["version"] == np.__version__
    assert result["data"].keys() == set(datasets.names())
    assert result["primitives"] == len(autodiff.PRIMITIVES)
    assert f"minivae{__version__:>20}".split() == cli("info").out.splitlines()[0].split()


def test_info_on_a_run(cli, trained):
    result = cli("info", trained, "--json").json
    run = Run.open(trained)
    assert result["parameters"] == sum(p.size for p in run.load_model().parameters())
    assert result["options"].items() <= run.config["options"].items()
    assert result["dataset"]["points"] == {"train": 1500, "test": 297}
    assert result["last"]["epoch"] == 2
    text = cli("info", trained).out
    assert "test_bound" in text
    assert "None" not in text
    names = [line.split()[0] for line in text.splitlines()]
    assert len(names) == len(set(names))  # each fact once
    assert "  points               train 1500, test 297\n" in text
    assert text.count("1500") == 2  # and in how they were parted


@pytest.mark.usefixtures("no_figures")
def test_info_says_of_a_file_how_it_was_read_and_each_fact_once(cli, rng):
    np.savetxt("own.csv", rng.normal(size=(40, 3)), delimiter=",", header="high,wide,deep", comments="")
    assert cli("train", "--data", "own.csv", *SMALL, "--patience", 1, "--out", "run", "--quiet").code == 0
    text = cli("info", "run").out
    for fact in ("points               train 32, validation 4, test 4", "columns              high, wide, deep"):
        assert text.count(fact) == 1
    assert text.count("high") == text.count("random, seed 0: 36 rows train") == 1
    for part in ("choice ", "header ", "set_apart ", "range "):
        assert text.count(f"  {part}") == 1


# --------------------------------------------------------------------- runs


@pytest.mark.usefixtures("no_figures")
def test_runs_lists_what_can_be_read_and_names_what_cannot(cli, tmp_path):
    for name, model in (("a", "vae"), ("deep/b", "wae-mmd")):
        assert cli("train", *SMALL, "--model", model, "--out", f"runs/{name}", "--quiet").code == 0
    mv.fit(VAE(64, 2, (8,)), datasets.load("digits"), run=Run.create("runs/fitted"), epochs=1, progress=False)
    Run.create("runs/begun", {"model": "vae"})
    (tmp_path / "runs" / "damaged").mkdir()
    (tmp_path / "runs" / "damaged" / "config.json").write_text("{")
    found = cli("runs", "--json").json
    rows = {row["run"]: row for row in found["runs"]}
    assert rows.keys() == {"runs/a", "runs/deep/b", "runs/fitted", "runs/begun"}
    assert list(found["unreadable"]) == ["runs/damaged"]
    a = Run.open("runs/a").load_history().rows[-1]
    assert (rows["runs/a"]["test"], rows["runs/a"]["epochs"]) == (a["test_bound"], 2)
    assert (rows["runs/deep/b"]["model"], rows["runs/fitted"]["data"]) == ("wae-mmd", "digits")
    lines = cli("runs", "runs").out.splitlines()
    assert lines[0].split() == ["run", "data", "model", "train", "test", "epochs", "seconds"]
    assert len(lines) == 6
    assert lines[-1].startswith("unreadable: runs/damaged/config.json is damaged")


def test_runs_of_a_folder_without_any_and_of_none(cli, refused, tmp_path):
    (tmp_path / "empty").mkdir()
    assert cli("runs", "empty").out == "no runs in empty\n"
    assert "nowhere is not a folder" in refused("runs", "nowhere")
