"""Codes that are drawn as they come: what a learned prior of codes is worth, in bits and in pictures.

    python examples/code_prior.py                  # three seeds on the shipped digits, some minutes
    python examples/code_prior.py --quick          # two epochs, one seed: a look at it

A first stage is trained (a VQ-VAE, or a categorical VAE), then held, and an autoregressive prior of its codes is
trained on the same rows, a tenth of which say when to stop. A row of ``code_prior.csv`` has, of the test points, the
bits of a code by the prior beside log2 K, which it costs where all are as likely, and the bound before and after; the
picture has samples of the first seed. On the command line the two stages are ``minivae train --model vq-vae --out
first`` and ``minivae train --model autoregressive-prior --codes-of first --patience 10``.
"""

import argparse
import csv
import math
import sys
from pathlib import Path

import numpy as np

import minivae as mv
from minivae import datasets
from minivae.errors import MinivaeError
from minivae.files import atomic_path
from minivae.models import VQVAE, AutoregressivePrior, CategoricalVAE, Model
from minivae.plots.canvas import LABEL_SIZE, TITLE_SIZE, picture
from minivae.training import Minibatches, evaluate

# What the first stages are; beside them layers of 200 units.
FIRST = {
    "vq-vae": (VQVAE, {"num_codes": 16, "entries": 64}),
    "vq-vae, 4 codes": (VQVAE, {"num_codes": 4, "entries": 16}),
    "categorical-vae": (CategoricalVAE, {"variables": 30, "num_categories": 10}),
}
COLUMNS = ("first", "seed", "codes", "log2_k", "bits_of_a_code", "reconstruction", "bound_before", "bound", "epochs")
DRAWN = 16  # samples of each in the picture


def stages(name: str, seed: int, dataset: datasets.Dataset, quick: bool) -> tuple[Model, AutoregressivePrior, int]:
    """The trained first stage, the same with its prior, and how many epochs that took."""
    kind, options = FIRST[name]
    common = {"seed": seed, "progress": sys.stderr.isatty()}
    first = kind(dataset.data_dim, (200,), seed=seed, **options)
    epochs = 2 if quick else 60
    mv.fit(first, dataset, epochs=epochs, lr=0.005, report_every=epochs, **common)
    model = AutoregressivePrior(dataset.data_dim, (200,), first=first, seed=seed)
    history = mv.fit(model, dataset, epochs=2 if quick else 200, lr=0.001, patience=10, **common)
    return first, model, int(history.rows[-1]["epoch"])


def measure(first: Model, model: AutoregressivePrior, dataset: datasets.Dataset) -> dict[str, float]:
    """Of the test points: bits, and nats of the bound and its parts."""
    minibatches = Minibatches(dataset.test, dataset.scale)
    before, after = evaluate(first, minibatches), evaluate(model, minibatches)
    codes = model.first.num_codes
    return {
        "codes": codes,
        "log2_k": math.log2(model.num_categories),
        "bits_of_a_code": after["cross_entropy"] / math.log(2) / codes,
        "reconstruction": after["reconstruction"],
        "bound_before": before["bound"],
        "bound": after["bound"],
    }


def draw(images: dict[str, np.ndarray], shape: tuple[int, int], path: Path) -> None:
    """A strip of pictures for each name."""
    with picture(path, figsize=(8.0, 0.5 + 0.55 * len(images)), layout="constrained") as figure:
        axes = figure.subplots(len(images), 1)
        for ax, (name, rows) in zip(axes, images.items(), strict=True):
            cells = np.pad(rows.reshape(-1, *shape), ((0, 0), (1, 1), (1, 1)), constant_values=0.5)
            ax.imshow(np.concatenate(list(cells), axis=1), cmap="gray", vmin=0, vmax=1, interpolation="none")
            ax.set_xticks([])
            ax.set_yticks([])
            ax.set_ylabel(name, fontsize=LABEL_SIZE, rotation=0, ha="right", va="center")
        figure.suptitle("Samples, their codes uniform and learned", fontsize=TITLE_SIZE)


def main(args: argparse.Namespace) -> None:
    mv.backend.use(mv.backend.get_backend(args.backend).name)
    dataset = datasets.load("digits")
    out = Path(args.out or "runs/examples/code-prior" + "-quick" * args.quick)
    out.mkdir(parents=True, exist_ok=True)
    rows, images = [], {"test points": dataset.test.images[:DRAWN] / dataset.scale}
    for name in FIRST:
        for seed in range(1 if args.quick else args.seeds):
            first, model, epochs = stages(name, seed, dataset, args.quick)
            found = {key: round(value, 3) for key, value in measure(first, model, dataset).items()}
            rows.append({"first": name, "seed": seed, **found, "epochs": epochs})
            print(", ".join(f"{key} {value}" for key, value in rows[-1].items()), flush=True)
            if seed == 0:
                for said, each in (("uniform", first), ("learned", model)):
                    images[f"{name}\n{said}"] = each.sample(mv.backend.generator(0), DRAWN).numpy()
    with atomic_path(out / "code_prior.csv") as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    draw(images, dataset.image_shape, out / "code_prior.png")
    print(f"table and picture in {out}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    parser.add_argument("--backend", choices=mv.backend.names(), help="numpy (default) or cupy")
    parser.add_argument("--out", help="folder of table and picture (default: runs/examples/code-prior)")
    parser.add_argument("--quick", action="store_true", help="two epochs, one seed")
    try:
        main(parser.parse_args())
    except MinivaeError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
