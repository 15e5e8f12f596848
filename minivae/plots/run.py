"""All the figures of a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .. import backend
from ..datasets import Dataset
from ..models import Model
from ..training import Feed, History
from ..training.evaluate import EVALUATION_SEED
from .curves import learning_curve
from .images import reconstructions, samples
from .latent import interpolation, latent_scatter, manifold

POINTS = 2000  # of the test set, in the latent scatter
PAIRS = 6  # of test points, interpolated between


def draw_run(model: Model, dataset: Dataset, test: Feed, history: History, folder: Path) -> list[Path]:
    """Draw what there is to see of a trained model, and return the files written.

    Learning curve, reconstructions of test points, samples from the prior, the
    latent space of the test points, interpolations between them and, with two latent
    dimensions, the manifold of Figure 4.
    """
    generator = backend.generator(EVALUATION_SEED, test.library)
    rows = np.random.default_rng(0).permutation(len(test))[:POINTS]
    x = test.batch(rows, generator).x
    z, shape = model.encode(x).numpy(), dataset.image_shape
    labels = None if dataset.test.labels is None else dataset.test.labels[rows]
    pairs = min(len(rows) // 2, PAIRS)
    paths: list[Path] = []

    def path(name: str) -> Path:
        paths.append(folder / f"{name}.png")
        return paths[-1]

    def decode(codes: np.ndarray) -> np.ndarray:
        return model.decode(backend.asarray(codes, x.dtype, test.library)).numpy()

    if len(history):
        learning_curve(history.columns(), path("learning_curve"))
    reconstructions(x.numpy()[:30], decode(z[:30]), shape, path("reconstructions"))
    samples(model.sample(generator, 100).numpy(), shape, path("samples"))
    latent_scatter(z, labels, path("latent"))
    if pairs:
        interpolation(decode, z[:pairs], z[pairs : 2 * pairs], shape, path("interpolation"))
    if model.latent_dim == 2:
        manifold(decode, shape, path("manifold"))
    return paths
