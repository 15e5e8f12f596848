"""What the experiments of the paper share: data, settings, and training curves that can be resumed.

A curve is trained in a run folder of its own, which holds its checkpoint: several processes
can train different curves side by side, and one that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import minivae as mv
from minivae import datasets
from minivae.datasets import Dataset, Split
from minivae.errors import MinivaeError
from minivae.models import MODELS, VAE, Model, WakeSleep
from minivae.runs import History, Run
from minivae.training import Minibatches, Settings, Trainer
from minivae.training.evaluate import Evaluation
from minivae.training.interrupt import Interrupt, deferred_interrupt

HERE = Path(__file__).resolve().parent
REFERENCE, RESULTS = HERE / "reference", HERE / "results"
SEED = 20131220  # the day that the paper's first version was submitted
BATCH_SIZE = 100
MNIST_TRAIN_ROWS = 50_000  # the last 10,000 of the 60,000 training images are left aside
MEASURED_ROWS = 10_000  # of the training data, for the train curves
SAMPLES_PER_SAVE = 10**6
FIRST_POINT, POINTS_PER_DECADE = 10_000, 8  # of a curve; as many as in the curves read from the paper
ALGORITHMS: dict[str, type[Model]] = {"aevb": VAE, "wake_sleep": WakeSleep}

# Section 5: 500 hidden units for MNIST, 200 for Frey Face, whose means pass a sigmoid. The
# bound is reported with estimator A for wake-sleep, and trained with B (Eq. 10) for AEVB.
MODEL_OPTIONS: dict[str, dict[str, Any]] = {
    "mnist": {"hidden": (500,)},
    "frey": {"hidden": (200,), "likelihood": "gaussian", "sigmoid_mean": True},
}
# Adagrad with a warm-up of 100 steps, as in the authors' code; for Figure 2 its step size, from the
# paper's {0.01, 0.02, 0.1}, by the train bound after the first 10^5 samples (results/step_size.csv).
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "adagrad": {"optimizer": "adagrad", "lr": 0.01, "optimizer_options": {"warmup": 100}},
    "adam": {"optimizer": "adam", "lr": 0.001},
}
# With 0.01 this one comes apart after the first 10^5 samples: the best of the three by 10^6.
OTHER_STEP_SIZES = {"mnist-200-wake_sleep": 0.02}


class Curve(NamedTuple):
    """One training run of the paper.

    Attributes:
        dataset: "mnist" or "frey".
        latent_dim: N_z.
        algorithm: one of ``ALGORITHMS``.
        samples: how many training samples it sees.
        optimizer: one of ``OPTIMIZERS``.
        batch_size: M, 100 in section 2.3.
    """

    dataset: str
    latent_dim: int
    algorithm: str
    samples: float
    optimizer: str = "adagrad"
    batch_size: int = BATCH_SIZE

    @property
    def name(self) -> str:
        """As on the command line: ``mnist-20-aevb``."""
        return f"{self.dataset}-{self.latent_dim}-{self.label}"

    @property
    def label(self) -> str:
        """As in the tables: "aevb", "wake_sleep", "aevb_adam", "aevb_500"."""
        optimizer = "" if self.optimizer == "adagrad" else f"_{self.optimizer}"
        return self.algorithm + optimizer + ("" if self.batch_size == BATCH_SIZE else f"_{self.batch_size}")

    @property
    def lr(self) -> float:
        """Its step size."""
        return OTHER_STEP_SIZES.get(self.name, OPTIMIZERS[self.optimizer]["lr"])


def load(name: str, quick: bool = False) -> Dataset:
    """MNIST in grey values, 50,000 training rows, or Frey Face, split at random; 500 test rows if quick.

    MNIST's grey values serve as the probabilities of the pixels, as in one of the authors' scripts.
    """
    data = datasets.load(name) if name == "mnist" else datasets.load(name, split="random", seed=SEED)
    train = Split(data.train.images[:MNIST_TRAIN_ROWS])
    test = data.test.sample(500) if quick else data.test
    return Dataset(name, train, test, data.image_shape, data.scale, f"{len(train)} rows train, {len(test)} test")


def make_trainer(curve: Curve, data: Dataset, lr: float | None = None, **options: Any) -> Trainer:
    """A run with the paper's settings: L = 1, weights from N(0, 0.01^2) and MAP with the prior N(0, I).

    Args:
        curve: which run.
        data: what it trains on.
        lr: another step size than usual.
        options: of the model, in place of the usual ones.
    """
    chosen = {**MODEL_OPTIONS[curve.dataset], "init": "paper", "seed": SEED, **options}
    model = ALGORITHMS[curve.algorithm](data.data_dim, curve.latent_dim, **chosen)
    epochs = -(-int(curve.samples) // (len(data.train) // curve.batch_size * curve.batch_size))
    settings = {"batch_size": curve.batch_size, "weight_prior": True, "seed": SEED, "epochs": epochs}
    settings["report_every"] = 100  # of no report, but the bound is read now and then for its being finite
    settings |= OPTIMIZERS[curve.optimizer] | {"lr": curve.lr if lr is None else lr}
    return Trainer(model, data, Settings(**settings))


def log_spaced(first: float, last: float, batch_size: int = BATCH_SIZE) -> list[int]:
    """Counts of samples, eight to a decade, in whole minibatches: what the paper's log axis shows."""
    points, k = [], 0
    while (count := 10 ** (k / POINTS_PER_DECADE)) <= last * 1.001:
        if count >= first:
            points.append(round(count / batch_size) * batch_size)
        k += 1
    return points


