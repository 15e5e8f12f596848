"""Figure 3: AEVB, wake-sleep and Monte Carlo EM, the estimated marginal likelihood against training samples.

    MINIVAE_DATA=... python examples/paper/figure3.py                        # all curves, one after the other
    MINIVAE_DATA=... python examples/paper/figure3.py --curve 1000-mcem      # one: others can run beside it
    MINIVAE_DATA=... python examples/paper/figure3.py --quick                # a look, under 30 s

MNIST with 100 hidden units and 3 latent dimensions, and 1000 or 50,000 training points. log p(x)
is estimated as in App. D, on the first 1000 training and test points, with 50 draws from the
posterior to fit the density and 50 new ones, by Hamiltonian Monte Carlo with 4 leapfrog steps.
The chains begin at the likeliest of 10,000 draws from the prior, for all algorithms alike: Monte
Carlo EM has no encoder. (Of 100 draws, five images in a hundred began, and stayed, beside a mode
that does not count.) Monte Carlo EM counts a data point each time it is evaluated, 10 times in a
step's leapfrogs and 5 times in its updates of the weights: so counted, its curve is the paper's.

Every curve is a run folder in --out, and goes on from there when it was stopped. All the
curves that there are make up figure3.csv, with the columns of the paper's numbers, the table
figure3_runs.csv of seeds and times, and figure3.png.
"""

import argparse
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from curves import Panel, draw_panels, read_table, update_table
from experiment import (
    OPTIMIZERS,
    REFERENCE,
    RESULTS,
    SEED,
    Curve,
    load,
    make_trainer,
    rows_of,
    run_script,
    train_curve,
)

from minivae import backend
from minivae.autodiff import Tensor, no_grad, softplus, sum, tensor, transpose
from minivae.datasets import Dataset, Split
from minivae.inference import MonteCarloEM, density_log_likelihood
from minivae.models import VAE, Model
from minivae.optim import Adagrad
from minivae.runs import History
from minivae.training import Trainer

LATENT_DIM, HIDDEN = 3, (100,)
TRAIN_SIZES, ALGORITHMS = (1000, 50_000), ("aevb", "wake_sleep", "mcem")
POINTS = dict.fromkeys(ALGORITHMS, (200_000, 500_000, 10**6, 2 * 10**6, 3 * 10**6, 5 * 10**6, 7 * 10**6, 10**7))
POINTS["mcem"] += (2 * 10**7, 3 * 10**7, 4 * 10**7, 6 * 10**7)  # its steps are few, and the paper's curve goes on
QUICK_POINTS = dict.fromkeys(ALGORITHMS, (20_000, 40_000)) | {"mcem": (300_000, 600_000)}
ROWS, QUICK_ROWS = 1000, 100  # of train and of test, that the marginal likelihood is estimated on
CANDIDATES = 10_000
KEYS = ("train_size", "algorithm")
CURVES = [(size, algorithm) for size in TRAIN_SIZES for algorithm in ALGORITHMS]
# By the paper's rule: the best on the training data after the first iterations (results/step_size.csv).
STEP_SIZES = {
    **{(1000, "aevb"): 0.1, (1000, "wake_sleep"): 0.02, (1000, "mcem"): 0.1},
    **{(50_000, "aevb"): 0.1, (50_000, "wake_sleep"): 0.01, (50_000, "mcem"): 0.1},
}


def main(args: argparse.Namespace) -> None:
    runs = args.out or Path("runs/paper/figure3-quick" if args.quick else "runs/paper/figure3")
    results = runs if args.quick else RESULTS
    for size, algorithm in CURVES[:3] if args.quick else CURVES:
        name = f"{size}-{algorithm}"
        if not args.draw and (not args.curve or name in args.curve):
            trainer = make(size, algorithm, args.quick)
            rows = QUICK_ROWS if args.quick else ROWS
            points = (QUICK_POINTS if args.quick else POINTS)[algorithm]
            train_curve(trainer, runs / name, points, lambda trainer, rows=rows: measure(trainer, rows))
    collect(runs, results)
    draw(results)


# ---------------------------------------------------------------- the runs


