"""Shared by the training tests: a few real digits, a small model, and how runs are compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minivae import datasets
from minivae.datasets import Dataset, Split
from minivae.models import VAE
from minivae.training import Settings, Trainer

BATCH = 50  # the 230 rows below make 4 minibatches and leave 30 rows over
STEPS_PER_EPOCH = 4


@pytest.fixture(scope="session")
def digits() -> Dataset:
    """230 training and 70 test digits of 64 pixels, 0..16."""
    whole = datasets.load("digits")
    train, test = whole.train.sample(230), whole.test.sample(70)
    return Dataset("some digits", train, test, whole.image_shape, whole.scale, "a sample")


def made_of(images: Any, scale: float = 1.0, name: str = "made") -> Dataset:
    """A data set with the same rows for training and for test."""
    split = Split(np.asarray(images))
    return Dataset(name, split, split, None, scale, "the same rows")


def small_model(**options: Any) -> VAE:
    """A model of the digits that trains in milliseconds."""
    return VAE(**{"data_dim": 64, "latent_dim": 3, "hidden": (16,), **options})


def small_trainer(dataset: Dataset, model: VAE | None = None, **settings: Any) -> Trainer:
    """A trainer of the small model with minibatches of ``BATCH``."""
    return Trainer(model or small_model(), dataset, Settings(**{"batch_size": BATCH, **settings}))


def assert_same_state(found: Trainer, expected: Trainer) -> None:
    """Every bit of two runs agrees, except the seconds that they took."""
    (arrays, meta), (expected_arrays, expected_meta) = found.state(), expected.state()
    assert arrays.keys() == expected_arrays.keys()
    for name, array in arrays.items():
        assert array.dtype == expected_arrays[name].dtype, name
        assert array.tobytes() == expected_arrays[name].tobytes(), name
    assert _without_seconds(meta) == _without_seconds(expected_meta)


def _without_seconds(meta: dict[str, Any]) -> dict[str, Any]:
    history = [{name: value for name, value in row.items() if name != "seconds"} for row in meta["history"]]
    return {**meta, "seconds": None, "history": history}
