"""Normalizing flows: a Gaussian in steps whose Jacobians' determinants are cheap.

    z_t = f_t(z_{t-1}),    log q(z_T) = log N(z_0) - sum_t log |det df_t / dz_{t-1}|

Rezende & Mohamed 2015, "Variational inference with normalizing flows", arXiv 1505.05770, Eq. 13, with planar (Eq. 10)
and radial (Eq. 14) steps; Tomczak & Welling 2016, "Improving variational auto-encoders using Householder flow", arXiv
1611.09630; affine coupling of Dinh et al. 2017, "Density estimation using Real NVP", arXiv 1605.08803. The numbers of
a step may be of each data point, ``(*batch, ...)``. Every step has its inverse, so that a flow has a density anywhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autodiff import (
    Tensor,
    absolute,
    broadcast_to,
    concatenate,
    equal,
    exp,
    greater,
    log,
    no_grad,
    norm,
    softplus,
    sqrt,
    square,
    squeeze,
    sum,
    tanh,
    where,
)
from ..autodiff.shape import shaped
from ..checks import function, instance, sequence
from .distribution import parameter, register_kl
from .flow import Pushforward
from .paper import Normal, StandardNormal, _normal_standard


class FlowStep(ABC):
    """Base of the invertible maps of vectors; a map writes ``forward`` and ``backward``.

    Attributes:
        like: a tensor whose dtype and backend vectors take.
        event: their length; None for any.
    """

    like: Tensor
    event: int | None = None

    def __call__(self, z: Any) -> tuple[Tensor, Any]:
        """f(z), ``(..., event)``, and log |det df/dz|, ``(...)``."""
        return self.forward(shaped("z", z, self.like, ..., self.event))

    def inverse(self, y: Any) -> tuple[Tensor, Any]:
        """The z that f takes to ``y``, and log |det df/dz| there."""
        return self.backward(shaped("y", y, self.like, ..., self.event))

    @abstractmethod
    def forward(self, z: Tensor) -> tuple[Tensor, Any]:
        """What is called."""

    @abstractmethod
    def backward(self, y: Tensor) -> tuple[Tensor, Any]:
        """Its inverse."""


class NormalizingFlow(Pushforward):
    """What a Gaussian becomes in invertible steps.

    Args:
        base: the distribution of z_0, ``(..., event)``.
        steps: each a :class:`FlowStep`.
    """

    kind: type = FlowStep  # of a step

    def __init__(self, base: Normal, steps: Sequence[FlowStep]) -> None:
        super().__init__(base)
        self.steps = sequence("steps", steps, "a list of FlowSteps")
        for i, step in enumerate(self.steps):
            instance(f"steps[{i}]", step, self.kind, f"a {self.kind.__name__}")

    def pushed(self, noise: Any) -> tuple[Tensor, Tensor]:
        """z_T, and log q(z_T)."""
        z, log_q = self.base.sample_with_log_prob(noise)
        for step in self.steps:
            z, log_det = step(z)
            log_q = log_q - log_det
        return z, log_q

    def log_prob(self, x: Any) -> Tensor:
        """log q at any point: the steps backwards."""
        z, log_dets = self._as_data(x), 0.0
        z = broadcast_to(z, np.broadcast_shapes(z.shape, self.shape))
        for step in reversed(self.steps):
            z, log_det = step.inverse(z)
            log_dets = log_det + log_dets
        return self.base.log_prob(z) - log_dets


class Planar(FlowStep):
    """z + u' tanh(w^T z + b): stretches or squeezes along a plane's normal.

        u' = u + (softplus(w^T u) - 1 - w^T u) w / |w|^2,    det = 1 + w^T u' (1 - tanh^2)

    so that w^T u' > -1, without which there is no inverse (their App. A.1). Where w is 0 it is a shift by u tanh(b).

    Args:
        u, w: ``(..., event)``.
        b: ``(..., 1)``.
    """

    def __init__(self, u: Any, w: Any, b: Any) -> None:
        u = self.like = parameter("u", u)
        self.event = u.shape[-1]
        w, b = shaped("w", w, u, ..., self.event), shaped("b", b, u, ..., 1)
        along, size = sum(w * u, axis=-1, keepdims=True), sum(square(w), axis=-1, keepdims=True)
        flat = equal(size, 0.0)
        self.w, self.b = w, b
        self.u = u + (softplus(along) - 1.0 - along) * w / where(flat, 1.0, size)
        self.slope = where(flat, 1.0, softplus(along))  # 1 + w^T u', with the digits that this would lose near 0

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """f(z), and log |det df/dz|."""
        h = tanh(sum(self.w * z, axis=-1, keepdims=True) + self.b)
        return z + self.u * h, squeeze(log(self._rise(h)), -1)

    def backward(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """By the root a of a + w^T u' tanh(a) = w^T y + b, which rises in a."""
        h = tanh(self._root(sum(self.w * y, axis=-1, keepdims=True) + self.b))
        return y - self.u * h, squeeze(log(self._rise(h)), -1)

    def _rise(self, h: Tensor) -> Tensor:
        """1 + w^T u' (1 - h^2), as a sum of what is not negative."""
        return square(h) + self.slope * (1.0 - square(h))

    def _root(self, c: Tensor) -> Tensor:
        """Bisection, then two steps of Newton's, by which its first and second derivatives are those of the root."""
        k = self.slope - 1.0
        with no_grad():
            a, width = c, absolute(k)
            for _ in range(BISECTIONS):
                width = width * 0.5
                a = where(greater(a + k * tanh(a), c), a - width, a + width)
        for _ in range(2):
            h = tanh(a)
            a = a - (a + k * h - c) / self._rise(h)
        return a


