"""Part "train": from the command to a given test bound, and the memory that it takes.

``minivae train`` and ``torch_script.py`` train the same model on the same file by turns, with
an evaluation on the test set after each epoch. The clock starts with the process, so that
imports, reading the data, compiling and evaluating count. The data are real: the digits that
minivae brings along, and MNIST where it is at hand (``MINIVAE_DATA``), with grey levels as
probabilities.

In between, the bare compiled step of the same size is timed: what the training loop of
``minivae train`` takes for a sample beyond that is the price of everything around the step.
"""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean, median
from typing import Any, NamedTuple

from .cases import Case
from .contenders import CONTENDERS, missing
from .harness import FULL, QUICK, Plan, Session
from .machine import mebibytes
from .steps import ours
from .worker import Remote, WorkerError

OURS = "minivae train"
ROUNDS = 3  # an odd number, for the median
POLL = 0.01  # seconds between two looks at what a run has reported
TORCH_EPOCH = re.compile(r"^epoch \d+, (\S+) s: .* test bound (\S+)$", re.MULTILINE)


class Task(NamedTuple):
    """A model to train on minibatches of 100, and the test bound to reach (nats per data point)."""

    hidden: int
    latent: int
    lr: float
    epochs: int
    bound: float


QUICK_TASK = Task(200, 8, 0.005, 20, -27.0)  # on the digits, too
TASKS = {"digits": Task(200, 8, 0.005, 100, -25.0), "mnist": Task(500, 20, 0.001, 5, -116.0)}


class DataFile:
    """Writes minivae's data to a file that all can read. Lives in a worker, as this process stays small."""

    def write(self, name: str, path: str) -> tuple[int, int]:
        """The rows and columns of the training part."""
        import numpy as np

        import minivae as mv

        data = mv.datasets.load(name)
        terms = {"train_images": data.train.images, "test_images": data.test.images}
        np.savez(path, **{key: np.round(x * (255 / data.scale)).astype("uint8") for key, x in terms.items()})
        return data.train.images.shape


def run(quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Every task, in several rounds; with ``quick`` one short task, once."""
    results = {}
    for name, task in ({"digits": QUICK_TASK} if quick else TASKS).items():
        if name == "mnist" and not os.environ.get("MINIVAE_DATA"):
            say("left out: training on MNIST; MINIVAE_DATA names no folder that holds mnist/")
            continue
        say(f"{name}: {task}")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"{name}.npz")
            with Remote(DataFile) as writer:
                rows, columns = writer.call("write", name, str(path))
            case = Case(name, columns, (task.hidden,), task.latent, 100, rows=rows)
            results[name] = {"task": task._asdict(), **_rounds(case, task, path, quick)}
        _tell(results[name], say)
    return results


def _rounds(case: Case, task: Task, path: Path, quick: bool) -> dict[str, Any]:
    commands = _commands(task, path)
    runs: dict[str, list[dict[str, float]]] = {label: [] for label in commands}
    steps, rounds = task.epochs * (case.rows // case.batch_size), 1 if quick else ROUNDS
    step = CONTENDERS[ours(set(CONTENDERS) - set(missing(CONTENDERS)))]
    with Remote(Session, step, case) as remote:
        bare_step = _bare_step(remote, QUICK if quick else FULL)
        for _ in range(rounds):
            before = bare_step()
            for label, command in commands.items():
                found = _race(command, Path(tempfile.mkdtemp(dir=path.parent)), task)
                if label == OURS:
                    found["around_the_step"] = found["training_seconds"] / (steps * fmean(before + bare_step()))
                runs[label].append(found)
    medians = {label: {key: median(run[key] for run in of) for key in of[0]} for label, of in runs.items()}
    return {"rounds": rounds, "runs": medians}


def _bare_step(remote: Remote, plan: Plan) -> Callable[[], list[float]]:
    """A function that gives seconds a step of many samples, as the machine is at that moment."""
    _, seconds = remote.call("warm_up", plan.warm_up)
    samples, steps = plan.sizes(seconds)
    return lambda: remote.call("turn", plan.lead_in, 5 * samples, steps)


def _commands(task: Task, path: Path) -> dict[str, list[str]]:
    """Who trains, and how: what is put after ``python``; minivae first."""
    options = ["--hidden", task.hidden, "--latent", task.latent, "--lr", task.lr, "--epochs", task.epochs]
    commands = {OURS: ["-m", "minivae", "train", "--quiet", "--out", "run", "--data", path, *options]}
    if find_spec("torch"):
        script = [Path(__file__).with_name("torch_script.py"), path, *options]
        commands |= {"torch_script.py": script, "torch_script.py --fused": [*script, "--fused"]}
    return {label: list(map(str, command)) for label, command in commands.items()}


def _tell(result: dict[str, Any], say: Callable[[str], None]) -> None:
    bound = result["task"]["bound"]
    for label, run in result["runs"].items():
        say(
            f"  {label:24} {run['seconds_to_bound']:7.2f} s to {bound} nats, {run['seconds']:7.2f} s in all, "
            f"peak memory {run['peak_memory_mib']:.0f} MiB"
        )


def _race(command: list[str], folder: Path, task: Task) -> dict[str, float]:
    """Run a command in an empty folder; when it reached the bound, when it ended, and what it took."""
    start, to_bound, ended = time.perf_counter(), None, 0
    process = _start(command, folder)
    while not ended:
        time.sleep(POLL)
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if to_bound is None and any(bound >= task.bound for _, bound in _epochs(folder)):
            to_bound = time.perf_counter() - start
    seconds = time.perf_counter() - start
    process.returncode, epochs = os.waitstatus_to_exitcode(status), _epochs(folder)
    if process.returncode or len(epochs) != task.epochs or to_bound is None:
        said = (folder / "output").read_text()
        raise WorkerError(f"{' '.join(command)}: exit code {process.returncode}, test bounds {epochs}", said)
    return {
        "seconds_to_bound": to_bound,
        "epochs_to_bound": next(n for n, (_, bound) in enumerate(epochs, 1) if bound >= task.bound),
        "seconds": seconds,
        "training_seconds": epochs[-1][0],
        "last_bound": epochs[-1][1],
        "peak_memory_mib": mebibytes(usage.ru_maxrss),
    }


def _start(command: list[str], folder: Path) -> subprocess.Popen:
    """Python with a command, in a folder, which gets what it prints in the file ``output``."""
    paths = os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": paths}
    with open(folder / "output", "w") as output:
        whole = [sys.executable, *command]
        return subprocess.Popen(whole, cwd=folder, env=environment, stdout=output, stderr=output)


def _epochs(folder: Path) -> list[tuple[float, float]]:
    """Seconds of training and the test bound after each epoch so far, from minivae's history or the script's lines."""
    history = folder / "run" / "history.csv"
    if not history.exists():
        return [(float(a), float(b)) for a, b in TORCH_EPOCH.findall((folder / "output").read_text())]
    with open(history, newline="") as file:
        return [(float(row["seconds"]), float(row["test_bound"])) for row in csv.DictReader(file)]
