"""KL(q || p) in closed form between members of the families of section 2.4."""

from __future__ import annotations

import numpy as np

from ..autodiff import Tensor, absolute, broadcast_to, digamma, exp, expand_dims, expm1, gammaln, square, sum
from .composition import Beta, Dirichlet, LogNormal, betaln
from .elliptical import MultivariateNormal
from .gamma import Gamma
from .inverse_cdf import Exponential, Gumbel
from .kl import kl, register_kl
from .location_scale import Laplace
from .normal import Normal, StandardNormal


@register_kl(Exponential, Exponential)
def _exponential(q: Exponential, p: Exponential) -> Tensor:
    """sum r - log r - 1, where r is the ratio of the rates, p's over q's."""
    log_ratio = p.log_rate - q.log_rate
    return sum(expm1(log_ratio) - log_ratio, axis=-1)


@register_kl(Gamma, Gamma)
def _gamma(q: Gamma, p: Gamma) -> Tensor:
    """sum (a - a') psi(a) - log Gamma(a) + log Gamma(a') + a' log(r / r') + a (r' / r - 1), with ' for p."""
    a, b = exp(q.log_concentration), exp(p.log_concentration)
    log_ratio = p.log_rate - q.log_rate
    return sum((a - b) * digamma(a) - gammaln(a) + gammaln(b) - b * log_ratio + a * expm1(log_ratio), axis=-1)


@register_kl(Laplace, Laplace)
def _laplace(q: Laplace, p: Laplace) -> Tensor:
    """sum log(s' / s) - 1 + (|d| + s e^(-|d| / s)) / s', where d is the difference of the locations."""
    distance = absolute(q.loc - p.loc)
    log_ratio = p.log_scale - q.log_scale
    pull = distance * exp(-p.log_scale) + exp(-distance * exp(-q.log_scale) - log_ratio)
    return sum(log_ratio - 1 + pull, axis=-1)


@register_kl(Gumbel, Gumbel)
def _gumbel(q: Gumbel, p: Gumbel) -> Tensor:
    """sum log(s' / s) - 1 - gamma + d + gamma r + e^-d Gamma(1 + r), with r = s / s', d = (mu - mu') / s'."""
    log_ratio = p.log_scale - q.log_scale
    ratio, d = exp(-log_ratio), (q.loc - p.loc) * exp(-p.log_scale)
    gamma = float(np.euler_gamma)
    return sum(log_ratio - (1 + gamma) + d + ratio * gamma + exp(gammaln(ratio + 1) - d), axis=-1)


@register_kl(LogNormal, LogNormal)
def _log_normal(q: LogNormal, p: LogNormal) -> Tensor:
    """That of the two Gaussians: an invertible map of x changes no divergence."""
    return kl(*(Normal(broadcast_to(x.loc, x.shape), x.log_var) for x in (q, p)))


@register_kl(Beta, Beta)
def _beta(q: Beta, p: Beta) -> Tensor:
    """sum log B(a', b') - log B(a, b) + (a - a') psi(a) + (b - b') psi(b) - (a - a' + b - b') psi(a + b)."""
    (a, b), (c, d) = q.shapes(), p.shapes()
    slopes = (a - c) * digamma(a) + (b - d) * digamma(b) - (a - c + b - d) * digamma(a + b)
    return sum(betaln(c, d) - betaln(a, b) + slopes, axis=-1)


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(q: Dirichlet, p: Dirichlet) -> Tensor:
    """log B(a') - log B(a) + sum (a_i - a'_i) (psi(a_i) - psi(sum a))."""
    a, b = q.concentration, p.concentration
    slopes = (a - b) * (digamma(a) - digamma(sum(a, -1, keepdims=True)))
    return p.log_normalizer() - q.log_normalizer() + sum(slopes, axis=-1)


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
