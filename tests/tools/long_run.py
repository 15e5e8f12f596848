"""A run of many epochs of tiny data: what its last epochs cost, and what its first did.

    python -m tests.tools.long_run             # 10,000 epochs; writes long_run.json beside this file
    python -m tests.tools.long_run EPOCHS      # fewer; prints them

All that a run does at a report is done at each epoch: it is evaluated on the test and a validation part, the best
model is kept, ``history.csv``, checkpoints and a CSV log are written as ``fit`` does it. For each tenth of the run:
processor milliseconds an epoch (their median, which saving is not in, and their mean, which it is in), how often and
how long was saved, and the process's own memory.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np

from benchmarks.steady import own_memory
from minivae import Dataset, fit, models
from minivae.runs import Run
from minivae.training import Callback, CSVLogger, Trainer

RESULTS = Path(__file__).with_suffix(".json")
EPOCHS, TENTHS = 10_000, 10


class Clock(Callback):
    """Notes the processor's time, and the memory, at each report."""

    def __init__(self) -> None:
        self.seconds, self.memory = [time.process_time()], [own_memory()]

    def on_report(self, trainer: Trainer, row: dict[str, float]) -> None:
        """Note both."""
        self.seconds.append(time.process_time())
        self.memory.append(own_memory())


class TimedRun(Run):
    """Notes at which epochs it is saved, and how long that takes."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.saves: list[tuple[int, float]] = []

    def save(self, trainer: Any) -> None:
        """Save, and note it."""
        begun = time.process_time()
        super().save(trainer)
        self.saves.append((trainer.epoch, time.process_time() - begun))


def measured(epochs: int) -> list[dict[str, float]]:
    """A row for each tenth of a run of so many epochs."""
    x = np.random.default_rng(0).random((40, 4), np.float32)
    data = Dataset.from_arrays(x, test=x[:10], validation=x[10:20])
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        run = TimedRun.create(f"{folder}/run")
        options = {"epochs": epochs, "batch_size": 20, "patience": epochs, "progress": False}
        fit(models.VAE(4, 2, (4,)), data, run=run, callbacks=[CSVLogger(f"{folder}/log.csv"), clock], **options)
    each, size = np.diff(clock.seconds) * 1000, epochs // TENTHS
    return [_row(tenth * size, each[tenth * size :][:size], clock, run.saves) for tenth in range(TENTHS)]


def _row(first: int, each: np.ndarray, clock: Clock, saves: list[tuple[int, float]]) -> dict[str, float]:
    last = first + len(each)
    seconds = [taken for epoch, taken in saves if first < epoch <= last]
    return {
        "epochs": last,
        "median_ms": round(median(each), 2),
        "mean_ms": round(fmean(each), 2),
        "saves": len(seconds),
        "save_ms": round(1000 * fmean(seconds), 1) if seconds else 0.0,
        "memory_mib": round(clock.memory[last] / 1024, 1),
    }


def main() -> int:
    """Measure and print; keep what is measured of the whole number of epochs."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.long_run", description=__doc__.split("\n")[0])
    parser.add_argument("epochs", nargs="?", type=int, default=EPOCHS)
    epochs = parser.parse_args().epochs
    rows = measured(epochs)
    text = "[\n" + ",\n".join(f"  {json.dumps(row)}" for row in rows) + "\n]\n"
    print(text, end="")
    if epochs == EPOCHS:
        RESULTS.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
