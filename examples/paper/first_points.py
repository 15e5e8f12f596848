"""How many samples has a step of Figure 2? What the beginnings of the paper's own curves say.

    MINIVAE_DATA=... python examples/paper/first_points.py            # writes results/first_ and second_points.csv
    MINIVAE_DATA=... python examples/paper/first_points.py --quick    # a look, under 30 s

The authors' code measures a first time after the first step, then every so many seconds; the figure
joins these points by straight lines on a log axis. So each curve begins with a straight line, whose
left end lies outside of the panel: where it passes the bound of untrained weights, one step is over.

Its right end is the second point. There a train curve has not the bound of that moment: the code
averages it over all steps since the point before, most of a warm-up of 100 steps included, whose
share tells how many steps there were. For Frey Face we train as far with minibatches of 100 and of
500, with step sizes of 0.01 and 0.02, and wake-sleep with the dreams of a version of the authors'
code, and average alike.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from assumptions import SoftplusDreams, with_settings
from curves import Row, grouped, read_table, update_table
from experiment import REFERENCE, RESULTS, Curve, bounds, load, make_trainer, run_script

from minivae.training import Trainer

ACCURACY = {"mnist": 0.2, "frey": 0.5}  # nats, to which points lie on a line
LEAST_POINTS = 5  # of a line that is long enough to be extended
SETTINGS = (("usual", 100, 0.01), ("usual", 500, 0.01), ("usual", 500, 0.02))
WAKE_SLEEP_SETTINGS = (*SETTINGS, ("softplus dreams", 500, 0.01))


class Line(NamedTuple):
    """A curve's straight beginning, a + b log10(samples), and where it ends."""

    points: int
    a: float
    b: float
    end: float

    def at(self, samples: float) -> float:
        """The bound on it."""
        return self.a + self.b * np.log10(samples)

    def reaches(self, bound: float) -> float:
        """The samples at which it has a bound."""
        return 10 ** ((bound - self.a) / self.b)


def main(args: argparse.Namespace) -> None:
    results = args.out if args.quick else RESULTS
    results.mkdir(parents=True, exist_ok=True)
    curves = grouped(read_table(REFERENCE / "aevb_figure2.csv"), ("dataset", "latent_dim", "algorithm"))
    lines = {Curve(*key, samples=10**7): beginnings(key[0], rows) for key, rows in curves.items()}
    long = {curve: line for curve, line in lines.items() if line["test"].points >= LEAST_POINTS}
    for curve, line in list(long.items())[: 2 if args.quick else None]:
        row = {"curve": curve.name, "points": line["test"].points, "samples": round(first_point(curve, line), 1)}
        update_table(results / "first_points.csv", [row], ("curve",))
        print(*row.values(), flush=True)
    frey = {curve: line for curve, line in long.items() if curve.dataset == "frey"}
    for curve, line in list(frey.items())[: 1 if args.quick else None]:
        for row in second_points(curve, line, 0.1 if args.quick else 1.0):
            update_table(results / "second_points.csv", [row], ("curve", "model", "batch_size", "lr"))
            print(*row.values(), flush=True)


def beginnings(dataset: str, rows: Sequence[Row]) -> dict[str, Line]:
    """The straight beginnings of a curve of the paper, of "train" and "test"."""
    return {
        split: beginning([(row["samples"], row["bound"]) for row in of_split], ACCURACY[dataset])
        for (split,), of_split in grouped(rows, ("split",)).items()
    }


def beginning(points: Sequence[tuple[float, float]], accuracy: float) -> Line:
    """The longest line through the first points, and where the line through the next two crosses it."""
    samples, bound = np.transpose(sorted(points))
    x, count = np.log10(samples), 2
    while count < len(x) and np.abs(_residuals(x[: count + 1], bound[: count + 1])).max() < accuracy:
        count += 1
    b, a = np.polyfit(x[:count], bound[:count], 1)
    next_b, next_a = np.polyfit(x[count : count + 2], bound[count : count + 2], 1)
    return Line(count, a, b, 10 ** ((next_a - a) / (b - next_b)))


def _residuals(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return y - np.polyval(np.polyfit(x, y, 1), x)


def first_point(curve: Curve, line: dict[str, Line]) -> float:
    """The samples at which the test curve's line has the bound of untrained weights."""
    untrained = make_trainer(curve, load(curve.dataset))
    return line["test"].reaches(bounds(untrained)(untrained)["test_bound"])


def second_points(curve: Curve, line: dict[str, Line], part: float) -> Iterator[Row]:
    """The second point, the paper's and ours with each of the settings; ``part`` of the way for a look."""
    end = line["test"].end
    paper = {"samples": round(end), "paper_train": round(line["train"].at(end), 1)}
    paper["paper_test"] = round(line["test"].at(end), 1)
    for model, batch_size, lr in WAKE_SLEEP_SETTINGS if curve.algorithm == "wake_sleep" else SETTINGS:
        kind = None if model == "usual" else SoftplusDreams
        trainer = with_settings(curve, kind, batch_size=batch_size, lr=lr)()
        ours = {"train": round(average(trainer, end * part), 1)}
        ours["test"] = round(bounds(trainer)(trainer)["test_bound"], 1)
        yield {"curve": curve.name, "model": model, "batch_size": batch_size, "lr": lr, **paper, **ours}


def average(trainer: Trainer, samples: float) -> float:
    """Train up to so many samples; the mean of the minibatches' bounds after the first step."""
    found = []
    while trainer.samples_seen < samples:
        found.append(float(trainer.train_step()["bound"]))
    return float(np.mean(found[1:]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/paper/quick"), help="where --quick writes")
    parser.add_argument(
        "--quick", action="store_true", help="two of the curves, the second point of one; the tables go into --out"
    )
    run_script(parser, main)
