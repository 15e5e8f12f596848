"""Section 2.4, approach (2), over vectors: the elliptical distributions.

    x = mu + L z,

where z is spherical, that is, its density depends on its length alone, and L is a
triangular matrix. The surfaces of constant density are ellipsoids, with scale matrix
L L^T. A Gaussian z makes the Gaussian with full covariance; a Gaussian z over the root of
a Chi-squared variable (over its degrees of freedom) makes the multivariate Student's t.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

from .. import backend
from ..autodiff import (
    Tensor,
    as_tensor,
    broadcast_to,
    concatenate,
    exp,
    expand_dims,
    greater,
    matmul,
    square,
    squeeze,
    standard_normal,
    sum,
    uniform,
    where,
)
from ..errors import InputError
from .distribution import Distribution, parameter, register_kl
from .elementwise import broadcast_shapes, inside_unit
from .paper import LOG_2PI, StandardNormal
from .special import log_gammaincinv
from .student_t import student_t_entropy, student_t_log_density


class Elliptical(Distribution, ABC):
    """Base of the elliptical families; a family says how z is drawn and its density.

    Args:
        loc: mu, ``(..., event)``.
        factor: ``(..., event, event)``: below its diagonal that of L, on its diagonal
            the logarithms of L's. What is above is not used.
        others: further parameters, one for each vector, by name: of shapes that broadcast
            to the batch.

    Raises:
        InputError: ``factor`` is not square with the length of the event, or the shapes
            do not broadcast against each other.
    """

    def __init__(self, loc: Any, factor: Any, **others: Any) -> None:
        self.loc = self.like = parameter("loc", loc)
        self.factor = as_tensor(factor, self.loc, "factor")
        self.event = self.loc.shape[-1]
        if self.factor.shape[-2:] != (self.event, self.event):
            raise InputError(f"factor has shape {self.factor.shape}; expected (..., {self.event}, {self.event})")
        shapes = {"loc": self.loc.shape[:-1], "factor": self.factor.shape[:-2]}
        for name, value in others.items():
            value = as_tensor(value, self.loc, name)
            setattr(self, name, value)
            shapes[name] = value.shape
        self.batch = broadcast_shapes(shapes)
        self.shape = (*self.batch, self.event)

    @property
    def mean(self) -> Tensor:
        """mu, where the family has a mean."""
        return broadcast_to(self.loc, (*self.batch, self.event))

    @property
    def log_diagonal(self) -> Tensor:
        """The logarithms of L's diagonal, ``(..., event)``."""
        return sum(where(self._mask("eye"), self.factor, 0.0), axis=-1)

    @property
    def scale_tril(self) -> Tensor:
        """L, ``(..., event, event)``."""
        diagonal = exp(expand_dims(self.log_diagonal, -1))
        return where(self._mask("eye"), diagonal, where(self._mask("tri", k=-1), self.factor, 0.0))

    def _mask(self, name: str, **options: Any) -> Any:
        return getattr(self.factor.xp, name)(self.event, dtype=bool, **options)

    def transform(self, noise: Any) -> Tensor:
        """mu + L z."""
        z = self.spherical(self._as_noise(noise))
        return self.loc + squeeze(matmul(self.scale_tril, expand_dims(z, -1)), -1)

    def sample_with_log_prob(self, source: Any, n: int | None = None) -> tuple[Tensor, Tensor]:
        """A sample and its log_prob, without a system of equations."""
        noise = self._as_noise(self._noise(source, n))
        density = self.spherical_log_density(sum(square(self.spherical(noise)), axis=-1))
        return self.transform(noise), density - sum(self.log_diagonal, axis=-1)

    def log_prob(self, x: Any) -> Tensor:
        """log p of z = L^-1 (x - mu), less log |L|."""
        z = self.whiten(expand_dims(self._as_data(x) - self.loc, -1))
        return self.spherical_log_density(sum(square(z), axis=(-2, -1))) - sum(self.log_diagonal, axis=-1)

    def whiten(self, y: Tensor) -> Tensor:
        """L^-1 y, by forward substitution down the columns of ``y``, ``(..., event, columns)``."""
        matrix, inverse = self.scale_tril, expand_dims(exp(-self.log_diagonal), -1)
        rows = []
        for i in range(self.event):
            rows.append(y[..., i : i + 1, :] * inverse[..., i : i + 1, :])
            y = y - matrix[..., :, i : i + 1] * rows[-1]
        return concatenate(rows, axis=-2)

    def entropy(self) -> Tensor:
        """The entropy of z + log |L|."""
        return broadcast_to(sum(self.log_diagonal, axis=-1) + self.spherical_entropy(), self.batch)

    @abstractmethod
    def spherical(self, noise: Tensor) -> Tensor:
        """z from the noise."""

    @abstractmethod
    def spherical_log_density(self, squared: Tensor) -> Tensor:
        """log p(z) where |z|^2 = ``squared``."""

    @abstractmethod
    def spherical_entropy(self) -> Any:
        """The entropy of z."""