BISECTIONS = 60  # the interval is then below a float64's rounding of its middle


class Radial(FlowStep):
    """z + b (z - c) / (a + r), r = |z - c|: moves away from a point, or towards it.

        a = softplus(a'),  b = -a + softplus(b')

    so that b >= -a, without which there is no inverse (their App. A.2).

    Args:
        centre: c, ``(..., event)``.
        a, b: a' and b', ``(..., 1)``.
    """

    def __init__(self, centre: Any, a: Any, b: Any) -> None:
        self.centre = self.like = parameter("centre", centre)
        self.event = self.centre.shape[-1]
        self.a = softplus(shaped("a", a, self.like, ..., 1))
        self.least = softplus(shaped("b", b, self.like, ..., 1))  # a + b

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """f(z), and log |det df/dz| = (event - 1) log(1 + b / (a + r)) + log(1 + a b / (a + r)^2)."""
        away = z - self.centre
        r = norm(away, axis=-1, keepdims=True)
        return self.centre + away * self._stretch(r), self._log_det(r, z.shape[-1])

    def backward(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """By the root of r^2 + (a + b - R) r = a R, where R = |y - c|."""
        away = y - self.centre
        far = norm(away, axis=-1, keepdims=True)
        half = (far - self.least) * 0.5
        root = sqrt(square(half) + far * self.a)
        above = greater(half, 0.0)
        r = where(above, half + root, far * self.a / where(above, 1.0, root - half))  # without cancelling
        return self.centre + away / self._stretch(r), self._log_det(r, y.shape[-1])

    def _stretch(self, r: Tensor) -> Tensor:
        """1 + b / (a + r), as a quotient of positive numbers."""
        return (r + self.least) / (self.a + r)

    def _log_det(self, r: Tensor, event: int) -> Tensor:
        across = (r * (r + self.a * 2.0) + self.a * self.least) / square(self.a + r)
        return squeeze(log(self._stretch(r)) * (event - 1.0) + log(across), -1)


class Householder(FlowStep):
    """z - 2 v (v^T z) / |v|^2: the mirror image in the plane across v, its own inverse; of no v it is z.

    Args:
        v: ``(..., event)``.
    """

    def __init__(self, v: Any) -> None:
        v = self.like = parameter("v", v)
        self.event = v.shape[-1]
        length = norm(v, axis=-1, keepdims=True)
        self.direction = v / where(equal(length, 0.0), 1.0, length)

    def forward(self, z: Tensor) -> tuple[Tensor, float]:
        """f(z), and 0: volumes stay."""
        return z - self.direction * (sum(self.direction * z, axis=-1, keepdims=True) * 2.0), 0.0

    def backward(self, y: Tensor) -> tuple[Tensor, float]:
        """f(y), and 0."""
        return self.forward(y)


class Coupling(FlowStep):
    """The last elements y, given the others x: (x, y exp(s) + t), then in reverse; s = tanh(s').

    Of ``event`` elements half, or one more, are moved. Where Real NVP multiplies the tanh by a learnt number, here
    it is 1: one step stretches by at most e, and the base has any scale.

    Args:
        network: takes x, ``(..., event // 2)``, and h and gives t and s'.
        h: what else it sees.
    """

    def __init__(self, network: Callable[[Tensor, Tensor], Sequence[Tensor]], h: Tensor) -> None:
        self.network = function("network", network)
        self.h = self.like = instance("h", h, Tensor, "a Tensor")

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """f(z), and the sum of s."""
        x, y, shift, log_scale = self._parts(z)
        return concatenate([x, y * exp(log_scale) + shift], axis=-1)[..., ::-1], sum(log_scale, axis=-1)

    def backward(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Of (x, y): (x, (y - t) exp(-s))."""
        x, y, shift, log_scale = self._parts(y[..., ::-1])
        return concatenate([x, (y - shift) * exp(-log_scale)], axis=-1), sum(log_scale, axis=-1)

    def _parts(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        kept = z.shape[-1] // 2
        x, y = z[..., :kept], z[..., kept:]
        shift, log_scale = self.network(x, self.h)
        return x, y, shift, tanh(log_scale)


class HouseholderFlow(NormalizingFlow):
    """A flow whose steps are all :class:`Householder`'s: N(H mu, H diag sigma^2 H^T), H their product."""

    kind = Householder


@register_kl(HouseholderFlow, StandardNormal)
def _mirrored_standard(q: HouseholderFlow, p: StandardNormal) -> Tensor:
    """That of the base: a mirror moves neither lengths, on which log p depends alone, nor volumes."""
    return _normal_standard(q.base, p)
