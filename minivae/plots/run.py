"""All the figures of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .. import backend
from ..autodiff import Tensor, no_grad
from ..datasets import one_hot
from ..distributions import Distribution, Normal
from ..errors import InputError
from ..models import Model
from ..models.sequence.state_space import StateSpaceVAE
from ..runs import History
from ..training import Minibatches
from ..training.evaluate import EVALUATION_SEED
from .canvas import own_style, release
from .codes import codebook_usage
from .columns import columns
from .curves import learning_curve
from .images import reconstructions, samples
from .latent import interpolation, latent_scatter, manifold
from .rollouts import rollouts
from .traversals import traversals

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS = 2000  # of the test set, in the latent scatter
SCATTERED = 500  # of those, in the panel of a column
PAIRS = 6  # of test points, interpolated between
# The files that a run may have.
NAMES = (
    *("learning_curve.png", "samples.png", "reconstructions.png", "columns.png", "latent.png"),
    *("interpolation.png", "traversals.png", "codebook.png", "manifold.png", "rollouts.png"),
)
SAMPLES, SAMPLES_OF_A_LABEL = 100, 10
SEQUENCES, SEEN = 8, 4  # rolled out, after one in SEEN of their steps


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
    Where data points have codes and there are test points: reconstructions of them, their
    places in latent space, interpolations between them, traversals of each latent dimension; how
    often the codes of a codebook are used; of a table, the reconstructions of each column; of sequences, how the model
    goes on with them. With two latent dimensions the manifold of Figure 4, where p(z) is a Gaussian. ``class_names``
    are those of the labels 0, 1, ..., ``names`` those of a table's columns, where the data have some. In Matplotlib's
    own style.

    Raises:
        InputError: some could not be drawn; names them, and the reason of the first. All others are there.
    """
    pictures = Pictures(folder)
    if len(history):
        pictures.draw("learning_curve", lambda path: learning_curve(history.columns(), path))
    pictures.draw("samples", lambda path: _draw_samples(model, image_shape, path))
    if not model.no_codes and test is not None:
        with pictures.sparing("latent space"):
            _draw_latent(model, test, labels, image_shape, pictures, class_names, names)
    elif model.latent_dim == 2 and not model.context_dim:  # (what a label does is shown beside a data point's)
        _draw_manifold(model.prior(), lambda z: model.decode(z).numpy(), image_shape, pictures)
    pictures.require_all()
    return pictures.paths


def _draw_manifold(
    p: Distribution, decode: Callable[[np.ndarray], np.ndarray], shape: tuple[int, ...] | None, pictures: Pictures
) -> None:
    """The manifold of a p(z) over two dimensions, or a p(z|y) of one label, if it is a Gaussian: by its quantiles."""

    def decode_quantiles(z: np.ndarray) -> np.ndarray:
        """Of N(0, I), ``(n, 2)``, in the place of which are those of p(z)."""
        with no_grad():
            return decode(p.transform(z.reshape(len(z), *p.shape)).numpy().reshape(z.shape))

    if isinstance(p, Normal):
        pictures.draw("manifold", lambda path: manifold(decode_quantiles, shape, path))


