"""The rows of ``plots``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from minivae import plots
from minivae.plots.latent import way

from .subject import COUNTS, Says, misuse, ones

ROWS = np.random.default_rng(0).random((4, 4))
NO_ROWS = (None, "x", np.ones(3), np.ones((0, 4)), Says(np.full((4, 4), np.nan), "16 values"), [["a"]], ones(4, 4))
SHAPES = ((3, 3), 4, "x", (2, 2, 2), (0, 4), (2.5, 2))
PICTURE: dict[str, Any] = {"image_shape": (2, 2), "path": "p.png"}
PATHS = (3, "", Says("p.jpg", ".jpg"), Says("nowhere/p.png", "No such", "nowhere/p.png"))
AXES = (3, "x", plots.canvas)
DRAWN = {"image_shape": SHAPES, "path": PATHS, "ax": AXES}
DECODERS = (None, 3, Says(lambda z: z[:1], "(1, 2)"), Says(lambda z: z * np.nan, "NaN"), Says(lambda z: None, "()"))


def decode(z: np.ndarray) -> np.ndarray:
    """Four pixels of two latent variables."""
    return np.tile(np.tanh(z), 2)


CODES = np.array([[0, 1], [1, 1]])
misuse(
    plots.codebook_usage,
    {"codes": CODES, "count": 2, "path": "p.png"},
    codes=(Says(None, "object"), Says("x", "<U1"), np.ones(3, int), np.ones((2, 2)), CODES + 1, CODES - 1),
    count=(*COUNTS, 1),
    path=PATHS,
    ax=AXES,
)
misuse(
    plots.reconstructions,
    {"originals": ROWS, "reconstructions": ROWS, **PICTURE},
    originals=NO_ROWS,
    reconstructions=(*NO_ROWS, np.ones((3, 4))),
    **DRAWN,
)
misuse(
    plots.columns,
    {"originals": ROWS, "reconstructions": ROWS, "names": [*"abcd"], "path": "p.png"},
    originals=NO_ROWS,
    reconstructions=(*NO_ROWS, np.ones((3, 4))),
    names=(3, "abcd", [*"abc"]),
    path=PATHS,
)
misuse(
    plots.rollouts,
    {"originals": ROWS, "rollouts": ROWS, "steps": 2, "seen": 1, **PICTURE},
    originals=NO_ROWS,
    rollouts=(*NO_ROWS, np.ones((3, 4))),
    steps=(*COUNTS, 3),
    seen=(-1, 0.5, "1", None, 3),
    **DRAWN,
)
misuse(plots.samples, {"images": ROWS, "columns": 2, **PICTURE}, images=NO_ROWS, columns=COUNTS[:-3], **DRAWN)
MEANS = ROWS[:, :2]
misuse(plots.manifold_grid, {"n": 2}, n=COUNTS)
misuse(plots.manifold, {"decode": decode, "n": 2, **PICTURE}, decode=DECODERS, n=COUNTS, **DRAWN)
misuse(
    plots.interpolation,
    {"decode": decode, "z_start": MEANS, "z_end": MEANS, "steps": 3, **PICTURE},
    decode=DECODERS,
    z_start=NO_ROWS,
    z_end=(None, "x", np.ones(3), np.ones((4, 3))),
    steps=(*COUNTS, 1),
    on_sphere=(None, 1, "x", Says(True, "expected rows of length 1", "z_start")),
    **DRAWN,
)
misuse(
    way,
    {"z_start": MEANS, "z_end": MEANS, "steps": 3, "on_sphere": False},
    z_start=NO_ROWS,
    z_end=(None, "x", np.ones(3), np.ones((4, 3))),
    steps=(*COUNTS, 1),
    on_sphere=(None, 1, "x", Says(True, "expected rows of length 1", "z_start")),
)
misuse(
    plots.traversals,
    {"decode": decode, "means": MEANS, "steps": 3, **PICTURE},
    decode=DECODERS,
    means=NO_ROWS,
    steps=COUNTS,
    on_sphere=(None, 1, "x"),
    **DRAWN,
)
misuse(
    plots.latent_scatter,
    {"means": MEANS, "labels": np.arange(4), "path": "p.png"},
    means=NO_ROWS,
    labels=(
        "x",
        Says(np.arange(3), "(3, 1)"),
        Says(np.ones((4, 2)), "(4, 2, 1)"),
        Says(np.full(4, np.nan), "4 values"),
    ),
    path=PATHS,
    ax=AXES,
    class_names=(3, "ab", Says(["a", "b"], "2 names")),
)
CURVES = {"samples_seen": [1, 2], "train_bound": [-2.0, -1.0]}
misuse(
    plots.learning_curve,
    {"history": CURVES, "path": Path("p.png")},
    history=(
        None,
        3,
        Says({}, "samples_seen"),
        Says(CURVES | {"train_bound": [1]}, "1 rows"),
        Says(CURVES | {"kl": 3}, "3"),
    )[:4],
    path=PATHS,
    ax=AXES,
)
