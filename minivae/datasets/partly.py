"""Data of which few have a label, for semi-supervised learning: the labels of the others are set to -1."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..checks import instance, integer_from_zero, positive_integer
from ..errors import InputError
from .dataset import Dataset


def keep_labels(dataset: Dataset, labelled: int, seed: int = 0) -> Dataset:
    """The data with so many labels of training points, equally many of each class; the others become -1, missing.

    Test and validation points keep theirs, by which a classifier is judged (Kingma et al. 2014, section 4.1).

    Args:
        dataset: labelled data.
        labelled: a multiple of the number of classes.
        seed: which points keep theirs.

    Raises:
        InputError: there are no labels, or too few of a class; or ``labelled`` is no such multiple.
    """
    classes, labels = instance("dataset", dataset, Dataset, "a Dataset").classes, dataset.train.labels
    if not classes or labels is None:
        raise InputError(f"{dataset.name} has no labels; expected some to keep")
    each, rest = divmod(positive_integer("labelled", labelled), classes)
    fewest = int(np.bincount(labels[labels >= 0], minlength=classes).min())
    if rest or each > fewest:
        raise InputError(
            f"labelled is {labelled}; expected a multiple of the {classes} classes, up to {fewest * classes}"
        )
    order = np.random.default_rng(integer_from_zero("seed", seed)).permutation(len(labels))
    kept = np.concatenate([order[labels[order] == k][:each] for k in range(classes)])
    found = np.full_like(labels, -1, dtype=np.int64)
    found[kept] = labels[kept]
    account = {**dataset.account, "labelled": labelled}
    return replace(dataset, train=replace(dataset.train, labels=found), account=account)
