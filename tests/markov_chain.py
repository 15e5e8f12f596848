"""Bench M: a chain of bits, each the one before with the probability 0.9. Its entropy is known."""

from __future__ import annotations

import numpy as np

PIXELS, STAY = 16, 0.9
# log 2 for the first bit, the entropy of a coin of 0.9 for each of the others: 5.569 nats.
ENTROPY = np.log(2) - (PIXELS - 1) * (STAY * np.log(STAY) + (1 - STAY) * np.log(1 - STAY))


def chains(rng: np.random.Generator, n: int) -> np.ndarray:
    """``(n, PIXELS)`` float32 bits."""
    first = rng.integers(0, 2, (n, 1))
    turns = rng.random((n, PIXELS - 1)) > STAY
    return (np.concatenate([first, turns], axis=1).cumsum(axis=1) % 2).astype(np.float32)


def log_prob(x: np.ndarray) -> np.ndarray:
    """log p(x), exact."""
    same = (x[:, 1:] == x[:, :-1]).sum(axis=1)
    return np.log(0.5) + same * np.log(STAY) + (PIXELS - 1 - same) * np.log(1 - STAY)
