"""The HFVAE, from Esmaeili et al. 2019 (arXiv 1804.02086): the beta-TCVAE's parts, the dependence split by groups."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch

from .beta_tcvae import BetaTCVAE


class HFVAE(BetaTCVAE):
    """The reconstruction and four prices."""

    member = "hfvae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "one data point": {"m": 2},  # (an aggregate needs two)
        "groups of one, the beta-TCVAE": {"group_sizes": (1, 1, 1), "data_points": 60},
        "one group": {"group_sizes": (3,), "within": 2.0, "data_points": 60},
        "one and two": {"group_sizes": (1, 2), "beta": 3.0, "within": 0.3, "data_points": 60, "weighting": "mss"},
        "all weights 1, the VAE": {"beta": 1.0, "data_points": 60, "weighting": "mss"},
        "latent 7": {"latent_dim": 7, "group_sizes": (2, 4, 1), "within": 0.0, "data_points": 1000},
        "33 data points": {"m": 33, "samples": 3, "data_points": 60_000, "weighting": "mss"},
    }

    def groups(self, d: int, options: Any) -> list[list[int]]:
        sizes = options["group_sizes"] or [math.ceil(d / 2), math.floor(d / 2)]
        numbers = iter(range(d))
        return [[next(numbers) for _ in range(size)] for size in sizes if size]

    def priced(self, parts: dict[str, torch.Tensor], options: Any) -> dict[str, tuple[float, torch.Tensor]]:
        return {**super().priced(parts, options), "tc_within": (options["within"], parts["within"])}
