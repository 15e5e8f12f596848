"""The importance-weighted auto-encoder, from Burda et al. 2016, Eq. 8, its gradients, and what grew from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch

from .twin import Draws, Phase, Twin, Weights, decoded, encoded, normal, standard_normal


class IWAE(Twin):
    """Minus the mean over M groups of log (1/K) sum_k w_k, w = p(x, z) / q(z|x), with all of its gradient."""

    member = "iwae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "one sample of one data point": {"samples": 1, "m": 1},
        "70 samples of scale 3": {"samples": 70, "scale": 3.0},
        "gaussian, 70 samples": {"likelihood": "gaussian", "samples": 70},
        "gaussian, small variance": {"likelihood": "gaussian", "variance": 1e-3, "samples": 7},
        "stl": {"gradient": "stl", "samples": 5},
        "stl, 70 samples of scale 3": {"gradient": "stl", "samples": 70, "scale": 3.0},
        "dreg": {"gradient": "dreg", "samples": 5},
        "dreg, one sample of one data point": {"gradient": "dreg", "samples": 1, "m": 1},
        "dreg, 70 samples of scale 3": {"gradient": "dreg", "samples": 70, "scale": 3.0},
        "dreg, gaussian": {"gradient": "dreg", "samples": 7, "likelihood": "gaussian"},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        groups, samples = options.get("groups", 1), options["samples"]
        gradient = options.get("gradient", "standard")
        terms, log_weights = weights_of(w, x, draws, options, groups * samples, gradient != "standard")
        bound = of_groups(log_weights, groups)
        terms = {"bound": bound, **terms}
        if gradient != "dreg":
            return [Phase(-bound, terms, ["encoder", "decoder"])]
        share = log_weights.detach().unflatten(0, (groups, samples)).softmax(1).flatten(0, 1)
        by_encoder = (share**2 * log_weights).sum(0).mean() / groups  # Tucker et al. 2019, Eq. 8
        return [Phase(-bound, terms, ["decoder"]), Phase(-by_encoder, {}, ["encoder"])]


def weights_of(
    w: Weights, x: torch.Tensor, draws: Draws, options: Any, samples: int, constant: bool = False
) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """The VAE's terms and log w, ``(samples, M)``; the parameters of log q are constants if asked."""
    q = encoded(w, x, options)
    z = q.mean + q.stddev * draws.normal(samples, *q.mean.shape)
    log_likelihood = decoded(w, z, options).log_prob(x)
    density = normal(q.mean.detach(), 2 * q.stddev.detach().log()) if constant else q
    log_ratio = density.log_prob(z) - standard_normal(z).log_prob(z)
    return {"reconstruction": log_likelihood.mean(), "kl": log_ratio.mean()}, log_likelihood - log_ratio


def of_groups(log_weights: torch.Tensor, groups: int = 1) -> torch.Tensor:
    """The mean over groups of log (1/K) sum_k w_k, and over the data."""
    samples = len(log_weights) // groups
    return (log_weights.unflatten(0, (groups, samples)).logsumexp(1) - math.log(samples)).mean()


class MIWAE(IWAE):
    """The same with more than one group."""

    member = "miwae"
    cases: Mapping[str, Mapping[str, Any]] = {
        **IWAE.cases,
        "one group": {"groups": 1, "samples": 4},
        "groups of one sample": {"groups": 5, "samples": 1},
        "one group of one sample": {"groups": 1, "samples": 1},
        "more groups than samples": {"groups": 7, "samples": 2},
        "70 groups": {"groups": 70, "samples": 3},
        "gaussian, 3 groups": {"likelihood": "gaussian", "groups": 3, "samples": 4},
        "stl, 3 groups": {"gradient": "stl", "groups": 3, "samples": 4},
        "dreg, 3 groups": {"gradient": "dreg", "groups": 3, "samples": 4},
    }


class CIWAE(IWAE):
    """beta times the mean of log w, and 1 - beta times IWAE's bound: Rainforth et al. 2018, Eq. 11."""

    member = "ciwae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "beta 0": {"beta": 0.0, "samples": 5},
        "beta 1": {"beta": 1.0, "samples": 5},
        "beta 0.05, 70 samples of scale 3": {"beta": 0.05, "samples": 70, "scale": 3.0},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        terms, log_weights = weights_of(w, x, draws, options, options["samples"])
        bound = options["beta"] * log_weights.mean() + (1 - options["beta"]) * of_groups(log_weights)
        return [Phase(-bound, {"bound": bound, **terms}, ["encoder", "decoder"])]


class PIWAE(MIWAE):
    """IWAE of all samples by the decoder, MIWAE by the encoder: Rainforth et al. 2018, section 5.3."""

    member = "piwae"

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        groups = options["groups"]
        terms, log_weights = weights_of(w, x, draws, options, groups * options["samples"])
        whole, grouped = of_groups(log_weights), of_groups(log_weights, groups)
        return [
            Phase(-whole, {"bound": whole, **terms}, ["decoder"]),
            Phase(-grouped, {"encoder_bound": grouped}, ["encoder"]),
        ]


class Renyi(IWAE):
    """Li & Turner 2016, Eq. 14; below 0 the bound that is told is IWAE's."""

    member = "renyi"
    cases: Mapping[str, Mapping[str, Any]] = {
        "alpha 0": {"alpha": 0.0, "samples": 5},
        "alpha 1": {"alpha": 1.0, "samples": 5},
        "alpha 2": {"alpha": 2.0, "samples": 5},
        "alpha -3": {"alpha": -3.0, "samples": 5},
        "the largest weight": {"alpha": -1e30, "samples": 5},
        "the least weight": {"alpha": 1e30, "samples": 5},
        "alpha near 1": {"alpha": 1 - 1e-7, "samples": 5},
        "alpha 0.9, 70 samples of scale 3": {"alpha": 0.9, "samples": 70, "scale": 3.0},
        "alpha 1.5, one sample": {"alpha": 1.5, "samples": 1},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        terms, log_weights = weights_of(w, x, draws, options, options["samples"])
        objective, bound = (renyi(log_weights, a).mean() for a in (options["alpha"], max(options["alpha"], 0.0)))
        return [Phase(-objective, {"bound": bound, **terms, "objective": objective}, ["encoder", "decoder"])]


def renyi(log_weights: torch.Tensor, alpha: float) -> torch.Tensor:
    """1/(1 - alpha) log mean w^(1 - alpha); near alpha = 1 the first terms of its series, mean + variance / 2."""
    if alpha == 1:
        return log_weights.mean(0)
    if abs(alpha) == 1e30:
        return log_weights.amax(0) if alpha < 0 else log_weights.amin(0)
    if abs(1 - alpha) < 1e-6:
        return log_weights.mean(0) + (1 - alpha) / 2 * log_weights.var(0, unbiased=False)
    return ((log_weights * (1 - alpha)).logsumexp(0) - math.log(len(log_weights))) / (1 - alpha)
