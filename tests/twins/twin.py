"""What a twin is, and what all of them are written with: PyTorch, the weights by name, and the draws of a step.

A twin shares nothing with minivae but the numbers in its weights, their names, and the noise that a step has drawn.
It is written from the member's paper, and uses PyTorch's own distributions, losses and optimizers where it has them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.distributions import Bernoulli, Independent, Normal
from torch.nn import functional

Weights = Mapping[str, torch.Tensor]


class Phase(NamedTuple):
    """One phase of a step.

    Attributes:
        loss: 0-d, per data point, in nats.
        terms: what the history has of it, by name.
        trained: the beginnings of the names of the weights that it trains.
        assigned: the new values of state that is not trained by gradients, by name.
        optimizer: the phase's own, of the weights; None for that of the run.
    """

    loss: torch.Tensor
    terms: dict[str, torch.Tensor]
    trained: Sequence[str]
    assigned: Mapping[str, torch.Tensor] = {}
    optimizer: Callable[[list[torch.Tensor]], torch.optim.Optimizer] | None = None


class Draws:
    """The noise of a step, each array of it to be used once: asked for by its kind and its shape.

    Args:
        made: pairs of the name of the primitive, ``standard_normal`` or ``uniform``, and the array.
    """

    def __init__(self, made: Sequence[tuple[str, np.ndarray]], dtype: torch.dtype) -> None:
        self._left = [(name, torch.tensor(array, dtype=dtype)) for name, array in made]

    def normal(self, *shape: int) -> torch.Tensor:
        """The first array of that shape from N(0, 1) that was not used yet."""
        return self._take("standard_normal", shape)

    def uniform(self, *shape: int) -> torch.Tensor:
        """The same from the uniform distribution on [0, 1)."""
        return self._take("uniform", shape)

    def require_used(self) -> None:
        """Every draw that the step has made is one of the method's."""
        assert not self._left, f"drawn beside what the paper asks for: {self._list()}"

    def _take(self, name: str, shape: tuple[int, ...]) -> torch.Tensor:
        for i, (kind, array) in enumerate(self._left):
            if (kind, tuple(array.shape)) == (name, shape):
                return self._left.pop(i)[1]
        raise AssertionError(f"the paper asks for {name} of shape {shape}; the step has drawn {self._list()}")

    def _list(self) -> list[tuple[str, tuple[int, ...]]]:
        return [(kind, tuple(array.shape)) for kind, array in self._left]


class Twin:
    """A member's loss, from its paper.

    Attributes:
        member: whose loss it is, by the name on the command line.
        cases: options of the member that are hard for it, by a name, beside those that all of them get.
    """

    member: str = ""
    cases: Mapping[str, Mapping[str, Any]] = {}

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        """The phases of a step.

        Args:
            w: every weight and every piece of state.
            x: ``(M, data_dim)``.
            context: one-hot labels, ``(M, context_dim)``, or None.
            draws: the noise.
            options: the member's, by name (its ``config``).
        """
        raise NotImplementedError

    def advance(self, w: Weights, step: int, total_steps: int, options: Any) -> None:
        """Set the state that follows a schedule, in place, before a step."""


def trained_by(w: Weights, phase: Phase) -> list[str]:
    """The names of the weights that a phase trains."""
    return [key for key in w if key.startswith(tuple(phase.trained)) and w[key].requires_grad]


def gradients_of(w: Weights, phase: Phase) -> dict[str, torch.Tensor]:
    """Of a phase's loss by the weights that it trains."""
    names = trained_by(w, phase)
    options = {"retain_graph": True, "allow_unused": True, "materialize_grads": True}
    return dict(zip(names, torch.autograd.grad(phase.loss, [w[key] for key in names], **options), strict=True))


class Training:
    """Steps of training: each phase by its own optimizer.

    Args:
        w: the weights, changed in place.
        usual: makes the optimizer of phases that have none of their own.
    """

    def __init__(self, w: Weights, usual: Callable[[list[torch.Tensor]], torch.optim.Optimizer]) -> None:
        self._w, self._usual = w, usual
        self._optimizers: list[torch.optim.Optimizer] = []

    def step(self, phases: Sequence[Phase]) -> None:
        """All gradients first, then the updates, then what is assigned."""
        w = self._w
        gradients = [gradients_of(w, phase) for phase in phases]
        if not self._optimizers:
            pairs = zip(phases, gradients, strict=True)
            self._optimizers = [(p.optimizer or self._usual)([w[key] for key in its]) for p, its in pairs]
        for optimizer, its in zip(self._optimizers, gradients, strict=True):
            for key, g in its.items():
                w[key].grad = g
            optimizer.step()
        with torch.no_grad():
            for phase in phases:
                for key, value in phase.assigned.items():
                    w[key].copy_(value)


def ramp(step: int, total_steps: int, length: float) -> float:
    """How far along a run is, from 0 to 1: over a share of it, if ``length`` is at most 1, or over so many steps."""
    return min(step / (total_steps * length if length <= 1 else length), 1.0)


# ------------------------------------------------------------- networks

ACTIVATIONS = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "softplus": functional.softplus,
    "leaky_relu": lambda x: functional.leaky_relu(x, 0.2),
}


def affine(w: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    """The weights are stored as (inputs, outputs)."""
    return x @ w[f"{name}.weight"] + w[f"{name}.bias"]


def network(w: Weights, name: str, x: torch.Tensor, activation: str = "tanh", last: bool = False) -> torch.Tensor:
    """The layers ``name.layers.0`` and so on, with an activation between them, and after the last one if asked."""
    count = sum(key.startswith(f"{name}.layers.") and key.endswith(".weight") for key in w)
    for i in range(count):
        x = affine(w, f"{name}.layers.{i}", x)
        if last or i < count - 1:
            x = ACTIVATIONS[activation](x)
    return x


def gaussian(w: Weights, name: str, x: torch.Tensor, activation: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and log-variance of Eq. 12, without what is done to them."""
    h = network(w, f"{name}.hidden", x, activation, last=True)
    return affine(w, f"{name}.mean", h), affine(w, f"{name}.log_var", h)


def normal(mean: torch.Tensor, log_var: torch.Tensor) -> Independent:
    """N(mean, exp(log_var)) over the last axis."""
    return Independent(Normal(mean, (log_var / 2).exp(), validate_args=False), 1)


def encoded(w: Weights, x: torch.Tensor, options: Any) -> Independent:
    """q(z|x), Eq. 9."""
    return normal(*gaussian(w, "encoder", x, options["activation"]))


def decoded(w: Weights, z: torch.Tensor, options: Any, name: str = "decoder") -> Independent:
    """p(x|z), Eq. 11 or 12: the Gaussian's variance has the floor of rounding to 256 steps, (1/256)^2 / 12."""
    if options["likelihood"] == "bernoulli":
        logits = network(w, f"{name}.logits", z, options["activation"])
        return Independent(Bernoulli(logits=logits, validate_args=False), 1)
    h = network(w, f"{name}.hidden", z, options["activation"], last=True)
    mean = affine(w, f"{name}.mean", h)
    mean = torch.sigmoid(mean) if options["sigmoid_mean"] else mean
    if options["variance"] is not None:
        return normal(mean, torch.full_like(mean, math.log(options["variance"])))
    floor = -math.log(256**2 * 12)
    return normal(mean, floor + functional.softplus(affine(w, f"{name}.log_var", h) - floor))


def standard_normal(like: torch.Tensor) -> Independent:
    """N(0, I) over the last axis of ``like``."""
    return normal(torch.zeros_like(like), torch.zeros_like(like))
