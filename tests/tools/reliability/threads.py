"""Threads that train, watch, sample and choose backends side by side, and processes that are forked beside them."""

from __future__ import annotations

import multiprocessing
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from minivae import backend
from minivae.autodiff import backward, detect_anomaly, exp, no_grad, sum, tensor
from minivae.datasets import Dataset, Split
from minivae.models import MODELS, VAE, Model
from minivae.training import Settings, Trainer

from ...doubles import strict_device  # noqa: F401  (adds the backend "strict")
from ...models.members import CLASSES, DATA_DIM, member
from ._engines import numba
from .campaign import RIGHT, campaign

STEPS = 8
SWITCH = 1e-6  # seconds between two changes of thread: thousands in a run of some milliseconds
Job = Callable[[], Any]


@campaign(
    "threads: two to four that train and sample at once",
    "each gives the bits that it gives alone",
    cases=200,
    quick=5,
)
def _threads(folder: Path) -> Iterator[str]:
    """Jobs by a seed: models, engines, optimizers, backends; in turn with Numba and without."""
    for seed in count():
        random = np.random.default_rng(seed)
        with numba(seed % 5 == 4):
            jobs = [_job(random, kind) for kind in random.choice(len(JOBS), random.integers(2, 5))]
            alone = [_result(job) for job in jobs]
            yield _compare(jobs, alone, _at_once(jobs))


def _compare(jobs: Sequence[Job], alone: Sequence[Any], together: Sequence[Any]) -> str:
    wrong = [
        f"{job.__name__}: {found!r:.60}"
        for job, expected, found in zip(jobs, alone, together, strict=True)
        if found != expected
    ]
    return "; ".join(wrong) or RIGHT


def _result(job: Job) -> Any:
    """What the job gives; an exception, which equals nothing else, if it fails."""
    try:
        return job()
    except Exception as error:
        return error


def _at_once(jobs: Sequence[Job]) -> list[Any]:
    """What the jobs give in threads that all start together."""
    start, results = threading.Barrier(len(jobs)), [None] * len(jobs)

    def run(number: int) -> None:
        start.wait(60)
        results[number] = _result(jobs[number])

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(jobs))]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        sys.setswitchinterval(interval)
    return results


# ------------------------------------------------------------------------ jobs


def _job(random: np.random.Generator, kind: int) -> Job:
    """A job of that kind that does the same each time."""
    seed = int(random.integers(1 << 30))

    def job() -> Any:
        return JOBS[kind](np.random.default_rng(seed))

    job.__name__ = JOBS[kind].__name__
    return job


def _trains(random: np.random.Generator) -> dict[str, bytes]:
    """A run of any model, on NumPy or on the strict device."""
    name, backend = random.choice(list(MODELS)), random.choice(["numpy", "numpy", "strict"])
    return _state_after(_trainer(member(name, backend=backend), random), STEPS)


def _trainer(model: Model, random: np.random.Generator) -> Trainer:
    """A run with settings by chance."""
    split = Split(random.uniform(size=(20, DATA_DIM)).astype(np.float32), np.arange(20) % CLASSES)
    optimizer = random.choice(["adam", "adagrad", "adamax", "sgd"])
    options = {"optimizer": optimizer, "lr": 1e-3, "seed": int(random.integers(99))}
    switches = {name: bool(random.integers(2)) for name in ("compile", "skip_nonfinite")}
    switches["detect_anomaly"] = not random.integers(5)
    settings = Settings(epochs=9, batch_size=5, binarize="dynamic", **options, **switches)
    return Trainer(model, Dataset("made", split, split, None, 1.0, ""), settings)


def _state_after(trainer: Trainer, steps: int) -> dict[str, bytes]:
    """Parameters, moments and running parts after so many steps more and a report."""
    for _ in range(steps):
        trainer.train_step()
    trainer.report()
    return {name: array.tobytes() for name, array in trainer.state()[0].items()}


def _samples_without_gradients(random: np.random.Generator) -> tuple[bytes, bool]:
    """Draws from a model inside no_grad, where nothing may be recorded."""
    model, generator, recorded = VAE(DATA_DIM, 2, (9,)), backend.generator(int(random.integers(99))), False
    with no_grad():
        for _ in range(40):
            time.sleep(0)
            drawn = model.sample(generator, 3)
            recorded |= exp(model.parameters()[0]).requires_grad
    return drawn.numpy().tobytes(), recorded


def _differentiates(random: np.random.Generator) -> bytes:
    """Gradients of a function, recorded while another thread may be inside no_grad."""
    x = tensor(random.uniform(size=7), "float64", requires_grad=True)
    total = np.zeros(7)
    for _ in range(40):
        with detect_anomaly() if random.integers(4) == 0 else nullcontext():
            total += backward(sum(exp(x) * x), [x])[0].numpy()
    return total.tobytes()


def _chooses_a_backend(random: np.random.Generator) -> list[str]:
    """Where new arrays are made, inside and outside a block that says where."""
    found = []
    for _ in range(200):
        name = str(random.choice(["numpy", "strict"]))
        with backend.using(name):
            time.sleep(0)  # the other threads' turn
            found.append(backend.backend_of(tensor([1.0]).data).name)
        found.append(backend.get_backend().name)
    return found


JOBS = (_trains, _trains, _trains, _samples_without_gradients, _differentiates, *[_chooses_a_backend] * 2)


# ----------------------------------------------------------------------- forks


@campaign(
    "processes: two forks in the middle of a run",
    "parent and children each give the bits of the run alone",
    cases=60,
    quick=2,
)
def _forks(folder: Path) -> Iterator[str]:
    """At a seeded step, with recorded steps, Numba's loops and results not yet read; then both go on."""
    with warnings.catch_warnings():  # from Python 3.12 on, of OpenBLAS's threads, which know what a fork is
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        for seed in count():
            with numba(seed % 5 == 4):
                yield _one_fork(np.random.default_rng(seed))


def _one_fork(random: np.random.Generator) -> str:
    name, seed, after = str(random.choice(list(MODELS))), int(random.integers(1 << 30)), int(random.integers(STEPS))
    whole, forked = (_trainer(member(name), np.random.default_rng(seed)) for _ in range(2))
    expected = _state_after(whole, STEPS)
    for _ in range(after):
        forked.train_step()
    fork = multiprocessing.get_context("fork")
    pipes = [fork.Pipe(duplex=False) for _ in range(2)]
    children = [fork.Process(target=_send_state_after, args=(end, forked, STEPS - after)) for _, end in pipes]
    for child in children:
        child.start()
    found = {"parent": _state_after(forked, STEPS - after)}
    for number, (end, _) in enumerate(pipes):
        found[f"child {number}"] = end.recv() if end.poll(60) else None
    for child in children:
        child.kill()
    wrong = [who for who, state in found.items() if state != expected]
    return f"{name} forked after {after} steps: {', '.join(wrong)} differs" if wrong else RIGHT


def _send_state_after(end: Connection, trainer: Trainer, steps: int) -> None:
    """In a child: go on, and tell the parent."""
    end.send(_state_after(trainer, steps))
