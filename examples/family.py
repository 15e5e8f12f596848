"""The family side by side: every model trained the same way, in one table and on one sheet.

    python examples/family.py                  # every model on the shipped digits, some minutes
    python examples/family.py --quick          # two epochs each, a look at it
    python examples/family.py --models vae iwae --seeds 0 1 2
    python examples/family.py --data mnist     # 400 hidden units, 20 latent dimensions, 20 epochs: hours

MNIST is binarized at 1/2, the same at each visit, so that bounds compare; the digits' grey
levels count as probabilities. A row of the table (``family.csv``) is written when its model
is done, and a model whose row is there, with the same settings, is not trained again.
``docs/family.md`` explains the columns.
"""

import argparse
import csv
import json
import sys
import time
import zlib
from pathlib import Path

import numpy as np

import minivae as mv
from minivae import datasets
from minivae.checks import one_of
from minivae.errors import MinivaeError
from minivae.files import atomic_path
from minivae.inference import active_units, log_likelihood
from minivae.models import MODELS, Model
from minivae.models.registry import arguments
from minivae.plots.canvas import LABEL_SIZE, PALETTE, SMALL_SIZE, TITLE_SIZE, picture
from minivae.training import Minibatches, evaluate

# What each data set's models are given, and how they are trained; no test number chose any of it.
SIZES = {
    "digits": {"hidden": (200,), "latent_dim": 8},
    "mnist": {"hidden": (400,), "latent_dim": 20},
}
TRAINING = {
    "digits": {"epochs": 60, "lr": 0.005, "binarize": "none"},
    "mnist": {"epochs": 20, "lr": 0.001, "binarize": "threshold"},
}
# A capacity, critics and codes of a size that suits the data; on the digits beta = 4 leaves no latent
# dimension active.
OWN = {
    "digits": {
        "beta-vae": {"beta": 2.0},
        "disentangled-beta-vae": {"capacity": 6.0, "gamma": 30.0},
        "factor-vae": {"critic_hidden": (200, 200, 200)},
        "joint-vae": {"continuous": 7, "capacity": 3.0, "discrete_capacity": 2.0},
        "wae-gan": {"critic_hidden": (200, 200), "critic_lr": 0.005, "critic_weight": 1.0},
        "aae": {"critic_hidden": (200, 200), "critic_lr": 0.002},
        "gan": {"critic_hidden": (200, 200), "critic_lr": 0.005},
        "vq-vae": {"num_codes": 4, "entries": 16},
        "td-vae": {"sequence_length": 8},  # a digit is read row by row
    },
}
COLUMNS = (
    "model",
    "seed",
    "settings",
    "bound",
    "reconstruction",
    "kl",
    "log_likelihood",
    "stderr",
    "active_units",
    "seconds",
)
DRAWN = 10  # samples of each model on the sheet
IMPORTANCE_SAMPLES = {"digits": 200, "mnist": 500}
POINTS = 1000  # random test points that log p(x) is averaged over


def sizes_of(name: str, data: str) -> dict:
    """What a model is given beside what belongs to the data and the run."""
    return {**SIZES[data], **OWN.get(data, {}).get(name, {})}


def training_of(data: str, quick: bool) -> dict:
    """How a model is trained."""
    return {**TRAINING[data], **({"epochs": 2} if quick else {})}


def settings_of(name: str, data: str, quick: bool) -> str:
    """All that a row was made with, as its column says it: a row of other settings stands for another result."""
    return json.dumps({"data": data, **sizes_of(name, data), **training_of(data, quick)})


def make(name: str, dataset: datasets.Dataset, seed: int) -> Model:
    """A model with the sizes of the comparison, as far as it has them."""
    given = {"context_dim": dataset.classes, **sizes_of(name, dataset.name), "seed": seed}
    return MODELS[name](
        dataset.data_dim, **{key: value for key, value in given.items() if key in arguments(MODELS[name])}
    )


