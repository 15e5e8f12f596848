"""Pictures of a model and of its training: a figure of Matplotlib, written to PNG, SVG or PDF if a path is given.

Every function takes NumPy arrays and, where a decoder is needed, a callable from
an array ``(n, latent)`` to an array ``(n, data)`` of means; none knows about
tensors or models, so that the same pictures serve every model. Every function
returns the :class:`matplotlib.figure.Figure`, which belongs to no pyplot state;
with ``path`` it writes one file, whole or not at all. It raises
:class:`~minivae.errors.InputError` before writing anything if an array has the
wrong shape or is not finite, or if the file's suffix is not one of ``.png``,
``.svg`` and ``.pdf``. Everything fits on a page (6.5 x 9 inches).

With ``ax``, Axes of the user's own, they are drawn in it (but for ``columns``, which has many
panels): the learning curve without the panels of its terms, and small pictures in the room that
there is, smoothed, where in a figure of their own every pixel is a whole number of the screen's.

Where an argument ``image_shape`` is asked for, it is ``(height, width)`` for grey
images, ``(height, width, 3)`` for colour, and None for data that are no images:
their rows are drawn as stair-stepped curves, the components from left to right.
"""

from .codes import codebook_usage
from .columns import columns
from .curves import learning_curve
from .images import reconstructions, samples
from .latent import interpolation, latent_scatter, manifold, manifold_grid
from .rollouts import rollouts
from .traversals import traversals

__all__ = [
    "codebook_usage",
    "columns",
    "interpolation",
    "latent_scatter",
    "learning_curve",
    "manifold",
    "manifold_grid",
    "reconstructions",
    "rollouts",
    "samples",
    "traversals",
]
