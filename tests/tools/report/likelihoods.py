"""Rows of the likelihoods: log p(x|z) from what the heads give, beside SciPy."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy import special, stats

from minivae import backend
from minivae.models.likelihoods import LIKELIHOODS

from .family import shaken_layer
from .page import SEED, Row, error, gradient_error

LEVELS, CATEGORIES = 255, 3


def _negative_binomial(x: np.ndarray, log_mean: np.ndarray, log_r: np.ndarray) -> np.ndarray:
    return stats.nbinom(np.exp(log_r), special.expit(log_r - log_mean)).logpmf(x)


def _log_cosh(z: np.ndarray, a: float = 10.0) -> np.ndarray:
    return np.log(a) - special.betaln(0.5, 0.5 / a) - np.log(np.cosh(a * z)) / a


def _zero_inflated(x: np.ndarray, log_mean: np.ndarray, log_r: np.ndarray, logits: np.ndarray) -> np.ndarray:
    pi, counted = special.expit(logits), np.exp(_negative_binomial(x, log_mean, log_r))
    return np.log(pi * (x == 0) + (1 - pi) * counted)


def _categories(x: np.ndarray, logits: np.ndarray) -> np.ndarray:
    log_p = special.log_softmax(logits.reshape(*x.shape, CATEGORIES), axis=-1)
    return np.take_along_axis(log_p, x.astype(int)[..., None], -1)[..., 0]


def _levels(x: np.ndarray, loc: np.ndarray, log_scale: np.ndarray) -> np.ndarray:
    edges = [np.where(x == end, np.inf * sign, x + sign * 0.5 / LEVELS) for end, sign in ((0, -1), (1, 1))]
    below, above = (stats.logistic.cdf(edge, loc, np.exp(log_scale)) for edge in edges)
    return np.log(above - below)


# Of each: data, and log p of each element from the heads' outputs.
ORACLES: dict[str, tuple[Callable, Callable]] = {
    "laplace": (lambda rng, s: rng.normal(size=s), lambda x, m, s: stats.laplace(m, np.exp(s)).logpdf(x)),
    "log-cosh": (lambda rng, s: rng.normal(size=s), lambda x, m, s: _log_cosh((x - m) / np.exp(s)) - s),
    "student-t": (lambda rng, s: rng.normal(size=s), lambda x, m, s, df: stats.t(np.exp(df), m, np.exp(s)).logpdf(x)),
    "poisson": (lambda rng, s: rng.poisson(2, s), lambda x, r: stats.poisson(np.exp(r)).logpmf(x)),
    "negative-binomial": (lambda rng, s: rng.poisson(2, s), _negative_binomial),
    "zero-inflated": (lambda rng, s: rng.poisson(1, s), _zero_inflated),
    "categorical": (lambda rng, s: rng.integers(0, CATEGORIES, s), _categories),
    "discretized-logistic": (lambda rng, s: rng.integers(0, 3, s) * 127 / LEVELS, _levels),
}


def likelihood(name: str) -> Row:
    """log p(x|z) against SciPy, of the heads' outputs; its gradients by z and by every weight."""
    options = {"categories": CATEGORIES} if name == "categorical" else {}
    layer = LIKELIHOODS[name](2, (3,), 2, backend.generator(0), dtype="float64", **options)
    shaken_layer(layer)
    rng, (data, log_p) = np.random.default_rng(SEED), ORACLES[name]
    z, x = rng.normal(size=(4, 2)), data(rng, (4, 2)).astype(float)
    heads = [getattr(layer, head)(layer.hidden(z)).numpy() for head in layer.heads]
    value = error(layer(z).log_prob(x), log_p(x, *heads).sum(-1))
    return Row(1, (value, gradient_error(lambda z, *_: layer(z).log_prob(x), [z, *layer.parameters()])))


LAYERS: dict[str, Callable[[], Row]] = {kind.__name__: partial(likelihood, name) for name, kind in LIKELIHOODS.items()}
