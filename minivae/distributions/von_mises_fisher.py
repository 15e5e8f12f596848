"""The von Mises-Fisher distribution over unit vectors, and the uniform one.

    p(z) = C_m(kappa) e^(kappa mu^T z),    |z| = |mu| = 1, z in R^m

Densities are with respect to the area of the sphere, log |S| = log 2 + (m / 2) log pi - log Gamma(m / 2) in all, and
log C_m(kappa) = -log |S| - kappa - l(kappa), l of :mod:`.sphere_cumulants`. Davidson, Falorsi, De Cao, Kipf & Tomczak
2018, "Hyperspherical variational auto-encoders", arXiv 1804.00891, use it as a posterior; samples are Wood's (1994).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autodiff import (
    Tensor,
    absolute,
    arange,
    arcsinh,
    as_tensor,
    astype,
    broadcast_to,
    concatenate,
    constant_like,
    cos,
    equal,
    exp,
    expand_dims,
    expm1,
    greater,
    less,
    log,
    max,
    no_grad,
    norm,
    one_hot_of_largest,
    reshape,
    sqrt,
    square,
    standard_normal,
    sum,
    uniform,
    where,
)
from ..backend import Generator
from ..checks import instance, positive_integer
from ..errors import InputError
from .distribution import Distribution, parameter, register_kl
from .elementwise import broadcast_shapes, inside_unit
from .normalizing_flow import Householder
from .sphere_cumulants import log_mean_tilt

PROPOSALS = 26  # Wood's are accepted with a probability of 0.657 at least: all are refused once in 1e12 draws
OFF = 1e-3  # a point so far from the sphere is not on it


class VonMisesFisher(Distribution):
    """VonMisesFisher(loc, concentration): around the direction of ``loc``, the closer the larger ``concentration``.

    A draw is w = mu^T z, a direction across mu, and a mirror that takes the first axis to mu. For w Wood's proposals

        w = (1 - (1 + b) e) / (1 - (1 - b) e),    e ~ Beta((m - 1) / 2, (m - 1) / 2)

    are made ``PROPOSALS`` at once and the first that is accepted is taken, so that a step is the same work each time;
    if none is, the last. Which it is no path tells: through a sample leads the gradient of the proposal alone. What
    is missing has :meth:`sample_with_log_ratio` (and :func:`minivae.bounds.with_rejections`); without it the gradient
    of an expectation by ``concentration`` is biased, that by ``loc`` is not.

    Args:
        loc: a vector in the mean direction mu, of any length, ``(..., m)``; m is at least 2. Of length 0 it stands
            for the first axis.
        concentration: kappa >= 0, of a shape that broadcasts to the batch, ``(...)``; 0 is the uniform distribution.

    Attributes:
        direction: mu.
    """

    on_sphere = True

    def __init__(self, loc: Any, concentration: Any) -> None:
        loc = self.like = parameter("loc", loc)
        if loc.shape[-1] < 2:
            raise InputError(f"loc has shape {loc.shape}; expected vectors of at least 2 numbers")
        self.concentration = as_tensor(concentration, loc, "concentration")
        shapes = {"loc": loc.shape[:-1], "concentration": self.concentration.shape}
        self.batch, self.event = broadcast_shapes(shapes), loc.shape[-1]
        self.shape, self.direction = (*self.batch, self.event), unit(loc)

    @property
    def mean(self) -> Tensor:
        """A mu, inside the sphere."""
        along = self._tilt(1) + 1.0
        return expand_dims(along, -1) * self.direction

    @property
    def centre(self) -> Tensor:
        """mu."""
        return broadcast_to(self.direction, self.shape)

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """``(*batch, m - 1 + 3 PROPOSALS)``: of N(0, 1) a direction, then three uniform numbers for each proposal."""
        return (*self.batch, self.event - 1 + 3 * PROPOSALS)

    def draw_noise(self, generator: Generator, lead: tuple[int, ...] = ()) -> Tensor:
        """Gaussian and uniform numbers, of shape ``(*lead, *noise_shape)``."""
        shape, dtype = self._shape_of_draws(lead)[:-1], self.like.dtype
        across = standard_normal(generator, (*shape, self.event - 1), dtype)
        return concatenate([across, uniform(generator, (*shape, 3 * PROPOSALS), dtype)], axis=-1)

    def transform(self, noise: Any) -> Tensor:
        """z."""
        noise = self._as_noise(noise)
        return self._around(noise, self._accepted(noise))

    def sample_with_log_ratio(self, source: Any, n: int | None = None) -> tuple[Tensor, Tensor]:
        """A sample z = h(e), and the log of the density of w over that of the proposal at e, ``(..., *batch)``.

        With r(e) for that quotient, d E[f(z)] = E[df(z) + f(z) d log r(e)] (Naesseth, Ruiz, Linderman & Blei 2017,
        "Reparameterization gradients through acceptance-rejection sampling algorithms", Eq. 6).
        """
        noise = self._as_noise(self._noise(source, n))
        e = self._accepted(noise)
        log_b, log_d, below = self._at(e)
        log_ratio = (log_b * 0.5 - log_d) * (self.event - 1.0) - self.concentration * below - self._tilt()
        return self._around(noise, e), log_ratio

    def sample_with_log_prob(self, source: Any, n: int | None = None) -> tuple[Tensor, Tensor]:
        """A sample and its log_prob by 1 - w, which has more digits."""
        noise = self._as_noise(self._noise(source, n))
        e = self._accepted(noise)
        return self._around(noise, e), self._log_density(self._at(e)[2])

    def log_prob(self, x: Any) -> Tensor:
        """log C_m(kappa) + kappa mu^T x, for x on the sphere; -inf off it, farther than 1e-3."""
        x = self._as_data(x)
        off = greater(absolute(norm(x, axis=-1) - 1.0), OFF)
        below = sum(square(unit(x) - self.direction), axis=-1) * 0.5  # 1 - mu^T x without cancelling
        return where(off, -math.inf, self._log_density(below))

    def entropy(self) -> Tensor:
        """log |S| - KL(. || uniform)."""
        return broadcast_to(log_area(self.event) - _excess(self), self.batch)

    def _tilt(self, order: int = 0) -> Tensor:
        """l(kappa), or a derivative of it."""
        return log_mean_tilt(self.concentration, self.event, order)

    def _log_density(self, below: Tensor) -> Tensor:
        """log p where mu^T x = 1 - below."""
        return -self.concentration * below - self._tilt() - log_area(self.event)

    def _at(self, e: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return _proposal(self.concentration, e, self.event)

    def _accepted(self, noise: Tensor) -> Tensor:
        """e of the first proposal that is accepted, ``(..., *batch)``: numbers on which no gradient depends."""
        with no_grad():
            u = inside_unit(reshape(noise[..., self.event - 1 :], *noise.shape[:-1], 3, PROPOSALS))
            # One of the coordinates of a uniform direction in R^m is 1 - 2 e (Ulrich 1984).
            radius = 1.0 if self.event == 2 else sqrt(-expm1(log(u[..., 0, :]) * (2.0 / (self.event - 2))))
            e = inside_unit((1.0 - cos(u[..., 1, :] * (2 * math.pi)) * radius) * 0.5)
            kappa = expand_dims(self.concentration, -1)
            log_b, log_d, below = _proposal(kappa, e, self.event)
            b = exp(log_b)
            rest = b * 2.0 / (1.0 + b)  # 1 - x_0, in Wood's words
            log_accept = kappa * (rest - below) - (log(rest) - log_b + log_d) * (self.event - 1.0)
            last = equal(arange(PROPOSALS, like=e), PROPOSALS - 1.0)
            taken = where(last, 1.0, astype(less(log(u[..., 2, :]), log_accept), e.dtype))
            return sum(one_hot_of_largest(taken) * e, axis=-1)

    def _around(self, noise: Tensor, e: Tensor) -> Tensor:
        """z with this e, in the direction that the noise has across mu."""
        log_b, log_d, below = self._at(e)
        sine = exp(log_b * 0.5 - log_d) * (sqrt(e * (1.0 - e)) * 2.0)
        across = unit(noise[..., : self.event - 1]) * expand_dims(sine, -1)
        along = expand_dims(1.0 - below, -1)
        # Of the mirrors that take the first axis to mu or to -mu that in the plane across the longer of e_1 + mu and
        # e_1 - mu: of the other nothing may be left.
        sign = 1.0 - astype(less(self.direction[..., :1], 0.0), e.dtype) * 2.0
        mirror = Householder(self.direction * sign + first_axis(self.like))
        return mirror.forward(concatenate([along, across], axis=-1))[0] * -sign


class UniformOnSphere(VonMisesFisher):
    """The uniform distribution over the unit sphere in R^size.

    Args:
        size: m, at least 2.
        like: a tensor whose dtype and backend it takes.
    """

    def __init__(self, size: int, like: Tensor) -> None:
        if positive_integer("size", size) < 2:
            raise InputError(f"size is {size}; expected at least 2")
        instance("like", like, Tensor, "a Tensor")
        super().__init__(constant_like(like, 0.0, (size,)), constant_like(like, 0.0))


def _proposal(kappa: Tensor, e: Tensor, m: int) -> tuple[Tensor, Tensor, Tensor]:
    """log b, log d and 1 - w = 2 b e / d, where b = sqrt(1 + r^2) - r, r = 2 kappa / (m - 1), d = 1 - e + b e."""
    log_b = -arcsinh(kappa * (2.0 / (m - 1)))
    b = exp(log_b)
    d = (1.0 - e) + b * e
    return log_b, log(d), b * e * 2.0 / d


def unit(x: Tensor) -> Tensor:
    """x / |x|, over the last axis; where x is 0 (or as good as), the first axis."""
    with no_grad():
        largest = max(absolute(x), axis=-1, keepdims=True)  # beside which no square is too large or too small
        zero = less(largest, float(np.finfo(x.dtype).tiny))
        scale = where(zero, 1.0, largest)
    x = where(zero, first_axis(x), x / scale)
    return x / norm(x, axis=-1, keepdims=True)


def first_axis(like: Tensor) -> Tensor:
    """(1, 0, ..., 0), as long as the last axis."""
    return astype(equal(arange(like.shape[-1], like=like), 0.0), like.dtype)


def log_area(m: int) -> float:
    """log |S| of the unit sphere in R^m."""
    return math.log(2) + m / 2 * math.log(math.pi) - math.lgamma(m / 2)


def _excess(q: VonMisesFisher) -> Tensor:
    """kappa A + log C_m(kappa) + log |S| = kappa l' - l."""
    return q.concentration * q._tilt(1) - q._tilt()


@register_kl(VonMisesFisher, UniformOnSphere)
def _concentrated_uniform(q: VonMisesFisher, p: UniformOnSphere) -> Tensor:
    """kappa A + log C_m(kappa) + log |S|."""
    return broadcast_to(_excess(q), q.batch)


@register_kl(VonMisesFisher, VonMisesFisher)
def _concentrated_concentrated(q: VonMisesFisher, p: VonMisesFisher) -> Tensor:
    """The same, less kappa' A mu'^T mu + log C_m(kappa') + log |S|, with ' for p."""
    slope = q._tilt(1)
    apart = sum(square(q.direction - p.direction), axis=-1) * 0.5
    return q.concentration * slope - q._tilt() + p._tilt() + p.concentration * ((slope + 1.0) * apart - slope)
