"""The table of families: how to make one at random, and its oracle in SciPy.

Every test of this folder that is not about one family runs over this table, so a new
family is tested by adding its row; ``test_every_family_has_a_row`` asks for it.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special, stats

from minivae import distributions as d
from minivae.autodiff import Tensor, tensor
from minivae.distributions import Bernoulli, Distribution, Normal, StandardNormal

from .vectors import OneHot, Vectors


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
        independent: whether the elements of the event are.
        moments: whether there are a mean and a variance.
        flat: whether log_prob has no gradient by x or by a parameter.
        kinked: whether the density has a kink at its mean.
    """

    parameters: Callable[[np.random.Generator, tuple[int, ...]], tuple[np.ndarray, ...]]
    make: Callable[..., Distribution]
    oracle: Callable[..., Any]
    data: Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
    trained: bool = True
    continuous: bool = True
    independent: bool = True
    moments: bool = True
    flat: bool = False
    kinked: bool = False

    def random(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: str = "float64", backend: str = "numpy"):
        """A random distribution of this family on a backend, and its oracle."""
        arrays = self.parameters(rng, shape)
        return self.make(*as_tensors(arrays, dtype, backend)), self.oracle(*arrays)

    def log_prob(self, oracle: Any, x: np.ndarray) -> np.ndarray:
        """The oracle's log density or log probability, over the event axis."""
        return (oracle.logpdf(x) if self.continuous else oracle.logpmf(x)).sum(-1)


def as_tensors(arrays: tuple, dtype: str = "float64", backend: str = "numpy") -> list[Tensor]:
    return [tensor(array, dtype, backend) for array in arrays]


