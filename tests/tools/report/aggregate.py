"""Rows of what a minibatch says of q(z): log q(z) by weights, the parts of the KL, covariances, distances on lines."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy import special, stats

from minivae import backend, regularizers
from minivae.autodiff import tensor
from minivae.distributions import Normal

from .page import SEED, Row, error, gradient_error, z_of_mean

RNG = np.random.default_rng(SEED)
L, B, D, N = 2, 5, 4, 40
MEAN, LOG_VAR, Z = RNG.normal(size=(B, D)), RNG.normal(size=(B, D)), RNG.normal(size=(L, B, D))
CODES = RNG.normal(size=(7, 3)) @ RNG.normal(size=(3, 3)) + 1.0


def weights(weighting: str) -> np.ndarray:
    """w_ij, element by element."""
    own, others = {"mss": (1 / N, (N - 1) / (N * (B - 1))), "mws": (1 / (N * B),) * 2, "loo": (0.0, 1 / (B - 1))}[
        weighting
    ]
    return np.array([[own if i == j else others for j in range(B)] for i in range(B)])


def densities() -> np.ndarray:
    """log q(z_ik|x_j), by SciPy: ``(L, B, B, d)``."""
    return stats.norm.logpdf(Z[:, :, None], MEAN, np.exp(LOG_VAR / 2))


def log_weights() -> Row:
    found = [np.exp(regularizers.log_weights(B, N, name, tensor(Z)).numpy()) for name in regularizers.WEIGHTINGS]
    return Row(3, (error(found, [weights(name) for name in regularizers.WEIGHTINGS]), None, None))


def ratios_of(mean: np.ndarray, log_var: np.ndarray, z: np.ndarray) -> object:
    return regularizers.log_ratios(Normal(mean, log_var), z)


def log_ratios() -> Row:
    each = densities()
    own = np.stack([each[:, i, i] for i in range(B)], axis=1)
    found = ratios_of(MEAN, LOG_VAR, Z)
    return Row(1, (error(found, each - own[:, :, None]), None, gradient_error(ratios_of, [MEAN, LOG_VAR, Z])))


def log_aggregate() -> Row:
    ratios, w = RNG.normal(size=(L, B, B, 3)), weights("mss")
    expected = special.logsumexp(ratios, axis=2, b=w[:, :, None])
    found = regularizers.log_aggregate(tensor(ratios), tensor(np.log(w)))
    gradient = gradient_error(lambda r: regularizers.log_aggregate(r, tensor(np.log(w))), [ratios])
    return Row(1, (error(found, expected), None, gradient))


def split_kl() -> Row:
    """The four parts from SciPy's densities, for groups of 1 and 3 dimensions, by every weighting."""
    each, log_q, log_p = densities(), RNG.normal(size=(L, B)), RNG.normal(size=(L, B))
    own = np.stack([each[:, i, i] for i in range(B)], axis=1)
    errors = []
    for name in regularizers.WEIGHTINGS:
        of = partial(special.logsumexp, axis=2, b=weights(name))
        joint, groups = of(each.sum(-1)), of(each[..., 0]) + of(each[..., 1:].sum(-1))
        alone = sum(of(each[..., k]) for k in range(D))
        itself = own.sum(-1)
        expected = (itself - joint, joint - groups, groups - alone, log_q - itself + alone - log_p)
        found = regularizers.split_kl(
            Normal(MEAN, LOG_VAR), Z, log_q, log_p, data_points=N, weighting=name, group_sizes=(1, 3)
        )
        errors += [error(a, b) for a, b in zip(found, expected, strict=True)]

    def weighed(mean: np.ndarray, log_var: np.ndarray, z: np.ndarray) -> object:
        parts = regularizers.split_kl(Normal(mean, log_var), z, log_q, log_p, data_points=N, group_sizes=(1, 3))
        return parts[0] + parts[1] * 2.0 + parts[2] * 3.0 + parts[3] * 4.0

    return Row(3, (max(errors), None, gradient_error(weighed, [MEAN, LOG_VAR, Z])))


def covariance() -> Row:
    value = error(regularizers.covariance(CODES), np.cov(CODES.T, bias=True))
    return Row(1, (value, None, gradient_error(regularizers.covariance, [CODES])))


def moments() -> Row:
    found = regularizers.moments(CODES)
    expected = (CODES.mean(0), np.mean([np.outer(z, z) for z in CODES], axis=0))
    value = max(error(a, b) for a, b in zip(found, expected, strict=True))
    return Row(1, (value, None, gradient_error(lambda z: regularizers.moments(z)[1], [CODES])))


def covariance_of() -> Row:
    """From the averages over two parts of the data, the covariance of all."""
    averages = [regularizers.moments(part) for part in (CODES[:3], CODES[3:])]
    first, second = ((a * 3.0 + b * 4.0) / 7.0 for a, b in zip(*averages, strict=True))
    value = error(regularizers.covariance_of(first, second), np.cov(CODES.T, bias=True))
    return Row(1, (value, None, gradient_error(regularizers.covariance_of, [first.numpy(), second.numpy()])))


def off_identity() -> Row:
    c = np.cov(CODES.T)
    off = c - np.diag(np.diag(c))
    found = regularizers.off_identity(c)
    value = max(error(float(a), b) for a, b in zip(found, ((off**2).sum(), ((np.diag(c) - 1) ** 2).sum()), strict=True))
    gradient = gradient_error(lambda c: sum(regularizers.off_identity(c)), [c])
    return Row(1, (value, None, gradient))


def sliced_wasserstein() -> Row:
    """By sorting what lies on each line."""
    x, y, directions = RNG.normal(size=(6, 3)), RNG.normal(size=(6, 3)), np.eye(3)[:2]
    expected = np.mean([np.square(np.sort(x @ d) - np.sort(y @ d)).mean() for d in directions])
    value = error(float(regularizers.sliced_wasserstein(x, y, directions)), expected)
    return Row(1, (value, None, gradient_error(lambda *p: regularizers.sliced_wasserstein(*p, directions), [x, y])))


def random_directions() -> Row:
    """Lengths of 1; elements of mean 0 and variance 1 / d, z."""
    found = regularizers.random_directions(backend.generator(SEED), 20_000, 3, tensor(Z)).numpy()
    z = z_of_mean(np.concatenate([found, found**2], -1), [0, 0, 0, 1 / 3, 1 / 3, 1 / 3])
    return Row(20_000, (error(np.linalg.norm(found, axis=-1), np.ones(20_000)), z, None))


def kl_balance() -> Row:
    """In proportion to KL by size, 1 on average."""
    kl, sizes = np.square(RNG.normal(size=4)), np.array([3.0, 1.0, 2.0, 5.0])
    shares = (kl + 0.01) / sizes
    return Row(1, (error(regularizers.kl_balance(kl, sizes), shares / shares.mean()), None, None))


MEASURES: dict[str, Callable[[], Row]] = {
    name.__name__: name
    for name in (log_weights, log_ratios, log_aggregate, split_kl, covariance, moments, covariance_of, off_identity)
} | {"sliced_wasserstein": sliced_wasserstein, "random_directions": random_directions, "kl_balance": kl_balance}
