"""The InfoVAE, from Zhao, Song & Ermon 2019 (arXiv 1706.02262), Eq. 6 with MMD^2 in the place of KL(q(z) || p(z)).

minimises D + (1 - alpha) R + (alpha + lambda - 1) MMD^2(q(z), p(z)). MMD^2 is the unbiased estimate of Gretton et al.
2012, Eq. 3, between one code of each data point and as many draws of the prior, with a Gaussian kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from .twin import Draws, Phase, Twin, Weights
from .vae import terms_of


def mmd(z: torch.Tensor, p: torch.Tensor, kernel: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """Eq. 3 of Gretton et al. 2012: a mean over all pairs of two points of one set, and over all of one of each.

    Args:
        z, p: points, each along the first axis.
        kernel: of a squared distance.
    """
    within = [kernel(torch.pdist(points) ** 2).mean() for points in (z, p)]
    return sum(within) - 2 * kernel((z[:, None] - p).square().sum(-1)).mean()


class InfoVAE(Twin):
    """The VAE's two terms, R weighted by 1 - alpha, and MMD^2 with the kernel of the authors' code, exp(-r / d^2)."""

    member = "info-vae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "one data point": {"m": 2},  # (a U-statistic needs two)
        "alpha 0, lambda 1, the VAE": {"alpha": 0.0, "lambd": 1.0},
        "alpha 1, no KL": {"alpha": 1.0, "lambd": 2.0},
        "alpha below 0": {"alpha": -2.0, "lambd": 3.5},
        "alpha 1, lambda 0, nothing but D": {"alpha": 1.0, "lambd": 0.0},
        "lambda 1000": {"alpha": 0.0, "lambd": 1000.0},
        "latent 12": {"latent_dim": 12},
        "33 data points": {"m": 33, "estimator": "A", "samples": 3},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        z, terms = terms_of(w, x, draws, options)
        p = draws.normal(*z[0].shape)
        discrepancy = mmd(z[0], p, lambda squared: (-squared / z.shape[-1] ** 2).exp())
        alpha, lambd = options["alpha"], options["lambd"]
        loss = -terms["reconstruction"] + (1 - alpha) * terms["kl"] + (alpha + lambd - 1) * discrepancy
        return [Phase(loss, {"objective": -loss, **terms, "mmd": discrepancy}, ["encoder", "decoder"])]
