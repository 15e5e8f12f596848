"""The VAEs with normalizing flows, each from its paper: what the steps are, and the estimator that Algorithm 1 has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.distributions import kl_divergence
from torch.nn.functional import softplus

from .twin import Draws, Phase, Twin, Weights, affine, decoded, network, normal, standard_normal

OWN: dict[str, dict[str, Any]] = {
    "no flow": {"steps": 0},
    "one step": {"steps": 1},
    "every default": {"steps": 8},
    "latent 5": {"latent_dim": 5, "m": 3},
    "latent 5, one sample": {"latent_dim": 5, "samples": 1},
    "numbers far from 0": {"scale": 1.5, "steps": 3},
}


def norm_squared(x: torch.Tensor) -> torch.Tensor:
    """Over the last axis, which stays."""
    return torch.linalg.vector_norm(x, dim=-1, keepdim=True) ** 2


def dot(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Over the last axis, which stays."""
    return torch.einsum("...i,...i->...", a, b).unsqueeze(-1)


class FlowVAE(Twin):
    """Rezende & Mohamed 2015, Eq. 15: ln q_K(z_K) = ln q_0(z_0) minus the log-determinants."""

    cases: Mapping[str, Mapping[str, Any]] = OWN

    def flow(self, w: Weights, z: torch.Tensor, features: Any, options: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """z_K, and the sum of the log-determinants."""
        total = torch.zeros_like(z[..., 0])
        for numbers in features.chunk(options["steps"], -1) if options["steps"] else ():
            z, log_det = self.one(z, numbers, options["latent_dim"])
            total = total + log_det
        return z, total

    def one(self, z: torch.Tensor, numbers: torch.Tensor, d: int) -> tuple[torch.Tensor, torch.Tensor]:
        """A step, and the logarithm of its determinant's size."""
        raise NotImplementedError

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        hidden = network(w, "encoder.hidden", x, options["activation"], last=True)
        q = normal(affine(w, "encoder.mean", hidden), affine(w, "encoder.log_var", hidden))
        features = affine(w, "encoder.features", hidden) if "encoder.features.weight" in w else None
        z0 = q.mean + q.stddev * draws.normal(options["samples"], *q.mean.shape)
        z, log_det = self.flow(w, z0, features, options)
        reconstruction = decoded(w, z, options).log_prob(x).mean()
        if options.get("estimator", "A") == "A":
            kl = (q.log_prob(z0) - log_det - standard_normal(z).log_prob(z)).mean()
        else:
            kl = kl_divergence(q, standard_normal(q.mean)).mean()  # of a flow that keeps lengths and volumes
        bound = reconstruction - kl
        return [Phase(-bound, {"bound": bound, "reconstruction": reconstruction, "kl": kl}, ["encoder", "decoder"])]


class PlanarVAE(FlowVAE):
    """Rezende & Mohamed 2015, Eq. 10 to 12, and App. A.1."""

    member = "planar-vae"

    def one(self, z: torch.Tensor, numbers: torch.Tensor, d: int) -> tuple[torch.Tensor, torch.Tensor]:
        u, w, b = numbers.split((d, d, 1), -1)
        m = -1 + softplus(dot(w, u))
        u = u + (m - dot(w, u)) * w / norm_squared(w)
        h = torch.tanh(dot(w, z) + b)
        psi = (1 - h**2) * w
        return z + u * h, (1 + dot(u, psi)).abs().log().squeeze(-1)


class RadialVAE(FlowVAE):
    """Rezende & Mohamed 2015, Eq. 14, and App. A.2."""

    member = "radial-vae"

    def one(self, z: torch.Tensor, numbers: torch.Tensor, d: int) -> tuple[torch.Tensor, torch.Tensor]:
        centre, a, b = numbers.split((d, 1, 1), -1)
        alpha = softplus(a)
        beta = -alpha + softplus(b)
        r = torch.linalg.vector_norm(z - centre, dim=-1, keepdim=True)
        h, slope = 1 / (alpha + r), -1 / (alpha + r) ** 2
        det = (1 + beta * h) ** (d - 1) * (1 + beta * h + beta * slope * r)
        return z + beta * h * (z - centre), det.log().squeeze(-1)


class HouseholderVAE(FlowVAE):
    """Tomczak & Welling 2016, Eq. 7 to 9: H = I - 2 v v^T / |v|^2, whole matrices of determinant -1."""

    member = "householder-vae"

    def one(self, z: torch.Tensor, numbers: torch.Tensor, d: int) -> tuple[torch.Tensor, torch.Tensor]:
        outer = torch.einsum("...i,...j->...ij", numbers, numbers)
        matrix = torch.eye(d, dtype=z.dtype) - 2 * outer / norm_squared(numbers).unsqueeze(-1)
        return torch.einsum("...ij,...j->...i", matrix, z), torch.zeros_like(z[..., 0])


class CouplingVAE(FlowVAE):
    """Dinh et al. 2017, Eq. 7 and 8: x_2 exp(s(x_1)) + t(x_1), here with features beside x_1 and s a tanh."""

    member = "coupling-vae"
    cases: Mapping[str, Mapping[str, Any]] = {
        **OWN,
        "weights of scale 3": {"scale": 3.0, "steps": 1},  # more of them lose float32's digits
        "one feature": {"features": 1},
        "no hidden layer in the flow": {"flow_hidden": ()},
        "several hidden layers in the flow": {"flow_hidden": (7, 4), "latent_dim": 4, "activation": "softplus"},
    }

    def flow(self, w: Weights, z: torch.Tensor, features: Any, options: Any) -> tuple[torch.Tensor, torch.Tensor]:
        total = torch.zeros_like(z[..., 0])
        kept = options["latent_dim"] // 2
        for t in range(options["steps"]):
            first, second = z[..., :kept], z[..., kept:]
            seen = torch.cat([first, features.expand(*z.shape[:-1], -1)], -1)
            hidden = network(w, f"encoder.steps.{t}.hidden", seen, options["activation"], last=True)
            shift = affine(w, f"encoder.steps.{t}.shift", hidden)
            scale = torch.tanh(affine(w, f"encoder.steps.{t}.log_scale", hidden))
            z = torch.cat([first, second * scale.exp() + shift], -1).flip(-1)
            total = total + scale.sum(-1)
        return z, total
