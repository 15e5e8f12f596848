"""Every registered model, small, and noise that can be repeated: for tests that are the same for all of them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from minivae import backend, bounds, models
from minivae.autodiff import Parameter, Tensor, stop_gradient, tensor
from minivae.models import MODELS, Batch, Model
from minivae.models.registry import arguments
from minivae.nn import spectral
from minivae.regularizers import balance

DATA_DIM, CLASSES, M = 6, 3, 4

# What is small beside ``latent_dim`` and ``hidden``, which every model that takes them gets.
CRITICS = ("factor-vae", "wae-gan", "aae", "labelled-aae", "gan")
SMALL: dict[str, dict[str, Any]] = {
    "miwae": {"groups": 2, "samples": 3},
    "piwae": {"groups": 3, "samples": 2},
    "iaf-vae": {"flow_hidden": (5,), "features": 2, "free_bits": 0.02},
    "planar-vae": {"steps": 2},
    "radial-vae": {"steps": 2},
    "householder-vae": {"steps": 2},
    "coupling-vae": {"steps": 3, "flow_hidden": (5,), "features": 2},
    "auxiliary-vae": {"auxiliary": 2},
    "ladder-vae": {"levels": 2},
    "categorical-vae": {"variables": 3, "num_categories": 4},
    "joint-vae": {"continuous": 2, "discrete": (3, 4)},
    "m1-m2": {"first_dim": 3, "second_dim": 2, "second_hidden": (4,)},
    "vq-vae": {"num_codes": 3, "entries": 5, "code_dim": 2},
    "autoregressive-prior": {"first": {"num_codes": 3, "entries": 5, "code_dim": 2, "hidden": (5,)}},
    "vamp-vae": {"components": 7},
    "flow-prior-vae": {"steps": 3, "flow_hidden": (5,)},
    "f-vae": {"steps": 3, "flow_hidden": (5,)},
    "td-vae": {"sequence_length": 2, "state_dim": 2, "units": 4, "jumps": 2},
    **{name: {"critic_hidden": (6, 5)} for name in CRITICS},
    "swae": {"projections": 6},
    "info-vae": {"alpha": 0.3, "lambd": 5.0},
}
EVERY_MEMBER = pytest.mark.parametrize("name", MODELS)
# Of each kind that commands tell apart one: by what z is, what the model is told, and its phases. The others are slow.
KINDS = ("vae", "sigma-vae", "iwae", "planar-vae", "auxiliary-vae", "made", "cvae", "vamp-vae", "m2", "m1-m2")
KINDS += ("hyperspherical-vae", "categorical-vae", "joint-vae", "vq-vae", "autoregressive-prior", "wae-mmd")
KINDS += ("ladder-vae", "td-vae", "factor-vae", "beta-tcvae", "gan", "wake-sleep")
EVERY_MEMBER_BY_COMMANDS = pytest.mark.parametrize(
    "name", [name if name in KINDS else pytest.param(name, marks=pytest.mark.slow) for name in MODELS]
)


def member(name: str, *, data_dim: int = DATA_DIM, classes: int = CLASSES, **options: Any) -> Model:
    """A model of that name, quick to train."""
    kind = MODELS[name]
    given = {"latent_dim": 3, "hidden": (5,), "context_dim": classes, **SMALL.get(name, {}), **options}
    return kind(data_dim, **{key: value for key, value in given.items() if key in arguments(kind)})


def shaken(model: Model, seed: int = 20131220) -> Model:
    """The model with weights that are not small and biases that are not 0, so that every term counts."""
    rng = np.random.default_rng(seed)
    noise = {name: 0.4 * rng.standard_normal(p.shape) for name, p in model.named_parameters()}
    state = {name: value.numpy() for name, value in model.named_tensors()}
    model.load_state_dict({**state, **noise})
    return model


def batch_for(model: Model, rng: np.random.Generator, m: int = M) -> Batch:
    """Data points in [0, 1], with labels where the model is told them."""
    x = tensor(rng.uniform(size=(m, model.data_dim)))
    context = np.eye(model.context_dim)[rng.integers(0, model.context_dim, m)] if model.context_dim else None
    return Batch(x, None if context is None else tensor(context))


class Repeated:
    """A generator that draws the same numbers each time it is asked for."""

    def __init__(self, seed: int = 0) -> None:
        self._generator = backend.generator(seed)
        self._start = self._generator.state

    def __call__(self) -> backend.Generator:
        self._generator.state = self._start
        return self._generator


@contextmanager
def held() -> Iterator[Callable[[], None]]:
    """A block in which ``stop_gradient`` gives what it gave when it was first called, as its gradient says.

    A numerical derivative moves what is behind it, too. Yields a function that starts the
    calls from the first again.
    """
    values: list[Tensor] = []
    calls = 0

    def hold(x: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        if calls > len(values):
            values.append(stop_gradient(x))
        return values[calls - 1]

    def again() -> None:
        nonlocal calls
        calls = 0

    modules = [importlib.import_module(m.name) for m in pkgutil.walk_packages(models.__path__, "minivae.models.")]
    modules += [bounds, spectral, balance]
    with pytest.MonkeyPatch.context() as patch:
        for module in modules:
            patch.setattr(module, "stop_gradient", hold, raising=False)
        yield again


def losses(model: Model, batch: Batch) -> Iterator[tuple[Callable[..., Tensor], list[Parameter]]]:
    """For each phase its loss as a function of nothing that it depends on, and the parameters it trains."""
    noise = Repeated()
    for number, phase in enumerate(model.phases(batch, noise())):
        with held() as again:

            def loss(*_: Any, number: int = number, again: Callable = again) -> Tensor:
                again()
                return model.phases(batch, noise())[number].loss

            yield loss, phase.parameters
