"""What draws and codes are worth: effective sample size, active units, correlation with known sources."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff import Tensor
from ..checks import number_from_zero
from ..errors import InputError, shown

FEWEST_DRAWS = 10  # of which an effective sample size is told; that of fewer is mostly chance


def effective_sample_size(draws: Any) -> np.ndarray:
    """How many independent draws would know the mean as well as these, for every column.

    n / (1 + 2 sum_t rho_t), with autocorrelations summed in pairs while the sums are
    positive and falling (Geyer 1992, the initial monotone sequence).

    Args:
        draws: ``(n, ...)``, in the order of the chain.

    Returns:
        ``(...)``; NaN for a column that never changes.

    Raises:
        InputError: there are fewer than ``FEWEST_DRAWS`` draws, or one is not finite.
    """
    x = _numbers("draws", draws)
    if x.ndim < 1 or len(x) < FEWEST_DRAWS:
        raise InputError(f"draws has shape {x.shape}; expected at least {FEWEST_DRAWS} along the first axis")
    n = len(x)
    spectrum = np.fft.rfft(_standardised(x), 2 * n, axis=0)  # padded, so that the ends do not meet
    covariance = np.fft.irfft(np.abs(spectrum) ** 2, axis=0)[:n]
    with np.errstate(invalid="ignore"):
        rho = covariance / covariance[0]
    pairs = rho[: n // 2 * 2].reshape(n // 2, 2, *x.shape[1:]).sum(1)
    pairs = np.minimum.accumulate(np.where(np.logical_and.accumulate(pairs > 0), pairs, 0.0))
    # The first pair holds rho_0 = 1, which counts once. Chains that swing to and fro know more
    # than n draws do, but how much more is noise: at most log10(n) times as much, as in Stan.
    time = np.maximum(2 * pairs.sum(0) - 1, 1 / np.log10(n))
    return np.where((x != x[0]).any(axis=0), n / time, np.nan)


def active_units(means: Any, least: float = 0.01) -> int:
    """How many latent dimensions the data use: those whose posterior mean varies over the data by more than ``least``.

    Burda et al. 2016, arXiv 1509.00519, section 5.2.

    Args:
        means: of q(z|x) for many data points, ``(N, latent)``.
        least: the variance above which a dimension counts.

    Raises:
        InputError: there are fewer than 2 means, or one is not finite.
    """
    return int((_array("means", means).var(axis=0) > number_from_zero("least", least)).sum())


def mean_correlation(sources: Any, codes: Any) -> float:
    """The mean correlation coefficient: |correlation| of each source with a code of its own, paired as is best.

    1 where the codes are the sources up to order and scale (Hyvarinen & Morioka 2016; Khemakhem
    et al. 2020, section 5). A code that never changes tells nothing of any source: its
    correlations, 0 / 0, count as 0.

    Args:
        sources: ``(N, d)``.
        codes: ``(N, d)``.

    Raises:
        InputError: the shapes differ, a number is not finite, or a source never changes, so that no code could
            follow it.
    """
    from scipy.optimize import linear_sum_assignment

    s, z = _array("sources", sources), _array("codes", codes)
    if s.shape != z.shape:
        raise InputError(f"sources has shape {s.shape} and codes {z.shape}; expected the same")
    if (still := np.flatnonzero((s == s[0]).all(axis=0))).size:
        raise InputError(f"sources[:, {still[0]}] never changes; expected sources that vary")
    table = np.abs(_standardised(s).T @ _standardised(z)) / len(s)
    return float(table[linear_sum_assignment(-table)].mean())


def _array(name: str, values: Any) -> np.ndarray:
    array = _numbers(name, values)
    if array.ndim != 2 or len(array) < 2 or not array.size:
        raise InputError(f"{name} has shape {array.shape}; expected (N, d) with N of at least 2")
    return array


def _numbers(name: str, values: Any) -> np.ndarray:
    try:
        given = np.array(values.numpy() if isinstance(values, Tensor) else values)
        if given.dtype.kind in "cUS" or isinstance(values, np.ma.MaskedArray):
            raise TypeError(f"not {given.dtype}, without masked values")
        array = given.astype(np.float64)
    except Exception as error:
        raise InputError(f"{name} is {shown(values)}; expected numbers ({error})") from error
    if not np.isfinite(array).all():  # a NaN is not above any limit, and would count as a small number
        what = "None" if values is None else "an array with a NaN or an infinity"
        raise InputError(f"{name} is {what}; expected finite numbers")
    return array


def _standardised(x: np.ndarray) -> np.ndarray:
    """Each column with mean 0 and mean square 1; 0 where it never changes, exactly, however its mean is rounded."""
    size = np.abs(x).max(axis=0)
    x = x / np.where(size > 0, size, 1.0)  # so that no difference overflows, and no square of one is too small a number
    x = x - x[:1]
    x = x - x.mean(axis=0)
    spread = np.sqrt((x**2).mean(axis=0))
    return x / np.where(spread > 0, spread, 1.0)