def points_of(curve: Curve) -> list[int]:
    """Where a curve of Figure 2 is measured."""
    return log_spaced(FIRST_POINT, curve.samples, curve.batch_size)


def train_curve(trainer: Trainer, folder: Path, points: Iterable[int], measure: Callable[[Trainer], dict]) -> None:
    """Train up to the last of ``points`` (samples seen), adding ``measure(trainer)`` to the history at each.

    A step that goes over all of the data may pass several points, which then have one row. Goes
    on from the checkpoint in ``folder`` if there is one; saves there at each point and every
    million samples.

    Raises:
        InputError: another process trains in ``folder``, or it cannot be written to.
        KeyboardInterrupt: after a checkpoint was saved.
    """
    run = run_in(folder, trainer)
    points = set(points)
    stops = points | set(range(SAMPLES_PER_SAVE, max(points), SAMPLES_PER_SAVE))
    folder.mkdir(parents=True, exist_ok=True)
    with run.exclusive(), deferred_interrupt() as interrupt:
        run.restore(trainer)
        run.save_config()
        for stop in sorted(stops):
            if stop <= trainer.samples_seen:
                continue
            _train_to(trainer, stop, interrupt)
            if stop in points and trainer.samples_seen >= stop:  # not interrupted
                trainer.history.append(**measure(trainer))
                print(f"{folder.name}: {_summary(trainer.history.rows[-1])}", flush=True)
            run.save(trainer)
            if interrupt.signal is not None:
                raise KeyboardInterrupt(interrupt.signal)


def run_in(folder: Path, trainer: Trainer) -> Run:
    """The run of a trainer, begun or not."""
    name = next((name for name, kind in MODELS.items() if type(trainer.model) is kind), type(trainer.model).__name__)
    config = {"minivae": mv.__version__, "model": name, "model_config": trainer.model.config}
    return Run(folder, {**config, "data": trainer.dataset.name, "settings": vars(trainer.settings)})


def rows_of(folder: Path) -> list[dict[str, float]]:
    """The history of a run; nothing if it has not begun, or was stopped before its first point."""
    path = folder / "history.csv"
    return History.load(path).rows if path.exists() else []


def bounds(trainer: Trainer) -> Callable[[Trainer], dict[str, float]]:
    """What measures a row of the history: the bound and its parts, on training and on test rows, at one moment.

    Of the training rows the first 10,000 are taken, and of quick runs 2500; MNIST comes in random order.
    """
    data = trainer.dataset
    rows = Split(data.train.images[: min(MEASURED_ROWS, 5 * len(data.test))])
    evaluations = {
        "train": Evaluation(trainer.model, Minibatches(rows, data.scale, binarize=trainer.settings.binarize))
    }
    evaluations["test"] = Evaluation(trainer.model, trainer.test)

    def measure(trainer: Trainer) -> dict[str, float]:
        row = {"epoch": trainer.epoch, "samples_seen": trainer.samples_seen, "seconds": trainer.seconds}
        for split, evaluation in evaluations.items():
            row |= {f"{split}_{name}": value for name, value in evaluation().items()}
        return row

    return measure


def trained(curve: Curve, runs: Path, quick: bool = False) -> Trainer:
    """A run of Figure 2 as far as it has come; trained first if there is none yet."""
    trainer, folder = make_trainer(curve, load(curve.dataset, quick)), runs / curve.name
    if (folder / "model.npz").exists():
        run_in(folder, trainer).restore(trainer)
    else:
        train_curve(trainer, folder, points_of(curve), bounds(trainer))
    return trainer


def run_script(parser: argparse.ArgumentParser, work: Callable[[argparse.Namespace], None]) -> None:
    """Run a script's work; what the user can mend ends in one line and exit code 2."""
    try:
        work(parser.parse_args())
    except MinivaeError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    except KeyboardInterrupt:
        parser.exit(130, f"{parser.prog}: stopped; the same command goes on from here\n")


def _train_to(trainer: Trainer, samples: int, interrupt: Interrupt) -> None:
    start = time.perf_counter()
    while trainer.samples_seen < samples and interrupt.signal is None:
        trainer.train_step()
    trainer.running_terms()  # that they are finite; waits for the device
    trainer.seconds += time.perf_counter() - start


def _summary(row: dict[str, float]) -> str:
    values = (f"{name} {value:.2f}" for name, value in row.items() if name.endswith(("_bound", "_log_marginal")))
    return f"{row['samples_seen']:>9.0f} samples, {row['seconds']:6.0f} s, {', '.join(values)}"
