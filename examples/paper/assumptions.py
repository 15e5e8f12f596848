"""Where curves of Figure 2 differ from the paper's: which assumption makes it? One is changed at a time.

    MINIVAE_DATA=... python examples/paper/assumptions.py
    MINIVAE_DATA=... python examples/paper/assumptions.py --quick    # a look, under 30 s

AEVB on Frey Face with 10 and with 20 latent dimensions learns faster than the paper's at first; it
is run up to 10^6.5 samples, and with half the step size, which explains it as well as minibatches
of 500 do (first_points.py, figure2.py), up to 10^7. Wake-sleep on Frey Face with 20 leaves the
plateau where the paper's stays, unless it dreams as a version of the authors' code does. On MNIST
wake-sleep with 200 comes apart with the step size that serves every other curve. These are run up
to 10^6, and some up to 10^7. Every row of results/assumptions.csv differs from Figure 2's run by
what it says.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from curves import Row, read_table, update_table
from experiment import REFERENCE, RESULTS, Curve, bounds, load, make_trainer, run_script
from readme import value_at

from minivae import datasets
from minivae.autodiff import assign, softplus
from minivae.models import Model, Phase, WakeSleep
from minivae.training import Trainer

FREY, FREY_20 = (Curve("frey", n, "aevb", 10**7) for n in (10, 20))
FREY_WAKE_SLEEP, WAKE_SLEEP = Curve("frey", 20, "wake_sleep", 10**7), Curve("mnist", 200, "wake_sleep", 10**7)
FREY_10_WAKE_SLEEP = Curve("frey", 10, "wake_sleep", 10**7)
KEYS = ("curve", "change", "samples")
SOFTPLUS = "dreams by softplus units"
LARGER_STEPS = "M = 500, step size 0.02"


class GreyDreams(WakeSleep):
    """Wake-sleep whose dreams are the means of p(x|z), grey like the images."""

    def likelihood(self, z: Any, context: Any = None) -> Any:
        """p(x|z), drawn from by its mean."""
        found = super().likelihood(z, context)
        found.sample = lambda noise: found.mean
        return found


class SoftplusDreams(WakeSleep):
    """Wake-sleep whose dreams are drawn as if the decoder's hidden units were softplus, though they are tanh.

    A slip in a version of the authors' code, the one whose wake-sleep knows a Gaussian p(x|z): it draws
    so unless told otherwise. The encoder learns from images unlike the data, and the plateau holds.
    """

    def sleep(self, dreams: int, noise: Any) -> Phase:
        """The sleep phase on such dreams."""
        hidden = self.decoder.hidden
        hidden.activation, usual = softplus, hidden.activation
        try:
            return super().sleep(dreams, noise)
        finally:
            hidden.activation = usual


def with_settings(curve: Curve, kind: type[Model] | None = None, **changes: Any) -> Callable[[], Trainer]:
    """The run of Figure 2 with other settings, and another kind of model if one is given."""

    def make() -> Trainer:
        usual = make_trainer(curve, load(curve.dataset))
        usual.model.__class__ = kind or type(usual.model)
        return Trainer(usual.model, usual.dataset, replace(usual.settings, **changes))

    return make


def with_model(curve: Curve, change: Callable[[Any], None] | None = None, **options: Any) -> Callable[[], Trainer]:
    """The run of Figure 2 with another model: made with ``options``, then put through ``change``."""

    def make() -> Trainer:
        trainer = make_trainer(curve, load(curve.dataset), **options)
        if change is not None:
            change(trainer.model)
        return trainer

    return make


def _ten_times_the_weights(model: Any) -> None:
    for parameter in model.parameters():
        assign(parameter, parameter.detach() * 10)


def _no_floor(model: Any) -> None:
    model.decoder.log_var_floor = None


def _changes(curve: Curve) -> dict[str, Callable[[], Trainer]]:
    """What can be changed in either algorithm on Frey Face."""
    return {
        "none": with_model(curve),
        "another seed": with_model(curve, seed=1),
        "initial weights N(0, 0.1^2)": with_model(curve, _ten_times_the_weights),
        "no floor of the variance": with_model(curve, _no_floor),
        "no prior over the weights": with_settings(curve, weight_prior=False),
        "no warm-up of Adagrad": with_settings(curve, optimizer_options={}),
        "step size 0.02": with_settings(curve, lr=0.02),
        "step size 0.005": with_settings(curve, lr=0.005),
    }


CHANGES: dict[Curve, dict[str, Callable[[], Trainer]]] = {
    FREY: _changes(FREY)
    | {
        "the last 365 frames are the test images": lambda: make_trainer(
            FREY, datasets.load("frey", split="contiguous")
        ),
        "estimator A": with_model(FREY, estimator="A"),
        "M = 500": with_settings(FREY, batch_size=500),
    },
    FREY_20: {"none": with_model(FREY_20), "step size 0.005": with_settings(FREY_20, lr=0.005)},
    FREY_WAKE_SLEEP: _changes(FREY_WAKE_SLEEP)
    | {
        "dreams are the means of p(x|z)": with_settings(FREY_WAKE_SLEEP, GreyDreams),
        SOFTPLUS: with_settings(FREY_WAKE_SLEEP, SoftplusDreams),
        "M = 500": with_settings(FREY_WAKE_SLEEP, batch_size=500),
        LARGER_STEPS: with_settings(FREY_WAKE_SLEEP, batch_size=500, lr=0.02),
    },
    FREY_10_WAKE_SLEEP: {LARGER_STEPS: with_settings(FREY_10_WAKE_SLEEP, batch_size=500, lr=0.02)},
    WAKE_SLEEP: {
        "none": with_model(WAKE_SLEEP),
        "step size 0.005": with_settings(WAKE_SLEEP, lr=0.005),
        "step size 0.01": with_settings(WAKE_SLEEP, lr=0.01),
        "0.01, another seed": with_model(WAKE_SLEEP, lr=0.01, seed=1),
        "0.01, binarized anew for each minibatch": with_settings(WAKE_SLEEP, lr=0.01, binarize="dynamic"),
        "0.01, dreams are the means of p(x|z)": with_settings(WAKE_SLEEP, GreyDreams, lr=0.01),
        "0.01, no prior over the weights": with_settings(WAKE_SLEEP, lr=0.01, weight_prior=False),
        "0.01, initial weights N(0, 0.1^2)": with_model(WAKE_SLEEP, _ten_times_the_weights, lr=0.01),
    },
}
QUICK = 60_000  # where both of the paper's curves have begun
STOPS = dict.fromkeys(CHANGES, (10**6,)) | {FREY: (10**6.5,), FREY_20: (10**6.5, 10**7)}
LONGER = {(FREY, "step size 0.005"), (WAKE_SLEEP, "step size 0.01")}  # up to 10^7
LONGER |= {(FREY_WAKE_SLEEP, SOFTPLUS), (FREY_WAKE_SLEEP, LARGER_STEPS), (FREY_10_WAKE_SLEEP, LARGER_STEPS)}


def main(args: argparse.Namespace) -> None:
    results = args.out if args.quick else RESULTS
    results.mkdir(parents=True, exist_ok=True)
    for curve, changes in CHANGES.items():
        for change in list(changes)[:1] if args.quick else changes:
            stops = STOPS[curve] + ((10**7,) if (curve, change) in LONGER else ())
            for row in train(curve, changes[change](), (QUICK,) if args.quick else stops):
                update_table(results / "assumptions.csv", [{"curve": curve.name, "change": change, **row}], KEYS)
                print(curve.name, change, *row.values(), flush=True)


def train(curve: Curve, trainer: Trainer, stops: Iterable[float]) -> Iterator[Row]:
    """The bounds at each of ``stops``, counts of samples."""
    measure = bounds(trainer)
    for samples in stops:
        while trainer.samples_seen < samples - trainer.settings.batch_size / 2:
            trainer.train_step()
        found = measure(trainer)
        row = {"samples": trainer.samples_seen}
        row |= {split: round(found[f"{split}_bound"], 1) for split in ("train", "test")}
        yield row | {"paper_test": paper_at(curve, trainer.samples_seen)}


def paper_at(curve: Curve, samples: int) -> float:
    """The paper's test curve at so many samples."""
    about = (curve.dataset, curve.latent_dim, curve.algorithm)
    rows = read_table(REFERENCE / "aevb_figure2.csv")
    rows = [row for row in rows if (row["dataset"], row["latent_dim"], row["algorithm"]) == about]
    return round(value_at(rows, "test", samples, "bound"), 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/paper/quick"), help="where --quick writes")
    parser.add_argument("--quick", action="store_true", help="a short run of each curve; the table goes into --out")
    run_script(parser, main)
