"""Figure 5: 10 x 10 random samples of MNIST from models of 2, 5, 10 and 20 latent dimensions.

    MINIVAE_DATA=... python examples/paper/figure5.py            # the runs of Figure 2, or trains them first
    MINIVAE_DATA=... python examples/paper/figure5.py --quick    # a look, under 30 s

Each picture is the mean of p(x|z) for a z drawn from the prior.
"""

import argparse
from pathlib import Path

from experiment import RESULTS, SEED, Curve, run_script, trained

from minivae import backend
from minivae.plots.canvas import LABEL_SIZE, TITLE_SIZE, picture

LATENT_DIMS, SIDE = (2, 5, 10, 20), 10


def main(args: argparse.Namespace) -> None:
    runs = args.out or Path("runs/paper/figure5-quick" if args.quick else "runs/paper/figure2")
    results = runs if args.quick else RESULTS
    trainers = {
        n: trained(Curve("mnist", n, "aevb", 12_000 if args.quick else 10**7), runs, args.quick) for n in LATENT_DIMS
    }
    path = results / "figure5.png"
    with picture(path, figsize=(12.0, 3.5), layout="constrained") as figure:
        for axes, (n, trainer) in zip(figure.subplots(1, len(trainers)), trainers.items(), strict=True):
            height, width = trainer.dataset.image_shape
            images = trainer.model.sample(backend.generator(SEED), SIDE * SIDE).numpy()
            tile = images.reshape(SIDE, SIDE, height, width).transpose(0, 2, 1, 3).reshape(SIDE * height, SIDE * width)
            axes.imshow(tile, cmap="gray", vmin=0, vmax=1, interpolation="none")
            axes.set_title(f"{n}-D latent space, {trainer.samples_seen:,} samples", fontsize=LABEL_SIZE)
            axes.set_axis_off()
        figure.suptitle("Figure 5: random samples from the models of MNIST", fontsize=TITLE_SIZE)
    print(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="where the run folders are (default: runs/paper/figure2)")
    parser.add_argument("--quick", action="store_true", help="four short runs; the picture goes into --out")
    run_script(parser, main)
