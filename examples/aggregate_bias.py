"""What a minibatch says of the aggregate posterior, beside the truth: the bias of each estimator, by size.

    python examples/aggregate_bias.py            # a few minutes on two cores
    python examples/aggregate_bias.py --quick    # small minibatches alone, a look at it

Codes of six dimensions whose q(z) is known: means from a Gaussian, and posteriors of standard
deviation s around them, so that q(z) = N(0, C) with ones on C's diagonal and 1/2 beside it. So

    TC = -1/2 log |C|,    I = 1/2 log |C| - d log s,    sum_j KL(q(z_j) || N(0, 1)) = 0

are what the three parts of the KL have for N without end; the estimators are told N = 10,000. Beside
them: the squares off the diagonal of the means' covariance, which a DIP-VAE pays for, and the sliced
Wasserstein distance of draws of N(0, I) from others, which is 0.
"""

import argparse
import csv
from pathlib import Path

import numpy as np

import minivae as mv
from minivae.distributions import Normal, StandardNormal
from minivae.errors import MinivaeError
from minivae.files import atomic_path
from minivae.regularizers import (
    WEIGHTINGS,
    covariance,
    off_identity,
    random_directions,
    sliced_wasserstein,
    split_kl,
)

D, RHO, N, DIRECTIONS = 6, 0.5, 10_000, 50
C = np.full((D, D), RHO) + (1 - RHO) * np.eye(D)
WIDTHS, BATCHES, POINTS = (0.3, 0.6), (16, 64, 256, 1024), 32_768
PARTS = {"between": "TC", "information": "I", "dimensions": "DW"}
COLUMNS = ("quantity", "estimator", "posterior_sd", "batch", "truth", "mean", "stderr")


def truths(width: float) -> dict[str, float]:
    """The parts of the KL, exactly, in nats."""
    log_det = np.linalg.slogdet(C)[1]
    return {"I": log_det / 2 - D * np.log(width), "TC": -log_det / 2, "DW": 0.0}


def means(width: float, batch: int, rng: np.random.Generator) -> np.ndarray:
    """Of the posteriors of a minibatch."""
    return rng.normal(size=(batch, D)) @ np.linalg.cholesky(C - width**2 * np.eye(D)).T


def parts(width: float, batch: int, rng: np.random.Generator) -> dict[tuple[str, str], float]:
    """The parts of the KL from one minibatch, by quantity and estimator."""
    mean = means(width, batch, rng)
    q, p = Normal(mean, np.full(D, 2 * np.log(width))), StandardNormal(D, mv.tensor(mean))
    z, log_q = q.sample_with_log_prob(rng.normal(size=(1, batch, D)))
    found = {}
    for weighting in WEIGHTINGS:
        split = split_kl(q, z, log_q, p.log_prob(z), data_points=N, weighting=weighting)
        found |= {(what, weighting): float(mv.mean(getattr(split, name))) for name, what in PARTS.items()}
    return found


def squares(width: float, batch: int, rng: np.random.Generator) -> dict[tuple[str, str], float]:
    """What is off the diagonal of the covariance of one minibatch."""
    return {("off-diagonal", "covariance"): float(off_identity(covariance(means(width, batch, rng)))[0])}


def distances(_: float, batch: int, rng: np.random.Generator) -> dict[tuple[str, str], float]:
    """The sliced Wasserstein distance of two minibatches of N(0, I)."""
    x, y = rng.normal(size=(2, batch, D))
    directions = random_directions(rng.normal(size=(DIRECTIONS, D)), DIRECTIONS, D, mv.tensor(x))
    return {("SW^2", "sorted"): float(sliced_wasserstein(x, y, directions))}


def measure(batches: tuple[int, ...], points: int) -> list[dict]:
    """A row for each quantity, estimator, width and size."""
    rng = np.random.default_rng(0)
    kinds = [(parts, width, points) for width in WIDTHS] + [(squares, width, 8 * points) for width in WIDTHS]
    kinds.append((distances, 1.0, points))
    return [
        row
        for of, width, seen in kinds
        for batch in batches
        for row in summarized([of(width, batch, rng) for _ in range(max(seen // batch, 8))], width, batch)
    ]


def summarized(found: list[dict[tuple[str, str], float]], width: float, batch: int) -> list[dict]:
    """The rows of one width and size, from many minibatches."""
    rows, exact = [], {**truths(width), "off-diagonal": D * (D - 1) * RHO**2, "SW^2": 0.0}
    for what, estimator in found[0]:
        values = np.array([one[what, estimator] for one in found])
        numbers = exact[what], values.mean(), values.std(ddof=1) / np.sqrt(len(values))
        rows.append(dict(zip(COLUMNS, (what, estimator, width, batch, *(f"{n:.4f}" for n in numbers)), strict=True)))
    return rows


def table(rows: list[dict]) -> str:
    """The biases as docs/family.md has them: a row for each estimator, a column for each size."""
    batches = sorted({int(row["batch"]) for row in rows})
    found: dict[tuple, list[str]] = {}
    for row in rows:
        key = row["quantity"], row["estimator"], str(row["posterior_sd"]), f"{float(row['truth']):.2f}"
        bias = f"{float(row['mean']) - float(row['truth']):+.2f}".replace("-", "−")
        found.setdefault(key, []).append(bias)
    order = [*PARTS.values(), "off-diagonal", "SW^2"]
    lines = [
        f"| {what}, `{estimator}` | {width} | {truth} | {' | '.join(cells)} |"
        for (what, estimator, width, truth), cells in sorted(found.items(), key=lambda item: order.index(item[0][0]))
    ]
    head = f"| bias of | s | truth | {' | '.join(f'B = {batch}' for batch in batches)} |"
    return "\n".join([head, f"| --- |{' ---: |' * (2 + len(batches))}", *lines])


def main(args: argparse.Namespace) -> None:
    rows = measure(BATCHES[:2], 512) if args.quick else measure(BATCHES, POINTS)
    path = Path(args.out or "runs/examples/aggregate-bias" + "-quick" * args.quick) / "aggregate_bias.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(table(rows))
    print(f"table in {path}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", help="folder of the table (default: runs/examples/aggregate-bias)")
    parser.add_argument("--quick", action="store_true", help="small minibatches alone")
    try:
        main(parser.parse_args())
    except MinivaeError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
