"""How much the estimators of the gradient vary, against the number of samples L and through training.

    MINIVAE_DATA=... python examples/paper/estimator_variance.py            # minutes
    MINIVAE_DATA=... python examples/paper/estimator_variance.py --quick    # a look, under 30 s

Estimator A (Eq. 6), estimator B (Eq. 7) and the score function (section 2.2), all of the same
gradient: that of the bound by the encoder's weights, for one minibatch of 20 MNIST images, over
draws of the noise alone. The paper says of B that it typically varies less than A, and of the
score function that its variance is very high; here are the numbers. The signal-to-noise ratio
is |E g| over the root of E|g - E g|^2, where E g is measured with many draws of B.
"""

import argparse
from pathlib import Path

import numpy as np
from curves import Row, read_table, update_table
from experiment import RESULTS, SEED, Curve, load, make_trainer, run_script

from minivae import backend, bounds
from minivae.autodiff import Tensor, backward, mean
from minivae.compiler import compile as record
from minivae.inference import log_joint
from minivae.models import VAE
from minivae.plots.canvas import LABEL_SIZE, PALETTE, SMALL_SIZE, picture

SAMPLES, DRAWS, IMAGES = (1, 4, 16, 64), 200, 20
CHECKPOINTS = (20_000, 50_000, 100_000, 300_000, 1_000_000)
LATENT_DIM = 10
KEYS = ("samples_seen", "L", "estimator")


ESTIMATORS = ("A", "B", "score function")


def bound(model: VAE, estimator: str, x: Tensor, noise: backend.Generator, L: int) -> Tensor:
    """The bound of each data point, ``(M,)``, from L draws of z, with the gradient of an estimator."""
    if estimator != "score function":
        return model.bound(x, noise, samples=L).value
    q, joint = model.posterior(x), log_joint(model, x)
    return mean(bounds.score_function(lambda z: joint(z) - q.log_prob(z), q, q.sample(noise, L)), axis=0)


def main(args: argparse.Namespace) -> None:
    runs = args.out or Path("runs/paper/estimator_variance-quick")
    results = runs if args.quick else RESULTS
    checkpoints, draws = ((20_000,), 20) if args.quick else (CHECKPOINTS, DRAWS)
    data = load("mnist", quick=True)
    trainer = make_trainer(Curve("mnist", LATENT_DIM, "aevb", checkpoints[-1]), data)
    x = Tensor((data.test.images[:IMAGES] / data.scale).astype(np.float32))
    results.mkdir(parents=True, exist_ok=True)
    for samples_seen in checkpoints:
        while trainer.samples_seen < samples_seen:
            trainer.train_step()
        rows = [{"samples_seen": samples_seen, **row} for row in measure(trainer.model, x, draws)]
        update_table(results / "estimator_variance.csv", rows, KEYS)
        print(*(f"{row['L']}, {row['estimator']}: {row['variance']}" for row in rows if row["L"] == 1), sep="; ")
    draw(read_table(results / "estimator_variance.csv"), results / "estimator_variance.png")


def measure(model: VAE, x: Tensor, draws: int) -> list[Row]:
    """The variance, summed over the weights, and the signal-to-noise ratio of each estimator for each L."""
    variances = {}
    for name in ESTIMATORS:
        for L in SAMPLES:
            first, variances[L, name] = moments(model, x, name, L, draws)
            if (L, name) == (SAMPLES[-1], "B"):
                signal = float(np.sqrt((first**2).sum()))
    return [
        {"L": L, "estimator": name, "variance": float(f"{value:.4g}"), "snr": float(f"{signal / value**0.5:.4g}")}
        for (L, name), value in variances.items()
    ]


def moments(model: VAE, x: Tensor, estimator: str, L: int, draws: int) -> tuple[np.ndarray, float]:
    """The mean of the gradient over ``draws`` of the noise, and its variance summed over the encoder's weights."""
    weights, noise = model.encoder.parameters(), backend.generator(SEED)
    if estimator != "score function":
        model.estimator = estimator
    gradient = record(lambda x: backward(mean(bound(model, estimator, x, noise, L)), weights))
    total, squares = 0.0, 0.0
    for _ in range(draws):
        g = np.concatenate([part.numpy().ravel() for part in gradient(x)]).astype(np.float64)
        total, squares = total + g, squares + (g**2).sum()
    first = total / draws
    return first, float((squares - draws * (first**2).sum()) / (draws - 1))


def draw(rows: list[Row], path: Path) -> None:
    """Variance against L after training, and variance and signal-to-noise ratio at L = 1 through training."""
    last = max(row["samples_seen"] for row in rows)
    panels = (
        ("L", "variance", [row for row in rows if row["samples_seen"] == last], f"after {last:,} samples"),
        ("samples_seen", "variance", [row for row in rows if row["L"] == 1], "L = 1"),
        ("samples_seen", "snr", [row for row in rows if row["L"] == 1], "L = 1"),
    )
    labels = {"L": "samples L", "samples_seen": "training samples seen", "snr": "signal-to-noise ratio"}
    with picture(path, figsize=(11.0, 3.4), layout="constrained") as figure:
        for axes, (x, y, chosen, title) in zip(figure.subplots(1, 3), panels, strict=True):
            for color, name in zip(PALETTE, ESTIMATORS, strict=False):
                points = sorted((row[x], row[y]) for row in chosen if row["estimator"] == name)
                axes.loglog(*zip(*points, strict=True), color=color, marker="o", markersize=3, label=name)
            axes.set_title(title, fontsize=LABEL_SIZE)
            axes.set_xlabel(labels[x], fontsize=LABEL_SIZE)
            axes.set_ylabel(labels.get(y, "variance of the gradient"), fontsize=LABEL_SIZE)
            axes.tick_params(labelsize=SMALL_SIZE)
            axes.legend(fontsize=SMALL_SIZE, frameon=False)
    print(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="where the results of --quick go")
    parser.add_argument("--quick", action="store_true", help="one checkpoint, 20 draws")
    run_script(parser, main)
