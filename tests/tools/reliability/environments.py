"""The surroundings of a process: what it is started with, and what it may not have.

``minivae train`` runs in each as in any other, or is refused in one line, with exit code 2.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from .campaign import REFUSED, RIGHT, campaign
from .trainings import state

ROOT = Path(__file__).parents[3]
SMALL = ("--hidden", "8", "--latent", "2", "--epochs", "1")
STRANGER = 54321  # a user without an entry in the table of users, without rights
# As a user without rights reads neither this installation nor, perhaps, this folder, all is imported before.
AS_STRANGER = f"""
import contextlib, io, os, pooch, sys, tempfile
from minivae.cli import main
import minivae.datasets.transfer
with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
    main(["train", "--hidden", "8", "--latent", "2", "--epochs", "1", "--out", folder + "/run"])
if os.getuid() == 0:
    os.setgroups([])
    os.setgid({STRANGER})
    os.setuid({STRANGER})
sys.argv[0] = "minivae"
sys.exit(main())
"""


class Surroundings(NamedTuple):
    """One way to start the command.

    Attributes:
        name: what is said of it.
        shell: what a shell does with the command, ``"$@"``.
        out: the run's folder.
        environment: variables, None for those that are not there.
        words: others for the command than a training.
        stranger: whether a user without a name and without rights calls it.
        code: how it must end; None for done or, of who has lost the reader, 141.
    """

    name: str
    shell: str = '"$@"'
    out: str = "run"
    environment: Mapping[str, str | None] = {}
    words: tuple[str, ...] = ()
    stranger: bool = False
    code: int | None = 0


NO_ENCODING = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
NO_HOME = {"HOME": None, "XDG_CACHE_HOME": None}
NOWHERE = {**NO_HOME, "MINIVAE_DATA": None}
HELP, FREY, MODEL = ("train", "--help"), ("train", "--data", "frey"), ("train", "--model", "a.py:A")
SURROUNDINGS = (
    Surroundings("standard error closed", '"$@" 2>&-'),
    Surroundings("standard output closed", '"$@" >&-'),
    Surroundings("both closed", '"$@" >&- 2>&-'),
    Surroundings("standard input closed", '"$@" <&-'),
    Surroundings("all three closed", '"$@" <&- >&- 2>&-'),
    Surroundings("a model in a circle of links", 'ln -s b.py a.py; ln -s a.py b.py; "$@"', words=MODEL, code=2),
    Surroundings("a reader of one line", '("$@"; echo $? >code) | head -n 1 >/dev/null; exit $(cat code)', code=None),
    Surroundings("help for nobody", '("$@"; echo $? >code) | true; exit $(cat code)', words=HELP, code=None),
    Surroundings("a full disk for standard output", '"$@" >/dev/full', code=2),
    Surroundings("ASCII output, a path that is not", out="größe", environment={"PYTHONIOENCODING": "ascii"}),
    Surroundings("ASCII output, a path of Chinese", out="变分", environment={"PYTHONIOENCODING": "latin-1"}),
    Surroundings("no locale", out="größe", environment={"LC_ALL": "C"}),
    Surroundings("no locale and no UTF-8", out="größe", environment=NO_ENCODING),
    Surroundings("a path that is no text", out="gr\udcf6\udcdfe"),
    Surroundings("a path of several lines", out="two\nlines"),
    Surroundings("umask 077", 'umask 077; "$@"'),
    Surroundings("umask 000", 'umask 000; "$@"'),
    Surroundings("umask 777", 'umask 777; "$@"', stranger=True, code=2),
    Surroundings("no temporary folder", environment={"TMPDIR": "/nowhere/at/all"}),
    Surroundings("a terminal one column wide", environment={"COLUMNS": "1", "LINES": "1"}),
    Surroundings("a width that is no number", environment={"COLUMNS": "wide"}),
    Surroundings("no environment at all", 'exec env -i PYTHONPATH="$PYTHONPATH" "$@"'),
    Surroundings("no home", environment=NO_HOME, stranger=True),
    Surroundings("no home, data that are nowhere", environment=NOWHERE, words=FREY, stranger=True, code=2),
    Surroundings("a home that is not there", environment={"HOME": "/nowhere/at/all"}),
    Surroundings("a folder that may not be written", 'cd /; "$@"', stranger=True, code=2),
    Surroundings("a name of 300 letters", out="x" * 300, code=2),
    Surroundings("a path of 5,000 letters", out="/".join(["x" * 100] * 50), code=2),
    Surroundings("links in a circle", 'ln -s b a; ln -s a b; "$@"', out="a", code=2),
    Surroundings("a folder in a circle of links", 'ln -s b a; ln -s a b; "$@"', out="a/run", code=2),
    Surroundings("data in a circle of links", 'ln -s b a; ln -s a b; "$@"', words=("train", "--data", "a"), code=2),
    Surroundings("data whose name is too long", words=("train", "--data", "x" * 300), code=2),
)  # fmt: skip


@cache
def usual() -> dict[str, Any]:
    """What a training leaves in usual surroundings."""
    with tempfile.TemporaryDirectory() as folder:
        ended = start(Surroundings(""), Path(folder))
        assert ended.returncode == 0, ended.stderr
        return without_place(Path(folder) / "run")


def without_place(run: Path) -> dict[str, Any]:
    """What a run holds, but where it lies."""
    found = state(run)
    return {name: value for name, value in found.items() if name not in ("options of config.json", "seal")}


def start(case: Surroundings, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command, and wait for its end."""
    python = ["-c", AS_STRANGER] if case.stranger else ["-m", "minivae"]
    words = case.words or ("train", "--out", case.out, *SMALL)
    changed = {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), **case.environment}
    environment = {name: value for name, value in {**os.environ, **changed}.items() if value is not None}
    command = ["sh", "-c", case.shell, "sh", sys.executable, "-W", "error", *python, *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, errors="replace")


def became(case: Surroundings, folder: Path) -> str:
    """What became of one."""
    folder.chmod(0o777)
    for parent in folder.parents:  # a stranger has to come here
        if parent.stat().st_uid == os.getuid() and not parent.stat().st_mode & 1 and parent.name:
            parent.chmod(parent.stat().st_mode | 1)
    ended = start(case, folder)
    expected = (0, 141) if case.code is None else (case.code,)
    if ended.returncode not in expected or "Traceback" in ended.stderr or "Exception ignored" in ended.stderr:
        return f"{case.name}: {ended.returncode}, {ended.stderr[-400:]}"
    if case.code == 2:
        return REFUSED if ended.stderr.count("\n") == 1 else f"{case.name}: {ended.stderr[-400:]}"
    if case.words or ended.returncode:
        return RIGHT
    return RIGHT if without_place(folder / case.out) == usual() else f"{case.name}: another run"


@campaign("surroundings of a process", "as in any other, or one line", len(SURROUNDINGS), 3)
def surroundings(folder: Path) -> Iterator[str]:
    """Each in a folder of its own."""
    for number, case in enumerate(SURROUNDINGS):
        place = folder / str(number)
        place.mkdir()
        yield became(case, place)
