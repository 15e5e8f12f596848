"""``minivae sample``: draws from a run's model, for which its data are not needed."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from .. import backend, plots
from ..checks import integer_from_zero, one_of, positive_integer
from ..datasets import one_hot
from ..errors import InputError
from ..plots.canvas import FORMATS, own_style
from .opened import Opened, open_run
from .outputs import TABLES, checked_path, write


def sample(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """Write draws of the model in the data's own units: the means of p(x|z) for z from the prior, given a label."""
    number, seed = positive_integer("number", args.number), integer_from_zero("seed", args.seed)
    path = checked_path(args.out or str(Path(args.run) / "samples.png"), *FORMATS, *TABLES)
    opened = open_run(args)
    labels = labels_for(opened, number, args.label, seed)
    context = None if labels is None else one_hot(labels, opened.model.context_dim)
    drawn = opened.model.sample(backend.generator(seed), number, context).numpy()
    if path.suffix.lower() in FORMATS:
        with own_style():
            plots.samples(drawn, opened.image_shape, path)
    else:
        told = {} if labels is None else {"label": labels}
        write(path, {**told, "x": drawn}, "x", {"x": opened.columns})
    result = {"run": str(opened.run.folder), "path": str(path), "number": number}
    if labels is not None:
        result["labels"] = np.bincount(labels, minlength=opened.model.context_dim).tolist()
    return f"{number} samples in {path}" + (f"\n             of {opened.taken}" if opened.taken else ""), result


def labels_for(opened: Opened, number: int, said: str | None, seed: int = 0) -> np.ndarray | None:
    """The label of each sample, ``(number,)``; None for a model that is told none.

    The one that is said, by its number or by its name; else they are drawn as often as the training data have
    them, sorted; each in turn where a run does not say how often.
    """
    classes = opened.model.context_dim
    if not classes:
        if said is not None:
            raise InputError(f"--label is {said}, but the model of this run takes no labels")
        return None
    if said is not None:
        return np.full(number, _number_of(opened, said))
    shares = opened.facts.get("label_shares")
    if shares is None:
        return np.arange(number) % classes
    return np.sort(np.random.default_rng(seed).choice(classes, number, p=shares))


def _number_of(opened: Opened, said: str) -> int:
    names, classes = opened.facts.get("class_names") or [], opened.model.context_dim
    if said in names:
        return names.index(said)
    if said.isdecimal() and int(said) < classes:
        return int(said)
    if names:
        one_of("--label", said, names)
    raise InputError(f"--label is {said}; expected an integer from 0 to {classes - 1}")
