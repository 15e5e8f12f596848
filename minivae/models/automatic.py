"""What is chosen for the user's own data when nothing is said: likelihood, preparation and sizes, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..datasets import Dataset
from ..datasets.domain import COUNTS, REAL, UNIT, holds
from ..datasets.preparation import moments_of
from .vae import LOG_VAR_FLOOR, decoder_of


def for_own(dataset: Dataset, given: Mapping[str, Any]) -> dict[str, Any]:
    """Options for data without a name: ``likelihood``, ``prepare``, what goes with them, and ``why`` in words.

    Args:
        dataset: not prepared yet.
        given: what the user said; ``prepare`` "auto" is nothing said, ``likelihood`` may be a class.

    Raises:
        InputError: ``likelihood`` is none.
    """
    kind, likelihood, prepare = _kind_of(dataset)
    said = given.get("prepare", "auto")
    if "likelihood" in given:
        likelihood = given["likelihood"]
        fits = not _is_density(likelihood) or given.get("sigmoid_mean") or _is_picture_in_unit(dataset)
        prepare = "none" if fits else "standardize"
    elif said not in ("auto", prepare):
        likelihood = {"unit": "bernoulli", "none": likelihood}.get(said, "gaussian")
    if said != "auto":
        prepare = said
    chosen: dict[str, Any] = {"likelihood": likelihood, "prepare": prepare}
    if decoder_of(likelihood)[0] == "categorical":
        chosen["categories"] = int(dataset.value_range[1]) + 1
    if _is_density(likelihood) and prepare != "standardize" and not _is_picture_in_unit(dataset):
        chosen["log_var_floor"] = LOG_VAR_FLOOR + math.log(_variance(dataset.prepared(prepare)))
    asked = [name for name in ("likelihood", "prepare") if given.get(name, "auto") != "auto"]
    reason = "as both were asked for" if len(asked) == 2 else f"as the values are {kind}"
    return chosen | {"why": f"{decoder_of(likelihood)[0]} likelihood, preparation {prepare}, {reason}"}


def usual_sizes(rows: int) -> dict[str, Any]:
    """A mid-sized model for so many rows, and a training of 100,000 samples within sensible limits."""
    epochs = min(max(100_000 // rows, 10), 500)
    return {"hidden": [200], "latent_dim": 10, "epochs": epochs, "batch_size": min(100, rows)}


def _kind_of(dataset: Dataset) -> tuple[str, str, str]:
    """What the values are, in words, and the likelihood and the preparation that are usual for such."""
    low, high = dataset.value_range
    numbers = f"from {low:g} to {high:g}"
    if _is_picture_in_unit(dataset):
        return "pixels, in [0, 1]", "bernoulli", "none"
    if holds(COUNTS, dataset.model_values()):
        if high <= 1:
            return "bits", "bernoulli", "none"
        if dataset.image_shape is None:
            return f"whole numbers, {numbers}: counts", "negative-binomial", "none"
    return f"real numbers, {numbers}", "gaussian", "standardize"


def _is_density(likelihood: Any) -> bool:
    """Whether it is one of real numbers."""
    return getattr(decoder_of(likelihood)[1], "domain", None) is REAL


def _is_picture_in_unit(dataset: Dataset) -> bool:
    """Pixels that may be probabilities of a bit; numbers of which all are far below 1 are in another unit."""
    low, high = dataset.value_range
    return dataset.image_shape is not None and UNIT.low <= low and 0.5 < high <= UNIT.high


def _variance(dataset: Dataset) -> float:
    """The mean variance of the columns, as the model sees them; 1 if they are all constant."""
    _, deviations = moments_of(dataset.model_values)
    return float(np.mean(np.square(deviations))) or 1.0
