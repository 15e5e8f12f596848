"""How much draws that depend on each other are worth."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff import Tensor
from ..errors import InputError


def effective_sample_size(draws: Any) -> np.ndarray:
    """How many independent draws would know the mean as well as these, for every column.

    n / (1 + 2 sum_t rho_t), with autocorrelations summed in pairs while the sums are
    positive and falling (Geyer 1992, the initial monotone sequence).

    Args:
        draws: ``(n, ...)``, in the order of the chain.

    Returns:
        ``(...)``; NaN for a column that never changes.

    Raises:
        InputError: there are fewer than 4 draws.
    """
    x = np.asarray(draws.numpy() if isinstance(draws, Tensor) else draws, np.float64)
    if x.ndim < 1 or len(x) < 4:
        raise InputError(f"draws has shape {x.shape}; expected at least 4 along the first axis")
    n = len(x)
    spectrum = np.fft.rfft(x - x.mean(0), 2 * n, axis=0)  # padded, so that the ends do not meet
    covariance = np.fft.irfft(np.abs(spectrum) ** 2, axis=0)[:n] / n
    with np.errstate(invalid="ignore"):
        rho = covariance / covariance[0]
    pairs = rho[: n // 2 * 2].reshape(n // 2, 2, *x.shape[1:]).sum(1)
    pairs = np.minimum.accumulate(np.where(np.logical_and.accumulate(pairs > 0), pairs, 0.0))
    # The first pair holds rho_0 = 1, which counts once. Chains that swing to and fro know more
    # than n draws do, but how much more is noise: at most log10(n) times as much, as in Stan.
    time = np.maximum(2 * pairs.sum(0) - 1, 1 / np.log10(n))
    return np.where(covariance[0] > 0, n / time, np.nan)
