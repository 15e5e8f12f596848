"""Made data with known sources: independent Gaussians whose variances change from segment to segment.

The nonlinear independent component analysis of Hyvarinen & Morioka 2016 and of Khemakhem et
al. 2020 (section 5.1): enough segments make the sources identifiable, if the segment is told.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..checks import positive_integer, positive_number
from .dataset import Dataset, Split

SLOPE = 0.2  # of the mixing's leaky ReLUs below 0


def segments(
    seed: int, sources: int = 5, count: int = 40, length: int = 1000, noise: float = 0.1
) -> tuple[Dataset, np.ndarray]:
    """Draw a recording, and the sources behind it.

        s ~ N(0, diag sigma_u^2) in segment u, sigma_u uniform between 0.5 and 3
        x = f(s) + noise * epsilon, with an invertible f of two layers

    Args:
        seed: of all that is random.
        sources: d, how many, and the length of x.
        count: of segments.
        length: rows in a segment.
        noise: the standard deviation of what is added to x.

    Returns:
        the data set, whose labels are the segments and whose test part is the training part
        (what is asked is what the training data's codes are), and s ``(count * length, d)``.

    Raises:
        InputError: a size is no positive integer, or the noise no positive number.
    """
    d, count = positive_integer("sources", sources), positive_integer("count", count)
    length, noise = positive_integer("length", length), positive_number("noise", noise)
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(count), length)
    s = rng.uniform(0.5, 3, (count, d))[labels] * rng.normal(size=(count * length, d))
    mixed = _mixing(rng, d)(s)
    x = (mixed / mixed.std(axis=0) + noise * rng.normal(size=s.shape)).astype(np.float32)
    part = Split(x, labels)
    return Dataset(f"{count} segments of {d} sources", part, part, None, 1.0, "the same rows train and test"), s


def _mixing(rng: np.random.Generator, d: int) -> Callable[[np.ndarray], np.ndarray]:
    """s -> A leaky(B s), with random rotations, stretched a little: invertible, and not linear."""
    layers = [np.linalg.qr(rng.normal(size=(d, d)))[0] * rng.uniform(0.7, 1.4, d) for _ in range(2)]

    def mix(h: np.ndarray) -> np.ndarray:
        for i, layer in enumerate(layers):
            h = h @ layer
            h = h if i == len(layers) - 1 else np.where(h > 0, h, SLOPE * h)
        return h

    return mix
