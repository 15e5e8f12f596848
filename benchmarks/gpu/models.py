"""Check 4: every model: eager against compiled, resumed, sampled, reconstructed, its log p(x) estimated."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from minivae import backend, datasets
from minivae.compiler.cuda import graph
from minivae.errors import MinivaeError
from minivae.inference import log_likelihood
from minivae.models import MODELS, Model
from minivae.training import Settings, Trainer

from . import standins, warm
from .found import Context, unless

standins.install()  # here, as other processes import this, too
SIZES = {"hidden": (24,), "latent_dim": 4, "critic_hidden": (16, 16), "num_codes": 4, "entries": 8, "seed": 0}
STEPS = 8  # the first is recorded, the second runs call by call, the third is captured
# A rounding is magnified where an entry is chosen, or a gradient is near 0 beside Adam's root of its square.
TOLERANCE = 1e-3


def items(context: Context) -> dict[str, Callable[[], dict[str, Any]]]:
    """Its items, a model each."""
    jobs = [(__name__, "model", (name,)) for name in MODELS]
    return {
        "kernels, by several processes": lambda: warm.kernels(jobs, (context.deadline - time.monotonic()) / 2.5),
        **{name: partial(model, name) for name in MODELS},
    }


def model(name: str, of: str = "cupy") -> dict[str, Any]:
    """Train it a few steps in both ways, resume it, use it.

    Raises:
        Failure: the ways come apart, a step is not captured, or something that is used is not finite.
    """
    with _logged() as log, _launches() as launches:
        eager, compiled = (_trainer(name, of, compile) for compile in (False, True))
        terms = [(_step(eager), _step(compiled)) for _ in range(STEPS)]
        parameters_apart = _apart(eager.model.state_dict(), compiled.model.state_dict())
        resumed = _resumed(name, of, compiled)
        found = {
            "loss": [round(next(iter(terms[i][1].values())), 4) for i in (0, -1)],
            "terms_apart": max(_apart(a, b) for a, b in terms),
            "parameters_apart": parameters_apart,
            "resumed_apart": _apart(resumed.model.state_dict(), compiled.model.state_dict()),
            "launches": launches[0],
            "uses": dict(_uses(compiled.model, of)),
        }
    return unless([*_wrong(found, of), *log], found)


def _wrong(found: dict[str, Any], of: str) -> Iterator[str]:
    for what in ("terms_apart", "parameters_apart", "resumed_apart"):
        if not found[what] <= TOLERANCE:
            yield f"{what.replace('_', ' ')} by {found[what]:.1e}"
    if of == "cupy" and not found["launches"]:
        yield "no graph was launched"
    for use, value in found["uses"].items():
        if value is False:
            yield f"{use}: not finite"


def _trainer(name: str, of: str, compile: bool) -> Trainer:
    from minivae.models.registry import arguments

    data = datasets.load("digits")
    given = {**SIZES, "context_dim": data.classes, "backend": of}
    options = {key: value for key, value in given.items() if key in arguments(MODELS[name])}
    settings = Settings(epochs=100, batch_size=40, compile=compile)
    return Trainer(MODELS[name](data.data_dim, **options), data, settings)


def _step(trainer: Trainer) -> dict[str, float]:
    return {key: float(value) for key, value in trainer.train_step().items()}


def _resumed(name: str, of: str, trainer: Trainer) -> Trainer:
    """Another trainer, which goes on from this one's state; both do a step more."""
    arrays, meta = trainer.state()
    other = _trainer(name, of, True)
    other.load_state(arrays, json.loads(json.dumps(meta)))
    _step(other), _step(trainer)
    return other


def _apart(a: dict[str, Any], b: dict[str, Any]) -> float:
    """The largest difference between values of the same names, beside 1 + their size."""
    return max(float(np.max(np.abs(a[key] - b[key]) / (1 + np.abs(a[key])), initial=0)) for key in a)


def _uses(trained: Model, of: str) -> Iterator[tuple[str, bool | str]]:
    """What users call: whether it is finite, or what the model says that it has not."""
    generator, labels = backend.generator(0, of), None
    if trained.context_dim:
        labels = backend.asarray(np.eye(trained.context_dim, dtype="float32")[:3], backend=of)
    x = backend.asarray(np.random.default_rng(0).random((3, trained.data_dim), "float32"), backend=of)
    calls = {
        "sample": lambda: trained.sample(generator, 3, labels),
        "reconstruct": lambda: trained.reconstruct(x, labels),
        "log likelihood": lambda: log_likelihood(trained, x, generator, 5, context=labels).value,
    }
    for use, call in calls.items():
        try:
            yield use, bool(np.isfinite(call().numpy()).all())
        except MinivaeError as error:  # not every model has each of them
            yield use, str(error)


@contextmanager
def _logged() -> Iterator[list[str]]:
    """What minivae warns of: where a step cannot be captured, it says why."""
    lines: list[str] = []
    handler, logger = logging.Handler(logging.WARNING), logging.getLogger("minivae")
    handler.emit = lambda record: lines.append(record.getMessage())
    logger.addHandler(handler)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)


@contextmanager
def _launches() -> Iterator[list[int]]:
    """How many graphs are launched."""
    counted, launch = [0], graph.Launch.__call__

    def counting(of: graph.Launch) -> None:
        counted[0] += 1
        launch(of)

    graph.Launch.__call__ = counting  # type: ignore[method-assign]
    try:
        yield counted
    finally:
        graph.Launch.__call__ = launch  # type: ignore[method-assign]
