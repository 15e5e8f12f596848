"""Hamiltonian Monte Carlo (Duane et al. 1987; Neal 2011), many chains side by side.

A chain walks on a density over vectors z, known up to a constant. A move gives z a random
momentum p ~ N(0, I), follows Hamilton's equations for the energy

    H(z, p) = -log density(z) + p^2 / 2

with ``leapfrog`` steps, and accepts where it arrives with probability min(1, exp(-dH))
(Metropolis). The leapfrog is reversible and keeps volume, so the density is stationary.

All chains are one array, ``(..., chains, dim)``, and each has its own density: commonly the
posterior of its own data point. Nothing here waits for a device or reads a value, so that a
move can be recorded with :func:`minivae.compile`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..autodiff import (
    Tensor,
    as_tensor,
    astype,
    backward,
    clip,
    enable_grad,
    exp,
    expand_dims,
    leaf,
    less,
    minimum,
    no_grad,
    stack,
    standard_normal,
    sum,
    uniform,
    where,
    zeros_like,
)
from ..autodiff.shape import shaped
from ..backend import Generator, require_generator
from ..checks import function, instance, number_from_zero, positive_integer, positive_number
from ..compiler import compile
from ..errors import InputError

LogDensity = Callable[[Tensor], Tensor]

# An energy that is off by so much is no matter of the step size alone: the trajectory has
# left the region where the leapfrog follows the dynamics (Betancourt 2017; Stan's limit).
DIVERGENCE = 1000.0
# Each move of each chain draws its step size from [1 - JITTER, 1] times the given one. With a
# fixed one, moves as long as a period of a Gaussian would end where they began (Neal 2011, 3.2).
JITTER = 0.5


class State(NamedTuple):
    """Where the chains are.

    Attributes:
        position: z, ``(..., chains, dim)``.
        log_density: there, ``(..., chains)``, in nats.
        gradient: of the log density by z.
    """

    position: Tensor
    log_density: Tensor
    gradient: Tensor


class Info(NamedTuple):
    """What happened in a move, for each chain: ``(..., chains)``.

    Attributes:
        acceptance: the probability with which it was accepted.
        energy_error: H after minus H before, in nats; 0 if the leapfrog were exact.
        divergent: 1 where the energy error is above ``DIVERGENCE`` or no number, else 0.
    """

    acceptance: Tensor
    energy_error: Tensor
    divergent: Tensor


def init(position: Tensor, log_density: LogDensity) -> State:
    """The state at ``position``.

    Args:
        position: z, ``(..., chains, dim)``.
        log_density: z -> ``(..., chains)``, differentiable; a chain's value depends on its own z alone.
    """
    position = shaped("position", position, None, ..., None)
    z = leaf(position)
    with enable_grad():
        value = instance("log_density(z)", function("log_density", log_density)(z), Tensor, "a Tensor")
        if value.shape != z.shape[:-1]:
            raise InputError(f"log_density(z) has shape {value.shape}; expected one value for each z, {z.shape[:-1]}")
        # Chains do not depend on each other, so the gradient of their sum is each one's own.
        (gradient,) = backward(sum(value), [z])
    return State(position, value.detach(), gradient)


def leapfrog(
    state: State, momentum: Tensor, log_density: LogDensity, step_size: Any, steps: int
) -> tuple[State, Tensor]:
    """Follow Hamilton's equations for ``steps`` steps: the new state and momentum (Neal 2011, Eq. 2.28 to 2.30)."""
    instance("state", state, State, "a State: hmc.init(position, log_density)")
    momentum = shaped("momentum", momentum, state.position, *state.position.shape)
    step_size = as_tensor(step_size, state.position, "step_size")
    for _ in range(positive_integer("steps", steps)):
        momentum = momentum + state.gradient * (step_size * 0.5)
        state = init(state.position + momentum * step_size, log_density)
        momentum = momentum + state.gradient * (step_size * 0.5)
    return state, momentum


def step(
    state: State, log_density: LogDensity, generator: Generator, step_size: Any, leapfrog_steps: int = 10
) -> tuple[State, Info]:
    """One move of every chain.

    Args:
        state: where the chains are.
        log_density: see :func:`init`.
        generator: draws momenta and decides.
        step_size: of the leapfrog, before its ``JITTER``; a number, a 0-d tensor, or one for
            each chain, ``(..., chains, 1)``.
        leapfrog_steps: how many make a move; 10 in App. E.

    Raises:
        InputError: ``leapfrog_steps`` is not a positive integer.
    """
    steps = positive_integer("leapfrog_steps", leapfrog_steps)
    instance("state", state, State, "a State: hmc.init(position, log_density)")
    require_generator("generator", generator)
    step_size = as_tensor(step_size, state.position, "step_size")
    # A trajectory that diverges ends in infinities and is refused; NumPy's warnings say no more.
    with no_grad(), np.errstate(all="ignore"):
        z = state.position
        momentum = standard_normal(generator, z.shape, z.dtype)
        factor = uniform(generator, (*z.shape[:-1], 1), z.dtype) * JITTER + (1 - JITTER)
        proposal, end = leapfrog(state, momentum, log_density, factor * step_size, steps)
        error = _energy(proposal, end) - _energy(state, momentum)
        stable = less(error, DIVERGENCE)  # no NaN is
        acceptance = where(stable, exp(minimum(-error, 0.0)), 0.0)
        accepted = less(uniform(generator, error.shape, z.dtype), acceptance)
        return _choose(accepted, proposal, state), Info(acceptance, error, 1.0 - astype(stable, z.dtype))


