"""The recipes of CONTRIBUTING.md, done in a copy of the package, and the commands that they name.

That of a model is also the proof that a member is a file, its test and its row: all that looks over the members passes.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from minivae import fit
from minivae.datasets import load
from minivae.models import VAE

pytestmark = pytest.mark.release  # the recipes are a page, too

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"^### ([^\n]+)\n(.*?)(?=^###? |\Z)", PAGE, re.MULTILINE | re.DOTALL))
BLOCK = re.compile(r"^```(python|bash)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLACE = re.compile(r"# ([\w/.]+)(?:, (below|instead of) `(.+)`)?\n")


def put(folder: Path, block: str) -> None:
    """Write a block where its first line says."""
    place = PLACE.match(block)
    assert place, block
    path, how, line = folder / place[1], place[2], place[3]
    body = block[place.end() :]
    if how is None:
        assert not path.exists(), f"{place[1]} is there already"
        path.write_text(body, encoding="utf-8")
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    (at,) = (i for i, existing in enumerate(lines) if existing.strip() == line)
    lines[at : at + 1] = [body] if how == "instead of" else [lines[at], body]
    path.write_text("".join(lines), encoding="utf-8")


def ran(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """pytest in the copy, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    environment.pop("PYTEST_XDIST_WORKER", None)
    command = [sys.executable, "-m", "pytest", "-q", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def require_passed(done: subprocess.CompletedProcess) -> None:
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package and its tests, to be changed."""
    for room in ("minivae", "tests"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    for page in ("setup.cfg", "CONTRIBUTING.md"):
        shutil.copy(ROOT / page, tmp_path)
    return tmp_path


def follow(recipe: str, folder: Path) -> None:
    """Do what it says, from the first block to the last."""
    for language, block in BLOCK.findall(RECIPES[recipe]):
        if language == "python":
            put(folder, block)
            continue
        words = shlex.split(block)
        assert words[:3] == ["python", "-m", "pytest"]
        done = ran(folder, *words[3:])
        if done.returncode == 5 and "skipped" in done.stdout:  # all of it needs PyTorch, which is not there
            continue
        require_passed(done)
        assert re.search(r"\d passed", done.stdout)


def test_there_are_the_recipes():
    assert list(RECIPES) == ["A primitive", "A layer", "A distribution", "A model"]


@pytest.mark.parametrize("recipe", [name for name in RECIPES if name != "A model"])
def test_a_recipe(recipe, copy):
    follow(recipe, copy)


# What looks over all members at once; tests of each have its name in theirs, and are in the recipe's command.
OVER_ALL = (
    "tests/models/test_family.py::test_an_option_means_the_same_kind_of_thing_everywhere",
    *("tests/models/test_family.py::test_a_member_is_one_short_file", "tests/models/test_registry.py"),
    "tests/misuse/test_misuse.py::test_every_argument_of_every_public_callable_is_in_a_table",
    "tests/inference/test_every_model.py::test_every_function_has_its_row_and_every_row_is_of_a_model",
    "tests/twins/test_stored.py::test_nothing_else_is_stored",
    "tests/cli/test_models.py::test_models_lists_each_with_objective_and_source",
    *("tests/cli/test_models.py::test_help_shows_the_options_of_every_model", "tests/test_floors.py"),
    *("tests/cli/test_parser.py", "tests/tools/test_report.py"),
    "tests/tools/test_mutation.py::test_every_target_has_mutants_and_tests",
)


def test_a_model_is_a_file_its_test_and_a_row_of_the_registry(copy):
    follow("A model", copy)
    require_passed(ran(copy, *OVER_ALL, "-k", "not one_row_of_each_table"))


class Doubled(VAE):
    """A model of a user's own, in the user's file."""

    def phases(self, batch, noise):
        (phase,) = super().phases(batch, noise)
        return [phase.with_loss(phase.loss * 2.0)]


def test_a_model_of_one_s_own_trains_as_it_is():
    history = fit(Doubled(64, 2, (8,)), load("digits"), epochs=2, progress=False)
    assert history.rows[-1]["test_objective"] > history.rows[0]["test_objective"]
