"""The choice of Adagrad's step size, as in section 5: by the training data's bound after the first iterations.

    MINIVAE_DATA=... python examples/paper/step_size.py            # a few minutes; writes results/step_size.csv
    MINIVAE_DATA=... python examples/paper/step_size.py --quick    # a look, under 30 s

Each of the paper's three step sizes, for both data sets and both algorithms, with the other
settings of Figure 2 (``experiment.py`` holds the choice, for all figures alike).
"""

import argparse
from pathlib import Path

from curves import update_table
from experiment import RESULTS, Curve, bounds, load, make_trainer, run_script

STEP_SIZES = (0.01, 0.02, 0.1)
CURVES = [
    Curve(data, latent_dim, algorithm, 100_000)
    for data, latent_dim in (("mnist", 20), ("frey", 10))
    for algorithm in ("aevb", "wake_sleep")
]
KEYS = ("dataset", "latent_dim", "algorithm", "lr")


def main(args: argparse.Namespace) -> None:
    rows = []
    for curve in CURVES[2:3] if args.quick else CURVES:
        data = load(curve.dataset, args.quick)
        for lr in STEP_SIZES:
            trainer = make_trainer(curve, data, lr)
            while trainer.samples_seen < (20_000 if args.quick else curve.samples):
                trainer.train_step()
            bound = bounds(trainer)(trainer)["train_bound"]
            about = dict(zip(KEYS, (curve.dataset, curve.latent_dim, curve.algorithm, lr), strict=True))
            rows.append({**about, "samples": trainer.samples_seen, "train_bound": round(bound, 2)})
            print(*rows[-1].values(), flush=True)
    args.out.mkdir(parents=True, exist_ok=True)
    update_table(args.out / "step_size.csv", rows, KEYS)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the table goes (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="one curve, 20,000 samples")
    run_script(parser, main)
