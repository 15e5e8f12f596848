"""Few labels: errors of the semi-supervised VAE (M2), and of M2 on the codes of a VAE (M1+M2), over draws of labels.

    python examples/semi_supervised.py                                 # the shipped digits, 50 labels, some minutes
    python examples/semi_supervised.py --quick                         # two epochs, one draw: a look at it
    python examples/semi_supervised.py --data mnist --labels 100 --epochs 500    # as in the paper: hours

Kingma et al. 2014, "Semi-supervised learning with deep generative models", Table 1, has 11.97 % for M2 and 3.33 % for
M1+M2 on MNIST with 100 labels. The labels of a draw are the same number of each class; those of all other training
points are hidden. What M2 can learn of codes is what M1 keeps in them: with the Bernoulli likelihood of grey levels the
code of a shipped digit holds 3 nats, of which its class alone takes 2.3, so that M1 has a Gaussian of variance 0.03
there, and 15 nats. A row of ``errors.csv`` is written when a model is done, and what is there, with the same
settings, is not trained again: a run that was cut off goes on where it was.
"""

import argparse
import csv
import json
import sys
from pathlib import Path

import numpy as np

import minivae as mv
from minivae import datasets
from minivae.datasets import Dataset, keep_labels
from minivae.errors import MinivaeError
from minivae.files import atomic_path

PAPER = {"m2": 11.97, "m1-m2": 3.33}  # per cent, of MNIST with 100 labels
# Sizes of the paper for MNIST (section 4.4): layers of softplus units, M1 with two of 600, M2 with one of 500.
MODELS = {
    "digits": {
        "m2": {"hidden": (100,), "latent_dim": 8},
        "m1-m2": {"hidden": (200,), "first_dim": 16, "second_hidden": (100,), "second_dim": 8}
        | {"likelihood": "gaussian", "variance": 0.03},
    },
    "mnist": {
        "m2": {"hidden": (500,), "latent_dim": 50},
        "m1-m2": {"hidden": (600, 600), "first_dim": 50, "second_hidden": (500,), "second_dim": 50},
    },
}
BINARIZE = {"digits": "none", "mnist": "dynamic"}
COLUMNS = ("model", "draw", "error", "settings")


def error_of(name: str, dataset: Dataset, args: argparse.Namespace, seed: int) -> float:
    """The share of wrong labels on the test points, in per cent, of a model trained with the labels that there are."""
    options = {"context_dim": dataset.classes, "alpha": args.alpha, "activation": "softplus", "seed": seed}
    model = mv.models.MODELS[name](dataset.data_dim, **MODELS[args.data][name], **options)
    epochs = 2 if args.quick else args.epochs
    how = {"epochs": epochs, "lr": args.lr, "report_every": epochs, "seed": seed, "progress": sys.stderr.isatty()}
    mv.fit(model, dataset, binarize=BINARIZE[args.data], **how)
    parts = np.array_split(dataset.test.images, max(1, len(dataset.test) // 1000))
    found = np.concatenate([model.classify(x / dataset.scale).numpy().argmax(axis=-1) for x in parts])
    return 100 * float((found != dataset.test.labels).mean())


def read(path: Path) -> list[dict]:
    """The rows so far."""
    if not path.exists():
        return []
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def write(rows: list[dict], path: Path) -> None:
    """All rows."""
    with atomic_path(path) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main(args: argparse.Namespace) -> None:
    mv.backend.use(mv.backend.get_backend(args.backend).name)
    whole = datasets.load(args.data)
    out = Path(args.out or "runs/examples/semi-supervised" + "-quick" * args.quick)
    out.mkdir(parents=True, exist_ok=True)
    settings = json.dumps({name: vars(args)[name] for name in ("data", "labels", "epochs", "lr", "alpha", "quick")})
    rows = read(out / "errors.csv")
    done = {(row["model"], row["draw"]) for row in rows if row["settings"] == settings}
    for draw in range(1 if args.quick else args.draws):
        for name in PAPER:
            if (name, str(draw)) in done:
                continue
            error = error_of(name, keep_labels(whole, args.labels, draw), args, draw)
            rows.append({"model": name, "draw": draw, "error": round(error, 3), "settings": settings})
            write(rows, out / "errors.csv")
            print(f"draw {draw}, {name}: {error:.2f} % of the test points", flush=True)
    for name, paper in PAPER.items():
        errors = [float(row["error"]) for row in rows if (row["model"], row["settings"]) == (name, settings)]
        beside = f"; the paper has {paper} % of MNIST with 100 labels"
        print(f"{name}: mean error {np.mean(errors):.2f} % over {len(errors)} draws of {args.labels} labels{beside}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=MODELS, default="digits")
    parser.add_argument("--labels", type=int, default=50, help="of training points, equally many of each class")
    parser.add_argument("--draws", type=int, default=5, help="of which points keep their labels")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--lr", type=float, default=0.003)
    parser.add_argument("--alpha", type=float, default=1.0, help="of M2 (the paper: 0.1)")
    parser.add_argument("--backend", choices=mv.backend.names(), help="numpy (default) or cupy")
    parser.add_argument("--out", help="folder of errors.csv (default: runs/examples/semi-supervised)")
    parser.add_argument("--quick", action="store_true", help="two epochs, one draw")
    try:
        main(parser.parse_args())
    except MinivaeError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