class Pictures:
    """The pictures of a run: each is drawn, or its name and the reason are kept for the end.

    Attributes:
        paths: of those that were drawn.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.paths = folder, []
        self._failed: dict[str, Exception] = {}

    def draw(self, name: str, draw: Callable[[Path], Figure]) -> None:
        """Have a picture drawn to the path of that name."""
        path = self.folder / f"{name}.png"
        with self.sparing(path.name), own_style():
            release(draw(path))
            self.paths.append(path)

    @contextmanager
    def sparing(self, name: str) -> Iterator[None]:
        """A ``with`` block whose failure costs what is named, and nothing else."""
        try:
            yield
        except Exception as error:
            self._failed[name] = error

    def require_all(self) -> None:
        """Raise :class:`InputError` if some failed."""
        for error in self._failed.values():
            first = "" if len(self._failed) == 1 else ", the first of them because"
            said = " ".join(str(error).split())
            raise InputError(f"not drawn: {', '.join(self._failed)}{first}: {said}") from error


def _draw_samples(model: Model, shape: tuple[int, ...] | None, path: Path) -> Figure:
    generator = backend.generator(EVALUATION_SEED, backend.backend_of(model.parameters()[0].data).name)
    if not model.context_dim:
        return samples(model.sample(generator, SAMPLES).numpy(), shape, path)
    told = np.repeat(np.arange(model.context_dim), SAMPLES_OF_A_LABEL)
    drawn = model.sample(generator, len(told), one_hot(told, model.context_dim)).numpy()
    return samples(drawn, shape, path, SAMPLES_OF_A_LABEL)


def _draw_latent(
    model: Model,
    test: Minibatches,
    labels: np.ndarray | None,
    shape: tuple[int, ...] | None,
    pictures: Pictures,
    class_names: Sequence[str] | None,
    names: Sequence[str] | None,
) -> None:
    """What there is to see of the latent space."""
    known = np.arange(len(test)) if labels is None else np.flatnonzero(labels >= 0)
    rows = np.random.default_rng(0).permutation(known if model.context_dim else len(test))[:POINTS]
    labels = None if len(known) < len(test) and not model.context_dim else labels
    x, context = test.batch(rows, backend.generator(EVALUATION_SEED, test.backend))
    x = model.raw(x)  # what is drawn is in the data's own units
    z = model.encode(x, context).numpy()
    pairs = min(len(rows) // 2, PAIRS)

    def decode(codes: np.ndarray) -> np.ndarray:
        """Of a model that is told a label, in company of the first data point's."""
        told = None if context is None or labels is None else test.one_hot(np.full(len(codes), labels[rows[0]]))
        return model.decode(backend.asarray(codes, test.dtype, test.backend), told).numpy()

    def rebuilt(n: int) -> np.ndarray:
        return model.reconstruct(x[:n], None if context is None else context[:n]).numpy()

    if isinstance(model, StateSpaceVAE):
        _draw_sequences(model, x[:SEQUENCES], shape, pictures)
    else:
        pictures.draw("reconstructions", lambda path: reconstructions(x.numpy()[:30], rebuilt(30), shape, path))
    if names is not None:
        table = x.numpy()[:SCATTERED]
        pictures.draw("columns", lambda path: columns(table, rebuilt(SCATTERED), names, path))
    told = (None, None) if labels is None else (labels[rows], class_names)
    pictures.draw("latent", lambda path: latent_scatter(z, told[0], path, class_names=told[1]))
    if pairs:
        ends = z[:pairs], z[pairs : 2 * pairs]
        pictures.draw(
            "interpolation", lambda path: interpolation(decode, *ends, shape, path, on_sphere=model.on_sphere)
        )
    if model.num_categories:
        used = model.num_categories
        pictures.draw("codebook", lambda path: codebook_usage(model.codes(x).numpy(), used, path))
    else:
        pictures.draw("traversals", lambda path: traversals(decode, z, shape, path, on_sphere=model.on_sphere))
    if model.latent_dim == 2:
        first = None if context is None else model.completed(x[:1], context[:1])
        _draw_manifold(model.prior(first), decode, shape, pictures)


def _draw_sequences(model: StateSpaceVAE, x: Tensor, shape: tuple[int, ...] | None, pictures: Pictures) -> None:
    """Each step beside the one before: whole sequences as their codes have them, and as they go on after the first."""
    steps, data = model.sequence_length, x.numpy()
    generator = backend.generator(EVALUATION_SEED, backend.backend_of(x.data).name)

    def draw(name: str, made: Callable[[], Tensor], seen: int) -> None:
        pictures.draw(name, lambda path: rollouts(data, made().numpy(), steps, seen, shape, path))

    seen = -(-steps // SEEN)
    draw("reconstructions", lambda: model.reconstruct(x), steps)
    draw("rollouts", lambda: model.rollout(x, seen, generator), seen)
