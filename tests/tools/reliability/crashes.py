"""Training that is killed, interrupted, or refused by the disk: what was saved is whole, and it goes on exactly.

Each fault meets ``minivae train`` in a process of its own. Afterwards the command to go on is
given, and the folder must hold what an undisturbed run leaves: every bit of parameters,
optimizers and history, but the seconds.
"""

from __future__ import annotations

import errno
import os
import random
import re
import resource
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np

from minivae.cli import train
from minivae.errors import InputError
from minivae.plots import learning_curve
from minivae.runs import load_checkpoint
from minivae.training import Trainer

from .campaign import REFUSED, RIGHT, campaign
from .disk import OPERATIONS, Disk
from .trainings import FILES, KINDS, Ended, Process, Undisturbed, undisturbed

SEED = 20131220
GOES_ON = "the resumed run ends like an undisturbed one, bit for bit"
REASONS = (errno.ENOSPC, errno.EROFS, errno.EIO, errno.EDQUOT, errno.EACCES)


def cases(folder: Path, kinds: tuple[str, ...]) -> Iterator[tuple[int, random.Random, Undisturbed, Path]]:
    """Without end: number, seeded choices, the undisturbed run of its kind, and a folder that is not there yet."""
    for case in count():
        run = undisturbed(kinds[case % len(kinds)])
        yield case, random.Random(f"{SEED} {case}"), run, folder / f"{run.kind} {case}"


def disturbed_disk(case: int, choices: random.Random, run: Undisturbed, folder: Path, action: Callable) -> Callable:
    """What to do first in a process, so that ``action`` happens at a chosen call that writes into ``folder``."""
    operation = OPERATIONS[case % len(OPERATIONS)]
    return Disk(folder, operation, choices.randrange(run.calls[operation]), action).__enter__


def remember(disk: Disk) -> None:
    """Keep what the disk's files should hold from the moment of the fault on."""
    before = disk.folder.with_name("before")
    before.mkdir()
    for name, content in disk.whole.items():
        (before / name).write_bytes(content)


def damage(folder: Path) -> str | None:
    """Which file does not hold what it should; forgets what that was."""
    before = folder.with_name("before")
    differing = [path.name for path in before.iterdir() if not same(path, folder / path.name)]
    shutil.rmtree(before)
    return f"{folder.name} has lost {', '.join(differing)}" if differing else None


def same(one: Path, other: Path) -> bool:
    """Whether two files hold the same; a missing one is unlike any."""
    return other.exists() and one.read_bytes() == other.read_bytes()


# -------------------------------------------------------------------- killed


def killed(run: Undisturbed, folder: Path, seconds: float) -> Ended:
    """A process that is killed after so many seconds, if it has not ended."""
    process = run.next_command(folder)
    time.sleep(seconds)
    os.kill(process.pid, signal.SIGKILL)
    return process.end()


@campaign("training killed at a random moment", GOES_ON, cases=50, quick=2)
def kills(folder: Path) -> Iterator[str]:
    """SIGKILL, and in two cases of three again while the run goes on."""
    for case, choices, run, trained in cases(folder, tuple(KINDS)):
        moment = choices.random() * (run.seconds if case % 2 else run.trained)
        while killed(run, trained, moment).code != -signal.SIGKILL:  # it had ended before
            shutil.rmtree(trained)
            moment *= 0.8
        for _ in range(case % 3):
            killed(run, trained, choices.random() * run.trained)
        yield run.gone_on(trained)


@campaign("training killed inside a write", GOES_ON, cases=60, quick=2)
def kills_inside_writes(folder: Path) -> Iterator[str]:
    """Just before a file is opened, flushed or renamed, or with half of the bytes of a write in it."""

    def kill(disk: Disk) -> None:
        remember(disk)
        os.kill(os.getpid(), signal.SIGKILL)

    for case, choices, run, trained in cases(folder, tuple(KINDS)):
        before = disturbed_disk(case, choices, run, trained, kill)
        ended = run.next_command(trained, before).end()
        if ended.code != -signal.SIGKILL:
            yield f"{trained.name} was not killed but ended with {ended.code}: {ended.err}"
        else:
            yield damage(trained) or run.gone_on(trained)


@campaign("SIGINT or SIGTERM, in every second case again while saving", f"130 or 143; {GOES_ON}", cases=30, quick=2)
def signals(folder: Path) -> Iterator[str]:
    """The first at a random step, the second in the middle of the write that follows."""
    for case, choices, run, trained in cases(folder, ("compiled", "eager")):
        number, code = choices.choice([(signal.SIGINT, 130), (signal.SIGTERM, 143)])
        again = choices.choice(OPERATIONS) if case % 4 < 2 else None
        step = choices.randrange(1, 8 * 15)
        before = partial(signal_at, step, number, trained, again)
        ended = run.next_command(trained, before).end()
        if ended.code != code or ended.err.count("\n") != 1:
            yield f"{trained.name} ended with {ended.code}: {ended.err}"
        elif trained.exists() and {path.name for path in trained.iterdir()} - FILES:
            yield f"{trained.name} left {sorted(path.name for path in trained.iterdir())}"
        elif (saved_step(trained) == step + 1) == bool(again):  # by the end of the step; unless a second one came
            yield f"{trained.name} was saved at step {saved_step(trained)}, interrupted in step {step}, {again=}"
        else:
            yield run.gone_on(trained)