class MultivariateNormal(Elliptical):
    """N(mu, L L^T): the Gaussian with full covariance.

    Args:
        loc: mu, ``(..., event)``.
        factor: what L is made of, ``(..., event, event)``: see :class:`Elliptical`.
    """

    def __init__(self, loc: Any, factor: Any) -> None:
        super().__init__(loc, factor)

    def draw_noise(self, generator: backend.Generator, lead: tuple[int, ...] = ()) -> Tensor:
        """epsilon from N(0, I), of shape ``(*lead, *batch, event)``."""
        return standard_normal(generator, self._shape_of_draws(lead), self.loc.dtype)

    def spherical(self, noise: Tensor) -> Tensor:
        """epsilon."""
        return noise

    def spherical_log_density(self, squared: Tensor) -> Tensor:
        """-(|z|^2 + event log 2 pi) / 2."""
        return (squared + self.event * LOG_2PI) * -0.5

    def spherical_entropy(self) -> float:
        """event (1 + log 2 pi) / 2."""
        return self.event * (1 + LOG_2PI) / 2


@register_kl(MultivariateNormal, StandardNormal)
def _full_standard(q: MultivariateNormal, p: StandardNormal) -> Tensor:
    """1/2 (|L|^2 + |mu|^2 - event) - sum log L_ii, with the Frobenius norm of L."""
    squares = sum(square(q.scale_tril), axis=(-2, -1)) + sum(square(q.loc), axis=-1)
    return (squares - q.event) * 0.5 - sum(q.log_diagonal, axis=-1)


@register_kl(MultivariateNormal, MultivariateNormal)
def _full_full(q: MultivariateNormal, p: MultivariateNormal) -> Tensor:
    """1/2 (|K|^2 + |L'^-1 (mu - mu')|^2 - event) + sum log(L'_ii / L_ii), where K = L'^-1 L and ' is p's."""
    squares = sum(square(p.whiten(q.scale_tril)), axis=(-2, -1))
    squares = squares + sum(square(p.whiten(expand_dims(q.loc - p.loc, -1))), axis=(-2, -1))
    return (squares - q.event) * 0.5 + sum(p.log_diagonal - q.log_diagonal, axis=-1)


class MultivariateStudentT(Elliptical):
    """The multivariate Student's t: z = epsilon / sqrt(c / df), with c from Chi-squared(df).

    Args:
        log_df: the logarithm of the degrees of freedom, of a shape that broadcasts to the
            batch; up to 1 there is no mean (NaN).
        loc: mu, ``(..., event)``.
        factor: what L is made of, ``(..., event, event)``: see :class:`Elliptical`.
    """

    log_df: Tensor

    def __init__(self, log_df: Any, loc: Any, factor: Any) -> None:
        super().__init__(loc, factor, log_df=log_df)

    @property
    def mean(self) -> Tensor:
        """mu for df > 1, else none."""
        return where(expand_dims(greater(self.log_df, 0.0), -1), super().mean, math.nan)

    @property
    def centre(self) -> Tensor:
        """mu, the mode and, for df > 1, the mean."""
        return super().mean

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """``(*batch, event + 1)``."""
        return (*self.batch, self.event + 1)

    def draw_noise(self, generator: backend.Generator, lead: tuple[int, ...] = ()) -> Tensor:
        """epsilon from N(0, I) and a uniform number beside it, of shape ``(*lead, *batch, event + 1)``."""
        shape, dtype = self._shape_of_draws(lead)[:-1], self.loc.dtype
        gaussian = standard_normal(generator, (*shape, self.event), dtype)
        return concatenate([gaussian, uniform(generator, (*shape, 1), dtype)], axis=-1)

    def spherical(self, noise: Tensor) -> Tensor:
        """epsilon / sqrt(c / df), where c / 2 is the quantile of Gamma(df / 2, 1)."""
        log_c = log_gammaincinv(exp(self.log_df) * 0.5, inside_unit(noise[..., -1])) + math.log(2)
        return noise[..., :-1] * expand_dims(exp((self.log_df - log_c) * 0.5), -1)

    def spherical_log_density(self, squared: Tensor) -> Tensor:
        """log p(0) - (df + event) / 2 log(1 + |z|^2 / df)."""
        return student_t_log_density(self.log_df, squared, self.event)

    def spherical_entropy(self) -> Tensor:
        """(df + event) / 2 (psi((df + event) / 2) - psi(df / 2)) - log p(0)."""
        return student_t_entropy(self.log_df, self.event)