def normal_data(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.normal(0, 2, shape)


def positive(low: float, high: float) -> Callable:
    """Parameters given through their logarithms."""
    return lambda rng, shape: np.log(rng.uniform(low, high, shape))


def between(low: float, high: float) -> Callable:
    return lambda rng, shape: rng.uniform(low, high, shape)


def each(*draws: Callable) -> Callable:
    """One array for each parameter."""
    return lambda rng, shape: tuple(draw(rng, shape) for draw in draws)


def on_the_line(make: Callable, oracle: Any, low: float = 0.3, high: float = 2.0, **options: Any) -> Family:
    """A row for a location and a scale between ``low`` and ``high``."""
    return Family(
        parameters=each(normal_data, positive(low, high)),
        make=make,
        oracle=lambda loc, log_scale: oracle(loc, np.exp(log_scale)),
        data=normal_data,
        **options,
    )


def lower_triangular(factor: np.ndarray) -> np.ndarray:
    diagonal = np.exp(np.einsum("...ii->...i", factor))
    return np.tril(factor, -1) + diagonal[..., None] * np.eye(factor.shape[-1])


def scale_matrix(factor: np.ndarray) -> np.ndarray:
    matrix = lower_triangular(factor)
    return matrix @ np.swapaxes(matrix, -1, -2)


def factors(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.normal(0, 0.5, (*shape, shape[-1])) / np.sqrt(shape[-1])


class _LogCosh(stats.rv_continuous):
    """cosh(a z)^(-1 / a) / integral: 2 a z is the logit of a Beta(s, s) variable, s = 1 / (2 a)."""

    def _logpdf(self, x, a):
        cosh = np.logaddexp(a * x, -a * x) - np.log(2)
        return -cosh / a - special.betaln(0.5, 0.5 / a) + np.log(a)

    def _pdf(self, x, a):
        return np.exp(self._logpdf(x, a))

    def _cdf(self, x, a):
        low = special.betainc(0.5 / a, 0.5 / a, special.expit(-2 * a * np.abs(x)))  # (near 1 there are no more digits)
        return np.where(x < 0, low, 1 - low)

    def _sf(self, x, a):
        return self._cdf(-x, a)

    def _ppf(self, q, a):
        low = special.logit(special.betaincinv(0.5 / a, 0.5 / a, np.minimum(q, 1 - q))) / (2 * a)
        return np.where(q < 0.5, low, -low)

    def _isf(self, q, a):
        return -self._ppf(q, a)

    def _stats(self, a):
        return 0.0, special.polygamma(1, 0.5 / a) / (2 * a**2), 0.0, None

    def _entropy(self, a):
        beta = stats.beta(0.5 / a, 0.5 / a)  # and what its logit over 2 a adds to it
        return beta.entropy() - np.log(2 * a) - 2 * (special.digamma(0.5 / a) - special.digamma(1 / a))


LOG_COSH = _LogCosh(name="log_cosh")


def in_two(mean: Tensor, log_var: Tensor) -> d.Product:
    """A Gaussian whose first element is one part of a product, and whose others are another."""
    cuts = [slice(0, 1), slice(1, None)][: mean.shape[-1]]
    return d.Product([d.Normal(mean[..., cut], log_var[..., cut]) for cut in cuts])


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
    d.Residual: Family(
        parameters=each(normal_data, between(-1, 1), normal_data, between(-1, 1)),
        make=lambda mean, log_var, shift, log_ratio: d.Residual(Normal(mean, log_var), shift, log_ratio),
        oracle=lambda mean, log_var, shift, ratio: stats.norm(mean + shift, np.exp((log_var + ratio) / 2)),
        data=normal_data,
    ),
    Bernoulli: Family(
        parameters=lambda rng, shape: (rng.normal(0, 2, shape),),
        make=Bernoulli,
        oracle=lambda logits: stats.bernoulli(special.expit(logits)),
        data=lambda rng, shape: rng.integers(0, 2, shape).astype(np.float64),
        continuous=False,
    ),
    d.Exponential: Family(
        parameters=each(positive(0.5, 3)),
        make=d.Exponential,
        oracle=lambda log_rate: stats.expon(scale=np.exp(-log_rate)),
        data=between(0.6, 4),
    ),
    d.Cauchy: on_the_line(d.Cauchy, stats.cauchy, moments=False),
    d.Gumbel: on_the_line(d.Gumbel, stats.gumbel_r, 0.7, 1.4),  # KL grows steeply with the ratio of scales
    d.Laplace: on_the_line(d.Laplace, stats.laplace, kinked=True),
    d.Logistic: on_the_line(d.Logistic, stats.logistic),
    d.LogCosh: Family(
        parameters=each(normal_data, positive(0.3, 2), positive(0.4, 12)),
        make=d.LogCosh,
        oracle=lambda loc, log_scale, log_a: LOG_COSH(np.exp(log_a), loc, np.exp(log_scale)),
        data=normal_data,
    ),
    d.Rayleigh: Family(
        parameters=each(positive(0.5, 3)),
        make=d.Rayleigh,
        oracle=lambda log_scale: stats.rayleigh(scale=np.exp(log_scale)),
        data=between(0.6, 4),
    ),
    d.Pareto: Family(
        parameters=each(positive(9, 20), positive(0.2, 0.5)),
        make=d.Pareto,
        oracle=lambda log_a, log_scale: stats.pareto(np.exp(log_a), scale=np.exp(log_scale)),
        data=between(0.6, 4),
    ),
    d.Weibull: Family(
        parameters=each(positive(0.8, 4), positive(0.5, 2)),
        make=d.Weibull,
        oracle=lambda log_k, log_scale: stats.weibull_min(np.exp(log_k), scale=np.exp(log_scale)),
        data=between(0.6, 4),
    ),
    d.Reciprocal: Family(
        parameters=each(between(-2, -1), positive(3, 4)),
        make=d.Reciprocal,
        oracle=lambda loc, log_scale: stats.reciprocal(np.exp(loc), np.exp(loc + np.exp(log_scale))),
        data=between(0.6, 2.5),
        flat=True,
    ),
    d.Gompertz: Family(
        parameters=each(positive(0.1, 5), positive(0.3, 1)),
        make=d.Gompertz,
        oracle=lambda log_c, log_rate: stats.gompertz(np.exp(log_c), scale=np.exp(-log_rate)),
        data=between(0.6, 4),
    ),
    d.Gamma: Family(
        parameters=each(positive(0.3, 5), positive(0.5, 2)),
        make=d.Gamma,
        oracle=lambda log_a, log_rate: stats.gamma(np.exp(log_a), scale=np.exp(-log_rate)),
        data=between(0.6, 4),
    ),
    d.Erlang: Family(
        parameters=each(positive(0.5, 2)),
        make=lambda log_rate: d.Erlang(3, log_rate),
        oracle=lambda log_rate: stats.erlang(3, scale=np.exp(-log_rate)),
        data=between(0.6, 4),
    ),
    d.SumOfExponentials: Family(
        parameters=each(positive(0.5, 2)),
        make=lambda log_rate: d.SumOfExponentials(3, log_rate),
        oracle=lambda log_rate: stats.erlang(3, scale=np.exp(-log_rate)),
        data=between(0.6, 4),
    ),
    d.Chi2: Family(
        parameters=each(positive(1, 10)),
        make=d.Chi2,
        oracle=lambda log_df: stats.chi2(np.exp(log_df)),
        data=between(0.6, 4),
    ),
    d.Uniform: Family(
        parameters=each(between(-3, -2), positive(5, 7)),
        make=d.Uniform,
        oracle=lambda loc, log_scale: stats.uniform(loc, np.exp(log_scale)),
        data=between(-1.8, 1.8),
        flat=True,
    ),
    d.Triangular: Family(
        parameters=each(between(-3, -2), positive(5, 7), normal_data),
        make=d.Triangular,
        oracle=lambda loc, log_scale, logit: stats.triang(special.expit(logit), loc, np.exp(log_scale)),
        data=between(-1.7, 1.9),
    ),
    d.StudentT: Family(
        parameters=each(positive(9, 30), normal_data, positive(0.3, 2)),
        make=d.StudentT,
        oracle=lambda log_df, loc, log_scale: stats.t(np.exp(log_df), loc, np.exp(log_scale)),
        data=normal_data,
    ),
    d.LogNormal: Family(
        parameters=each(between(-1, 1), positive(0.02, 0.2)),
        make=d.LogNormal,
        oracle=lambda loc, log_var: stats.lognorm(np.exp(log_var / 2), scale=np.exp(loc)),
        data=between(0.6, 4),
    ),
    d.Beta: Family(
        parameters=each(positive(1, 5), positive(1, 5)),
        make=d.Beta,
        oracle=lambda log_a, log_b: stats.beta(np.exp(log_a), np.exp(log_b)),
        data=between(0.05, 0.95),
    ),
    d.FisherF: Family(
        parameters=each(positive(2, 8), positive(20, 40)),
        make=d.FisherF,
        oracle=lambda log_df1, log_df2: stats.f(np.exp(log_df1), np.exp(log_df2)),
        data=between(0.6, 4),
    ),
    d.Dirichlet: Family(
        parameters=each(positive(0.5, 5)),
        make=d.Dirichlet,
        oracle=lambda log_a: Vectors.dirichlet(np.exp(log_a)),
        data=lambda rng, shape: rng.dirichlet(np.full(shape[-1], 3.0), shape[:-1]),
        independent=False,
    ),
    d.Product: Family(
        parameters=each(normal_data, positive(0.3, 4)),
        make=in_two,
        oracle=lambda mean, log_var: stats.norm(mean, np.exp(log_var / 2)),
        data=normal_data,
    ),
    d.Categorical: Family(
        parameters=each(normal_data),
        make=d.Categorical,
        oracle=OneHot,
        data=lambda rng, shape: np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])],
        continuous=False,
        independent=False,
    ),
    d.MultivariateNormal: Family(
        parameters=each(normal_data, factors),
        make=d.MultivariateNormal,
        oracle=lambda loc, factor: Vectors.normal(loc, scale_matrix(factor)),
        data=normal_data,
        independent=False,
    ),
    d.MultivariateStudentT: Family(
        parameters=lambda rng, shape: (
            positive(9, 30)(rng, shape[:-1]),
            normal_data(rng, shape),
            factors(rng, shape),
        ),
        make=d.MultivariateStudentT,
        oracle=lambda log_df, loc, factor: Vectors.student_t(np.exp(log_df), loc, scale_matrix(factor)),
        data=normal_data,
        independent=False,
    ),
}


