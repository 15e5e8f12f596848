"""The rows of ``minivae.estimator``; what scikit-learn looks at by itself (``X``) is in its own checks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minivae.estimator import VAE

from .subject import COUNTS, SEQUENCES_OF_SIZES, Says, misuse

ROWS = np.random.default_rng(0).normal(size=(6, 3))
SMALL: dict[str, Any] = {"latent_dim": 1, "hidden": (2,), "epochs": 1, "patience": None, "random_state": 0}
SEEDS = (-1, 1.5, "0", 2**40)
NAMED = (3, "x", ["activation"], {"activaton"})


def fitted(**arguments: Any) -> VAE:
    return VAE(**arguments).fit(ROWS)


misuse(
    VAE,
    {
        **SMALL,
        "likelihood": "gaussian",
        "prepare": "none",
        "model": "vae",
        "options": {},
        "batch_size": 3,
        "lr": 0.1,
        "settings": {},
    },
    call=fitted,
    label="estimator.VAE",
    latent_dim=[value for value in COUNTS if value is not None],
    hidden=SEQUENCES_OF_SIZES,
    likelihood=("Gaussian", 3, None, "file.py:Class", int, Says(["gaussian"], "gaussian")),
    prepare=("unity", 3, None),
    model=("vea", 3, None, Says(int, "int"), Says("cvae", "cvae")),
    options=(*NAMED, Says({"activaton": "relu"}, "activaton", "activaton")),
    epochs=[value for value in COUNTS if value is not None],
    batch_size=COUNTS,
    lr=(0, -1.0, math.nan, "1", True),
    patience=[value for value in COUNTS if value is not None],
    settings=(*NAMED, Says({"shedule": "cosine"}, "shedule", "shedule"), Says({"epochs": 3}, "epochs", "epochs")),
    random_state=SEEDS,
)
misuse(
    VAE.sample,
    {"n_samples": 2, "random_state": 0},
    call=fitted(**SMALL).sample,
    label="estimator.VAE.sample",
    n_samples=COUNTS,
    random_state=SEEDS,
)
misuse(
    VAE.inverse_transform,
    {"X": np.ones((2, 1))},
    call=fitted(**SMALL).inverse_transform,
    label="estimator.VAE.inverse_transform",
    X=(Says(np.ones((2, 3)), "3 columns"),),
)
