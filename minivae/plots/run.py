"""All the figures of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .. import backend
from ..datasets import one_hot
from ..models import Model
from ..runs import History
from ..training import Minibatches
from ..training.evaluate import EVALUATION_SEED
from .canvas import release
from .codes import codebook_usage
from .columns import columns
from .curves import learning_curve
from .images import reconstructions, samples
from .latent import interpolation, latent_scatter, manifold
from .traversals import traversals

POINTS = 2000  # of the test set, in the latent scatter
SCATTERED = 500  # of those, in the panel of a column
PAIRS = 6  # of test points, interpolated between
SAMPLES_OF_A_LABEL = 10


def draw_run(
    model: Model,
    test: Minibatches | None,
    labels: np.ndarray | None,
    image_shape: tuple[int, ...] | None,
    history: History,
    folder: Path,
    class_names: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
) -> list[Path]:
    """Draw what there is to see of a trained model, and return the files written.

    Learning curve and samples (of a model that is told labels, a row of samples for each).
    Where there is a latent variable and there are test points: reconstructions of them, their
    places in latent space, interpolations between them, traversals of each latent dimension; how
    often the codes of a codebook are used; of a table, the reconstructions of each column. With two latent dimensions
    the manifold of Figure 4. ``class_names`` are those of the labels 0, 1, ..., ``names`` those of a table's columns,
    where the data have some.
    """
    picture = Pictures(folder)
    generator = backend.generator(EVALUATION_SEED, backend.backend_of(model.parameters()[0].data).name)
    if len(history):
        release(learning_curve(history.columns(), picture.path("learning_curve")))
    told = np.repeat(np.arange(model.context_dim), SAMPLES_OF_A_LABEL)
    context = one_hot(told, model.context_dim) if model.context_dim else None
    drawn = model.sample(generator, len(told) or 100, context).numpy()
    columns = SAMPLES_OF_A_LABEL if model.context_dim else None
    release(samples(drawn, image_shape, picture.path("samples"), columns))
    if model.latent_dim and test is not None:
        _draw_latent(model, test, labels, image_shape, picture, class_names, names)
    elif model.latent_dim == 2 and not model.context_dim:  # what a label does is shown beside a data point's
        manifold(lambda codes: model.decode(codes).numpy(), image_shape, picture.path("manifold"))
    return picture.paths


class Pictures:
    """Names the pictures of a run and remembers their paths."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.paths = folder, []

    def path(self, name: str) -> Path:
        """Where the picture of this name goes."""
        self.paths.append(self.folder / f"{name}.png")
        return self.paths[-1]


def _draw_latent(
    model: Model,
    test: Minibatches,
    labels: np.ndarray | None,
    shape: tuple[int, ...] | None,
    picture: Pictures,
    class_names: Sequence[str] | None,
    names: Sequence[str] | None,
) -> None:
    """What there is to see of the latent space."""
    rows = np.random.default_rng(0).permutation(len(test))[:POINTS]
    x, context = test.batch(rows, backend.generator(EVALUATION_SEED, test.backend))
    x = model.raw(x)  # what is drawn is in the data's own units
    z = model.encode(x, context).numpy()
    pairs = min(len(rows) // 2, PAIRS)

    def decode(codes: np.ndarray) -> np.ndarray:
        """Of a model that is told a label, in company of the first data point's."""
        told = None if context is None or labels is None else test.one_hot(np.full(len(codes), labels[rows[0]]))
        return model.decode(backend.asarray(codes, test.dtype, test.backend), told).numpy()

    rebuilt = model.reconstruct(x[:30], None if context is None else context[:30]).numpy()
    release(reconstructions(x.numpy()[:30], rebuilt, shape, picture.path("reconstructions")))
    if names is not None:
        made = model.reconstruct(x[:SCATTERED], None if context is None else context[:SCATTERED]).numpy()
        release(columns(x.numpy()[:SCATTERED], made, names, picture.path("columns")))
    told = (None, None) if labels is None else (labels[rows], class_names)
    release(latent_scatter(z, told[0], picture.path("latent"), class_names=told[1]))
    if pairs:
        release(interpolation(decode, z[:pairs], z[pairs : 2 * pairs], shape, picture.path("interpolation")))
    if model.num_categories:
        release(codebook_usage(model.codes(x).numpy(), model.num_categories, picture.path("codebook")))
    else:
        release(traversals(decode, z, shape, picture.path("traversals")))
    if model.latent_dim == 2:
        release(manifold(decode, shape, picture.path("manifold")))