def mirrored(mean: Tensor, log_var: Tensor, v: Tensor) -> d.HouseholderFlow:
    """A Gaussian behind one mirror."""
    return d.HouseholderFlow(d.Normal(mean, log_var), [d.Householder(v)])


def mirrored_oracle(mean: np.ndarray, log_var: np.ndarray, v: np.ndarray) -> Vectors:
    """That of the mirror as a matrix, I - 2 v v^T / |v|^2."""
    turn = np.eye(v.shape[-1]) - 2 * v[..., :, None] * v[..., None, :] / np.square(v).sum(-1)[..., None, None]
    covariance = (turn * np.exp(log_var)[..., None, :]) @ np.swapaxes(turn, -1, -2)
    return Vectors.normal((turn @ mean[..., None])[..., 0], covariance)


def directions(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Unit vectors."""
    drawn = rng.normal(size=shape)
    return drawn / np.linalg.norm(drawn, axis=-1, keepdims=True)


def around(loc: np.ndarray, concentration: np.ndarray) -> Vectors:
    """SciPy's distribution over unit vectors, around the direction of each."""
    mu = loc / np.linalg.norm(loc, axis=-1, keepdims=True)
    return Vectors(lambda m, k: stats.vonmises_fisher(m, float(k)), stats.norm(mu, 1), mu, concentration)


class _AnyDirection:
    """SciPy's uniform directions, and their density: 1 over the area of the sphere."""

    def __init__(self, like: np.ndarray) -> None:
        m = like.size
        self.rvs = stats.uniform_direction(m).rvs
        self._log_p = special.gammaln(m / 2) - np.log(2) - m / 2 * np.log(np.pi)

    def logpdf(self, x: np.ndarray) -> np.ndarray:
        return np.full(x.shape[:-1], self._log_p)


# With those that have no entropy here, or are over unit vectors, but have a KL in closed form.
WITH_KL = {
    **FAMILIES,
    d.VonMisesFisher: Family(
        parameters=lambda rng, shape: (rng.normal(0, 2, shape), rng.uniform(0.5, 9, shape[:-1])),
        make=d.VonMisesFisher,
        oracle=around,
        data=directions,
        independent=False,
    ),
    d.UniformOnSphere: Family(
        parameters=lambda rng, shape: (np.zeros(shape),),
        make=lambda like: d.UniformOnSphere(like.shape[-1], like),
        oracle=lambda like: Vectors(_AnyDirection, stats.norm(np.zeros(like.shape[-1]), 1), np.zeros(like.shape[-1])),
        data=directions,
        trained=False,
        independent=False,
    ),
    d.HouseholderFlow: Family(
        parameters=each(normal_data, positive(0.3, 4), normal_data),
        make=mirrored,
        oracle=mirrored_oracle,
        data=normal_data,
        independent=False,
    ),
}


def discovered() -> Iterator[type[Distribution]]:
    """Every family that the package defines, in whatever file; not their abstract bases.

    Nor what has no entropy in closed form (a flow, a point): that has tests of its own, and no oracle in SciPy. Nor
    what is over unit vectors, whose elements have no distribution that SciPy knows.
    """
    for module in pkgutil.iter_modules(d.__path__, "minivae.distributions."):
        importlib.import_module(module.name)
    pending = [Distribution]
    while pending:
        for family in pending.pop().__subclasses__():
            pending.append(family)
            closed = not inspect.isabstract(family) and family.entropy is not Distribution.entropy
            if family.__module__.startswith("minivae.") and closed and not family.on_sphere:
                yield family
