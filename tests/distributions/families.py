"""The table of families: how to make one at random, and its oracle in SciPy.

Every test of this folder that is not about one family runs over this table, so a new
family is tested by adding its row; ``test_every_family_has_a_row`` asks for it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special, stats

from minivae import distributions
from minivae.autodiff import Tensor, tensor
from minivae.distributions import Bernoulli, Distribution, Normal, StandardNormal


@dataclass(frozen=True)
class Family:
    """A row of the table.

    Attributes:
        parameters: ``(rng, shape)`` -> random float64 parameters for that shape.
        make: the distribution from its parameters, as tensors.
        oracle: SciPy's frozen distribution from its parameters, as arrays; each element
            of the event by itself.
        data: ``(rng, shape)`` -> points at which log_prob is to be evaluated.
        trained: whether the parameters have gradients.
        continuous: whether log_prob is a density and samples have gradients.
    """

    parameters: Callable[[np.random.Generator, tuple[int, ...]], tuple[np.ndarray, ...]]
    make: Callable[..., Distribution]
    oracle: Callable[..., Any]
    data: Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
    trained: bool = True
    continuous: bool = True

    def random(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: str = "float64", library: str = "numpy"):
        """A random distribution of this family on a library, and its oracle."""
        arrays = self.parameters(rng, shape)
        return self.make(*as_tensors(arrays, dtype, library)), self.oracle(*arrays)

    def log_prob(self, oracle: Any, x: np.ndarray) -> np.ndarray:
        """The oracle's log density or log probability, over the event axis."""
        return (oracle.logpdf(x) if self.continuous else oracle.logpmf(x)).sum(-1)


def as_tensors(arrays: tuple, dtype: str = "float64", library: str = "numpy") -> list[Tensor]:
    return [tensor(array, dtype, library) for array in arrays]


def normal_data(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.normal(0, 2, shape)


FAMILIES: dict[type[Distribution], Family] = {
    Normal: Family(
        parameters=lambda rng, shape: (rng.normal(0, 2, shape), rng.normal(0, 1.5, shape)),
        make=Normal,
        oracle=lambda mean, log_var: stats.norm(mean, np.exp(log_var / 2)),
        data=normal_data,
    ),
    StandardNormal: Family(
        parameters=lambda rng, shape: (np.zeros(shape),),
        make=lambda like: StandardNormal(like.shape[-1], like),
        oracle=lambda like: stats.norm(np.zeros(like.shape[-1]), 1),
        data=normal_data,
        trained=False,
    ),
    Bernoulli: Family(
        parameters=lambda rng, shape: (rng.normal(0, 2, shape),),
        make=Bernoulli,
        oracle=lambda logits: stats.bernoulli(special.expit(logits)),
        data=lambda rng, shape: rng.integers(0, 2, shape).astype(np.float64),
        continuous=False,
    ),
}


def discovered() -> Iterator[type[Distribution]]:
    """Every family that the package defines, in whatever file."""
    for module in pkgutil.iter_modules(distributions.__path__, "minivae.distributions."):
        importlib.import_module(module.name)
    pending = [Distribution]
    while pending:
        for family in pending.pop().__subclasses__():
            pending.append(family)
            if family.__module__.startswith("minivae."):
                yield family