def measure(model: Model, dataset: datasets.Dataset) -> dict[str, float]:
    """What the test set says: the parts of the bound, log p(x) where it can be estimated, and active units."""
    binarize = TRAINING[dataset.name]["binarize"]
    minibatches = Minibatches(dataset.test, dataset.scale, binarize=binarize, classes=model.context_dim)
    row = evaluate(model, minibatches)
    rows, generator = np.random.default_rng(0).permutation(len(minibatches))[:POINTS], mv.backend.generator(0)
    if not model.no_log_likelihood:
        values = []
        for chunk in np.array_split(rows, max(1, len(rows) // 50)):
            x, context = minibatches.batch(chunk, generator)
            estimate = log_likelihood(model, x, generator, IMPORTANCE_SAMPLES[dataset.name], context=context)
            values.append(estimate.value.numpy().astype(float))
        values = np.concatenate(values)
        row |= {"log_likelihood": values.mean(), "stderr": values.std(ddof=1) / np.sqrt(len(values))}
    if not (model.no_codes or model.num_categories):
        x, context = minibatches.batch(rows, generator)
        row["active_units"] = active_units(model.encode(x, context))
    return row


def drawn(model: Model) -> np.ndarray:
    """Samples for the sheet; of a model that is told a label, one of each."""
    context = (
        np.eye(model.context_dim, dtype=np.float32)[np.arange(DRAWN) % model.context_dim] if model.context_dim else None
    )
    told = None if context is None else mv.backend.asarray(context, backend=mv.backend.get_backend().name)
    return model.sample(mv.backend.generator(0), DRAWN, told).numpy()


def train(name: str, dataset: datasets.Dataset, seed: int, quick: bool, folder: Path) -> dict:
    """Train one model, keep its samples, and return its row."""
    model, settings = make(name, dataset, seed), training_of(dataset.name, quick)
    start = time.perf_counter()
    history = mv.fit(
        model, dataset, seed=seed, report_every=settings["epochs"], progress=sys.stderr.isatty(), **settings
    )
    row = {"model": name, "seed": seed, "settings": settings_of(name, dataset.name, quick)}
    np.save(_samples(folder, row), drawn(model))
    row |= {"seconds": round(history.rows[-1]["seconds"], 1)}
    row |= {part: round(float(value), 3) for part, value in measure(model, dataset).items()}
    print(_line(row), f"in {time.perf_counter() - start:.0f} s", flush=True)
    return row


def _samples(folder: Path, row: dict) -> Path:
    made_with = zlib.crc32(row["settings"].encode())
    return folder / "samples" / f"{row['model']}-{row['seed']}-{made_with:08x}.npy"


def _line(row: dict) -> str:
    terms = [
        f"{name} {value:g}"
        for name, value in row.items()
        if name not in ("model", "seed", "settings", "seconds", "stderr")
    ]
    return f"{row['model']} (seed {row['seed']}): {', '.join(terms)}"


# ------------------------------------------------------------------- table


def read(path: Path) -> list[dict]:
    """The rows so far."""
    if not path.exists():
        return []
    with open(path, newline="") as file:
        return [{key: value for key, value in row.items() if value != ""} for row in csv.DictReader(file)]


def write(rows: list[dict], path: Path) -> None:
    """The table, with a column for whatever some model has."""
    others = sorted({key for row in rows for key in row} - {*COLUMNS})
    with atomic_path(path) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, [*COLUMNS, *others], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


# ------------------------------------------------------------------- sheet


def draw(rows: list[dict], dataset: datasets.Dataset, folder: Path) -> None:
    """Bars of D and R with the bound beside them, samples, and what is particular to each model."""
    rows = [row for row in rows if _samples(folder, row).exists()]
    rows = list({row["model"]: row for row in reversed(rows)}.values())[::-1]  # the first seed of each
    with picture(folder / "family.png", figsize=(9.5, 1.2 + 0.42 * len(rows)), layout="constrained") as figure:
        bars, images, words = figure.subplots(1, 3, sharey=True, width_ratios=[1.2, 1, 1])
        _draw_bars(bars, rows)
        _draw_samples(images, rows, dataset.image_shape, folder)
        for i, row in enumerate(rows):
            words.text(
                0.0, i, _particular(row), fontsize=SMALL_SIZE, va="center", transform=words.get_yaxis_transform()
            )
        words.axis("off")
        words.set_title("log p(x), active units, what is its own", fontsize=LABEL_SIZE)
        figure.suptitle(f"The family on {dataset.name}, nats per test point", fontsize=TITLE_SIZE)


def _draw_bars(axes, rows: list[dict]) -> None:
    places = np.arange(len(rows))
    d = np.array([-float(row.get("reconstruction", row.get("bound", "nan"))) for row in rows])
    r = np.array([float(row.get("kl", 0)) for row in rows])
    axes.barh(places, d, color=PALETTE[0])
    axes.barh(places, r, left=np.maximum(d, 0), color=PALETTE[1])
    axes.set_yticks(places, [row["model"] for row in rows], fontsize=SMALL_SIZE)
    for place, row, end in zip(places, rows, np.maximum(d, 0) + r, strict=True):
        text = f" {float(row['bound']):.1f}" if "bound" in row else " no bound"
        axes.text(end, place, text, fontsize=SMALL_SIZE, va="center")
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.margins(x=0.15)
    axes.tick_params(labelsize=SMALL_SIZE)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title("D (dark), R (light), the bound", fontsize=LABEL_SIZE)


def _draw_samples(axes, rows: list[dict], shape: tuple[int, int], folder: Path) -> None:
    height, width = shape
    for i, row in enumerate(rows):
        images = np.load(_samples(folder, row)).reshape(-1, height, width)
        strip = np.concatenate(list(np.pad(images, ((0, 0), (0, 0), (0, 1)), constant_values=0.5)), axis=1)
        extent = (0, len(images), i + 0.45, i - 0.45)
        axes.imshow(strip, cmap="gray", vmin=0, vmax=1, aspect="auto", extent=extent, interpolation="none")
    axes.set_xlim(0, DRAWN)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.axis("off")
    axes.set_title("samples", fontsize=LABEL_SIZE)


def _particular(row: dict) -> str:
    terms = [f"log p {float(row['log_likelihood']):.1f}"] if "log_likelihood" in row else []
    terms += [f"{float(row['active_units']):.0f} active"] if "active_units" in row else []
    others = {key: value for key, value in row.items() if key not in (*COLUMNS, "objective")}
    return ", ".join([*terms, *(f"{key.replace('_', ' ')} {float(value):.3g}" for key, value in others.items())])


def main(args: argparse.Namespace) -> None:
    mv.backend.use(mv.backend.get_backend(args.backend).name)
    names = [one_of("models", name, MODELS) for name in args.models or MODELS]
    dataset = datasets.load(args.data)
    folder = Path(args.out or f"runs/examples/family-{args.data}" + "-quick" * args.quick)
    (folder / "samples").mkdir(parents=True, exist_ok=True)
    rows = read(folder / "family.csv")
    done = {(row["model"], str(row["seed"]), row.get("settings")) for row in rows}
    for seed in args.seeds:
        for name in names:
            if (name, str(seed), settings_of(name, args.data, args.quick)) not in done:
                rows.append(train(name, dataset, seed, args.quick, folder))
                write(rows, folder / "family.csv")
    draw(
        [row for row in rows if row.get("settings") == settings_of(row["model"], args.data, args.quick)],
        dataset,
        folder,
    )
    print(f"table and sheet in {folder}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=SIZES, default="digits")
    parser.add_argument("--models", nargs="+", metavar="NAME", help="by default all of them")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--backend", choices=mv.backend.names(), help="numpy (default) or cupy")
    parser.add_argument(
        "--out", help="folder of table and sheet (default: runs/examples/family-DATA, family-DATA-quick)"
    )
    parser.add_argument("--quick", action="store_true", help="two epochs each")
    try:
        main(parser.parse_args())
    except MinivaeError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
