"""Check 8: ``minivae train`` on MNIST: with a cold and with a warm cache of kernels, and resumed after SIGKILL."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from minivae.datasets import mnist
from minivae.runs import Run

from . import standins
from .found import Context, Failure, unless
from .process import ROOT

EPOCHS = 8
TRIES = 3  # to kill a run between its first epoch and its last
SIZES = ("--hidden", "500", "--latent", "20", "--batch-size", "100")
SMALL = ("--hidden", "32", "--latent", "4", "--batch-size", "20")  # under an emulation
ROWS, SMALL_ROWS = (60_000, 10_000), (200, 40)
# A resumed run and an undisturbed one do the same steps; sums that a GPU makes in no fixed order part them.
TOLERANCE = 1e-3


def items(context: Context) -> dict[str, Callable[[], dict[str, Any]]]:
    """Its items, in the order in which they need each other."""
    standins.install()
    return {
        "cold cache": partial(trained, context, "cold", True),
        "warm cache": partial(trained, context, "warm"),
        "resumed after SIGKILL": partial(resumed, context),
    }


# ------------------------------------------------------------------- the run


def command(context: Context, run: str) -> list[str]:
    """The command line of a run."""
    sizes = SMALL if context.emulated else SIZES
    data, _ = pixels(context)
    words = ["train", "--data", data, *sizes, "--epochs", str(EPOCHS), "--backend", "cupy", "--seed", "3"]
    return [sys.executable, "-m", "benchmarks.gpu.command", *words, "--quiet", "--out", str(folder(context) / run)]


def folder(context: Context) -> Path:
    """Where runs, data and kernels lie."""
    path = context.folder / "train"
    path.mkdir(exist_ok=True)
    return path


def pixels(context: Context) -> tuple[str, str]:
    """The data's name or file, and what they are: MNIST where it is, else random pixels of its size."""
    if mnist.found() is not None and not context.emulated:
        return "mnist", "MNIST"
    rows = SMALL_ROWS if context.emulated else ROWS
    path = folder(context) / "pixels.npz"
    if not path.exists():
        rng = np.random.default_rng(0)
        parts = {name: rng.integers(0, 256, (n, 784), "uint8") for name, n in zip(("train", "test"), rows, strict=True)}
        np.savez(path, **{f"{name}_images": images for name, images in parts.items()})
    return str(path), f"random pixels, {rows[0]} and {rows[1]} rows of 784"


def environment(context: Context) -> dict[str, str]:
    """With a cache of kernels of its own."""
    return {**os.environ, "CUPY_CACHE_DIR": str(folder(context) / "kernels")}


def trained(context: Context, run: str, cold: bool = False) -> dict[str, Any]:
    """Train to the end; seconds of the process and of its training, and the bounds.

    Raises:
        Failure: the command failed, or no figure of the bound came out.
    """
    _clear(folder(context) / run)
    if cold:
        _clear(folder(context) / "kernels")
    arguments, start = command(context, run), time.perf_counter()
    done = subprocess.run(arguments, cwd=ROOT, env=environment(context), capture_output=True, text=True)
    found = {"data": pixels(context)[1], "epochs": EPOCHS, "seconds_in_all": round(time.perf_counter() - start, 2)}
    if done.returncode:
        raise Failure(f"exit code {done.returncode}: {done.stderr.strip()[-400:]}", found)
    rows = history(folder(context) / run)
    found |= {"seconds_of_training": rows[-1].get("seconds"), "test_bound": [row.get("test_bound") for row in rows]}
    found |= {"kernels_kept": sum(1 for _ in (folder(context) / "kernels").glob("*"))}
    said = [line for line in done.stderr.splitlines() if line.strip()]
    return unless([] if len(rows) == EPOCHS else [f"{len(rows)} rows of history"], found | {"stderr": said})


def resumed(context: Context) -> dict[str, Any]:
    """A run that is killed after an epoch and resumed ends as the undisturbed one did.

    Raises:
        Failure: it could not be resumed, or the two came apart.
    """
    run = folder(context) / "killed"
    for _ in range(TRIES):
        _clear(run)
        epochs = _killed(context, run)
        if 0 < epochs < EPOCHS:
            break
    else:
        raise Failure(f"it had trained {epochs} of {EPOCHS} epochs when it was killed")
    arguments = [sys.executable, "-m", "benchmarks.gpu.command", "train", "--resume", str(run), "--quiet"]
    done = subprocess.run(arguments, cwd=ROOT, env=environment(context), capture_output=True, text=True)
    found: dict[str, Any] = {"killed_after_epochs": epochs}
    if done.returncode:
        raise Failure(f"exit code {done.returncode} of --resume: {done.stderr.strip()[-400:]}", found)
    found |= {"bit_for_bit": (apart := _apart(run, folder(context) / "warm")) == 0, "apart": apart}
    rows = len(history(run))
    failures = [] if apart <= TOLERANCE else [f"the resumed run is {apart:.1e} from the undisturbed one"]
    return unless([*failures, *([] if rows == EPOCHS else [f"{rows} rows of history"])], found)


def _killed(context: Context, run: Path) -> int:
    """Start a run and kill it once an epoch is written down; how many were."""
    places = {"cwd": ROOT, "env": environment(context)}
    with open(context.folder / "killed.log", "w") as log:
        process = subprocess.Popen(command(context, run.name), **places, stdout=log, stderr=log)
    while process.poll() is None and not history(run):
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return len(history(run))


# ------------------------------------------------------------------ its files


def history(run: Path) -> list[dict[str, float]]:
    """The rows of a run's history; none where it is not there, or is just being written."""
    path = run / "history.csv"
    if not path.exists():
        return []
    with open(path, newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def _apart(run: Path, other: Path) -> float:
    """The largest difference between the parameters of two runs, beside 1 + their size."""
    a, b = (Run.open(path).load_model().state_dict() for path in (run, other))
    return max(float(np.max(np.abs(a[name] - b[name]) / (1 + np.abs(a[name])))) for name in a)


def _clear(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
