"""The log-cosh VAE, from Chen et al. 2019, Eq. 6, with the integral that makes its loss a density."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch.distributions import kl_divergence

from .twin import Draws, Phase, Twin, Weights, affine, encoded, network, standard_normal


def log_cosh(t: torch.Tensor) -> torch.Tensor:
    """By its definition, up to where cosh has too large a value, and |t| - log 2 beyond."""
    return torch.where(t.abs() < 300, t.clamp(-300, 300).double().cosh().log().to(t.dtype), t.abs() - float(np.log(2)))


def log_integral(a: float) -> float:
    """log of the integral of e^-loss over one x, by the trapezoidal rule, which is exact for what ends so smoothly.

    With t = a r its integrand is cosh(t)^(-1/a) / a, which falls as e^(-|t|/a) and for small a as e^(-t^2/2a).
    """
    width = 40 * max(a, a**0.5)
    t = np.linspace(-width, width, 2 * round(width / min(0.05, 0.1 * a**0.5)) + 1)
    values = np.exp(-(np.logaddexp(t, -t) - np.log(2)) / a)
    return float(np.log(values.sum() * (t[1] - t[0]) / a))


class LogCoshVAE(Twin):
    """(1/a) sum log cosh(a (xhat - x)), the integral for each x, and beta KL."""

    member = "log-cosh-vae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "a 0.01": {"sharpness": 0.01},
        "a 1000": {"sharpness": 1000.0},
        "a 3, beta 4": {"sharpness": 3.0, "beta": 4.0},
        "beta 0, weights of scale 3": {"beta": 0.0, "scale": 3.0},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        a, q = options["sharpness"], encoded(w, x, options)
        z = q.mean + q.stddev * draws.normal(options["samples"], *q.mean.shape)
        found = affine(w, "decoder.loc", network(w, "decoder.hidden", z, options["activation"], last=True))
        reconstruction = -(log_cosh(a * (found - x)) / a + log_integral(a)).sum(-1).mean()
        if options["estimator"] == "A":
            kl = (q.log_prob(z) - standard_normal(z).log_prob(z)).mean()
        else:
            kl = kl_divergence(q, standard_normal(q.mean)).mean()
        loss = options["beta"] * kl - reconstruction
        terms = {"bound": reconstruction - kl, "reconstruction": reconstruction, "kl": kl, "objective": -loss}
        return [Phase(loss, terms, ["encoder", "decoder"])]
