"""Likelihoods p(x|z) beyond the paper's two, for tables, counts and grey levels.

Each is a decoder with a head for each parameter of a distribution. A user's own is a subclass of :class:`Likelihood`.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from ..autodiff import Tensor, softplus
from ..autodiff.shape import shaped
from ..backend import Generator
from ..checks import finite_number, positive_integer
from ..datasets.domain import COUNTS, LEVELS, REAL, Domain
from ..datasets.domain import categories as categories_domain
from ..distributions import (
    Categories,
    DiscretizedLogistic,
    Distribution,
    Laplace,
    LogCosh,
    NegativeBinomial,
    Poisson,
    StudentT,
    ZeroInflatedNegativeBinomial,
)
from ..errors import InputError, shown
from ..nn.mlp import HiddenLayers


class Likelihood(HiddenLayers):
    """Hidden layers, and a linear head for each parameter of a distribution over x.

    Args:
        inputs, hidden, outputs: sizes; ``hidden`` may name any number of layers.
        generator: draws the initial weights.
        log_scale_floor: what the logarithm of a scale is kept above; for densities alone.
        options: ``activation`` of the hidden layers and options of ``Linear``.

    Attributes:
        heads: the names of the parameters, in the order in which :meth:`distribution` takes them.
        domain: the values that x may have.
        width: how many numbers a head has for each element of x.
    """

    heads: tuple[str, ...]
    domain: Domain = REAL
    width: int = 1

    def __init__(
        self,
        inputs: int,
        hidden: Sequence[int],
        outputs: int,
        generator: Generator,
        *,
        log_scale_floor: float | None = None,
        **options: Any,
    ) -> None:
        numbers = positive_integer("outputs", outputs) * self.width
        super().__init__(inputs, hidden, dict.fromkeys(self.heads, numbers), generator, **options)
        self.inputs = inputs
        self.log_scale_floor = None if log_scale_floor is None else finite_number("log_scale_floor", log_scale_floor)

    def __call__(self, z: Any) -> Distribution:
        """``(..., inputs)`` -> a distribution over ``(..., outputs)``."""
        h = self.hidden(shaped("z", z, getattr(self, self.heads[0]).weight, ..., self.inputs))
        return self.distribution(*(getattr(self, head)(h) for head in self.heads))

    def distribution(self, *parameters: Tensor) -> Distribution:
        """p(x|z) from the heads' outputs."""
        raise NotImplementedError

    def kept_above(self, log_scale: Tensor) -> Tensor:
        """The logarithm of a scale, kept smoothly above ``log_scale_floor``."""
        floor = self.log_scale_floor
        return log_scale if floor is None else softplus(log_scale - floor) + floor


def require_likelihood(kind: type) -> None:
    """Check that a class of the user's own has what a model asks of a likelihood, before anything is made of it.

    Raises:
        InputError: it does not derive from :class:`Likelihood`, lacks ``heads``, ``distribution`` or a domain, or
            asks for arguments that no model has.
    """
    what = f"likelihood is {shown(kind)}"
    if not (inspect.isclass(kind) and issubclass(kind, Likelihood)):
        raise InputError(f"{what}; expected a name, or a class that derives from {Likelihood.__module__}.Likelihood")
    heads = getattr(kind, "heads", None)
    if not isinstance(heads, tuple | list) or not heads or kind.distribution is Likelihood.distribution:
        raise InputError(f'{what}; expected heads = ("name", ...) in it, and distribution(self, name, ...)')
    if not isinstance(kind.domain, Domain):
        raise InputError(f"{what}, whose domain is {shown(kind.domain)}; expected one of minivae.datasets.domain")
    options = dict.fromkeys(("log_scale_floor", "activation", "init", "dtype", "backend"))
    try:
        inspect.signature(kind).bind(*("inputs", "hidden", "outputs", "generator"), **options)
    except TypeError as error:
        raise InputError(f"{what}; expected a constructor that takes what Likelihood's does: {error}") from error


class LaplaceMLP(Likelihood):
    """Laplace(mu, b) for each x_i: errors are counted by their size, not by their square."""

    heads = ("loc", "log_scale")

    def distribution(self, loc: Tensor, log_scale: Tensor) -> Distribution:
        """p(x|z)."""
        return Laplace(loc, self.kept_above(log_scale))


class LogCoshMLP(Likelihood):
    """LogCosh(mu, s) with a = 10 for each x_i: small errors are counted by their square, large ones by their size."""

    heads = ("loc", "log_scale")

    def distribution(self, loc: Tensor, log_scale: Tensor) -> Distribution:
        """p(x|z)."""
        return LogCosh(loc, self.kept_above(log_scale))


class StudentTMLP(Likelihood):
    """Student's t for each x_i, its degrees of freedom learned: outliers do not move the rest."""

    heads = ("loc", "log_scale", "log_df")

    def distribution(self, loc: Tensor, log_scale: Tensor, log_df: Tensor) -> Distribution:
        """p(x|z)."""
        return StudentT(log_df, loc, self.kept_above(log_scale))


class PoissonMLP(Likelihood):
    """Poisson(rate) for counts."""

    heads, domain = ("log_rate",), COUNTS

    def distribution(self, log_rate: Tensor) -> Distribution:
        """p(x|z)."""
        return Poisson(log_rate)


class NegativeBinomialMLP(Likelihood):
    """Negative binomial, for counts that vary more than Poisson's."""

    heads, domain = ("log_mean", "log_concentration"), COUNTS

    def distribution(self, log_mean: Tensor, log_concentration: Tensor) -> Distribution:
        """p(x|z)."""
        return NegativeBinomial(log_mean, log_concentration)


class ZeroInflatedMLP(Likelihood):
    """Negative binomial with more zeros, for counts of which some are missed."""

    heads, domain = ("log_mean", "log_concentration", "logits"), COUNTS

    def distribution(self, log_mean: Tensor, log_concentration: Tensor, logits: Tensor) -> Distribution:
        """p(x|z)."""
        return ZeroInflatedNegativeBinomial(log_mean, log_concentration, logits)


class DiscretizedLogisticMLP(Likelihood):
    """A logistic distribution cut into the 256 grey levels of a picture."""

    heads, domain = ("loc", "log_scale"), LEVELS

    def distribution(self, loc: Tensor, log_scale: Tensor) -> Distribution:
        """p(x|z)."""
        return DiscretizedLogistic(loc, self.kept_above(log_scale))


class CategoricalMLP(Likelihood):
    """Numbers of categories, 0 to K - 1 in each column.

    Args:
        categories: K.
        layers, options: as of :class:`Likelihood`.
    """

    heads, domain = ("logits",), COUNTS  # of an object those below categories alone

    def __init__(self, *layers: Any, categories: int, **options: Any) -> None:
        self.width = positive_integer("categories", categories)
        self.domain = categories_domain(self.width)
        super().__init__(*layers, **options)

    def distribution(self, logits: Tensor) -> Distribution:
        """p(x|z)."""
        return Categories(logits, self.width)


LIKELIHOODS: dict[str, type[Likelihood]] = {
    "laplace": LaplaceMLP,
    "log-cosh": LogCoshMLP,
    "student-t": StudentTMLP,
    "poisson": PoissonMLP,
    "negative-binomial": NegativeBinomialMLP,
    "zero-inflated": ZeroInflatedMLP,
    "categorical": CategoricalMLP,
    "discretized-logistic": DiscretizedLogisticMLP,
}
