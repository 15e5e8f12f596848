"""Full variational Bayes (App. F) on MNIST: the first figure of an experiment that the paper only describes.

    MINIVAE_DATA=... python examples/paper/full_vb.py            # seven minutes
    MINIVAE_DATA=... python examples/paper/full_vb.py --quick    # a look, under 30 s

The decoder's weights get a Gaussian each, with the prior N(0, I), and are integrated out
(Algorithm 2, Eq. 24); the VAE beside it has point estimates with the same prior (MAP). Both
with 100 hidden units and 10 latent dimensions, Adam, and 1000 or 50,000 training images: the
fewer they are, the more there is to lose to overfitting.

The bound of full VB is that of log p(X) / N, all of the weights' divergence included; on test
data, whose N does not count, the weights' divergence is left out, as they are already paid for.
"""

import argparse
from pathlib import Path

import numpy as np
from curves import Row, log_axis, read_table, update_table
from experiment import RESULTS, SEED, bounds, load, log_spaced, run_script, train_curve

from minivae.datasets import Dataset, Split
from minivae.models import VAE, FullVB
from minivae.plots.canvas import LABEL_SIZE, PALETTE, SMALL_SIZE, picture
from minivae.training import Settings, Trainer

LATENT_DIM, HIDDEN, TRAIN_SIZES = 10, (100,), (1000, 50_000)
SAMPLES, FIRST_POINT = 10**6.5, 10_000
KEYS = ("train_size", "algorithm")


def main(args: argparse.Namespace) -> None:
    runs = args.out or Path("runs/paper/full_vb-quick" if args.quick else "runs/paper/full_vb")
    results = runs if args.quick else RESULTS
    points = log_spaced(FIRST_POINT, 20_000 if args.quick else SAMPLES)
    for size in TRAIN_SIZES[:1] if args.quick else TRAIN_SIZES:
        for algorithm in ("map", "full_vb"):
            trainer = make_trainer(size, algorithm, args.quick)
            train_curve(trainer, runs / f"{size}-{algorithm}", points, bounds(trainer))
            collect(size, algorithm, trainer, results)
    draw(results)


def make_trainer(size: int, algorithm: str, quick: bool) -> Trainer:
    """A run on the first ``size`` training images."""
    data = load("mnist", quick)
    data = Dataset("mnist", Split(data.train.images[:size]), data.test, data.image_shape, data.scale, f"first {size}")
    if algorithm == "full_vb":
        model = FullVB(data.data_dim, LATENT_DIM, HIDDEN, dataset_size=size, seed=SEED)
    else:
        model = VAE(data.data_dim, LATENT_DIM, HIDDEN, seed=SEED)
    settings = {"epochs": int(SAMPLES) // size + 1, "weight_prior": algorithm == "map", "seed": SEED}
    return Trainer(model, data, Settings(**settings, report_every=100))


def collect(size: int, algorithm: str, trainer: Trainer, results: Path) -> None:
    """Put the history of a run into the table of bounds and, of full VB, its weights into theirs."""
    results.mkdir(parents=True, exist_ok=True)
    about = {"train_size": size, "algorithm": algorithm}
    rows = [
        {
            **about,
            "split": split,
            "samples": int(row["samples_seen"]),
            "data_bound": round(row[f"{split}_reconstruction"] - row[f"{split}_kl"], 3),
            "weights_kl": round(row.get("train_weights_kl", 0.0), 3),
        }
        for split in ("train", "test")
        for row in trainer.history.rows
    ]
    update_table(results / "full_vb.csv", rows, KEYS)
    if algorithm == "full_vb":
        update_table(results / "full_vb_weights.csv", weights_of(size, trainer.model), ("train_size", "layer"))


def weights_of(size: int, model: FullVB) -> list[Row]:
    """How sure the posterior is of the weights of each layer: medians of s and of |m| / s, and the share below 1."""
    rows = []
    for (name, m), log_var in zip(model.weights.means.items(), model.weights.log_vars, strict=True):
        s = np.exp(log_var.numpy() / 2)
        ratio = np.abs(m.numpy()) / s
        rows.append(
            {"train_size": size, "layer": name, "weights": m.size}
            | {"median_s": f"{np.median(s):.4f}", "median_ratio": f"{np.median(ratio):.3f}"}
            | {"share_below_1": f"{(ratio < 1).mean():.3f}"}
        )
    return rows


def draw(results: Path) -> None:
    """For each number of training images, bounds against samples: MAP and full VB, train and test."""
    rows = read_table(results / "full_vb.csv")
    sizes = sorted({row["train_size"] for row in rows})
    path = results / "full_vb.png"
    with picture(path, figsize=(4.0 * len(sizes) + 0.5, 3.6), layout="constrained") as figure:
        for axes, size in zip(figure.subplots(1, len(sizes), squeeze=False)[0], sizes, strict=True):
            for color, (algorithm, label) in zip(PALETTE, (("map", "MAP"), ("full_vb", "full VB")), strict=False):
                for split, dashes in (("train", "-"), ("test", "--")):
                    curve = [
                        r for r in rows if (r["train_size"], r["algorithm"], r["split"]) == (size, algorithm, split)
                    ]
                    points = sorted((r["samples"], r["data_bound"]) for r in curve)
                    axes.plot(*zip(*points, strict=True), color=color, linestyle=dashes, label=f"{label}, {split}")
            log_axis(axes)
            axes.set_ylim(bottom=max(-220, axes.get_ylim()[0]))
            axes.set_title(f"{size:,} training images", fontsize=LABEL_SIZE)
            axes.set_xlabel("training samples seen", fontsize=LABEL_SIZE)
            axes.set_ylabel("bound without the weights' divergence (nats)", fontsize=SMALL_SIZE)
            axes.tick_params(labelsize=SMALL_SIZE)
            axes.legend(fontsize=SMALL_SIZE, frameon=False)
    print(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="where the run folders are (default: runs/paper/full_vb)")
    parser.add_argument("--quick", action="store_true", help="two short runs; tables and picture go into --out")
    run_script(parser, main)
