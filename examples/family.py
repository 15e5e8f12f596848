"""The family side by side: every model trained the same way, in one table and on one sheet.

    python examples/family.py                  # every model on the shipped digits, some minutes
    python examples/family.py --quick          # two epochs each, a look at it
    python examples/family.py --models vae iwae --seeds 0 1 2
    python examples/family.py --data binarized-mnist    # 400 hidden units, 20 latent dimensions, 20 epochs: hours

``--data binarized-mnist`` has the fixed bits that published tables are of; they have no labels, so that
models that are told one are trained on ``--data mnist``, binarized at 1/2. The digits' grey levels count
as probabilities. A row of the table (``family.csv``) is written when its model is done, and a model
whose row is there, with the same settings, is not trained again.
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
from minivae.plots.canvas import LABEL_SIZE, PALETTE, SMALL_SIZE, picture
from minivae.training import Minibatches, evaluate

# What each data set's models are given, and how they are trained; no test number chose any of it.
SIZES = {
    "digits": {"hidden": (200,), "latent_dim": 8},
    "binarized-mnist": {"hidden": (400,), "latent_dim": 20},
    "mnist": {"hidden": (400,), "latent_dim": 20},
}
TRAINING = {
    "digits": {"epochs": 60, "lr": 0.005, "binarize": "none"},
    "binarized-mnist": {"epochs": 20, "lr": 0.001, "binarize": "none"},
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
        "labelled-aae": {"critic_hidden": (200, 200), "critic_lr": 0.01},
        "gan": {"critic_hidden": (200, 200), "critic_lr": 0.005},
        "m1-m2": {"first_dim": 8, "second_dim": 4},
        "vq-vae": {"num_codes": 4, "entries": 16},
        "autoregressive-prior": {"first": {"num_codes": 4, "entries": 16, "hidden": (200,)}},
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
IMPORTANCE_SAMPLES = {"digits": 200, "binarized-mnist": 500, "mnist": 500}
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

# What the members change, by the folder of their files: the headings of the sheet.
AXES = {
    "models": "the model that the others change",
    "bound": "the bound, or the weight of its KL",
    "likelihood": "the likelihood",
    "posterior": "the posterior",
    "prior": "the prior",
    "hierarchy": "levels of latent variables",
    "semi_supervised": "labels, of which some are missing",
    "aggregate": "terms on q(z)",
    "adversarial": "critics",
    "autoregressive": "one number after the other",
    "sequence": "sequences",
    "learning": "another way to learn",
}
ROW, BARS, WORDS, NAMES = 0.34, 3.2, 3.9, 1.85  # inches: of a row, and of three of the columns
PARTS = ("E log p(x|z)", "minus the KL")


def axis_of(name: str) -> str:
    """What a member changes."""
    return MODELS[name].__module__.split(".")[-2]


def draw(rows: list[dict], dataset: datasets.Dataset, folder: Path) -> None:
    """Of each model the parts of its bound, samples, and what is particular to it, under what it changes."""
    rows = [row for row in rows if _samples(folder, row).exists()]
    rows = list({row["model"]: row for row in reversed(rows)}.values())[::-1]  # the first seed of each
    rows.sort(key=lambda row: list(AXES).index(axis_of(row["model"])))
    lines: list = []  # from the top: a heading, or a model's row
    for row in rows:
        heading = AXES[axis_of(row["model"])]
        lines += [row] if heading in lines else [heading, row]
    pictures = DRAWN * ROW * dataset.image_shape[1] / dataset.image_shape[0]
    width, height = NAMES + BARS + pictures + WORDS + 0.4, ROW * len(lines) + 1.0
    with picture(folder / "family.png", figsize=(width, height)) as figure:
        left = NAMES
        for draw_column, wide in ((_draw_bars, BARS), (_draw_samples, pictures), (_draw_words, WORDS)):
            axes = figure.add_axes((left / width, 0.6 / height, wide / width, ROW * len(lines) / height))
            axes.set_ylim(len(lines) - 0.5, -0.5)
            draw_column(axes, lines, dataset.image_shape, folder)
            left += wide + 0.15


def _draw_bars(axes, lines: list, *_) -> None:
    """From 0 the reconstruction, and from there the KL: their end is the bound, which is written there."""
    members = [(place, row) for place, row in enumerate(lines) if isinstance(row, dict)]
    for place, row in members:
        bound = float(row.get("bound", row.get("reconstruction", "nan")))
        reconstruction = float(row.get("reconstruction", bound))
        axes.barh(place, reconstruction, height=0.7, color=PALETTE[0])
        axes.barh(place, bound - reconstruction, left=reconstruction, height=0.35, color=PALETTE[1])
        text = f"{bound:.1f}" if "bound" in row else f"{bound:.1f}, no bound" if bound == bound else "no density"
        axes.text(max(0.0, reconstruction) + 1, place, text, fontsize=SMALL_SIZE, va="center")
    for place, heading in enumerate(lines):
        if isinstance(heading, str):
            words = {"fontsize": LABEL_SIZE, "weight": "bold", "va": "center"}
            axes.text(0.1 - NAMES / BARS, place + 0.1, heading, transform=axes.get_yaxis_transform(), **words)
    axes.set_yticks([place for place, _ in members], [row["model"] for _, row in members], fontsize=SMALL_SIZE)
    low, high = axes.get_xlim()
    axes.set_xlim(low, high + 0.36 * (high - low))
    axes.axvline(0, color="black", linewidth=0.8)
    axes.tick_params(axis="x", labelsize=SMALL_SIZE)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_xlabel("the bound on log p(x), nats per test point", fontsize=SMALL_SIZE)
    parts = [axes.barh([0], [0], color=PALETTE[i], label=label) for i, label in enumerate(PARTS)]
    axes.legend(
        handles=parts, fontsize=SMALL_SIZE, frameon=False, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0)
    )


def _draw_samples(axes, lines: list, shape: tuple[int, int], folder: Path) -> None:
    height, width = shape
    for place, row in enumerate(lines):
        if isinstance(row, dict):
            images = np.load(_samples(folder, row)).reshape(-1, height, width)
            for i, image in enumerate(images):
                extent = (i + 0.04, i + 0.96, place + 0.46, place - 0.46)
                axes.imshow(image, cmap="gray", vmin=0, vmax=1, aspect="auto", extent=extent, interpolation="none")
    axes.set(xlim=(0, DRAWN), ylim=(len(lines) - 0.5, -0.5))
    axes.axis("off")
    axes.set_title("samples: means of p(x|z), z from the prior", fontsize=SMALL_SIZE)


def _draw_words(axes, lines: list, *_) -> None:
    for place, row in enumerate(lines):
        if isinstance(row, dict):
            axes.text(0.0, place, _particular(row), fontsize=SMALL_SIZE, va="center")
    axes.axis("off")


def _particular(row: dict) -> str:
    terms = [f"log p(x) {float(row['log_likelihood']):.1f}"] if "log_likelihood" in row else []
    terms += [f"{float(row['active_units']):.0f} units active"] if "active_units" in row else []
    others = {key: value for key, value in row.items() if key not in (*COLUMNS, "objective")}
    return ", ".join([*terms, *(f"{key.replace('_', ' ')} {float(value):.3g}" for key, value in others.items())][:4])


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
