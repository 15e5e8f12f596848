"""Writes the tables of README.md from the results that there are: ours beside the paper's.

python examples/paper/readme.py
"""

import argparse
import re
from collections.abc import Iterator, Sequence

import numpy as np
from curves import LABELS, Row, grouped, read_table
from experiment import HERE, REFERENCE, RESULTS

from minivae.files import atomic_path

README = HERE / "README.md"
AT = 10**7  # training samples


def main() -> None:
    argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0]).parse_args()
    text = README.read_text(encoding="utf-8")
    tables = {
        "figure2": figure2(),
        "first_points": first_points(),
        "second_points": second_points(),
        "assumptions": assumptions(),
        "figure3": figure3(),
        "marginal_likelihood": estimates(),
        "full_vb": weights(),
    }
    for name, lines in tables.items():
        marks = f"<!-- {name} -->", f"<!-- end of {name} -->"
        body = "\n".join((marks[0], "", *lines, "", marks[1]))
        text, found = re.subn(f"{marks[0]}.*?{marks[1]}", lambda _, body=body: body, text, flags=re.DOTALL)
        if not found:
            raise SystemExit(f"{README} has no place for the table of {name}: {marks[0]} ... {marks[1]}")
    with atomic_path(README) as temporary:
        temporary.write_text(text, encoding="utf-8")
    print(README)


def figure2() -> Iterator[str]:
    """Bounds at 10^7 samples, or as far as a run has come, and speeds."""
    yield (
        "| data | N_z | algorithm | samples | train, ours | the paper's | test, ours | the paper's | difference "
        "| step size | seed | samples/s | min per million |"
    )
    yield "| --- | ---: | --- " + "| ---: " * 10 + "|"
    keys = ("dataset", "latent_dim", "algorithm")
    paper = grouped(read_table(REFERENCE / "aevb_figure2.csv"), keys)
    runs = {key: rows[0] for key, rows in grouped(read_table(RESULTS / "figure2_runs.csv"), keys).items()}
    ours = grouped(read_table(RESULTS / "figure2.csv"), keys)
    for key in sorted(ours, key=lambda key: (key[0] != "mnist", *key[1:])):
        run, (data, latent_dim, algorithm) = runs[key], key
        speed, theirs = run["samples_per_second"], paper.get((data, latent_dim, algorithm.removesuffix("_500")), [])
        yield (
            f"| {data} | {latent_dim} | {LABELS[algorithm]} | {_compared(ours[key], theirs, 'bound')} "
            f"| {run['lr']} | {run['seed']} | {speed:,} | {1e6 / speed / 60:.1f} |"
        )


def first_points() -> Iterator[str]:
    """Where the paper's curves begin."""
    yield "| curve | points on the line | samples at its beginning |"
    yield "| --- | ---: | ---: |"
    for row in read_table(RESULTS / "first_points.csv"):
        yield f"| {' | '.join(map(str, row.values()))} |"


def second_points() -> Iterator[str]:
    """The second points of the paper's curves, and ours with other minibatches and step sizes."""
    yield "| curve | samples | train, the paper's | test | model | M | step size | train, ours | test |"
    yield "| --- | ---: | ---: | ---: | --- " + "| ---: " * 4 + "|"
    for row in read_table(RESULTS / "second_points.csv"):
        paper = [row["curve"], f"{row['samples']:,}", row["paper_train"], row["paper_test"]]
        cells = [*paper, row["model"], row["batch_size"], row["lr"], row["train"], row["test"]]
        yield f"| {' | '.join(map(str, cells))} |"


def assumptions() -> Iterator[str]:
    """What assumptions.py found."""
    yield "| curve | changed | samples | train | test | the paper's | difference |"
    yield "| --- | --- " + "| ---: " * 5 + "|"
    for row in read_table(RESULTS / "assumptions.csv"):
        change = row["change"].replace("|", "\\|")  # p(x|z) in a table's cell
        cells = [row["curve"], change, f"{row['samples']:,}", row["train"], row["test"], row["paper_test"]]
        yield f"| {' | '.join(map(str, cells))} | {row['test'] - row['paper_test']:+.0f} |"


def figure3() -> Iterator[str]:
    """The estimated marginal likelihood at 10^7 samples, or as far as a run has come."""
    yield (
        "| N_train | algorithm | samples | train, ours | the paper's | test, ours | the paper's | difference | hours |"
    )
    yield "| ---: | --- " + "| ---: " * 7 + "|"
    keys = ("train_size", "algorithm")
    paper = grouped(read_table(REFERENCE / "aevb_figure3.csv"), keys)
    runs = {key: rows[0] for key, rows in grouped(read_table(RESULTS / "figure3_runs.csv"), keys).items()}
    for key, rows in grouped(read_table(RESULTS / "figure3.csv"), keys).items():
        compared = _compared(rows, paper.get(key, []), "log_marginal_likelihood")
        yield f"| {key[0]:,} | {LABELS[key[1]]} | {compared} | {runs[key]['seconds'] / 3600:.2f} |"


def estimates() -> Iterator[str]:
    """What marginal_likelihood.py found."""
    yield "| estimate | mean | standard error | mean difference | median difference |"
    yield "| --- " + "| ---: " * 4 + "|"
    for row in read_table(RESULTS / "marginal_likelihood.csv"):
        cells = [row["estimate"], row["mean"], row["stderr"], row["mean_difference"], row["median_difference"]]
        yield f"| {' | '.join(map(str, cells))} |"


def weights() -> Iterator[str]:
    """How sure full variational Bayes is of the weights."""
    yield "| N_train | layer | weights | median s | median abs(m) / s | share below 1 |"
    yield "| ---: | --- " + "| ---: " * 4 + "|"
    for row in read_table(RESULTS / "full_vb_weights.csv"):
        yield f"| {' | '.join(map(str, row.values()))} |"


def _compared(ours: Sequence[Row], paper: Sequence[Row], value: str) -> str:
    """Cells of a table: samples, then train and test, ours and the paper's, and how the test values differ."""
    at = min(AT, max(row["samples"] for row in ours))
    cells = [f"{at:,}"]
    for split in ("train", "test"):
        found, expected = (value_at(rows, split, at, value) for rows in (ours, paper))
        cells += [f"{found:.1f}", "–" if expected is None else f"{expected:.1f}"]
    return " | ".join([*cells, "–" if expected is None else f"{found - expected:+.1f}"])


def value_at(rows: Sequence[Row], split: str, samples: int, value: str) -> float | None:
    """The value at so many samples, between two points on the log axis; None outside of them."""
    points = np.array(sorted((row["samples"], row[value]) for row in rows if row["split"] == split), float)
    if not len(points) or not points[0, 0] <= samples <= points[-1, 0]:
        return None
    return float(np.interp(np.log(samples), np.log(points[:, 0]), points[:, 1]))


if __name__ == "__main__":
    main()
