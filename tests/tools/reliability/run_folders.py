"""The command line on damaged run folders: exit code 2 and one line, or the right result."""

from __future__ import annotations

import copy
import io
import shutil
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from minivae.cli import main
from minivae.runs import Run, load_checkpoint, save_checkpoint
from minivae.runs.config import seal, write_config

from .campaign import REFUSED, RIGHT, campaign
from .damage import damaged
from .files import TooLong, time_limit
from .formats import same

COMMANDS = {
    "info": ("info",),
    "evaluate": ("evaluate", "--importance-samples", "2", "--points", "2"),
    "sample": ("sample", "-n", "2", "--out", "{}/samples.npy"),
    "plot": ("plot",),
    "resume": ("train", "--epochs", "2", "--resume"),
}
TRAIN = ("train", "--epochs", "1", "--hidden", "3", "--latent", "1", "--batch-size", "750", "--no-compile", "--json")
# What may stand in the place of any value: of other kinds, and out of every range.
VALUES = (None, True, -1, 0, 1.5, 10**300, float("nan"), "", "two\nlines", [], [[]], ["x"], {}, {"x": None})


def command(*words: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of ``minivae WORDS``."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), time_limit(60):
        try:
            code = main(words)
        except SystemExit as leaving:
            code = leaving.code
    return code, out.getvalue(), err.getvalue()


def outcome(name: str, run: Path) -> str:
    """What a command makes of a run: RIGHT if it did its work."""
    words = [word.format(run.parent) for word in COMMANDS[name]]
    try:
        code, out, err = command(*words, str(run), "--json")
    except (Exception, TooLong) as error:
        return f"{name}: {type(error).__name__}: {error}"
    if code == 2 and not out and err.count("\n") == 1 and err.endswith("\n") and len(err) < 1000:
        return REFUSED
    return RIGHT if code == 0 else f"{name}: exit code {code}, {out!r} and {err!r}"


def content(run: Path) -> tuple[Any, Any]:
    """What the folder says: its config and its checkpoint."""
    return Run.open(run).config, load_checkpoint(run / "model.npz")


def trained(folder: Path) -> Path:
    """A small run."""
    code, _, err = command(*TRAIN, "--out", str(folder / "trained"))
    assert code == 0, err
    return folder / "trained"


@campaign("files: commands on a run with a damaged file", "the right result, or one line", 2000, 12)
def damaged_runs(folder: Path) -> Iterator[str]:
    """Each command in turn; ``config.json`` and ``model.npz`` in turn."""
    whole = trained(folder)
    truth, run = content(whole), folder / "run"
    variants = {name: damaged((whole / name).read_bytes(), 1000, seed=1) for name in ("config.json", "model.npz")}
    for case in range(2000):
        file = list(variants)[case % 2]
        shutil.copytree(whole, run, dirs_exist_ok=True)
        (run / file).write_bytes(next(variants[file]))
        name = list(COMMANDS)[case // 2 % len(COMMANDS)]
        before = (run / file).read_bytes()
        result = outcome(name, run)
        if result == RIGHT and not _same_content(whole, run, file, before, truth):
            result = f"{name} took another {file} for the right one"
        yield result


def _same_content(whole: Path, run: Path, file: str, before: bytes, truth: tuple[Any, Any]) -> bool:
    """Whether the damaged file says what the whole one says; a resumed run has written others since."""
    shutil.copytree(whole, run, dirs_exist_ok=True)
    (run / file).write_bytes(before)
    return same(content(run), truth)


def _places(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """Where every value of a nest of mappings and lists lies."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from _places(inner, (*path, key))


def _replaced(value: Any, path: tuple, new: Any) -> Any:
    changed = copy.deepcopy(value)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return changed


@campaign("files: commands on a run with a value of another kind", "the work done, or one line", 2000, 12)
def other_values(folder: Path) -> Iterator[str]:
    """Any value of the config or of the checkpoint's metadata becomes another, with checksums that are right."""
    whole, run, rng = trained(folder), folder / "run", np.random.default_rng(0)
    config, (arrays, meta) = content(whole)
    places = {"config.json": list(_places(config)), "model.npz": list(_places(meta))}
    for case in range(2000):
        shutil.copytree(whole, run, dirs_exist_ok=True)
        file = list(places)[case % 2]
        place, new = places[file][rng.integers(len(places[file]))], VALUES[rng.integers(len(VALUES))]
        changed = _replaced(config if file == "config.json" else meta, place, new)
        if file == "config.json":
            write_config(run / file, changed)
        else:
            save_checkpoint(run / file, arrays, changed)
        result = outcome(list(COMMANDS)[case // 2 % len(COMMANDS)], run)
        if result == RIGHT and file == "config.json" and seal(changed) != seal(config):
            result = "another configuration was taken for that of the checkpoint"
        yield result if result in (RIGHT, REFUSED) else f"{result} (with {new!r} as {place} of {file})"
