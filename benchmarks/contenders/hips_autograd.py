"""HIPS autograd: plain NumPy code, differentiated, and Adam written out in NumPy as its users write it."""

from __future__ import annotations

import math
from importlib.metadata import version
from typing import Any

import autograd.numpy as np
import numpy
from autograd import value_and_grad

from ..cases import LOG_VAR_FLOOR, LR, Case
from .ours import describe


def mlp(layers: list, heads: int, x: Any) -> list:
    """Hidden layers with tanh, and one or two affine layers on top of them, the heads."""
    for weight, bias in layers[:-heads]:
        x = np.tanh(np.dot(x, weight) + bias)
    return [np.dot(x, weight) + bias for weight, bias in layers[-heads:]]


def softplus(x: Any) -> Any:
    # Several times as fast as np.logaddexp(0, x), which NumPy does not vectorize.
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def log_prob(outputs: list, x: Any) -> Any:
    if len(outputs) == 1:
        return np.sum(x * outputs[0] - softplus(outputs[0]))
    mean, log_var = 1 / (1 + np.exp(-outputs[0])), softplus(outputs[1] - LOG_VAR_FLOOR) + LOG_VAR_FLOOR
    return -0.5 * np.sum((x - mean) ** 2 * np.exp(-log_var) + log_var + math.log(2 * math.pi))


def loss(parameters: tuple[list, list], x: Any, noise: Any, heads: int) -> Any:
    """Minus the bound, averaged over the minibatch."""
    encoder, decoder = parameters
    mu, log_var = mlp(encoder, 2, x)
    z = mu + np.exp(log_var / 2) * noise
    kl = 0.5 * np.sum(mu**2 + np.exp(log_var) - log_var - 1)
    return (kl - log_prob(mlp(decoder, heads, z), x)) / len(x)


class Adam:
    """Adam over a list of arrays, in place.

    Args:
        parameters: change at each step.
    """

    def __init__(self, parameters: list[numpy.ndarray]) -> None:
        self.parameters, self.count = parameters, 0
        self.m = [numpy.zeros_like(p) for p in parameters]
        self.v = [numpy.zeros_like(p) for p in parameters]

    def step(self, gradients: list[numpy.ndarray]) -> None:
        self.count += 1
        for p, g, m, v in zip(self.parameters, gradients, self.m, self.v, strict=True):
            m += (1 - 0.9) * (g - m)
            v += (1 - 0.999) * (g * g - v)
            p -= LR * (m / (1 - 0.9**self.count)) / (numpy.sqrt(v / (1 - 0.999**self.count)) + 1e-8)


class Contender:
    """``value_and_grad`` of the loss, and :class:`Adam`."""

    def __init__(self, case: Case) -> None:
        weights, depth = case.weights(), len(case.encoder)
        self.parameters = (weights[:depth], weights[depth:])
        self.heads = 2 if case.likelihood == "gaussian" else 1
        self.adam = Adam(_flat(self.parameters))
        self.images, self.scale = case.images(), numpy.float32(case.scale)
        self.random, self.value = numpy.random.default_rng(0), 0.0
        self.latent_dim = case.latent_dim

    def array(self, values: numpy.ndarray) -> numpy.ndarray:
        return values

    def step(self, rows: numpy.ndarray, noise: numpy.ndarray | None = None) -> None:
        x = self.images[rows] / self.scale
        if noise is None:
            noise = self.random.standard_normal((len(rows), self.latent_dim), "float32")
        self.value, gradients = value_and_grad(loss)(self.parameters, x, noise, self.heads)
        self.adam.step(_flat(gradients))

    def loss(self) -> float:
        return float(self.value)

    def describe(self) -> dict[str, Any]:
        return describe() | {"versions": {"autograd": version("autograd"), "numpy": numpy.__version__}}


def _flat(layers: tuple[list, list]) -> list[numpy.ndarray]:
    return [array for part in layers for pair in part for array in pair]
