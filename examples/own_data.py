"""Data of one's own, four kinds, each from file to samples, codes and pictures: docs/own-data.md runs these commands.

    python examples/own_data.py            # five minutes on two cores, no network
    python examples/own_data.py --quick    # a look at it

It makes the files as people have them, in data/ below --out: a set in the IDX format (drawn garments), a folder of
colour pictures in class folders, a table whose columns have units from 1e-6 to 1e6, and a matrix of counts with a file
of labels. Then it runs what the page says, in that folder, and writes what came out to results.json.
"""

import argparse
import contextlib
import csv
import gzip
import io
import json
import os
import shlex
import shutil
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import minivae as mv
from minivae import cli, plots
from minivae.errors import InputError, MinivaeError
from minivae.files import atomic_path

WALKS = {  # what docs/own-data.md says, one after the other, in the folder that has data/
    "garments": """
minivae train --data data/garments --hidden 300 --latent 8 --epochs 100 --lr 2e-3 --out runs/garments
minivae evaluate runs/garments
minivae sample runs/garments --number 40 --out garments_samples.png
minivae reconstruct runs/garments --out garments_reconstructions.png
minivae encode runs/garments --out garments_codes.csv
""",
    "places": """
minivae train --data data/places --hidden 300 --latent 8 --epochs 120 --lr 1e-3 --out runs/places
minivae evaluate runs/places
minivae sample runs/places --number 40 --out places_samples.png
minivae interpolate runs/places 0 3 --out places_way.png
minivae encode runs/places --out places_codes.npz
""",
    "plant": """
minivae train --data data/plant.csv --hidden 64 --latent 3 --epochs 400 --lr 5e-3 --schedule cosine --out runs/plant
minivae evaluate runs/plant --rows plant_scores.csv
minivae sample runs/plant --number 1000 --out plant_samples.csv
minivae reconstruct runs/plant --out plant_reconstructions.csv
minivae encode runs/plant --out plant_codes.csv
minivae train --config runs/plant/config.json --data data/standardized.csv --prepare none --out runs/copy
minivae evaluate runs/copy
""",
    "cells": """
minivae train --data data/cells.npy --labels data/cell_types.txt --hidden 64 --latent 2 --epochs 200 --out runs/cells
minivae evaluate runs/cells
minivae sample runs/cells --number 1000 --out cells_samples.npy
minivae reconstruct runs/cells --out cells_reconstructions.png
minivae encode runs/cells --out cells_codes.csv
minivae train --config runs/cells/config.json --likelihood poisson --out runs/poisson
minivae evaluate runs/poisson
""",
}
QUICK = ("--epochs", "2", "--hidden", "16")  # after the options of a training, whose last word counts
KEPT = ("bound", "bound_raw", "log_likelihood", "log_likelihood_raw", "log_likelihood_stderr", "points")


# ----------------------------------------------------------------- the files

OUTLINES = {  # right halves, from (0, -1), the middle at the top, to (1, 1), a corner
    "shirt": [(0.2, -0.8), (0.5, -0.75), (0.95, -0.15), (0.7, 0.0), (0.5, -0.3), (0.5, 0.8)],
    "trousers": [(0.4, -0.85), (0.6, 0.85), (0.25, 0.85), (0.0, -0.2)],
    "dress": [(0.25, -0.85), (0.35, -0.5), (0.2, -0.2), (0.75, 0.85)],
    "bag": [(0.3, -0.6), (0.35, -0.2), (0.85, -0.2), (0.75, 0.6)],
}
SKIES = {  # above, at the horizon, of the sun or the moon, of the ground
    "day": ((70, 140, 230), (190, 220, 245), (255, 245, 190), (80, 140, 60)),
    "dusk": ((90, 60, 140), (250, 150, 80), (255, 90, 50), (70, 50, 60)),
    "night": ((10, 15, 45), (40, 50, 100), (235, 235, 220), (15, 25, 20)),
}
UNITS = {
    **{"leak_m3_s": 1e-6, "strain": 1e-5, "gap_m": 1e-4, "current_A": 1e-3, "vibration_m": 1e-2, "valve_share": 1e-1},
    **{"flow_l_s": 1.0, "level_cm": 1e1, "temperature_K": 1e2, "speed_rpm": 1e3, "power_W": 1e5, "pressure_Pa": 1e6},
}
STATES = ("idle", "half", "full")
GENES, TYPES = 40, ("alpha", "beta", "delta", "gamma")


