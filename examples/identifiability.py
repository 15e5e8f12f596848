"""What a label makes identifiable: the iVAE finds independent sources, the VAE does not.

    python examples/identifiability.py            # five seeds, a minute on two cores
    python examples/identifiability.py --quick    # one seed, a look at it

Sources are independent Gaussians whose variances change from segment to segment; the data
are an invertible, nonlinear mixture of them. Without knowing the segment any rotation of the
sources explains the data as well. The iVAE (Khemakhem et al. 2020) is told the segment. What
is compared is the mean correlation (MCC) of the sources with the codes, paired as is best.
"""

import argparse
import csv
import sys
from pathlib import Path

import numpy as np

import minivae as mv
from minivae.datasets import Dataset
from minivae.datasets.segments import segments
from minivae.errors import MinivaeError
from minivae.files import atomic_path
from minivae.inference import mean_correlation
from minivae.models import MODELS, Model
from minivae.plots.canvas import LABEL_SIZE, PALETTE, TITLE_SIZE, picture
from minivae.training import Minibatches

SOURCES = 4
NETWORKS = {"hidden": (50, 50), "activation": "leaky_relu", "variance": 0.01, "init": "he"}
KINDS = {"ivae": {"context_dim": True}, "vae": {"likelihood": "gaussian"}}


def train(name: str, dataset: Dataset, seed: int, epochs: int) -> Model:
    """A model of the recording."""
    options = NETWORKS | KINDS[name]
    if "context_dim" in options:
        options["context_dim"] = dataset.classes
    model = MODELS[name](dataset.data_dim, SOURCES, seed=seed, **options)
    quiet = not sys.stderr.isatty()
    mv.fit(model, dataset, epochs=epochs, lr=0.01, schedule="cosine", seed=seed, progress=not quiet)
    return model


def correlation(model: Model, dataset: Dataset, sources: np.ndarray) -> float:
    """MCC of the sources with the posterior means."""
    minibatches = Minibatches(dataset.test, dataset.scale, classes=model.context_dim)
    x, context = minibatches.batch(np.arange(len(minibatches)), mv.backend.generator(0))
    return mean_correlation(sources, model.encode(x, context))


def draw(rows: list[dict], path: Path) -> None:
    """A point for each run, a bar at each median."""
    with picture(path, figsize=(4.6, 3.6), layout="constrained") as figure:
        axes = figure.add_subplot()
        for i, name in enumerate(KINDS):
            values = [row["mcc"] for row in rows if row["model"] == name]
            axes.plot(np.full(len(values), i), values, "o", color=PALETTE[i], alpha=0.7)
            axes.hlines(np.median(values), i - 0.2, i + 0.2, color=PALETTE[i])
        axes.set_xticks(range(len(KINDS)), ["iVAE, told the segment", "VAE"])
        axes.set_xlim(-0.6, len(KINDS) - 0.4)
        axes.set_ylim(0.4, 1.0)
        axes.set_ylabel("mean correlation with the sources", fontsize=LABEL_SIZE)
        axes.set_title(f"{SOURCES} sources; bars are medians", fontsize=TITLE_SIZE)
        axes.spines[["top", "right"]].set_visible(False)


def main(args: argparse.Namespace) -> None:
    mv.backend.use(mv.backend.get_backend(args.backend).name)
    out, rows = Path(args.out or "runs/examples/identifiability" + "-quick" * args.quick), []
    out.mkdir(parents=True, exist_ok=True)
    for seed in range(1 if args.quick else args.seeds):
        dataset, sources = segments(seed, SOURCES, 40, 100 if args.quick else 500)
        for name in KINDS:
            model = train(name, dataset, seed, 2 if args.quick else args.epochs)
            rows.append({"model": name, "seed": seed, "mcc": round(correlation(model, dataset, sources), 4)})
            print(f"seed {seed}, {name}: MCC {rows[-1]['mcc']:.3f}", flush=True)
    for name in KINDS:
        print(f"median MCC of {name}: {np.median([row['mcc'] for row in rows if row['model'] == name]):.3f}")
    with atomic_path(out / "identifiability.csv") as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    draw(rows, out / "identifiability.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--backend", choices=mv.backend.names(), help="numpy (default) or cupy")
    parser.add_argument(
        "--out", help="folder of table and picture (default: runs/examples/identifiability, identifiability-quick)"
    )
    parser.add_argument("--quick", action="store_true", help="one seed, a fifth of the data, two epochs")
    try:
        main(parser.parse_args())
    except MinivaeError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
