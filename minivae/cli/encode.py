"""``minivae encode``: the codes of data points in a file."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from ..autodiff import broadcast_to, no_grad
from ..distributions import Normal
from ..models import Model
from .opened import open_with_codes
from .outputs import TABLES, checked_path, write
from .points import Points, counted, load_points


def encode(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """Write posterior means, log-variances or discrete codes where there are any, and labels."""
    path, opened = checked_path(args.out, *TABLES), open_with_codes(args)
    points = load_points(opened, args, usual="all")
    arrays = {**about(points), **_codes(opened.model, points)}
    write(path, arrays, "mean")
    result = {"run": str(opened.run.folder), "path": str(path), **points.origin}
    result |= {"points": len(points), "arrays": {name: list(array.shape) for name, array in arrays.items()}}
    shape = arrays["mean"].shape
    return points.said(f"codes of {counted(shape[0], points.part)}, {shape[1]} numbers each, in {path}"), result


def about(points: Points) -> dict[str, np.ndarray]:
    """What each data point is: its number, its part, its label and what that is called."""
    found = {"row": points.rows, "part": points.parts}
    labels = points.split.labels
    if labels is not None:
        found["label"] = labels
        if points.dataset.class_names:
            found["class"] = np.where(labels < 0, "", np.array(points.dataset.class_names)[labels])
    return found


def _codes(model: Model, points: Points) -> dict[str, np.ndarray]:
    """``mean`` and, where there are any, ``log_var``, ``code`` or ``probability`` of each label: each ``(N, k)``."""
    chunks: dict[str, list[np.ndarray]] = {}
    for x, context in points.chunks(complete=True):
        found = {"mean": model.encode(x, context)}
        if model.num_categories:
            found["code"] = model.codes(x)
        if model.partly_told:
            found["probability"] = model.classify(x)
        with no_grad():
            q = model.posterior(model.prepared(x), context)
        if isinstance(q, Normal):
            found["log_var"] = broadcast_to(q.log_var, q.mean.shape)
        for name, part in found.items():
            chunks.setdefault(name, []).append(part.numpy())
    return {name: np.concatenate(parts) for name, parts in chunks.items()}
