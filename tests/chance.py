"""Statistical tests, each with the same false-alarm rate.

Seeds are fixed, so a test passes or fails for good; the rate is the chance that a change
of seed, or of the order of draws, makes a correct program fail one of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

FALSE_ALARM = 1e-6
CRITICAL_Z = stats.norm.isf(FALSE_ALARM / 2)  # 4.9 standard errors


def assert_mean(draws: Any, expected: Any) -> None:
    """z-test along the first axis: the draws have this mean, each column by itself."""
    draws = np.asarray(draws, np.float64)
    error = np.abs(draws.mean(0) - expected)
    allowed = CRITICAL_Z * draws.std(0, ddof=1) / math.sqrt(len(draws))
    assert (error <= allowed).all(), f"means off by {error}, allowed {allowed}"


def assert_moments(draws: Any, mean: Any, variance: Any) -> None:
    """The mean, and the mean squared distance from it, by z-tests along the first axis."""
    assert_mean(draws, mean)
    assert_mean((np.asarray(draws, np.float64) - mean) ** 2, variance)


def assert_cdf(draws: Any, cdf: Callable) -> None:
    """Kolmogorov-Smirnov test of one column of draws against a continuous distribution."""
    p = stats.kstest(np.asarray(draws, np.float64), cdf).pvalue
    assert p > FALSE_ALARM, f"Kolmogorov-Smirnov p = {p}"


def assert_uncorrelated(a: Any, b: Any) -> None:
    """z-test: two columns of draws have no covariance."""
    assert_mean((a - np.mean(a)) * (b - np.mean(b)), 0.0)
