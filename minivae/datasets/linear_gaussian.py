"""Sequences of a linear model with Gaussian noise, of which every number is known: made data, and their exact answers.

    z_0 ~ N(m, P);    z_t = A z_{t-1} + N(0, Q),    x_t = C z_t + N(0, R),    t = 1, ..., T

What is known of z_t from x_1, ..., x_t is the Kalman filter's (Kalman 1960), from all of x the smoother's (Rauch, Tung
& Striebel 1965); the filter's predictions give log p(x_t | x_<t), whose sum is log p(x). All of it in float64.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..checks import integer_from_zero, positive_integer
from ..errors import InputError, shown
from .dataset import Dataset, Split
from .splitting import no_choice_of_split

STEPS, TRAIN, TEST, SEED = 20, 2000, 500, 0


class States(NamedTuple):
    """Gaussians over z_0, ..., z_T.

    Attributes:
        mean: ``(..., T + 1, d)``.
        cov: ``(T + 1, d, d)``: the same for all sequences.
    """

    mean: np.ndarray
    cov: np.ndarray


class LinearGaussian:
    """The model above.

    Args:
        transition: A, ``(d, d)``.
        emission: C, ``(D, d)``.
        transition_cov, emission_cov: Q, ``(d, d)``, and R, ``(D, D)``.
        initial_mean, initial_cov: m, ``(d,)``, and P, ``(d, d)``.

    Raises:
        InputError: one has another shape or is not finite, or a covariance is not symmetric and positive definite.
    """

    def __init__(
        self,
        transition: Any,
        emission: Any,
        transition_cov: Any,
        emission_cov: Any,
        initial_mean: Any,
        initial_cov: Any,
    ) -> None:
        self.initial_mean = _numbers("initial_mean", initial_mean, None)
        d = len(self.initial_mean)
        self.transition = _numbers("transition", transition, d, d)
        self.emission = _numbers("emission", emission, None, d)
        self.transition_cov = _covariance("transition_cov", transition_cov, d)
        self.emission_cov = _covariance("emission_cov", emission_cov, len(self.emission))
        self.initial_cov = _covariance("initial_cov", initial_cov, d)

    def sample(self, count: int, steps: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """So many sequences: z, ``(count, steps + 1, d)``, and x, ``(count, steps, D)``."""
        count, steps = positive_integer("count", count), positive_integer("steps", steps)
        rng = np.random.default_rng(integer_from_zero("seed", seed))

        def noise(cov: np.ndarray) -> np.ndarray:
            return rng.standard_normal((count, len(cov))) @ np.linalg.cholesky(cov).T

        z, x = [self.initial_mean + noise(self.initial_cov)], []
        for _ in range(steps):
            z.append(z[-1] @ self.transition.T + noise(self.transition_cov))
            x.append(z[-1] @ self.emission.T + noise(self.emission_cov))
        return np.stack(z, axis=1), np.stack(x, axis=1)

    def filter(self, x: Any) -> tuple[States, np.ndarray]:
        """p(z_t | x_1, ..., x_t), and log p(x_t | x_<t) in nats, ``(..., T)``, of sequences ``(..., T, D)``."""
        x, (a, c) = self._sequences(x), (self.transition, self.emission)
        mean, cov = np.broadcast_to(self.initial_mean, (*x.shape[:-2], len(a))), self.initial_cov
        means, covs, log_p = [mean], [cov], []
        for t in range(x.shape[-2]):
            mean, cov = mean @ a.T, a @ cov @ a.T + self.transition_cov
            of_x, error = c @ cov @ c.T + self.emission_cov, x[..., t, :] - mean @ c.T
            log_p.append(_log_normal(error, of_x))
            gain = np.linalg.solve(of_x, c @ cov).T
            mean, rest = mean + error @ gain.T, np.eye(len(a)) - gain @ c
            cov = rest @ cov @ rest.T + gain @ self.emission_cov @ gain.T  # Joseph's form: it stays a covariance
            means.append(mean)
            covs.append(cov)
        return States(np.stack(means, axis=-2), np.stack(covs)), np.stack(log_p, axis=-1)

    def smoothing(self, cov: Any) -> tuple[np.ndarray, np.ndarray]:
        """J and V of p(z_t | z_{t+1}, x_1, ..., x_t) = N(m_t + J (z_{t+1} - A m_t), V), each ``(..., d, d)``.

        Args:
            cov: the filter's covariance at t, ``(..., d, d)``; its mean is m_t.
        """
        d = len(self.transition)
        cov, a = _numbers("cov", cov, ..., d, d), self.transition
        j = np.linalg.solve(a @ cov @ a.T + self.transition_cov, a @ cov).swapaxes(-1, -2)
        return j, cov - j @ a @ cov

    def smooth(self, x: Any) -> States:
        """p(z_t | x), of sequences ``(..., T, D)``."""
        found, _ = self.filter(x)
        gains, rest = self.smoothing(found.cov)
        mean, cov = [found.mean[..., -1, :]], [found.cov[-1]]
        for t in range(len(found.cov) - 2, -1, -1):
            before, j = found.mean[..., t, :], gains[t]
            mean.append(before + (mean[-1] - before @ self.transition.T) @ j.T)
            cov.append(rest[t] + j @ cov[-1] @ j.T)
        return States(np.stack(mean[::-1], axis=-2), np.stack(cov[::-1]))

    def log_likelihood(self, x: Any) -> np.ndarray:
        """log p(x) in nats, of sequences ``(..., T, D) -> (...)``."""
        return self.filter(x)[1].sum(axis=-1)

    def _sequences(self, x: Any) -> np.ndarray:
        x = _numbers("x", x, ..., None, len(self.emission))
        if not x.shape[-2]:
            raise InputError(f"x has shape {x.shape}; expected at least one step, (..., T, {len(self.emission)})")
        return x


def _log_normal(error: np.ndarray, cov: np.ndarray) -> np.ndarray:
    lower = np.linalg.cholesky(cov)
    white = np.linalg.solve(lower, error[..., None])[..., 0]
    return -0.5 * (white**2).sum(-1) - np.log(np.diag(lower)).sum() - 0.5 * len(cov) * np.log(2 * np.pi)


def _numbers(name: str, value: Any, *shape: Any) -> np.ndarray:
    """``value`` as finite float64 numbers of a shape, None for any length; after a leading ``...`` of the last axes."""
    try:
        array = np.asarray(value, np.float64)
    except Exception:
        array = np.full((), np.nan)
    ends = shape[1:] if shape[0] is ... else shape
    fits = array.ndim >= len(ends) if shape[0] is ... else array.ndim == len(ends)
    pairs = zip(ends[::-1], array.shape[::-1], strict=False)
    if not fits or any(n not in (None, m) for n, m in pairs) or not np.isfinite(array).all():
        words = ", ".join("..." if n is ... else "any" if n is None else str(n) for n in shape)
        raise InputError(f"{name} is {shown(value)}; expected finite numbers of shape ({words})")
    return array


def _covariance(name: str, value: Any, size: int) -> np.ndarray:
    array = _numbers(name, value, size, size)
    if not np.allclose(array, array.T) or np.linalg.eigvalsh(array)[0] <= 0:
        raise InputError(f"{name} is {shown(value)}; expected a symmetric, positive definite matrix")
    return array


# What the named data are drawn from: a point that goes round in a plane, at random nearer and farther, of which three
# numbers are seen through noise. Its variance is 1 at every step.
_DECAY, _ANGLE = 0.95, 0.4
_TURN = np.array([[np.cos(_ANGLE), -np.sin(_ANGLE)], [np.sin(_ANGLE), np.cos(_ANGLE)]])
MODEL = LinearGaussian(
    _DECAY * _TURN,
    [[1.0, 0.0], [0.5, 0.5], [-0.5, 1.0]],
    (1 - _DECAY**2) * np.eye(2),
    0.25 * np.eye(3),
    np.zeros(2),
    np.eye(2),
)


def load(split: str | None = None, seed: int = 0) -> Dataset:
    """Return 2,000 training and 500 test sequences of ``MODEL``, 20 steps of 3 numbers; ``seed`` changes nothing."""
    no_choice_of_split("linear-gaussian-sequences", split)
    _, x = MODEL.sample(TRAIN + TEST, STEPS, SEED)
    rows = x.reshape(len(x), -1).astype(np.float32)
    note = f"drawn once, seed {SEED}: {TRAIN} sequences train, {TEST} test"
    parts = Split(rows[:TRAIN]), Split(rows[TRAIN:])
    return Dataset("linear-gaussian-sequences", *parts, None, 1.0, note, sequence_length=STEPS)


def found() -> Path:
    """This file, which makes them."""
    return Path(__file__)
