"""Frey Face learns faster here than in the paper: which assumption makes it? One is changed at a time.

    MINIVAE_DATA=... python examples/paper/assumptions.py            # a quarter of an hour
    MINIVAE_DATA=... python examples/paper/assumptions.py --quick    # a look, under 30 s

AEVB on Frey Face with 10 latent dimensions up to 10^6.5 samples, where Figure 2's curve is
furthest from the paper's, and with the step size that explains it up to 10^7. Every row of
results/assumptions.csv differs from Figure 2's run by what it says.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from curves import read_table, update_table
from experiment import BATCH_SIZE, REFERENCE, RESULTS, Curve, bounds, load, make_trainer, run_script
from readme import value_at

from minivae import datasets
from minivae.autodiff import assign
from minivae.training import Trainer

CURVE = Curve("frey", 10, "aevb", 10**7)
KEYS = ("change", "samples")


def with_settings(**changes: Any) -> Callable[[], Trainer]:
    """The run of Figure 2 with other settings."""

    def make() -> Trainer:
        usual = make_trainer(CURVE, load("frey"))
        return Trainer(usual.model, usual.dataset, replace(usual.settings, **changes))

    return make


def with_model(change: Callable[[Any], None] = lambda model: None, **options: Any) -> Callable[[], Trainer]:
    """The run of Figure 2 with another model: made with ``options``, then put through ``change``."""

    def make() -> Trainer:
        trainer = make_trainer(CURVE, load("frey"), **options)
        change(trainer.model)
        return trainer

    return make


def _ten_times_the_weights(model: Any) -> None:
    for parameter in model.parameters():
        assign(parameter, parameter.detach() * 10)


def _no_floor(model: Any) -> None:
    model.decoder.log_var_floor = None


CHANGES: dict[str, Callable[[], Trainer]] = {
    "none": with_model(),
    "another seed": with_model(seed=1),
    "the last 365 frames are the test images": lambda: make_trainer(CURVE, datasets.load("frey", split="contiguous")),
    "estimator A": with_model(estimator="A"),
    "initial weights N(0, 0.1^2)": with_model(_ten_times_the_weights),
    "no floor of the variance": with_model(_no_floor),
    "no prior over the weights": with_settings(weight_prior=False),
    "no warm-up of Adagrad": with_settings(optimizer_options={}),
    "step size 0.02": with_settings(lr=0.02),
    "step size 0.005": with_settings(lr=0.005),
}
STOPS = {"step size 0.005": (10**6.5, 10**7)}


def main(args: argparse.Namespace) -> None:
    results = args.out if args.quick else RESULTS
    results.mkdir(parents=True, exist_ok=True)
    for change in list(CHANGES)[:2] if args.quick else CHANGES:
        trainer = CHANGES[change]()
        measure = bounds(trainer)
        for samples in (20_000,) if args.quick else STOPS.get(change, (10**6.5,)):
            while trainer.samples_seen < samples - BATCH_SIZE / 2:
                trainer.train_step()
            row = {"change": change, "samples": trainer.samples_seen, **result(measure(trainer))}
            row["paper_test"] = paper_at(trainer.samples_seen)
            update_table(results / "assumptions.csv", [row], KEYS)
            print(*row.values(), flush=True)


def result(found: dict[str, float]) -> dict[str, float]:
    """The bounds, rounded."""
    return {split: round(found[f"{split}_bound"], 1) for split in ("train", "test")}


def paper_at(samples: int) -> float:
    """The paper's test curve at so many samples."""
    rows = [
        row
        for row in read_table(REFERENCE / "aevb_figure2.csv")
        if (row["dataset"], row["latent_dim"], row["algorithm"]) == ("frey", 10, "aevb")
    ]
    return round(value_at(rows, "test", samples, "bound"), 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/paper/quick"), help="where --quick writes")
    parser.add_argument("--quick", action="store_true", help="two short runs; the table goes into --out")
    run_script(parser, main)
