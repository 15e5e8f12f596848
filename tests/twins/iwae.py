"""The importance-weighted auto-encoder, from Burda et al. 2016, Eq. 8, and Rainforth et al. 2018, Eq. 8 (MIWAE)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch

from .twin import Draws, Phase, Twin, Weights, decoded, encoded, standard_normal


class IWAE(Twin):
    """Minus the mean over M groups of log (1/K) sum_k w_k, w = p(x, z) / q(z|x), with all of its gradient."""

    member = "iwae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "one sample of one data point": {"samples": 1, "m": 1},
        "70 samples of scale 3": {"samples": 70, "scale": 3.0},
        "gaussian, 70 samples": {"likelihood": "gaussian", "samples": 70},
        "gaussian, small variance": {"likelihood": "gaussian", "variance": 1e-3, "samples": 7},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        groups, samples = options.get("groups", 1), options["samples"]
        q = encoded(w, x, options)
        z = q.mean + q.stddev * draws.normal(groups * samples, *q.mean.shape)
        log_likelihood = decoded(w, z, options).log_prob(x)
        log_ratio = q.log_prob(z) - standard_normal(z).log_prob(z)
        log_weights = log_likelihood - log_ratio
        of_groups = log_weights.unflatten(0, (groups, samples)).logsumexp(1) - math.log(samples)
        bound = of_groups.mean()
        terms = {"bound": bound, "reconstruction": log_likelihood.mean(), "kl": log_ratio.mean()}
        return [Phase(-bound, terms, ["encoder", "decoder"])]


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
    }