class MonteCarloEMTrainer:
    """Monte Carlo EM with what ``train_curve`` and a run folder ask of a trainer."""

    def __init__(self, data: Dataset, lr: float) -> None:
        options = OPTIMIZERS["adagrad"] | {"lr": lr}
        self.model = VAE(data.data_dim, LATENT_DIM, HIDDEN, init="paper", seed=SEED)
        self.dataset, self.settings = data, SimpleNamespace(algorithm="mcem", weight_prior=True, seed=SEED, **options)
        self.history, self.seconds = History(), 0.0
        optimizer = Adagrad(self.model.decoder.parameters(), lr, **options["optimizer_options"])
        x = tensor(data.train.images.astype(np.float32) / data.scale)
        self.mcem = MonteCarloEM(self.model, x, optimizer, backend.generator(SEED), weight_prior=True)
        self.last: dict[str, Tensor] = {}

    samples_seen = property(lambda self: self.mcem.samples_seen)
    epoch = property(lambda self: self.mcem.steps)

    def train_step(self) -> None:
        self.last = self.mcem.step()

    def running_terms(self) -> dict[str, float]:
        return {name: float(value) for name, value in self.last.items()}

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays, meta = self.mcem.state()
        meta |= {"history": self.history.rows, "seconds": self.seconds, "model": self.model.config}
        return arrays, meta

    def load_state(self, arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> None:
        self.mcem.load_state(arrays, meta)
        self.history, self.seconds = History(meta["history"]), meta["seconds"]


def make(size: int, algorithm: str, quick: bool, lr: float | None = None) -> Trainer | MonteCarloEMTrainer:
    """A run on the first ``size`` training images, with the chosen step size or another."""
    lr = lr or STEP_SIZES[size, algorithm]
    data = load("mnist", quick)
    data = Dataset("mnist", Split(data.train.images[:size]), data.test, data.image_shape, data.scale, f"first {size}")
    if algorithm == "mcem":
        return MonteCarloEMTrainer(data, lr)
    return make_trainer(Curve("mnist", LATENT_DIM, algorithm, POINTS[algorithm][-1]), data, lr, hidden=HIDDEN)


def measure(trainer: Trainer | MonteCarloEMTrainer, rows: int) -> dict[str, float]:
    """The mean of App. D's estimate over training and over test rows, and its standard error."""
    row = {"epoch": trainer.epoch, "samples_seen": trainer.samples_seen, "seconds": trainer.seconds}
    for name, split in (("train", trainer.dataset.train), ("test", trainer.dataset.test)):
        x = tensor(split.images[:rows].astype(np.float32) / trainer.dataset.scale)
        found = estimate(trainer.model, x)
        row[f"{name}_log_marginal"] = float(found.value.numpy().mean())
        row[f"{name}_stderr"] = float(np.sqrt((found.stderr.numpy() ** 2).sum()) / rows)
    return row


def estimate(model: Model, x: Tensor) -> Any:
    """App. D's estimate of log p(x), from chains that begin at the likeliest of draws from the prior."""
    generator = backend.generator(SEED)
    candidates = model.prior().sample(generator, CANDIDATES)
    likeliest = log_joint_table(model, x, candidates).argmax(1)
    return density_log_likelihood(model, x, generator, start=tensor(candidates.numpy()[likeliest]))


def log_joint_table(model: Model, x: Tensor, z: Tensor) -> np.ndarray:
    """log p(x, z) of each image and each z, ``(M, D)`` and ``(K, L)`` -> ``(M, K)``; log p(x|z) is linear in x."""
    with no_grad():
        logits = model.likelihood(z).logits
        return (x @ transpose(logits) - sum(softplus(logits), -1) + model.prior().log_prob(z)).numpy()


# ------------------------------------------------------------ their results


def collect(runs: Path, results: Path) -> None:
    """Put the histories of the runs that there are into the tables of results."""
    points, totals = [], []
    for size, algorithm in CURVES:
        if not (history := rows_of(runs / f"{size}-{algorithm}")):
            continue
        about = {"train_size": size, "algorithm": algorithm}
        for split in ("test", "train"):
            points += [
                {**about, "split": split, "samples": int(row["samples_seen"])}
                | {"log_marginal_likelihood": round(row[f"{split}_log_marginal"], 3)}
                for row in history
            ]
        totals.append({**about, "lr": STEP_SIZES[size, algorithm], **totals_of(history[-1])})
    results.mkdir(parents=True, exist_ok=True)
    update_table(results / "figure3.csv", points, KEYS)
    update_table(results / "figure3_runs.csv", totals, KEYS)


def totals_of(last: dict[str, float]) -> dict[str, float]:
    """What a run took and reached."""
    return {
        "seed": SEED,
        "samples": int(last["samples_seen"]),
        "seconds": round(last["seconds"]),
        "samples_per_second": round(last["samples_seen"] / last["seconds"]),
        **{name: round(last[name], 3) for name in last if name.startswith(("train_", "test_"))},
    }


def draw(results: Path) -> None:
    """The picture, of what the table holds."""
    tables = read_table(results / "figure3.csv"), read_table(REFERENCE / "aevb_figure3.csv")
    panels = [
        Panel(
            f"$N_{{train}}$ = {size:,}",
            *([row for row in table if row["train_size"] == size] for table in tables),
            "log_marginal_likelihood",
            (-165, -105),
        )
        for size in TRAIN_SIZES
    ]
    path, title = results / "figure3.png", "Figure 3: the estimated marginal likelihood, ours on the paper's"
    draw_panels(panels, path, 2, title, "log p(x), App. D (nats)")
    print(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [f"{size}-{algorithm}" for size, algorithm in CURVES]
    parser.add_argument("--curve", action="append", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--draw", action="store_true", help="train nothing; collect the runs that there are and draw")
    parser.add_argument("--out", type=Path, help="where the run folders are (default: runs/paper/figure3)")
    parser.add_argument("--quick", action="store_true", help="three short curves; tables and picture go into --out")
    run_script(parser, main)
