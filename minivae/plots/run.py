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


def draw_run(model: Model, dataset: Dataset, test: Feed, history: History, folder: Path) -> list[Path]:
    """Draw what there is to see of a trained model, and return the files written.

    Learning curve, reconstructions of test points, samples from the prior, the
    latent space of the test points, interpolations between them and, with two latent
    dimensions, the manifold of Figure 4.
    """
    generator = backend.generator(EVALUATION_SEED, test.library)
    library = test.library
    rows = np.random.default_rng(0).permutation(len(test))[:2000]
    x = test.batch(rows, generator).x
    labels = None if dataset.test.labels is None else dataset.test.labels[rows]
    z = model.encode(x).numpy()
    shape = dataset.image_shape
    paths = {name: folder / f"{name}.png" for name in ("learning_curve", "reconstructions", "samples", "latent")}

    def decode(codes: np.ndarray) -> np.ndarray:
        return model.decode(backend.asarray(codes, x.dtype, library)).numpy()

    if len(history):
        learning_curve(history.columns(), paths["learning_curve"])
    else:
        del paths["learning_curve"]
    reconstructions(x.numpy()[:30], decode(z[:30]), shape, paths["reconstructions"])
    samples(model.sample(generator, 100).numpy(), shape, paths["samples"])
    latent_scatter(z, labels, paths["latent"])
    if len(rows) >= 2:
        paths["interpolation"] = folder / "interpolation.png"
        pairs = min(len(rows) // 2, 6)
        interpolation(decode, z[:pairs], z[pairs : 2 * pairs], shape, paths["interpolation"])
    if model.latent_dim == 2:
        paths["manifold"] = folder / "manifold.png"
        manifold(decode, shape, paths["manifold"])
    return list(paths.values())
