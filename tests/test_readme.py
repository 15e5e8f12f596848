"""Every command, session and table of the README is run or checked."""

from __future__ import annotations

import doctest
import importlib
import json
import os
import re
import shlex
from functools import reduce
from pathlib import Path

import numpy as np
import pytest

from minivae import backend, cli
from minivae.errors import BackendError

from .test_examples import RUNS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GATE = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()

# What makes a long command quick: the same options with smaller numbers.
QUICK = {
    "minivae train": "minivae train --epochs 2",
    "--epochs 10": "--epochs 1",
    "--epochs 12": "--epochs 2",
    "--epochs 625": "--epochs 2",
    "--epochs 40": "--epochs 1",
    "--hidden 500": "--hidden 20",
    "evaluate runs/mnist": "evaluate runs/mnist --importance-samples 20",
}


def blocks(language: str) -> list[str]:
    """The fenced blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """The shell commands, in order; those joined by && apart."""
    return [command.strip() for block in blocks("bash") for line in block.splitlines() for command in line.split("&&")]


def starting(*words: str) -> list[str]:
    return [command for command in commands() if command.startswith(words)]


def quickly(command: str) -> list[str]:
    """The arguments after ``minivae`` of the command made quick; the last --epochs counts."""
    for long, quick in QUICK.items():
        command = command.replace(long, quick)
    return shlex.split(command)[1:]


def test_every_block_and_command_is_of_a_kind_that_is_run_here():
    languages = set(re.findall(r"^```(\w*)\n", README, re.MULTILINE)) - {""}
    assert languages == {"bash", "pycon", "python"}
    assert README.count("\n```") == 2 * sum(len(blocks(language)) for language in languages)
    kinds = starting("minivae "), starting("python examples/"), starting("python -m pip ", "python -m pytest")
    assert sorted(command for kind in kinds for command in kind) == sorted(commands())


def test_the_sessions_print_what_they_print():
    sessions = blocks("pycon")
    assert sessions
    for session in sessions:
        test = doctest.DocTestParser().get_doctest(session, {}, "README", "README.md", 0)
        failures = []
        doctest.DocTestRunner(verbose=False).run(test, out=failures.append)
        assert not failures, "".join(failures)


def test_the_programs_run():
    programs = blocks("python")
    assert programs
    for program in programs:
        names: dict = {}
        exec(program, names)
        assert names["images"].shape == (100, 64)
        assert len(names["history"]) == 5


def test_installing_and_testing_is_what_the_gate_does():
    for command in starting("python -m pip ", "python -m pytest"):
        # measuring coverage beside it changes nothing of what is run
        assert any(re.fullmatch(re.escape(command) + r"( --cov\S*)*", line.strip()) for line in GATE), command
    assert any(line.strip().endswith("minivae train") for line in GATE)


def test_the_examples_are_those_that_are_run():
    assert {command.split("/")[1] for command in starting("python examples/")} == set(RUNS)


def test_the_commands_run_one_after_the_other(tmp_path, monkeypatch, capsys):
    """In an empty folder, with a file of images as the README's reader might have one."""
    monkeypatch.chdir(tmp_path)
    np.save("my_images.npy", np.random.default_rng(0).integers(0, 256, (120, 6, 6), dtype=np.uint8))
    trained = set()
    for command in starting("minivae "):
        needs = re.findall(r"--data (?:mnist|frey)\b|runs/mnist\b", command)
        if (needs and not os.environ.get("MINIVAE_DATA")) or "cupy" in command:
            continue
        assert cli.main(quickly(command)) == 0, f"{command}: {capsys.readouterr().err}"
        trained |= set(re.findall(r"--out (runs/\S+)", command))
    assert Path("runs/mine/learning_curve.png").is_file()
    for run in trained:
        assert Path(run, "model.npz").is_file()
    if os.environ.get("MINIVAE_DATA"):
        assert Path("runs/mnist-2d/manifold.png").is_file()
        assert Path("samples.png").is_file()


def test_the_commands_for_a_gpu_run_or_say_what_is_missing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (command,) = [command for command in starting("minivae ") if "cupy" in command]
    code = cli.main(quickly(command))
    try:
        backend.get_backend("cupy")
    except BackendError:
        assert code == 2
        assert "backend 'cupy'" in capsys.readouterr().err
    else:
        assert code == 0


def rows() -> list[tuple[str, str]]:
    """``(file, dotted name)`` of the table from the paper to the code."""
    table = re.findall(r"^\| [^|]+ \| `(minivae/[^`|]+\.py)` \| ([^|]+) \|$", README, re.MULTILINE)
    return [(file, name) for file, names in table for name in re.findall(r"`([^`]+)`", names)]


def test_the_table_from_the_paper_covers_it():
    table = README[README.index("## From the paper") : README.index("## A reading tour")]
    assert len({file for file, _ in rows()}) >= 10
    for number in (6, 7, 8, 9, 10, 11, 12):
        assert f"Eq. {number}," in table
    assert table.count("\n| ") == 2 + len(re.findall(r"^\| .* \| `.*` \| `.*` \|$", table, re.MULTILINE))


@pytest.mark.parametrize(("file", "name"), rows())
def test_a_name_in_the_table_is_where_it_says(file, name):
    module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
    found = reduce(getattr, name.split("."), module)
    assert getattr(found, "__module__", module.__name__) == module.__name__


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:minivae|examples|tests|\.ci)/[\w./]+)`", README))))
def test_a_file_in_the_text_exists(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!http)([^)]+)\)|src=\"([^\"]+)\"", README))))
def test_a_link_and_a_picture_lead_somewhere(target):
    assert (ROOT / "".join(target)).exists()


@pytest.mark.parametrize("run", ["mnist", "frey_face", "mnist_2d"])
def test_the_results_are_those_of_the_runs_beside_them(run):
    """The bound in the README's table is the last one in the run's history, and the run is no secret."""
    folder = ROOT / "examples" / "results" / run
    last = (folder / "history.csv").read_text().splitlines()
    row = dict(zip(last[0].split(","), map(float, last[-1].split(",")), strict=True))
    assert re.search(rf"\| [−-]?{abs(row['test_bound']):.1f}\b", README)
    config = json.loads((folder / "config.json").read_text())
    assert config["options"]["seed"] == 0
    assert "/" not in config["options"]["data"]