def write_garments(folder: Path, rng: np.random.Generator, count: int) -> None:
    """Grey pictures of 28 x 28 and their labels, as MNIST and Fashion-MNIST are stored."""
    (folder / "garments").mkdir()
    for part, size in (("train", count), ("t10k", count // 5)):
        labels = rng.integers(0, len(OUTLINES), size).astype(np.uint8)
        images = np.stack([garment([*OUTLINES.values()][label], rng) for label in labels])
        for name, code, array in ((f"{part}-images-idx3-ubyte", 3, images), (f"{part}-labels-idx1-ubyte", 1, labels)):
            header = bytes([0, 0, 8, code]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
            (folder / "garments" / f"{name}.gz").write_bytes(gzip.compress(header + array.tobytes(), mtime=0))


def garment(outline: list, rng: np.random.Generator) -> np.ndarray:
    """One, of its own size, cut and grey."""
    half = (np.array(outline) + rng.normal(0, 0.03, (len(outline), 2))) * rng.uniform(0.75, 1.05, 2)
    points = np.concatenate([half, half[::-1] * (-1, 1)]) * 56 + 56
    picture = Image.new("L", (112, 112))
    ImageDraw.Draw(picture).polygon([*map(tuple, points)], fill=int(rng.integers(110, 256)))
    return np.asarray(picture.resize((28, 28), Image.Resampling.BOX))


def write_places(folder: Path, rng: np.random.Generator, count: int) -> None:
    """Pictures of 24 x 24 in colour, PNG and JPEG, a folder for each class."""
    for kind, colours in SKIES.items():
        (folder / "places" / kind).mkdir(parents=True)
        for number in range(count):
            suffix = "jpg" if number % 3 == 0 else "png"
            place(*colours, rng).save(folder / "places" / kind / f"{number + 1}.{suffix}", quality=95)


def place(high: tuple, low: tuple, disc: tuple, ground: tuple, rng: np.random.Generator) -> Image.Image:
    """A sky from one colour to another, a sun or a moon in it, and a hill before it."""
    down = np.linspace(0, 1, 96)[:, None]
    sky = (1 - down) * high + down * low + rng.normal(0, 8, 3)
    picture = Image.fromarray(np.broadcast_to(sky[:, None].clip(0, 255), (96, 96, 3)).astype(np.uint8))
    draw, x, y = ImageDraw.Draw(picture), rng.uniform(15, 81), rng.uniform(15, 45)
    draw.ellipse([x - 10, y - 10, x + 10, y + 10], fill=disc)
    across = np.arange(97)
    ridge = 68 - rng.uniform(4, 16) * np.cos((across - rng.uniform(0, 96)) / 96 * np.pi)
    draw.polygon([*zip(across.tolist(), ridge.tolist(), strict=True), (96, 96), (0, 96)], fill=ground)
    return picture.resize((24, 24), Image.Resampling.BOX)


def write_plant(folder: Path, rng: np.random.Generator, count: int) -> None:
    """A table of sensors: three hidden causes, 12 columns, a state; and its copy without units."""
    state = rng.integers(0, len(STATES), count)
    causes = rng.normal(size=(count, 3)) + 1.5 * np.eye(3)[state]
    values = causes @ rng.normal(size=(3, len(UNITS))) + 0.2 * rng.normal(size=(count, len(UNITS)))
    raw = (values + 20) * [*UNITS.values()]
    copy = (raw - raw.mean(axis=0)) / raw.std(axis=0)
    for name, table in (("plant", raw), ("standardized", copy)):
        with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([*UNITS, "class"])
            writer.writerows([*map(repr, row), STATES[of]] for row, of in zip(table.tolist(), state, strict=True))


def write_cells(folder: Path, rng: np.random.Generator, count: int) -> None:
    """Counts of genes in cells of four types, which vary more than Poisson's, as ``.npy``; the types in a text file."""
    of = rng.integers(0, len(TYPES), count)
    usual, special = rng.normal(1.5, 1, GENES), rng.normal(0, 1, (len(TYPES), GENES))
    depth = rng.normal(0, 0.3, (count, 1))
    rates = np.exp(usual + special[of] + depth) * rng.gamma(3, 1 / 3, (count, GENES))
    np.save(folder / "cells.npy", rng.poisson(rates))
    (folder / "cell_types.txt").write_text("".join(f"{TYPES[i]}\n" for i in of), encoding="utf-8")


def write_data(folder: Path, quick: bool) -> None:
    """All of them."""
    folder.mkdir()
    makers = ((write_garments, 3000), (write_places, 800), (write_plant, 3000), (write_cells, 3000))
    for seed, (write, count) in enumerate(makers):
        write(folder, np.random.default_rng(seed), count // 10 if quick else count)


# ----------------------------------------------------------------- the walks


def walk(name: str, quick: bool) -> dict[str, dict]:
    """Run its commands; what ``evaluate`` says of each run, by the name of the run."""
    found = {}
    for command in WALKS[name].strip().splitlines():
        print(command, flush=True)
        _, verb, run, *_ = words = shlex.split(command)
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            code = cli.main([*words[1:], *(QUICK if quick and verb == "train" else ()), "--json"])
        if code:
            raise SystemExit(code)
        if verb == "evaluate":
            result = json.loads(said.getvalue().splitlines()[-1])
            found[Path(run).name] = {key: result[key] for key in KEPT if key in result}
    return found


def table_of(path: str) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def compare_units(found: dict[str, dict]) -> dict[str, float]:
    """Whether the table does as well as its copy without units; how much of its columns a code of 3 numbers keeps."""
    raw = columns_of(table_of("data/plant.csv"))
    rebuilt = table_of("plant_reconstructions.csv")
    test = raw[[int(row["row"]) for row in rebuilt]]
    kept = 1 - (test - columns_of(rebuilt)).var(axis=0) / test.var(axis=0)
    plots.columns(test, columns_of(rebuilt), [*UNITS], "plant_columns.png")
    of_copy = found["copy"]["bound"] - np.log(raw.std(axis=0)).sum()
    return {
        "bound_of_copy_in_raw_nats": of_copy,
        "difference_in_nats_a_column": abs(found["plant"]["bound_raw"] - of_copy) / len(UNITS),
        "median_r2": float(np.median(kept)),
    }


def columns_of(rows: list[dict[str, str]]) -> np.ndarray:
    """The numbers of a table, ``(N, 12)``."""
    return np.array([[float(row[name]) for name in UNITS] for row in rows])


def main(args: argparse.Namespace) -> None:
    mv.backend.use(mv.backend.get_backend(args.backend).name)
    out = Path(args.out or "runs/examples/own_data" + "-quick" * args.quick)
    if (out / "data").exists():
        raise InputError(f"--out is {out}, which has data/ already; expected a new folder")
    out.mkdir(parents=True, exist_ok=True)
    os.chdir(out)
    write_data(Path("data"), args.quick)
    results: dict = {"command": "python examples/own_data.py" + " --quick" * args.quick}
    for name in WALKS:
        results |= walk(name, args.quick)
        shutil.copy(f"runs/{name}/latent.png", f"{name}_latent.png")
    results["units"] = compare_units(results)
    with atomic_path(Path("results.json")) as temporary:
        temporary.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    units = results["units"]
    print(f"table and copy differ by {units['difference_in_nats_a_column']:.4f} nats a column", end="; ")
    print(f"median R^2 {units['median_r2']:.3f}")
    print(f"all of it in {out}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", choices=mv.backend.names(), help="numpy (default) or cupy")
    parser.add_argument("--out", help="a new folder for all of it (default: runs/examples/own_data, own_data-quick)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the data, two epochs")
    try:
        main(parser.parse_args())
    except MinivaeError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
