"""Figure 2: AEVB and wake-sleep, the lower bound against training samples, on the paper's curves.

    MINIVAE_DATA=... python examples/paper/figure2.py                          # all curves, one after the other
    MINIVAE_DATA=... python examples/paper/figure2.py --curve mnist-20-aevb    # one: others can run beside it
    MINIVAE_DATA=... python examples/paper/figure2.py --quick                  # a look, under 30 s

MNIST with 500 hidden units and 3, 5, 10, 20 and 200 latent dimensions; Frey Face with 200
hidden units and 2, 5, 10 and 20; Adagrad, weights from N(0, 0.01^2) and with the prior
N(0, I), M = 100, L = 1. A second figure has Adam beside Adagrad, a third AEVB on Frey Face with
M = 500 (first_points.py says why). Every point is measured on the test set and on the first
10,000 training rows, with z sampled.

Every curve is a run folder in --out, and goes on from there when it was stopped. All the
curves that there are make up figure2.csv, with the columns of the paper's numbers, the table
figure2_runs.csv of seeds and times, figure2.png, figure2_adam.png and figure2_500.png.
"""

import argparse
from pathlib import Path

from curves import Panel, draw_panels, read_table, update_table
from experiment import (
    REFERENCE,
    RESULTS,
    SEED,
    Curve,
    bounds,
    load,
    make_trainer,
    points_of,
    rows_of,
    run_script,
    train_curve,
)

LATENT_DIMS = {"mnist": (3, 5, 10, 20, 200), "frey": (2, 5, 10, 20)}
SAMPLES = {"mnist": 10**7, "frey": 10**7.5}
LIMITS = {"mnist": (-160, -90), "frey": (0, 1600)}
TITLES = {"mnist": "MNIST", "frey": "Frey Face"}
CURVES = [
    Curve(data, latent_dim, algorithm, 10**7.5 if (data, latent_dim) == ("mnist", 20) else SAMPLES[data])
    for data, latent_dims in LATENT_DIMS.items()
    for latent_dim in latent_dims
    for algorithm in ("aevb", "wake_sleep")
]
CURVES += [Curve("mnist", 20, "aevb", 10**7, "adam"), Curve("frey", 10, "aevb", 10**7, "adam")]
CURVES += [Curve("frey", latent_dim, "aevb", SAMPLES["frey"], batch_size=500) for latent_dim in LATENT_DIMS["frey"]]
QUICK = [Curve("mnist", 3, "aevb", 30_000), Curve("mnist", 3, "wake_sleep", 30_000), Curve("frey", 2, "aevb", 30_000)]
KEYS = ("dataset", "latent_dim", "algorithm")


def main(args: argparse.Namespace) -> None:
    curves = QUICK if args.quick else CURVES
    runs = args.out or Path("runs/paper/figure2-quick" if args.quick else "runs/paper/figure2")
    results = runs if args.quick else RESULTS
    for curve in curves:
        if not args.draw and (not args.curve or curve.name in args.curve):
            train(curve, runs / curve.name, args.quick)
    collect(curves, runs, results)
    draw(results)


def train(curve: Curve, folder: Path, quick: bool) -> None:
    """Train one curve, or go on with it."""
    trainer = make_trainer(curve, load(curve.dataset, quick))
    train_curve(trainer, folder, points_of(curve), bounds(trainer))


def collect(curves: list[Curve], runs: Path, results: Path) -> None:
    """Put the histories of the runs that there are into the tables of results."""
    points, totals = [], []
    for curve in curves:
        if history := rows_of(runs / curve.name):
            about = dict(zip(KEYS, (curve.dataset, curve.latent_dim, curve.label), strict=True))
            for split in ("test", "train"):
                column = f"{split}_bound"
                points += [
                    {**about, "split": split, "samples": int(row["samples_seen"]), "bound": round(row[column], 3)}
                    for row in history
                ]
            totals.append({**about, **totals_of(curve, history[-1])})
    results.mkdir(parents=True, exist_ok=True)
    update_table(results / "figure2.csv", points, KEYS)
    update_table(results / "figure2_runs.csv", totals, KEYS)


def totals_of(curve: Curve, last: dict[str, float]) -> dict[str, float]:
    """What a run took and reached."""
    return {
        "lr": curve.lr,
        "seed": SEED,
        "samples": int(last["samples_seen"]),
        "seconds": round(last["seconds"]),
        "samples_per_second": round(last["samples_seen"] / last["seconds"]),
        "train_bound": round(last["train_bound"], 2),
        "test_bound": round(last["test_bound"], 2),
        "test_kl": round(last["test_kl"], 4),
    }


def draw(results: Path) -> None:
    """The pictures of what the tables hold."""
    ours, paper = read_table(results / "figure2.csv"), read_table(REFERENCE / "aevb_figure2.csv")
    panels = [_panel(data, n, ("aevb", "wake_sleep"), ours, paper) for data, dims in LATENT_DIMS.items() for n in dims]
    ylabel = "lower bound (nats)"
    draw_panels(panels, results / "figure2.png", 5, "Figure 2: AEVB and wake-sleep, ours on the paper's", ylabel)
    pairs = [_panel(data, n, ("aevb", "aevb_adam"), ours, paper) for data, n in (("mnist", 20), ("frey", 10))]
    draw_panels(pairs, results / "figure2_adam.png", 2, "Adam beside Adagrad", ylabel)
    larger = [_panel("frey", n, ("aevb", "aevb_500"), ours, paper) for n in LATENT_DIMS["frey"]]
    draw_panels(larger, results / "figure2_500.png", 4, "AEVB with minibatches of 100 and of 500", ylabel)
    print(*(results / f"figure2{name}.png" for name in ("", "_adam", "_500")))


def _panel(data: str, latent_dim: int, algorithms: tuple[str, ...], *tables: list[dict]) -> Panel:
    ours, paper = (
        [row for row in table if (row["dataset"], row["latent_dim"]) == (data, latent_dim)] for table in tables
    )
    ours, paper = ([row for row in table if row["algorithm"] in algorithms] for table in (ours, paper))
    return Panel(f"{TITLES[data]}, $N_z$ = {latent_dim}", ours, paper, "bound", LIMITS[data])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [curve.name for curve in CURVES]
    parser.add_argument("--curve", action="append", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--draw", action="store_true", help="train nothing; collect the runs that there are, and draw")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/paper/figure2"), help="run folders (default: %(default)s)"
    )
    parser.add_argument("--quick", action="store_true", help="three short curves, all into --out")
    run_script(parser, main)