def saved_step(folder: Path) -> int:
    """The step of the checkpoint; 0 if there is none."""
    path = folder / "model.npz"
    return load_checkpoint(path)[1]["step"] if path.exists() else 0


@campaign("SIGINT or SIGTERM after a step that has left NaN", "one line says so; the last good checkpoint stays", 20, 1)
def signals_beside_nan(folder: Path) -> Iterator[str]:
    """The parameters are as they were at the last report before it, or there is no checkpoint yet."""
    for case, choices, _run, trained in cases(folder, ("compiled", "eager")):
        step, number = choices.randrange(16, 8 * 15), (signal.SIGINT, signal.SIGTERM)[case % 2]
        words = "train", "--out", trained, "--epochs", "8", "--checkpoint-every", "0", *KINDS["eager"]
        ended = Process(*words, before=partial(nan_and_signal_at, step, number)).end()
        arrays = load_checkpoint(trained / "model.npz")[0].values()
        finite = all(np.isfinite(array).all() for array in arrays if array.dtype.kind == "f")
        said = ended.code == 2 and ended.err.count("\n") == 1 and "not finite" in ended.err
        right = said and finite and saved_step(trained) == (step - 1) // 15 * 15
        yield REFUSED if right else f"{trained.name}: {ended}, saved at step {saved_step(trained)}, {finite=}"


def nan_and_signal_at(step: int, number: int) -> None:
    """Have this process put NaN into a parameter after a step, and send itself a signal."""
    train_step = Trainer.train_step

    def with_both(trainer: Trainer) -> object:
        found = train_step(trainer)
        if trainer.step == step:
            trainer.model.parameters()[0].data[...] = np.nan
            signal.raise_signal(number)
        return found

    Trainer.train_step = with_both


def signal_at(step: int, number: int, folder: Path, again: str | None) -> None:
    """Have this process send itself a signal in a step, and another at the next ``again`` on its disk."""
    train_step = Trainer.train_step

    def with_signal(trainer: Trainer) -> object:
        if trainer.step == step:
            signal.raise_signal(number)
            if again:
                Disk(folder, again, 0, lambda _: signal.raise_signal(number)).__enter__()
        return train_step(trainer)

    Trainer.train_step = with_signal


# -------------------------------------------------------------- a failing disk


def refusal(ended: Ended, folder: Path, reason: str) -> str | None:
    """What is wrong with the way in which a command was refused: one line shall name a file and the reason.

    Where it had trained, and drew, the pictures are named, and its exit code is that of a run.
    """
    line = rf"cannot write {re.escape(str(folder))}/[\w.]+: {re.escape(reason)}\n"
    drawing = rf"not drawn: [\w., ]+?(, the first of them because)?: {line}"
    if re.fullmatch(rf"minivae train: {line if ended.code else drawing}", ended.err) and ended.code in (0, 2):
        return None
    return f"{folder.name} ended with {ended.code}: {ended.err}"


def saved(folder: Path) -> str | None:
    """What is lost, or left over, of what a refused command found."""
    if (folder.with_name("before") / "model.npz").exists():
        lost = damage(folder)
    else:  # it ended before its first checkpoint
        shutil.rmtree(folder.with_name("before"))
        lost = None
    left = sorted(path.name for path in folder.iterdir() if path.name not in FILES) if folder.exists() else []
    return lost or (f"{folder.name} holds {left}" if left else None)


@campaign(
    "opening, writing, flushing or renaming a file fails",
    f"one line names file and reason, exit code 2; the last checkpoint stays; {GOES_ON}",
    cases=60,
    quick=2,
)
def failures(folder: Path) -> Iterator[str]:
    """A full or read-only disk, an exceeded quota, an error of the device, a folder that is not allowed."""

    def fail(reason: int, disk: Disk) -> None:
        remember(disk)
        raise OSError(reason, os.strerror(reason))

    for case, choices, run, trained in cases(folder, ("compiled",)):
        reason = choices.choice(REASONS)
        before = disturbed_disk(case, choices, run, trained, partial(fail, reason))
        ended = run.next_command(trained, before).end()
        yield refusal(ended, trained, os.strerror(reason)) or saved(trained) or run.gone_on(trained)


