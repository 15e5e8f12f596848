"""Data and sizes at the edge of what can be asked for, through the command line."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from minivae.cli import main
from minivae.models import MODELS
from minivae.models.registry import options

from ...models.members import CLASSES, SMALL
from .campaign import REFUSED, RIGHT, campaign


def _rows(rows: int, columns: int, value: float | None = None) -> np.ndarray:
    drawn = np.random.default_rng(0).uniform(size=(rows, columns))
    return (drawn if value is None else np.full_like(drawn, value)).astype(np.float32)


# What is trained on, and the options that go with it.
EDGES: dict[str, tuple[np.ndarray, dict[str, Any]]] = {
    "all values 0": (_rows(20, 9, 0.0), {}),
    "all values 1": (_rows(20, 9, 1.0), {}),
    "all values 1/2": (_rows(20, 9, 0.5), {}),
    "one data point": (_rows(1, 9), {}),
    "one pixel": (_rows(20, 1), {}),
    "one latent dimension": (_rows(20, 9), {"latent": 1}),
    "100,000 latent dimensions": (_rows(4, 9), {"latent": 100_000}),
    "a minibatch of all data": (_rows(20, 9), {"batch-size": 20}),
    "a model of one unit everywhere": (_rows(20, 9), {"latent": 1, "hidden": 1, "batch-size": 1}),
}
# The likelihoods take turns, and of so many latent dimensions some seconds are enough.
TRAINED = [
    (edge, name, ("bernoulli", "gaussian")[number % 2])
    for number, (name, edge) in enumerate(product(MODELS, EDGES))
    if name == "vae" or EDGES[edge][1].get("latent") != 100_000
]


@campaign(
    "numbers: data and sizes at the edge, through the command line",
    "trains, evaluates, samples and draws with finite numbers and no warning, or one line says why not",
    cases=len(TRAINED),
    quick=2,
)
def _edges(folder: Path) -> Iterator[str]:
    """Every model on constant data, one point, one pixel, one latent dimension and very many."""
    for number, case in enumerate(TRAINED):
        yield _one_edge(folder / str(number), *case)


def _one_edge(folder: Path, edge: str, name: str, likelihood: str) -> str:
    images, given = EDGES[edge]
    labels = np.arange(len(images)) % CLASSES
    folder.mkdir()
    terms = {f"{part}_{kind}": x for part in ("train", "test") for kind, x in (("images", images), ("labels", labels))}
    np.savez(folder / "data.npz", **terms)
    chosen = {"hidden": 5, "latent": 2, "likelihood": likelihood, **SMALL.get(name, {}), **given}
    words = [word for flag, value in chosen.items() if _has(name, flag) for word in _option(flag, value)]
    train = ["train", "--model", name, "--data", folder / "data.npz", "--out", folder / "run", "--epochs", 2, *words]
    few = [] if MODELS[name].no_log_likelihood else ["--importance-samples", 2]
    for command in (train, ["evaluate", folder / "run", *few], ["sample", folder / "run", "-n", 4]):
        wrong, outcome = _command(command)
        if outcome is not RIGHT:
            return f"{name}, {likelihood}, {edge}, {command[0]}: {wrong}" if wrong else outcome
    return RIGHT


def _has(name: str, flag: str) -> bool:
    argument = {"latent": "latent_dim"}.get(flag, flag.replace("-", "_"))
    return argument in options(MODELS[name]) or flag == "batch-size"


def _option(flag: str, value: Any) -> list[object]:
    return [f"--{flag.replace('_', '-')}", *(value if isinstance(value, tuple) else [value])]


def _command(words: Sequence[object]) -> tuple[str, str]:
    """What is wrong with the outcome of a command, and what it was."""
    said, complained = StringIO(), StringIO()
    flags = [str(word) for word in words]
    try:
        with redirect_stdout(said), redirect_stderr(complained), warnings.catch_warnings():
            warnings.simplefilter("error")
            code = main([*flags, "--json"])
    except Exception as error:
        return f"{type(error).__name__}: {error}", "raised"
    if code:
        line = complained.getvalue()
        return ("" if line.count("\n") == 1 else line), REFUSED
    numbers = [x for x in json.loads(said.getvalue()).values() if isinstance(x, float)]
    return ("", RIGHT) if all(map(math.isfinite, numbers)) else (said.getvalue(), "not finite")
