"""Running the command line inside the test's own process and folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from minivae.cli import main

SMALL = ("--epochs", "2", "--hidden", "12", "--latent", "2")


class Outcome(NamedTuple):
    """What a command gave back."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The last line of standard output."""
        return json.loads(self.out.splitlines()[-1])


def run_main(*words: object) -> int:
    """The exit code of ``minivae WORDS``."""
    try:
        return main([str(word) for word in words])
    except SystemExit as leaving:
        return leaving.code


@pytest.fixture
def cli(capsys: pytest.CaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """``cli("train", "--latent", 2)`` runs it in the test's folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINIVAE_DATA", raising=False)

    def run(*words: object) -> Outcome:
        capsys.readouterr()
        code = run_main(*words)
        return Outcome(code, *capsys.readouterr())

    return run


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training without pictures, which take longer than a small run itself."""
    monkeypatch.setattr("minivae.cli.train.draw_run", lambda *_: [])


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on the digits, with figures; not to be changed."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    assert run_main("train", *SMALL, "--out", folder, "--json") == 0
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of that run, to be damaged or gone on with."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


def tree(folder: Path) -> dict[Path, bytes | None]:
    """Every path below a folder with the content of the files."""
    return {path: path.read_bytes() if path.is_file() else None for path in Path(folder).rglob("*")}


@pytest.fixture
def refused(cli: Callable[..., Outcome], tmp_path: Path) -> Callable[..., str]:
    """Run a command that must fail, and return its one line."""

    def run(*words: object) -> str:
        before = tree(tmp_path)
        outcome = cli(*words)
        assert outcome.code == 2
        assert outcome.out == ""
        assert outcome.err.startswith("minivae")
        assert (outcome.err.count("\n"), outcome.err[-1]) == (1, "\n")
        assert "Traceback" not in outcome.err
        assert len(outcome.err) < 800  # the names of all models are in some
        assert tree(tmp_path) == before
        return outcome.err

    return run
