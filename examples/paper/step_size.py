"""The choice of Adagrad's step size, as in section 5: by the training data's bound after the first iterations.

    MINIVAE_DATA=... python examples/paper/step_size.py            # writes results/step_size.csv
    MINIVAE_DATA=... python examples/paper/step_size.py --quick    # a look, under 30 s

Each of the paper's three step sizes, for both data sets and both algorithms of Figure 2 after
100,000 samples (MNIST with 200 latent dimensions by wake-sleep after a million: what is the best
early comes apart later), and for Figure 3's after 200,000; Monte Carlo EM after 3 million, by its
mean log p(x, z). The choices stand in ``experiment.py`` and ``figure3.py``.
"""

import argparse
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import figure3
from curves import Row, update_table
from experiment import RESULTS, Curve, bounds, load, make_trainer, run_script

from minivae.training import Trainer

STEP_SIZES = (0.01, 0.02, 0.1)
FIGURE_2 = [
    *(Curve(data, n, kind, 100_000) for data, n in (("frey", 10), ("mnist", 20)) for kind in ("aevb", "wake_sleep")),
    Curve("mnist", 200, "wake_sleep", 10**6),
]
FIGURE_3 = [(size, kind) for size, kind in figure3.CURVES if (size, kind) != (50_000, "mcem")]  # 4 steps say little
FIGURE_3_SAMPLES = {"aevb": 200_000, "wake_sleep": 200_000, "mcem": 3_000_000}  # 200 steps of Monte Carlo EM
KEYS = ("figure", "curve", "lr")


def main(args: argparse.Namespace) -> None:
    args.out.mkdir(parents=True, exist_ok=True)
    for row, trainer in islice(trainers(args.quick), 3 if args.quick else None):
        while trainer.samples_seen < row["samples"]:
            trainer.train_step()
        row["train"] = round(performance(trainer), 2)
        update_table(args.out / "step_size.csv", [row], KEYS)
        print(*row.values(), flush=True)


def trainers(quick: bool) -> Iterator[tuple[Row, Trainer | figure3.MonteCarloEMTrainer]]:
    """Every run: the beginning of its row in the table, and its trainer."""
    for curve in FIGURE_2:
        for lr in STEP_SIZES:
            row = {"figure": 2, "curve": curve.name, "lr": lr, "samples": 20_000 if quick else curve.samples}
            yield row, make_trainer(curve, load(curve.dataset, quick), lr)
    for size, algorithm in FIGURE_3:
        for lr in STEP_SIZES:
            row = {"figure": 3, "curve": f"{size}-{algorithm}", "lr": lr, "samples": FIGURE_3_SAMPLES[algorithm]}
            yield row, figure3.make(size, algorithm, quick, lr)


def performance(trainer: Trainer | figure3.MonteCarloEMTrainer) -> float:
    """Nats per data point of the training data."""
    if isinstance(trainer, figure3.MonteCarloEMTrainer):
        return trainer.running_terms()["log_joint"]
    return bounds(trainer)(trainer)["train_bound"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the table goes (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="one curve, 20,000 samples")
    run_script(parser, main)