def adapt(step_size: Any, acceptance: Any, rate: float = 0.05, target: float = 0.9) -> Any:
    """A step size that comes nearer to the target acceptance: times exp(rate (acceptance - target)), at most e.

    For one step size give the mean acceptance, for one to each chain ``expand_dims(acceptance, -1)``.
    Adapt while warming up, or slowly: a step size that depends on the past is not Metropolis.

    Args:
        step_size: as it was.
        acceptance: of the last move.
        rate: how far a single move counts.
        target: 0.9 in App. E.
    """
    rate, target = number_from_zero("rate", rate), number_from_zero("target", target)
    step_size, acceptance = as_tensor(step_size, name="step_size"), as_tensor(acceptance, name="acceptance")
    return step_size * exp(clip((acceptance - target) * rate, -1.0, 1.0))


class Samples(NamedTuple):
    """Draws from every chain.

    Attributes:
        z: ``(draws, ..., chains, dim)``.
        acceptance: mean over the draws, ``(..., chains)``.
        divergences: how many of the draws diverged, ``(..., chains)``.
        step_size: that they were drawn with, ``(..., chains, 1)``.
    """

    z: Tensor
    acceptance: Tensor
    divergences: Tensor
    step_size: Tensor


def sample(
    log_density: LogDensity,
    position: Tensor,
    generator: Generator,
    draws: int,
    *,
    warmup: int = 100,
    leapfrog_steps: int = 10,
    step_size: float = 0.1,
) -> Samples:
    """Run all chains from ``position``: ``warmup`` moves that adapt each chain's step size, then ``draws`` more.

    Raises:
        InputError: a number is out of its range.
    """
    positive_integer("draws", draws)
    positive_integer("warmup", warmup)
    position = shaped("position", position, None, ..., None)
    move, state = compiled(log_density, generator, leapfrog_steps), init(position, log_density)
    sizes = position[..., :1] * 0.0 + positive_number("step_size", step_size)
    with no_grad():
        for i in range(warmup):
            state, info = move(state, sizes)
            sizes = adapt(sizes, expand_dims(info.acceptance, -1), rate=_warmup_rate(i))
        z, acceptance, divergences = [], zeros_like(state.log_density), zeros_like(state.log_density)
        for _ in range(draws):
            state, info = move(state, sizes)
            z.append(state.position)  # which the next move, of which it is an input, copies
            acceptance, divergences = info.acceptance / draws + acceptance, info.divergent + divergences
        return Samples(stack(z), acceptance, divergences, sizes)


def compiled(
    log_density: LogDensity, generator: Generator, leapfrog_steps: int = 10
) -> Callable[[State, Any], tuple[State, Info]]:
    """:func:`step` compiled: a function of state and step size, a third of the time of unrecorded moves.

    What it returns is valid until its next call, and may be given to that.
    """
    function("log_density", log_density)
    require_generator("generator", generator)
    positive_integer("leapfrog_steps", leapfrog_steps)
    move = compile(lambda *inputs: step(State(*inputs[:3]), log_density, generator, inputs[3], leapfrog_steps))

    def moved(state: State, step_size: Any) -> tuple[State, Info]:
        after, info = move(*state, step_size)
        return State(*after), Info(*info)

    return moved


def _warmup_rate(i: int) -> float:
    # Falls as i^-0.6, so that the step size settles (Robbins & Monro 1951). It begins at 10, as
    # a step size that is far too small shows only in an acceptance of 1, 0.1 above the target.
    return 10.0 * (i + 1.0) ** -0.6


def _energy(state: State, momentum: Tensor) -> Tensor:
    return sum(momentum * momentum, axis=-1) * 0.5 - state.log_density


def _choose(accepted: Tensor, proposal: State, state: State) -> State:
    wide = expand_dims(accepted, -1)
    return State(
        where(wide, proposal.position, state.position),
        where(accepted, proposal.log_density, state.log_density),
        where(wide, proposal.gradient, state.gradient),
    )
