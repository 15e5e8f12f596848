"""Monte Carlo EM (App. E): learning without an encoder.

E step: z of every data point moves on its posterior p(z|x) by Hamiltonian Monte Carlo, 10
leapfrog steps whose size is tuned to 90% acceptance. The chains persist from step to step:
the posterior changes little between them. M step: 5 updates of the weights, upwards in
log p(x, z). Each step goes over all of the data: it is no on-line method, which is why the
paper runs it on 1000 data points and not on all of MNIST.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..autodiff import Tensor, backward, mean, no_grad
from ..autodiff.state import copy_state, load_state
from ..backend import Generator, require_generator
from ..bounds import weight_log_prior
from ..checks import instance, switch
from ..compiler import compile
from ..errors import InputError, shown
from ..models import Model
from ..optim import Optimizer
from . import hmc
from .joint import explained, log_joint

LEAPFROG_STEPS, WEIGHT_UPDATES = 10, 5
# The step size follows the mean acceptance of all chains, which is known well: by 10% in a
# step where every move is accepted, by a third where half of them are.
ADAPTATION_RATE = 1.0


class MonteCarloEM:
    """A run of Monte Carlo EM.

    Args:
        model: gives p(z) and p(x|z).
        x: all of the data, ``(N, data_dim)``.
        optimizer: of the weights of p(x|z).
        generator: draws the first z from the prior, and all noise.
        context: what the model is told beside ``x``, a row for each of its rows.
        weight_prior: MAP with the prior N(0, I) over the weights (section 5).

    Attributes:
        position: where the chains are, ``(N, latent_dim)``.
        step_size: of the leapfrog, 0-d.
        steps: how many have been made.

    Raises:
        InputError: the model has no density over z, or an argument is of another kind or shape.
    """

    def __init__(
        self,
        model: Model,
        x: Tensor,
        optimizer: Optimizer,
        generator: Generator,
        *,
        context: Any = None,
        weight_prior: bool = False,
    ) -> None:
        self.x = explained(model, x, context)
        self.model, self.context = model, context
        self.optimizer = instance("optimizer", optimizer, Optimizer, "an Optimizer")
        self.generator = require_generator("generator", generator)
        self.weight_prior, self.steps = switch("weight_prior", weight_prior), 0
        self.position = model.sample_prior(generator, len(self.x), context)
        with no_grad():
            self.step_size = mean(self.position) * 0.0 + 0.1
        self._move, self._update = compile(self._move_eagerly), compile(self._update_eagerly)

    @property
    def samples_seen(self) -> int:
        """Data points evaluated, as Figure 3 counts them: in a step 10 times to move, and 5 times to learn."""
        return self.steps * (LEAPFROG_STEPS + WEIGHT_UPDATES) * self.x.shape[0]

    def step(self) -> dict[str, Tensor]:
        """An E step and an M step.

        Returns:
            0-d tensors: ``log_joint``, log p(x, z) per data point before the last update, in nats;
            ``acceptance`` and ``divergences``, of the moves. Valid until the next step.
        """
        self.position, acceptance, divergences, self.step_size = self._move(self.position, self.step_size)
        for _ in range(WEIGHT_UPDATES):
            self.optimizer.advance()
            log_joint = self._update(self.position)
        self.steps += 1
        return {"log_joint": log_joint, "acceptance": acceptance, "divergences": divergences}

    def _move_eagerly(self, position: Tensor, step_size: Tensor) -> tuple[Tensor, ...]:
        density = log_joint(self.model, self.x, self.context)
        # The weights have changed, so density and gradient are computed anew.
        state, info = hmc.step(hmc.init(position, density), density, self.generator, step_size, LEAPFROG_STEPS)
        with no_grad():
            acceptance = mean(info.acceptance)
            adapted = hmc.adapt(step_size, acceptance, rate=ADAPTATION_RATE)
            return state.position, acceptance, info.divergent.sum(), adapted

    def _update_eagerly(self, position: Tensor) -> Tensor:
        objective = mean(log_joint(self.model, self.x, self.context)(position))
        parameters = self.optimizer.parameters
        loss = -objective
        if self.weight_prior:  # an average per data point has 1/N of it
            loss = loss - weight_log_prior(parameters) * (1 / self.x.shape[0])
        self.optimizer.apply(backward(loss, parameters))
        return objective.detach()

    # ---------------------------------------------------------- checkpoints

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Everything that :meth:`load_state` needs to go on exactly: arrays, and what JSON can hold."""
        arrays = {f"optimizer/{name}": array for name, array in self.optimizer.state_dict().items()}
        arrays |= copy_state(self._tensors())
        return arrays, {"steps": self.steps, "generator": self.generator.state}

    def load_state(self, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> None:
        """Put back what :meth:`state` gave.

        Raises:
            InputError: it is of another model, other data or another optimizer.
        """
        instance("arrays", arrays, Mapping, "a mapping from names to arrays")
        if not isinstance(meta, Mapping) or not {"steps", "generator"} <= meta.keys():
            raise InputError(f"meta is {shown(meta)}; expected steps and generator, as state() gives them")
        own = {name: array for name, array in arrays.items() if not str(name).startswith("optimizer/")}
        load_state(type(self).__name__, self._tensors(), own)
        self.optimizer.load_state_dict(
            {name.removeprefix("optimizer/"): array for name, array in arrays.items() if name not in own}
        )
        self.steps, self.generator.state = meta["steps"], meta["generator"]

    def _tensors(self) -> dict[str, Tensor]:
        model = {f"model/{name}": value for name, value in self.model.named_parameters()}
        return {"position": self.position, "step_size": self.step_size, **model}
