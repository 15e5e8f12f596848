"""The examples run as a reader runs them, and leave what they promise."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from minivae.models import MODELS

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
IN_A_RUN = {"config.json", "history.csv", "model.npz"}
DRAWN = ("learning_curve", "reconstructions", "samples", "latent", "interpolation", "traversals")
OF_A_RUN = {f"{name}.png" for name in DRAWN}

FAMILY = {"family.csv", "family.png", "samples"}
IDENTIFIED = {"identifiability.csv", "identifiability.png"}
OWN = {
    *("data", "runs", "results.json", "garments_samples.png", "garments_reconstructions.png", "garments_codes.csv"),
    *("garments_latent.png", "places_latent.png", "plant_latent.png", "cells_latent.png", "plant_columns.png"),
    *("places_samples.png", "places_way.png", "places_codes.npz", "plant_scores.csv", "plant_samples.csv"),
    *("plant_reconstructions.csv", "plant_codes.csv", "cells_samples.npy", "cells_reconstructions.png"),
    "cells_codes.csv",
}

# Example: its options here, what it must print, the files that it must leave, whether it needs MINIVAE_DATA.
RUNS = {
    "gradient_by_hand.py": ([], "all 132 gradients agree", set(), False),
    "quickstart.py": (["--quick"], "test bound -", OF_A_RUN - {"traversals.png"} | {"manifold.png"}, False),
    "em.py": (["--quick"], "every step of EM kept", {"em.csv", "em.png"}, False),
    "family.py": (["--quick", "--models", "vae", "cvae", "vq-vae"], "log_likelihood -", FAMILY, False),
    "identifiability.py": (["--quick"], "median MCC of ivae", IDENTIFIED, False),
    "aggregate_bias.py": (["--quick"], "| TC, `mss` | 0.3 |", {"aggregate_bias.csv"}, False),
    "semi_supervised.py": (["--quick"], "m1-m2: mean error", {"errors.csv"}, False),
    "code_prior.py": (["--quick"], "bits_of_a_code", {"code_prior.csv", "code_prior.png"}, False),
    "own_data.py": (["--quick"], "median R^2", OWN, False),
    "mnist.py": (["--quick"], "test bound -", OF_A_RUN | IN_A_RUN, True),
    "frey_face.py": (["--quick"], "split random, seed 0", OF_A_RUN | IN_A_RUN, True),
}


def run(name: str, *options: str, **environment: str) -> subprocess.CompletedProcess:
    """Run an example in a process of its own, with warnings as errors."""
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-W", "error", str(EXAMPLES / name), *options]
    return subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": paths, **environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=1200,  # a hang, not a slow machine
    )


def test_every_example_is_run_here_and_by_the_gate():
    gate = (ROOT / ".ci" / "run").read_text()
    found = {path.name for path in EXAMPLES.glob("*.py")}
    assert found == set(RUNS)
    assert all(f"examples/{name}" in gate for name in found)


LONG = ("own_data.py", "mnist.py", "frey_face.py")  # which the gate runs anyway


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in LONG)) for n in RUNS])
def test_an_example_runs_and_leaves_its_pictures(name, tmp_path):
    options, says, leaves, needs_data = RUNS[name]
    if needs_data and not os.environ.get("MINIVAE_DATA"):
        pytest.skip("MINIVAE_DATA is not set; it names the folder with the real MNIST and Frey Face")
    out = ["--out", str(tmp_path / "out")] if leaves else []
    done = run(name, *options, *out)
    assert done.returncode == 0, done.stderr
    assert says in done.stdout
    left = {path.name for path in tmp_path.glob("out/*")}
    assert left == leaves
    for picture in tmp_path.glob("out/*.png"):
        assert picture.stat().st_size > 5000, f"{picture.name} can hardly show anything"


def test_a_quick_result_of_the_family_stands_for_no_full_one(tmp_path, monkeypatch):
    """In the same folder too: the settings are part of a row's key."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    family = importlib.import_module("family")
    monkeypatch.setitem(family.TRAINING, "digits", {"epochs": 3, "lr": 0.005, "binarize": "none"})
    options = {"data": "digits", "models": ["vae"], "seeds": [0], "backend": None, "out": str(tmp_path)}
    found = []
    for quick in (True, False, True, False):
        family.main(argparse.Namespace(**options, quick=quick))
        found.append([json.loads(row["settings"])["epochs"] for row in family.read(tmp_path / "family.csv")])
    assert found == [[2], [2, 3], [2, 3], [2, 3]]
    assert len(list((tmp_path / "samples").iterdir())) == 2


def test_each_member_is_on_the_sheet_under_what_it_changes(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    family = importlib.import_module("family")
    assert {family.axis_of(name) for name in MODELS} <= {*family.AXES}
    assert [family.axis_of(name) for name in ("vae", "iwae", "cvae", "gan")] == [
        "models",
        "bound",
        "prior",
        "adversarial",
    ]


def test_usual_folders_are_those_of_no_other_example_and_none_of_the_readme():
    folders = [
        folder.removesuffix("/")
        for path in EXAMPLES.glob("*.py")
        for folder in set(re.findall(r'f?"(runs/[^"]+)" \+ "-quick"', path.read_text()))
    ]
    assert len(folders) == len(set(folders)) == len(RUNS) - 1  # one prints, and leaves nothing
    readme = (ROOT / "README.md").read_text()
    assert not [folder for folder in folders if f"--out {folder}" in readme]
    assert all(folder.startswith("runs/examples/") for folder in folders)


@pytest.mark.parametrize("name", [name for name, (*_, needs_data) in RUNS.items() if needs_data])
def test_without_data_and_network_one_line_says_which_file_to_put_where(name, tmp_path):
    nowhere = {"MINIVAE_DATA": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    refusing = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    done = run(name, "--quick", "--out", str(tmp_path / "out"), **nowhere, **refusing, no_proxy="", NO_PROXY="")
    assert done.returncode == 2
    assert done.stderr.startswith(f"{name}: cannot download ")
    assert done.stderr.count("\n") == 1
    assert "MINIVAE_DATA" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", RUNS)
def test_an_unknown_backend_is_refused_in_one_line(name):
    done = run(name, "--backend", "abacus")
    assert done.returncode == 2
    assert "abacus" in done.stderr.splitlines()[-1]
