"""``minivae train`` in forked processes that may be disturbed, and what an undisturbed one leaves."""

from __future__ import annotations

import csv
import json
import os
import signal
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from minivae import cli
from minivae.plots.run import NAMES
from minivae.runs import load_checkpoint

from .campaign import RIGHT
from .disk import Disk

EPOCHS = "8"  # of 15 minibatches, with a checkpoint after each
USUAL = ("--epochs", EPOCHS, "--checkpoint-every", "0")
# Every way in which a step is made, and everything that a checkpoint holds.
KINDS: dict[str, tuple[str, ...]] = {
    "compiled": ("--hidden", "8", "--latent", "2", "--binarize", "dynamic"),
    "eager": ("--hidden", "8", "--latent", "2", "--no-compile", "--schedule", "cosine", "--optimizer", "adagrad"),
    "two optimizers": ("--hidden", "8", "--latent", "2", "--model", "factor-vae", "--critic-hidden", "8"),
    "best and last": ("--hidden", "8", "--latent", "2", "--lr", "0.1", "--patience", "9"),
    "codebook": ("--hidden", "8", "--model", "vq-vae", "--num-codes", "4", "--entries", "8"),
    "numba": ("--hidden", "200", "--latent", "8", "--optimizer", "sgd", "--lr", "0.001"),  # wide enough for its loops
}
FILES = {"config.json", "history.csv", "model.npz", "best.npz", *NAMES}


class Ended(NamedTuple):
    """How a process ended: its exit code (less than 0: the signal that killed it), and what it wrote to stderr."""

    code: int
    err: str


class Process:
    """``minivae WORDS`` in a fork of this process, which has everything imported.

    Args:
        before: called in it first.
    """

    def __init__(self, *words: object, before: Callable[[], object] = lambda: None) -> None:
        reader, writer = os.pipe()
        with warnings.catch_warnings():
            # Python 3.12 warns of forking with threads: there are those of BLAS, which expect it.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.pid = os.fork()
        if not self.pid:
            os._exit(_in_child([str(word) for word in words], before, writer))
        os.close(writer)
        self._errors = reader

    def end(self) -> Ended:
        """Wait for it."""
        with open(self._errors) as errors:
            err = errors.read()
        return Ended(os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]), err)


def _in_child(words: list[str], before: Callable[[], object], errors: int) -> int:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # under nohup and in the background it is ignored
    with open(errors, "w", buffering=1) as err, redirect_stderr(err), redirect_stdout(StringIO()):
        try:
            before()
            return cli.main(words)
        except BaseException:
            traceback.print_exc()
            return 1


class Undisturbed(NamedTuple):
    """A run that nothing happened to.

    Attributes:
        kind: one of ``KINDS``.
        state: what it leaves; see :func:`state`.
        files: the names of the files that it leaves.
        calls: how many calls of each of the disk's operations it makes.
        size: bytes of the largest file that is no picture.
        trained: seconds until it has trained.
        seconds: what it takes in all, with its pictures.
    """

    kind: str
    state: dict[str, Any]
    files: set[str]
    calls: Counter[str]
    size: int
    trained: float
    seconds: float

    def next_command(self, folder: Path, before: Callable[[], object] = lambda: None) -> Process:
        """What a user does who finds the folder as it is: start, or go on."""
        if (folder / "config.json").exists():
            return Process("train", "--resume", folder, "--checkpoint-every", 0, before=before)
        return Process(*_start(self.kind, folder), before=before)

    def gone_on(self, folder: Path) -> str:
        """Give the next command; ``RIGHT`` if the run is then as it should be, else what is lost."""
        ended = self.next_command(folder).end()
        if ended != (0, ""):
            return f"{folder.name} cannot go on, {ended.code}: {ended.err}"
        if self.files - {path.name for path in folder.iterdir()}:  # killed while it drew
            Process("plot", folder).end()
        if {path.name for path in folder.iterdir()} != self.files:
            return f"{folder.name} holds {sorted(path.name for path in folder.iterdir())}"
        found = state(folder)
        differing = [name for name in self.state.keys() | found.keys() if found.get(name) != self.state.get(name)]
        return f"{folder.name} has other {', '.join(sorted(differing))}" if differing else RIGHT


@cache
def undisturbed(kind: str) -> Undisturbed:
    """Such a run: first in this process, so that its forks find all loaded (and compiled by Numba), then in one."""
    with tempfile.TemporaryDirectory() as parent:
        folder, again = Path(parent, "first"), Path(parent, "again")
        with Disk(folder) as disk, redirect_stdout(StringIO()):
            assert cli.main(_start(kind, folder)) == 0
        begun = time.time()
        assert Process(*_start(kind, again)).end() == (0, "")
        seconds, trained = time.time() - begun, (again / "model.npz").stat().st_mtime - begun
        assert state(folder) == state(again)
        files = {path.name for path in folder.iterdir()}
        size = max((folder / name).stat().st_size for name in files - {*NAMES})
        return Undisturbed(kind, state(folder), files, disk.calls, size, trained, seconds)


def _start(kind: str, folder: Path) -> list[str]:
    return ["train", "--out", str(folder), *USUAL, *KINDS[kind]]


def state(folder: Path) -> dict[str, Any]:
    """All that a run holds, by name, its pictures too, but the seconds that it took and what only it is called."""
    arrays, meta = load_checkpoint(folder / "model.npz")
    best = load_checkpoint(folder / "best.npz")[0] if (folder / "best.npz").exists() else {}
    arrays |= {f"best {name}": array for name, array in best.items()}
    with open(folder / "history.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in (meta, *meta["history"], *rows):
        row.pop("seconds", None)
    del meta["seal"]
    values = {name: (array.dtype, array.shape, array.tobytes()) for name, array in arrays.items()}
    options = json.loads((folder / "config.json").read_text(encoding="utf-8"))["options"]
    pictures = {path.name: path.read_bytes() for path in folder.glob("*.png")}
    return {**values, **meta, "history.csv": rows, "options of config.json": options, **pictures}
