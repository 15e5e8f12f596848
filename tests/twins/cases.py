"""The hard cases in which every member is held to its twin, and what minivae computes in them. Needs no PyTorch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from minivae import backend
from minivae.autodiff import Tensor, as_tensor, backward, tensor
from minivae.autodiff.modes import hooked
from minivae.datasets import Dataset, Split
from minivae.models import MODELS, Batch, Model
from minivae.models.registry import arguments
from minivae.nn import training_mode

from ..models.members import CLASSES, DATA_DIM, SMALL, M
from . import stored

SEED, STEPS = 20131220, 1000
DRAWN = ("standard_normal", "uniform")

# Options, where a member has them.
EVERYWHERE: dict[str, dict[str, Any]] = {
    "usual": {},
    "latent 1": {"latent_dim": 1},
    "one data point": {"m": 1},
    "an odd batch": {"m": 7},
    "no hidden layer": {"hidden": ()},
    "several hidden layers": {"hidden": (7, 5, 4), "activation": "relu"},
    "one sample": {"samples": 1},
    "70 samples": {"samples": 70},
    "weights of scale 3": {"scale": 3.0},
    "estimator A": {"estimator": "A", "samples": 3},
    "estimator A, one sample": {"estimator": "A", "samples": 1},
    "gaussian": {"likelihood": "gaussian"},
    "gaussian, means in (0, 1)": {"likelihood": "gaussian", "sigmoid_mean": True},
    "gaussian, fixed variance": {"likelihood": "gaussian", "variance": 0.3},
    "gaussian, estimator A": {"likelihood": "gaussian", "estimator": "A", "samples": 2},
}
# Of a case: the size of the batch, of the weights and of the training data, how far along a run is, and whether running
# means are under way.
OF_CASE = ("m", "scale", "data_points", "at", "used")


@dataclass
class Step:
    """What a member computed in a step, as arrays.

    Attributes:
        weights: every parameter and every piece of state before it, by name.
        trained: of each phase the names of what it trains.
        losses, terms, gradients, assigned: of each phase; the gradients by all of what it trains, and the new values
            of the step's running means with the first.
        draws: the noise, with the name of its primitive.
    """

    weights: dict[str, np.ndarray]
    trained: list[list[str]]
    losses: list[np.ndarray]
    terms: list[dict[str, np.ndarray]]
    gradients: list[dict[str, np.ndarray]]
    assigned: list[dict[str, np.ndarray]]
    draws: list[tuple[str, np.ndarray]]


def cases(name: str, own: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The cases that a member can have, each once: those of all, where it has the options, and its own."""
    known = {*arguments(MODELS[name]), *OF_CASE}
    for title, options in {**EVERYWHERE, **own}.items():
        if options.keys() <= known:
            yield title, dict(options)


def make(name: str, options: Mapping[str, Any], dtype: str) -> tuple[Model, Batch]:
    """A small member with weights of which every term counts, and a batch for it."""
    rng = np.random.default_rng(SEED)
    usual = {"latent_dim": 3, "hidden": (5,), "context_dim": CLASSES, "samples": 2, **SMALL.get(name, {})}
    given = {**usual, **options, "data_dim": DATA_DIM}
    model = MODELS[name](**{k: v for k, v in given.items() if k in arguments(MODELS[name])}, dtype=dtype)
    scale = options.get("scale", 0.4)
    parameters = {key: scale * rng.standard_normal(p.shape) for key, p in model.named_parameters()}
    model.load_state_dict({**model.state_dict(), **{k: v.astype(dtype) for k, v in parameters.items()}})
    if "data_points" in options:
        model.begin(options["data_points"])
    model.advance(round(options.get("at", 0.0) * STEPS), STEPS)
    if options.get("used"):
        state = {key: rng.uniform(0.1, 3.0, value.shape).astype(dtype) for key, value in model.named_tensors()}
        model.load_state_dict({**state, **{key: p.numpy() for key, p in model.named_parameters()}})
    return model, batch(model, rng, options.get("m", M), dtype)


def batch(model: Model, rng: np.random.Generator, m: int, dtype: str) -> Batch:
    """Data in [0, 1], and one-hot labels where the model is told them, and no others."""
    x = tensor(rng.uniform(size=(m, model.data_dim)).astype(dtype))
    labels = rng.integers(0, model.context_dim or 1, m)
    told = np.eye(model.context_dim, dtype=dtype)[labels] if model.context_dim else None
    if model.partly_told:
        told[1::2] = 0  # every other label is missing
    return Batch(x, None if told is None else tensor(told))


@contextmanager
def watched() -> Iterator[list[tuple[str, np.ndarray]]]:
    """A block in which the noise that is drawn is kept."""
    draws: list[tuple[str, np.ndarray]] = []

    def watch(primitive: Any, inputs: Any, attributes: Any, output: Tensor) -> None:
        if primitive.name in DRAWN:
            draws.append((primitive.name, np.array(output.numpy())))

    with hooked(watch):
        yield draws


def step(model: Model, batch: Batch, seed: int = SEED) -> Step:
    """What a member computes in a step of training, with noise from a generator."""
    weights = {key: np.array(value.numpy()) for key, value in model.named_tensors()}
    with watched() as draws, training_mode() as moved:
        phases = model.phases(batch, backend.generator(seed))
    gradients = [backward(p.loss, p.parameters, retain_graph=True) for p in phases]
    names = {id(value): key for key, value in model.named_tensors()}
    trained = [[names[id(p)] for p in phase.parameters] for phase in phases]
    return Step(
        weights,
        trained,
        [phase.loss.numpy() for phase in phases],
        [{key: as_tensor(value).numpy() for key, value in phase.terms.items()} for phase in phases],
        [dict(zip(t, (g.numpy() for g in gs), strict=True)) for t, gs in zip(trained, gradients, strict=True)],
        [
            {names[id(target)]: value.numpy() for target, value in [*phase.assignments, *(moved if i == 0 else ())]}
            for i, phase in enumerate(phases)
        ],
        draws,
    )


def numbers(model: Model, batch: Batch) -> list[dict[str, float]]:
    """What a member computes in a step, phase by phase, as :mod:`.stored` keeps it."""
    made = step(model, batch)
    return [stored.phase(*terms) for terms in zip(made.losses, made.terms, made.gradients, made.assigned, strict=True)]


def dataset(classes: int, rows: int) -> Dataset:
    """Data in [0, 1] with labels."""
    rng = np.random.default_rng(SEED)
    part = Split(rng.uniform(size=(rows, DATA_DIM)), rng.integers(0, classes, rows) if classes else None)
    return Dataset("noise", part, part, None, 1.0, "the same rows")
