"""``minivae reconstruct`` and ``interpolate``: what codes of data points are decoded to."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from .. import backend, plots
from ..checks import positive_integer
from ..errors import InputError
from ..plots.canvas import FORMATS, own_style
from ..plots.latent import way
from .encode import about
from .opened import open_with_codes
from .outputs import TABLES, checked_path, write
from .points import counted, load_points

PICTURED = 30  # points in a picture


def reconstruct(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """Write what the model makes of data points, in the data's own units: a picture, or all of them as numbers."""
    path, opened = checked_path(args.out, *TABLES, *FORMATS), open_with_codes(args)
    points = load_points(opened, args)
    drawn = path.suffix.lower() in FORMATS
    if drawn:
        rows = np.arange(min(PICTURED, len(points)))
        x, context = points.at(rows, backend.generator(0, points.minibatches.backend))
        with own_style():
            plots.reconstructions(_numbers(x), opened.model.reconstruct(x, context).numpy(), opened.image_shape, path)
        count = len(rows)
    else:
        rebuilt = np.concatenate([opened.model.reconstruct(x, context).numpy() for x, context in points.chunks()])
        arrays = {**about(points), "reconstruction": rebuilt}
        write(path, arrays, "reconstruction", {"reconstruction": opened.columns})
        count = len(points)
    those = counted(count, points.part) if count == len(points) else f"{count} of {counted(len(points), points.part)}"
    result = {"run": str(opened.run.folder), "path": str(path), **points.origin, "points": count}
    return points.said(f"reconstructions of {those} in {path}"), result


def interpolate(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """Write what is decoded on the way from the code of one data point to that of another: straight, or on a sphere."""
    path, opened = checked_path(args.out, *TABLES, *FORMATS), open_with_codes(args)
    if positive_integer("steps", args.steps) < 2:
        raise InputError(f"steps is {args.steps}; expected at least 2, the two ends")
    points = load_points(opened, args)
    for name, row in (("A", args.first), ("B", args.second)):
        if not 0 <= row < len(points):
            raise InputError(f"{name} is {row}; expected the number of a point, 0 to {len(points) - 1}")
    generator = backend.generator(0, points.minibatches.backend)
    x, context = points.at(np.array([args.first, args.second]), generator, complete=True)
    ends = opened.model.encode(x, context).numpy()
    decode, on_sphere = points.decoder(context), opened.model.on_sphere
    if path.suffix.lower() in FORMATS:
        with own_style():
            plots.interpolation(decode, ends[:1], ends[1:], opened.image_shape, path, args.steps, on_sphere=on_sphere)
    else:
        share = np.linspace(0, 1, args.steps)
        z = way(ends[:1], ends[1:], args.steps, on_sphere)[0]
        arrays = {"share": share, "z": z.astype(ends.dtype), "decoded": decode(z)}
        write(path, arrays, "decoded", {"decoded": opened.columns})
    result = {"run": str(opened.run.folder), "path": str(path), **points.origin}
    result |= {"rows": [args.first, args.second], "steps": args.steps}
    text = f"{args.steps} steps from point {args.first} to {args.second} of {points.part} in {path}"
    return points.said(text), result


def _numbers(x: Any) -> np.ndarray:
    return x if isinstance(x, np.ndarray) else x.numpy()
