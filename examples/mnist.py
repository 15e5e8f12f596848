"""MNIST with the paper's sizes: 500 hidden units, 20 latent dimensions, Bernoulli decoder.

    MINIVAE_DATA=... python examples/mnist.py          # about two minutes on two cores
    python examples/mnist.py --quick                   # a look at it
    python examples/mnist.py --latent 2 --epochs 50 --out runs/manifold    # Figure 4's manifold

Without MINIVAE_DATA the four files are downloaded once. Pixels are binarized anew at
each visit (each is 1 with its grey level as the probability), so the bound is of the
same kind as in much of the literature. It is the same run as

    minivae train --data mnist --binarize dynamic --hidden 500 --latent 20 --optimizer adam --lr 1e-3 --epochs 10
"""

import argparse
import sys

import minivae as mv
from minivae import datasets, models
from minivae.errors import MinivaeError
from minivae.plots.run import draw_run
from minivae.runs import Run
from minivae.training import Minibatches, evaluate


def main(args: argparse.Namespace) -> None:
    backend = mv.backend.get_backend(args.backend).name
    mnist = datasets.load("mnist")
    hidden, epochs = ([200], 1) if args.quick else ([500], args.epochs)
    model = models.VAE(mnist.data_dim, args.latent, hidden, seed=args.seed, backend=backend)
    settings = {"epochs": epochs, "binarize": "dynamic", "optimizer": "adam", "lr": 1e-3, "seed": args.seed}

    # A run is a folder: config.json, history.csv, model.npz (a checkpoint at each report) and the figures.
    # Every command takes it: minivae evaluate, encode, sample, ...
    run = Run.create(args.out or "runs/examples/mnist" + "-quick" * args.quick)
    history = mv.fit(model, mnist, run=run, progress=sys.stderr.isatty(), **settings)

    test = Minibatches(mnist.test, mnist.scale, binarize="dynamic", backend=backend)
    bound = evaluate(model, test)
    seen, seconds = history.rows[-1]["samples_seen"], history.rows[-1]["seconds"]
    print(f"{seen} samples seen in {seconds:.0f} s on {backend}, seed {args.seed}, pixels binarized anew at each visit")
    print(f"test bound {bound['bound']:.2f} nats: reconstruction {bound['reconstruction']:.2f} - KL {bound['kl']:.2f}")
    for path in draw_run(model, test, mnist.test.labels, mnist.image_shape, history, run.folder):
        print(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latent", type=int, default=20, help="latent dimensions; with 2 the manifold is drawn")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--backend", choices=mv.backend.names(), help="numpy (default) or cupy")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", help="the run's folder (default: runs/examples/mnist, mnist-quick)")
    parser.add_argument("--quick", action="store_true", help="one epoch with 200 hidden units")
    try:
        main(parser.parse_args())
    except MinivaeError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
