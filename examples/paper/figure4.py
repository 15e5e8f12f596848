"""Figure 4: the manifolds that AEVB learns with two latent dimensions, of Frey Face and of MNIST.

    MINIVAE_DATA=... python examples/paper/figure4.py            # the runs of Figure 2, or trains them first
    MINIVAE_DATA=... python examples/paper/figure4.py --quick    # a look, under 30 s

The means of p(x|z) over a linear grid on the unit square, put through the inverse Gaussian CDF
(App. A): Frey Face 10 x 10, MNIST 20 x 20.
"""

import argparse
from pathlib import Path

from experiment import RESULTS, Curve, run_script, trained

from minivae.plots import manifold

GRIDS = {"frey": 10, "mnist": 20}
SAMPLES = {"frey": 10**7.5, "mnist": 10**7}


def main(args: argparse.Namespace) -> None:
    runs = args.out or Path("runs/paper/figure4-quick" if args.quick else "runs/paper/figure2")
    results = runs if args.quick else RESULTS
    for data, n in GRIDS.items():
        curve = Curve(data, 2, "aevb", 20_000 if args.quick else SAMPLES[data])
        trainer = trained(curve, runs, args.quick)
        path = results / f"figure4_{data}.png"
        manifold(lambda z, model=trainer.model: model.decode(z).numpy(), trainer.dataset.image_shape, path, n)
        print(f"{path}: after {trainer.samples_seen} samples")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="where the run folders are (default: runs/paper/figure2)")
    parser.add_argument("--quick", action="store_true", help="two short runs; the pictures go into --out")
    run_script(parser, main)
