"""JAX: the whole step, data, noise, gradients and Adam, under one ``jit`` with donated state."""

from __future__ import annotations

import math
import os
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.example_libraries import optimizers

from ..cases import LOG_VAR_FLOOR, LR, Case

Layers = list[tuple[Array, Array]]  # weight and bias of each

adam_init, adam_update, adam_parameters = optimizers.adam(LR)


def mlp(layers: Layers, heads: int, x: Array) -> list[Array]:
    """Hidden layers with tanh, and one or two affine layers on top of them, the heads."""
    for weight, bias in layers[:-heads]:
        x = jnp.tanh(x @ weight + bias)
    return [x @ weight + bias for weight, bias in layers[-heads:]]


def bernoulli_log_prob(outputs: list[Array], x: Array) -> Array:
    (logits,) = outputs
    return jnp.sum(x * logits - jax.nn.softplus(logits))


def gaussian_log_prob(outputs: list[Array], x: Array) -> Array:
    mean, log_var = jax.nn.sigmoid(outputs[0]), jax.nn.softplus(outputs[1] - LOG_VAR_FLOOR) + LOG_VAR_FLOOR
    return -0.5 * jnp.sum((x - mean) ** 2 * jnp.exp(-log_var) + log_var + math.log(2 * math.pi))


LOG_PROBS = {"bernoulli": (bernoulli_log_prob, 1), "gaussian": (gaussian_log_prob, 2)}


def loss(parameters: tuple[Layers, Layers], x: Array, noise: Array, likelihood: str) -> Array:
    """Minus the bound, averaged over the minibatch."""
    encoder, decoder = parameters
    log_prob, heads = LOG_PROBS[likelihood]
    mu, log_var = mlp(encoder, 2, x)
    z = mu + jnp.exp(log_var / 2) * noise
    kl = 0.5 * jnp.sum(mu**2 + jnp.exp(log_var) - log_var - 1)
    return (kl - log_prob(mlp(decoder, heads, z), x)) / len(x)


@partial(jax.jit, static_argnames=("likelihood", "scale"), donate_argnames="state")
def train_step(state: dict, images: Array, rows: Array, noise: Array | None, likelihood: str, scale: float) -> dict:
    """The state after a step: of Adam, of the random numbers, the step count and its loss."""
    x = images[rows].astype(jnp.float32) / scale
    parameters = adam_parameters(state["adam"])
    key, subkey = jax.random.split(state["key"])
    if noise is None:
        noise = jax.random.normal(subkey, (len(x), parameters[0][-1][1].size))
    value, gradients = jax.value_and_grad(loss)(parameters, x, noise, likelihood)
    return {
        "adam": adam_update(state["step"], gradients, state["adam"]),
        "key": key,
        "step": state["step"] + 1,
        "loss": value,
    }


class Contender:
    """A loop around :func:`train_step`; JAX runs ahead of Python until a loss is read."""

    def __init__(self, case: Case) -> None:
        weights, depth = case.weights(), len(case.encoder)
        self.state = {
            "adam": adam_init((weights[:depth], weights[depth:])),
            "key": jax.random.key(0),
            "step": jnp.zeros((), jnp.int32),
            "loss": jnp.zeros(()),
        }
        self.images = jnp.asarray(case.images())
        self.options = {"likelihood": case.likelihood, "scale": case.scale}

    def array(self, values: np.ndarray) -> Array:
        return jnp.asarray(values, jnp.int32 if values.dtype.kind == "i" else None)

    def step(self, rows: Array, noise: Array | None = None) -> None:
        self.state = train_step(self.state, self.images, rows, noise, **self.options)

    def loss(self) -> float:
        return float(self.state["loss"])

    def describe(self) -> dict[str, Any]:
        return {"versions": {"jax": jax.__version__}, "threads": os.cpu_count()}
