"""Frey Face with the paper's sizes: a Gaussian decoder with sigmoid means, 200 hidden units.

    MINIVAE_DATA=... python examples/frey_face.py          # 10^6 samples, a few minutes on two cores
    python examples/frey_face.py --quick                   # a look at it

The pixels, divided by 256, are real numbers to this model: the bound is a log *density*
in nats and may be positive. Each pixel has its own variance, which the decoder predicts;
models.vae.LOG_VAR_FLOOR says how small it may become and why.

The images are frames of a video, and both ways to hold some out are flawed: under
--split random a test image has near-copies in the training part, under --split
contiguous the test frames show poses that were never trained on. Say which you used.
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
    frey = datasets.load("frey", split=args.split, seed=args.seed)
    print(f"split {frey.split}")
    model = models.VAE(
        frey.data_dim, args.latent, (200,), likelihood="gaussian", sigmoid_mean=True, seed=args.seed, backend=backend
    )
    # 16 minibatches of 100 an epoch: 625 epochs are 10^6 samples.
    settings = {"epochs": 10 if args.quick else 625, "report_every": 5, "lr": 1e-3, "seed": args.seed}
    run = Run.create(args.out or "runs/examples/frey_face" + "-quick" * args.quick)
    history = mv.fit(model, frey, run=run, progress=sys.stderr.isatty(), **settings)

    test = Minibatches(frey.test, frey.scale, backend=backend)
    bound = evaluate(model, test)
    seen, seconds = history.rows[-1]["samples_seen"], history.rows[-1]["seconds"]
    print(f"{seen} samples seen in {seconds:.0f} s on {backend}, seed {args.seed}")
    print(f"test bound {bound['bound']:.1f} nats: reconstruction {bound['reconstruction']:.1f} - KL {bound['kl']:.1f}")
    for path in draw_run(model, test, frey.test.labels, frey.image_shape, history, run.folder):
        print(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latent", type=int, default=10, help="latent dimensions; with 2 the manifold is drawn")
    parser.add_argument("--split", choices=("random", "contiguous"), default="random")
    parser.add_argument("--backend", choices=mv.backend.names(), help="numpy (default) or cupy")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", help="the run's folder (default: runs/examples/frey_face, frey_face-quick)")
    parser.add_argument("--quick", action="store_true", help="10 epochs instead of 625")
    try:
        main(parser.parse_args())
    except MinivaeError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
