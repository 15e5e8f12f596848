"""Monte Carlo EM beside its twin, from Kingma & Welling 2014, App. E, with the HMC of Neal 2011, section 5.3.

E step: of each chain 10 leapfrog steps on U(z) = -log p(x, z) and a decision, then the step size times
exp(mean acceptance - 0.9). M step: 5 updates of the decoder's weights. With the prior N(0, I) over weights (section 5)
the weight matrices' -log p counts 1/N, since log p(x, z) is a mean over the N data points. Biases have no prior.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest

from minivae.inference import MonteCarloEM

from ..doubles.oracle import one_thread, torch  # noqa: F401 (a fixture)
from . import cases, stored
from .rules import N, mcem
from .test_twins import close, require_stored
from .twin import Draws, Weights, decoded, standard_normal

STEPS, LEAPFROGS, UPDATES, TARGET = 3, 10, 5, 0.9
JITTER, DIVERGENCE = 0.5, 1000.0  # (Neal 2011, 5.4.2.2 has the step size vary from move to move; by how much is ours)


class Move(NamedTuple):
    """Where the chains are, and of each the probability of its move and whether its energy went astray."""

    z: torch.Tensor
    acceptance: torch.Tensor
    diverged: torch.Tensor


class MonteCarloEMTwin:
    """A run: its weights are updated in place."""

    def __init__(self, w: Weights, x: torch.Tensor, z: torch.Tensor, step_size: float, optimizer: Any, prior: bool):
        self.w, self.x, self.z, self.step_size, self.prior = w, x, z, step_size, prior
        self.trained = {key: value for key, value in w.items() if key.startswith("decoder.")}
        self.optimizer = optimizer(list(self.trained.values()))

    def log_joint(self, z: torch.Tensor, options: Any) -> torch.Tensor:
        """log p(x|z) + log p(z) of each data point."""
        return decoded(self.w, z, options).log_prob(self.x) + standard_normal(z).log_prob(z)

    def move(self, draws: Draws, options: Any) -> Move:
        """HMC as in Neal 2011, Figure 2, with the identity as its mass matrix."""

        def gradient(z: torch.Tensor) -> torch.Tensor:
            z = z.detach().requires_grad_()
            return torch.autograd.grad(-self.log_joint(z, options).sum(), z)[0]

        def energy(z: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
            return -self.log_joint(z, options).detach() + p.square().sum(-1) / 2

        z, p = self.z, draws.normal(*self.z.shape)
        size = self.step_size * (1 - JITTER + JITTER * draws.uniform(len(z), 1))
        before = energy(z, p)
        p = p - size * gradient(z) / 2
        for i in range(LEAPFROGS):
            z = z + size * p
            p = p - size * gradient(z) * (1.0 if i < LEAPFROGS - 1 else 0.5)
        error = energy(z, p) - before
        acceptance = torch.where(error.isnan(), torch.zeros_like(error), (-error).exp().clamp(max=1.0))
        accepted = draws.uniform(len(z)) < acceptance
        return Move(torch.where(accepted[:, None], z, self.z), acceptance, ~(error <= DIVERGENCE))

    def step(self, draws: Draws, options: Any) -> dict[str, torch.Tensor]:
        """An E step and an M step, and what is told of them."""
        self.z, acceptance, diverged = self.move(draws, options)
        self.step_size = self.step_size * math.exp(float(acceptance.mean()) - TARGET)
        for _ in range(UPDATES):
            log_joint = self.log_joint(self.z, options).mean()
            matrices = [value for value in self.trained.values() if value.ndim == 2]
            penalty = sum(value.square().sum() for value in matrices) / 2 / len(self.x) if self.prior else 0.0
            self.optimizer.zero_grad()
            (-log_joint + penalty).backward()
            self.optimizer.step()
        return {"log_joint": log_joint, "acceptance": acceptance.mean(), "divergences": diverged.to(self.z).sum()}


OPTIMIZERS = {  # of those in rules.py
    "adam": lambda w: torch.optim.Adam(w, 0.01),
    "adagrad": lambda w: torch.optim.Adagrad(w, 0.02, eps=1e-8),
    "sgd": lambda w: torch.optim.SGD(w, 1e-3, momentum=0.9),
}
GRID: dict[str, dict[str, Any]] = {
    "usual": {},
    "small steps": {"step_size": 1e-3},
    "long steps, some are refused": {"step_size": 0.9, "scale": 1.5},
    "longer steps, most are refused": {"step_size": 2.0, "scale": 2.0},
    "one data point": {"n": 1, "step_size": 0.5},
    "60 data points, latent 1": {"n": 60, "latent_dim": 1, "step_size": 0.5},
    "latent 8": {"latent_dim": 8, "step_size": 0.4},
    "no hidden layer": {"hidden": (), "step_size": 0.6},
    "several hidden layers": {"hidden": (7, 5, 4), "activation": "relu", "step_size": 0.5},
    "gaussian": {"likelihood": "gaussian", "step_size": 0.5},
    "gaussian, means in (0, 1)": {"likelihood": "gaussian", "sigmoid_mean": True, "step_size": 0.5},
    "gaussian, fixed variance": {"likelihood": "gaussian", "variance": 0.1, "step_size": 0.2},
    "gaussian, some diverge": {"likelihood": "gaussian", "variance": 1e-3, "step_size": 0.25, "n": 30},
    "gaussian, all are beyond the largest number": {"likelihood": "gaussian", "hidden": (), "step_size": 1e40},
}


def make(options: Mapping[str, Any], optimizer: str, prior: bool, dtype: str) -> tuple[MonteCarloEM, MonteCarloEMTwin]:
    """The run and its twin, from the same weights, chains and step size."""
    run, first = mcem(options, optimizer, prior, dtype)
    w = {key: torch.tensor(value, requires_grad=True) for key, value in run.model.state_dict().items()}
    x, draws = torch.tensor(run.x.numpy()), Draws(first, getattr(torch, dtype))
    z = draws.normal(len(x), run.model.latent_dim)  # (the chains start from the prior)
    draws.require_used()
    return run, MonteCarloEMTwin(w, x, z, float(run.step_size), OPTIMIZERS[optimizer], prior)


def follow(options: Mapping[str, Any], optimizer: str, prior: bool, dtype: str, tolerance: float) -> list[dict]:
    """Three steps of both, each compared in all that it changes."""
    run, twin = make(options, optimizer, prior, dtype)
    told = []
    close(run.position.numpy(), twin.z, tolerance)
    for _ in range(STEPS):
        with cases.watched() as drawn:
            found = run.step()
        draws = Draws(drawn, getattr(torch, dtype))
        wanted = twin.step(draws, run.model.config)
        draws.require_used()
        assert found.keys() == wanted.keys()
        for key, value in wanted.items():
            close(found[key].numpy(), value, tolerance, 1.0)
        close(run.position.numpy(), twin.z, tolerance, 1.0)
        close(run.step_size.numpy(), torch.tensor(twin.step_size, dtype=twin.x.dtype), tolerance)
        for key, value in run.model.named_tensors():
            close(value.numpy(), twin.w[key], tolerance, 1e-3)
        told.append({key: value.item() for key, value in wanted.items()})
    assert run.steps == STEPS
    assert run.samples_seen == STEPS * (LEAPFROGS + UPDATES) * len(twin.x)
    return told


EVERY_OPTIMIZER = ["usual", "one data point", "several hidden layers", "gaussian", "gaussian, some diverge"]
ROWS = [
    (title, optimizer) for title in GRID for optimizer in OPTIMIZERS if optimizer == "adam" or title in EVERY_OPTIMIZER
]


@pytest.mark.parametrize("prior", [False, True], ids=["no prior", "prior"])
@pytest.mark.parametrize(("title", "optimizer"), ROWS)
def test_three_steps(title, optimizer, prior):
    follow(GRID[title], optimizer, prior, "float64", 1e-10)


@pytest.mark.parametrize("options", [GRID["usual"], GRID["latent 8"], GRID["gaussian"]])
def test_in_float32(options):
    follow(options, "adam", True, "float32", 1e-4)


def test_hard_cases_are_what_they_say():
    def first(title: str) -> dict[str, float]:
        return follow(GRID[title], "sgd", False, "float64", 1e-8)[0]

    assert 0.1 < first("long steps, some are refused")["acceptance"] < 0.5
    assert first("longer steps, most are refused")["acceptance"] < 1e-10
    assert 10 < first("gaussian, some diverge")["divergences"] < 20
    assert first("gaussian, all are beyond the largest number")["divergences"] == N


def stored_rows():
    """As :func:`tests.twins.test_twins.stored_rows`: a part for each of three steps, with the prior over weights."""
    for title in ("usual", "long steps, some are refused", "gaussian", "60 data points, latent 1"):
        run, twin = make(GRID[title], "adam", True, "float64")
        found = []
        for _ in range(STEPS):
            with cases.watched() as drawn:
                run.step()
            told = twin.step(Draws(drawn, torch.float64), run.model.config)
            state = {"position": twin.z, "step_size": torch.tensor(twin.step_size, dtype=torch.float64)}
            state |= {f"model/{key}": value for key, value in twin.w.items()}
            numbers = stored.digests({key: value.detach().numpy() for key, value in state.items()})
            found.append({**{key: float(value.detach()) for key, value in told.items()}, **numbers})
        yield "mcem", title, GRID[title], found


def test_what_is_stored_is_what_the_twin_gives():
    require_stored(stored_rows())
