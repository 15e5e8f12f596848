"""The DIP-VAEs, from Kumar, Sattigeri & Balakrishnan 2018 (arXiv 1711.00848), Eq. 5 (C), 6 (I) and 7 (II).

minimises -ELBO + lambda_od sum_{i != j} C_ij^2 + lambda_d sum_i (C_ii - 1)^2, C the covariance of the posterior means
over the minibatch (divided by its size), for II with the mean of the posteriors' covariances.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from .twin import Draws, Phase, Twin, Weights, encoded
from .vae import terms_of


class DIPVAE1(Twin):
    """Of the means alone."""

    member = "dip-vae-1"
    ratio = 10
    of_codes = False
    cases: Mapping[str, Mapping[str, Any]] = {
        "one data point": {"m": 2},  # (one alone has no covariance)
        "neither square": {"off_diagonal": 0.0, "diagonal": 0.0},
        "off the diagonal alone": {"off_diagonal": 50.0, "diagonal": 0.0},
        "the diagonal alone": {"off_diagonal": 0.0, "diagonal": 5.0},
        "latent 12": {"latent_dim": 12},
        "33 data points, estimator A": {"m": 33, "estimator": "A", "samples": 3},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        _, terms = terms_of(w, x, draws, options)
        q = encoded(w, x, options)
        c = torch.cov(q.mean.T, correction=0).reshape(q.mean.shape[1], -1)
        if self.of_codes:
            c = c + torch.diag(q.variance.mean(0))
        diagonal = (torch.diagonal(c) - 1).square().sum()
        off = (c - torch.diag(torch.diagonal(c))).square().sum()
        lambda_od = options["off_diagonal"]
        lambda_d = self.ratio * lambda_od if options["diagonal"] is None else options["diagonal"]
        loss = -terms["bound"] + lambda_od * off + lambda_d * diagonal
        told = {"objective": -loss, **terms, "off_diagonal": off, "diagonal": diagonal}
        return [Phase(loss, told, ["encoder", "decoder"])]


class DIPVAE2(DIPVAE1):
    """Of the codes."""

    member = "dip-vae-2"
    ratio = 1
    of_codes = True
