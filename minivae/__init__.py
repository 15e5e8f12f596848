"""minivae: Auto-Encoding Variational Bayes (arXiv 1312.6114) from first principles.

    import minivae as mv
    mv.grad(lambda x: mv.exp(x).sum())([0.0, 1.0])

The engine's functions are here; everything else is in the subpackages: ``nn``,
``distributions``, ``bounds``, ``models``, ``optim``, ``training``, ``inference``,
``runs``, ``datasets`` and ``plots``.
"""

from . import signals  # first: it answers for the command while all else is imported

# isort: split
from . import autodiff, backend, bounds, datasets, distributions, inference, models, nn, optim, plots, runs, training
from .autodiff import *  # noqa: F403
from .compiler import compile
from .datasets import Dataset
from .gradcheck import GradientReport, check_gradients
from .training import fit
from .version import __version__
