"""What a run's ``config.json`` holds, so that every command can open the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import backend
from ..checks import instance
from ..datasets import Dataset
from ..datasets.digest import digest
from ..models import Model
from ..models.registry import name_of
from ..version import __version__


def description(
    model: Model, dataset: Dataset, settings: Mapping[str, Any], parted: Dataset | None = None
) -> dict[str, Any]:
    """Model, data and settings of a run, by name, as JSON can hold them.

    Args:
        model, dataset: what is trained, on what.
        settings: of the training, by name (``vars`` of a :class:`~minivae.training.Settings`).
        parted: the data with the parts that the training has, if it has set some rows apart.

    Returns:
        ``minivae`` (the version), ``model`` (its name), ``model_config`` (arguments of its constructor),
        ``options`` (the settings; ``data`` and how they were parted, ``dtype``, ``backend``),
        ``dataset`` (see :func:`facts`), ``backend`` (what it is).
    """
    weight = instance("model", model, Model, "a Model").parameters()[0]
    where = backend.backend_of(weight.data).name
    instance("dataset", dataset, Dataset, "a Dataset")
    options = {**instance("settings", settings, Mapping, "settings by name")}
    options.pop("detect_anomaly", None)  # of this process, not of the run
    prepare = "none" if dataset.preparation is None else dataset.preparation.kind
    options |= {"data": dataset.name, "split": None, **dataset.source, "prepare": prepare}
    return {
        "minivae": __version__,
        "model": name_of(type(model)),
        "model_config": model.config,
        "options": {**options, "dtype": weight.dtype.name, "backend": where},
        "dataset": {**facts(dataset, model.context_dim), **_parts(parted or dataset)},
        "backend": backend.describe(where),
    }


def facts(dataset: Dataset, classes: int = 0) -> dict[str, Any]:
    """What commands need to know of data that are not there, and what was assumed when they were read.

    Args:
        dataset: the data.
        classes: how many labels a model is told; the share of each in training is kept. 0 for none.

    Returns:
        ``name``, ``points`` (of each part), ``data_dim``, ``image_shape``, ``sequence_length``, ``scale``, ``range``,
        ``split``, ``columns``, ``class_names``, ``label_shares``, ``account``, ``digest``.
    """
    labels, shares = dataset.train.labels, None
    if classes and labels is not None:
        known = labels[labels >= 0]
        shares = (np.bincount(known, minlength=classes) / len(known)).tolist()
    return {
        "name": dataset.name,
        **_parts(dataset),
        "data_dim": dataset.data_dim,
        "image_shape": dataset.image_shape,
        "sequence_length": dataset.sequence_length,
        "scale": dataset.scale,
        "range": list(dataset.value_range),
        "split": dataset.split,
        "columns": dataset.columns,
        "class_names": dataset.class_names,
        "label_shares": shares,
        "digest": digest(dataset),
    }


def _parts(dataset: Dataset) -> dict[str, Any]:
    return {"points": {name: len(part) for name, part in dataset.parts.items()}, "account": dataset.account}
