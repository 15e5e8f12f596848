"""The whole way in one sitting: digits -> model -> training -> bound -> pictures.

    python examples/quickstart.py            # half a minute on a laptop, no network
    python examples/quickstart.py --quick    # a few seconds

Two latent dimensions, so that all of the latent space fits in a picture.
"""

import argparse
import sys
from pathlib import Path

import minivae as mv
from minivae import datasets, models, plots
from minivae.errors import MinivaeError


def main(args: argparse.Namespace) -> None:
    # Where new arrays are made. The code below is the same on the CPU and on a GPU.
    backend = mv.backend.get_backend(args.backend).name
    mv.backend.use(backend)

    # 1. Data: rows of pixels, 0..16 in one byte each; the model sees images / scale.
    digits = datasets.load("digits")
    print(f"{digits.name}: {len(digits.train)} training and {len(digits.test)} test images of {digits.image_shape}")

    # 2. The model of the paper: a Gaussian encoder (Eq. 9, 12), a Bernoulli decoder (Eq. 11).
    model = models.VAE(digits.data_dim, latent_dim=2, hidden=(200,), seed=args.seed)
    print(f"VAE with {sum(p.size for p in model.parameters())} parameters")

    # 3. Algorithm 1, with Adam. The history holds the bound and its parts, epoch by epoch.
    history = mv.fit(
        model, digits, epochs=10 if args.quick else 200, lr=5e-3, seed=args.seed, progress=sys.stderr.isatty()
    )

    # 4. The bound of each test image (Eq. 10) with L = 100 draws of z, in nats.
    x = mv.tensor(digits.test.images / digits.scale, "float32", backend)
    generator = mv.backend.generator(args.seed)
    with mv.no_grad():
        bound = model.bound(x, generator, samples=100)
    average, reconstruction, kl = (float(part.numpy().mean()) for part in bound)
    print(f"test bound {average:.2f} nats per image: reconstruction {reconstruction:.2f} - KL {kl:.2f}")

    # 5. Pictures. A decoder is any function from codes (n, 2) to pixels (n, 64).
    def decode(z):
        return model.decode(mv.backend.asarray(z, "float32", backend)).numpy()

    out, shape = Path(args.out or "runs/examples/quickstart" + "-quick" * args.quick), digits.image_shape
    out.mkdir(parents=True, exist_ok=True)
    codes = model.encode(x).numpy()
    plots.learning_curve(history.columns(), out / "learning_curve.png")
    plots.reconstructions(x.numpy()[:20], decode(codes[:20]), shape, out / "reconstructions.png")
    plots.samples(model.sample(generator, 100).numpy(), shape, out / "samples.png")
    plots.latent_scatter(codes, digits.test.labels, out / "latent.png")
    plots.manifold(decode, shape, out / "manifold.png")
    plots.interpolation(decode, codes[:6], codes[6:12], shape, out / "interpolation.png")
    print(f"six pictures in {out}; look at manifold.png first")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", choices=mv.backend.names(), help="numpy (default) or cupy")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", help="folder of the pictures (default: runs/examples/quickstart, quickstart-quick)")
    parser.add_argument("--quick", action="store_true", help="train for 10 epochs instead of 200")
    try:
        main(parser.parse_args())
    except MinivaeError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
