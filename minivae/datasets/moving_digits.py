"""The shipped digits on the move: sequences of 20 pictures of 8 x 8, as the moving MNIST of TD-VAE.

Gregor et al. 2019, "Temporal difference variational auto-encoder", arXiv 1806.03107, section 5.2: a digit goes left or
right by a pixel at each step, and what leaves the picture on one side comes in on the other. A single picture says
nothing of the direction. Pixels are black or white: white where at least half of the ink of :mod:`.digits` is.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from . import digits
from .dataset import Dataset, Split
from .splitting import no_choice_of_split

STEPS, SEED, INK = 20, 0, 8  # INK of 16: white from there on


def load(split: str | None = None, seed: int = 0) -> Dataset:
    """Return a sequence for each of the 1,500 training and 297 test digits, with its label 0..9.

    Where a digit begins and which way it goes was drawn once; ``seed`` changes nothing.
    """
    no_choice_of_split("moving-digits", split)
    still, rng = digits.load(), np.random.default_rng(SEED)
    train, test = (Split(_moving(np.asarray(part.images), rng), part.labels) for part in (still.train, still.test))
    note = "the digits' own: 1500 sequences train, 297 test"
    return Dataset("moving-digits", train, test, (STEPS * 8, 8), 1.0, note, sequence_length=STEPS)


def found() -> Path:
    """The shipped file of digits."""
    return digits.found()


def _moving(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A sequence for each picture, ``(N, 64) -> (N, STEPS * 64)``: bytes of 0 and 1."""
    white = (images >= INK).astype(np.uint8).reshape(-1, 1, 8, 8)
    begin, right = np.floor(8 * rng.random(len(images))).astype(int), rng.random(len(images)) < 0.5
    moved = begin[:, None] + np.where(right, 1, -1)[:, None] * np.arange(STEPS)
    columns = (np.arange(8) - moved[..., None]) % 8  # (N, STEPS, 8): which column of the digit each shows
    return np.take_along_axis(white, columns[:, :, None, :], axis=3).reshape(len(images), -1)
