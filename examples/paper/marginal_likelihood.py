"""Three estimates of log p(x) beside its value: App. D, importance sampling, annealed importance sampling.

    MINIVAE_DATA=... python examples/paper/marginal_likelihood.py            # two minutes
    MINIVAE_DATA=... python examples/paper/marginal_likelihood.py --quick    # a look, under 30 s

The model is AEVB's of Figure 3 with 50,000 training images, 3 latent dimensions: its run as far
as it has come, or a short one. Three dimensions can be integrated over by a grid, which gives
log p(x) itself. Importance sampling has the encoder as the proposal; where that misses the
posterior of an unusual image, 5000 samples are too few, and its estimate too low. On images
simulated from the model, annealed importance sampling forwards and backwards holds log p(x)
between two bounds.
"""

import argparse
from pathlib import Path

import numpy as np
from curves import Row, update_table
from experiment import RESULTS, SEED, run_in, run_script
from figure3 import LATENT_DIM, POINTS, estimate, log_joint_table, make
from scipy.special import logsumexp

from minivae import backend
from minivae.autodiff import Tensor, tensor
from minivae.inference import Annealing, LogLikelihood, log_likelihood, sandwich
from minivae.models import Model

IMPORTANCE_SAMPLES, TEMPERATURES, CHAINS = 5000, 500, 8
GRID, REACH = 101, 5.0  # points of each dimension, from -5 to 5


def main(args: argparse.Namespace) -> None:
    trainer, folder = make(50_000, "aevb", args.quick), args.runs / "50000-aevb"
    if not args.quick:
        run_in(folder, trainer).restore(trainer)  # as far as it has come
    while trainer.samples_seen < (20_000 if args.quick else POINTS["aevb"][1]):
        trainer.train_step()
    images, temperatures, grid = (10, 50, 21) if args.quick else (100, TEMPERATURES, GRID)
    x = tensor(trainer.dataset.test.images[:images].astype(np.float32) / trainer.dataset.scale)
    rows = compare(trainer.model, x, temperatures, grid)
    results = args.out if args.quick else RESULTS
    results.mkdir(parents=True, exist_ok=True)
    for row in rows:
        row |= {"samples_seen": trainer.samples_seen, "images": images}
        print(*row.values())
    update_table(results / "marginal_likelihood.csv", rows, ("estimate",))


def compare(model: Model, x: Tensor, temperatures: int, grid: int) -> list[Row]:
    """A row for each estimate: mean, its standard error over the images' own errors, and how it lies to log p(x)."""
    generator = backend.generator(SEED)
    exact = quadrature(model, x, grid)
    found = {
        f"quadrature, {grid}^{LATENT_DIM} points": exact,
        "App. D": estimate(model, x),
        f"importance sampling, {IMPORTANCE_SAMPLES}": log_likelihood(model, x, generator, IMPORTANCE_SAMPLES, chunk=50),
        f"annealed, {temperatures} temperatures": Annealing(model, x, generator, temperatures).lower(CHAINS),
    }
    rows = [_row(name, value, exact) for name, value in found.items()]
    both = sandwich(model, generator, x.shape[0], chains=CHAINS, temperatures=temperatures)
    return [
        *rows,
        _row("simulated images, from below", both.lower, both.lower),
        _row("simulated images, from above", both.upper, both.lower),
    ]


def quadrature(model: Model, x: Tensor, points: int) -> LogLikelihood:
    """log p(x) by a sum over a grid of z, whose only error is that of the grid."""
    axis, step = np.linspace(-REACH, REACH, points, retstep=True)
    slices = []
    for first in axis:
        z = np.stack(np.meshgrid(first, axis, axis, indexing="ij"), -1).reshape(-1, LATENT_DIM)
        slices.append(logsumexp(log_joint_table(model, x, tensor(z.astype(np.float32))).astype(float), axis=1))
    value = logsumexp(slices, axis=0) + LATENT_DIM * np.log(step)
    no_error, unknown = Tensor(np.zeros_like(value)), Tensor(np.full_like(value, np.nan))
    return LogLikelihood(Tensor(value), no_error, unknown, 0, "exact")


def _row(name: str, found: LogLikelihood, reference: LogLikelihood) -> Row:
    value, stderr = found.value.numpy(), found.stderr.numpy()
    difference = value - reference.value.numpy()
    return {
        "estimate": name,
        "mean": round(float(value.mean()), 3),
        "stderr": round(float(np.sqrt((stderr**2).sum()) / len(value)), 3),
        "mean_difference": round(float(difference.mean()), 3),
        "median_difference": round(float(np.median(difference)), 3),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=Path("runs/paper/figure3"), help="the runs of Figure 3")
    parser.add_argument("--out", type=Path, default=Path("runs/paper/quick"), help="where --quick writes")
    parser.add_argument("--quick", action="store_true", help="a short run, 10 images, 50 temperatures")
    run_script(parser, main)