@campaign(
    "files may not grow beyond a limit (RLIMIT_FSIZE)",
    f"one line names file and reason, exit code 2; {GOES_ON}",
    cases=24,
    quick=1,
)
def limits(folder: Path) -> Iterator[str]:
    """The system itself cuts a write: of any file, or, in every second case, of a checkpoint that has grown."""
    for case, choices, run, trained in cases(folder, ("compiled",)):
        limit = int(run.size * choices.uniform(*((0, 0.9) if case % 2 else (0.9, 0.995))))
        limited = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        ended = run.next_command(trained, limited).end()
        left = sorted(path.name for path in trained.glob(".*"))
        wrong = refusal(ended, trained, os.strerror(errno.EFBIG)) or (left and f"{trained.name} holds {left}")
        yield wrong or run.gone_on(trained)


@campaign("the folder vanishes, or a file takes its place", "one line names file and reason, exit code 2", 24, 2)
def vanishing(folder: Path) -> Iterator[str]:
    """At a random call that writes there."""

    def vanish(replaced: bool, disk: Disk) -> None:
        shutil.rmtree(disk.folder)
        if replaced:
            disk.folder.touch()

    for case, choices, run, trained in cases(folder, ("compiled",)):
        replaced = choices.random() < 0.5
        before = disturbed_disk(case, choices, run, trained, partial(vanish, replaced))
        ended = run.next_command(trained, before).end()
        reason = os.strerror(errno.ENOTDIR if replaced else errno.ENOENT)
        yield refusal(ended, trained, reason) or REFUSED


@campaign(
    "writing a picture fails", "one error names file and reason; the old picture stays, no part of the new one", 24, 1
)
def pictures(folder: Path) -> Iterator[str]:
    """In each of the formats."""
    columns = {"samples_seen": [1.0, 2.0], "train_bound": [-3.0, -2.0], "test_bound": [-3.0, -2.5]}
    for case in range(24):
        path, reason = folder / f"{case}.{('png', 'svg', 'pdf')[case % 3]}", REASONS[case % len(REASONS)]
        path.write_bytes(b"old")
        operation = OPERATIONS[case // 3 % len(OPERATIONS)]
        turn = case % 2 if operation in ("open", "write") else 0  # the others happen once
        with Disk(folder, operation, turn, partial(_raise, reason)):
            try:
                learning_curve(columns, path)
                said = "nothing"
            except InputError as error:
                said = str(error)
        whole = path.read_bytes() == b"old" and not list(folder.glob(".*"))
        right = said == f"cannot write {path}: {os.strerror(reason)}" and whole
        yield REFUSED if right else f"{path.name}: {said}, {sorted(folder.glob('.*'))}"


def _raise(reason: int, disk: Disk) -> None:
    raise OSError(reason, os.strerror(reason))


# ------------------------------------------------------------------- two at once


@campaign("two processes train in one folder at once", "one is refused in one line; the other is not disturbed", 30, 2)
def two_at_once(folder: Path) -> Iterator[str]:
    """Both start a run or both go on, at nearly or not quite the same time."""
    for case, choices, run, trained in cases(folder, ("compiled",)):
        if case % 3:
            killed(run, trained, 0.5 * run.trained)
        first = run.next_command(trained)
        time.sleep(choices.random() * (0.02 if case % 3 < 2 else run.seconds))
        both = [process.end() for process in (first, run.next_command(trained))]
        refused = [ended for ended in both if ended.code != 0]
        known = r"minivae train: (another process or thread is training in|.* holds a run already).*\n"
        # (Nobody is refused who came when the other had finished: there was nothing left to do.)
        if any(ended.code != 2 or not re.fullmatch(known, ended.err) for ended in refused):
            yield f"{trained.name}: {both}"
        else:
            yield run.gone_on(trained)


@campaign("forty trainings begin at once without --out", "each has a folder of its own, and ends", 400, 40)
def beginnings(folder: Path) -> Iterator[str]:
    """In the same second, in the same folder."""

    def begin(barrier: Path) -> None:
        os.chdir(folder)
        train.draw_run = lambda *_: []  # forty at once take a minute, and their folders are all that is asked about
        while not barrier.exists():
            time.sleep(0.001)

    for turn in range(10):
        barrier = folder / f"go {turn}"
        words = ("train", "--epochs", 1, "--hidden", 2, "--latent", 1, "--batch-size", 750, "--no-compile", "--json")
        started = [Process(*words, before=partial(begin, barrier)) for _ in range(40)]
        barrier.touch()
        ended = [process.end() for process in started]
        runs = [run for run in (folder / "runs").iterdir() if (run / "model.npz").exists()]
        collided = "" if len(runs) == 40 else f"{len(runs)} runs of 40"
        yield from (RIGHT if one == (0, "") and not collided else f"{collided} {one}" for one in ended)
        shutil.rmtree(folder / "runs")
