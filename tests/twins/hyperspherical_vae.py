"""The hyperspherical VAE, from Davidson et al. 2018: Eq. 7 to 9, Algorithm 1, and g_cor of Naesseth et al. 2017."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from scipy import special
from torch.nn.functional import normalize, softplus

from .twin import Draws, Phase, Twin, Weights, affine, decoded, network


class LogBessel(torch.autograd.Function):
    """log I_v(x) of SciPy, whose derivative is I_(v + 1) / I_v + v / x."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, v: float) -> torch.Tensor:  # pyright: ignore
        wide = x.detach().numpy().astype(np.float64)
        low, high = special.ive(v, wide), special.ive(v + 1, wide)
        ctx.slope = torch.tensor(high / low + v / wide, dtype=x.dtype)
        return torch.tensor(np.log(low) + wide, dtype=x.dtype)

    @staticmethod
    def backward(ctx: Any, g: torch.Tensor) -> tuple[torch.Tensor, None]:  # pyright: ignore
        return g * ctx.slope, None


class BesselRatio(torch.autograd.Function):
    """A = I_(m / 2) / I_(m / 2 - 1), whose derivative is 1 - A^2 - (m - 1) A / x."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, m: int) -> torch.Tensor:  # pyright: ignore
        wide = x.detach().numpy().astype(np.float64)
        a = special.ive(m / 2, wide) / special.ive(m / 2 - 1, wide)
        ctx.slope = torch.tensor(1 - a**2 - (m - 1) * a / wide, dtype=x.dtype)
        return torch.tensor(a, dtype=x.dtype)

    @staticmethod
    def backward(ctx: Any, g: torch.Tensor) -> tuple[torch.Tensor, None]:  # pyright: ignore
        return g * ctx.slope, None


def log_c(kappa: torch.Tensor, m: int) -> torch.Tensor:
    """log C_m(kappa)."""
    return (m / 2 - 1) * kappa.log() - m / 2 * math.log(2 * math.pi) - LogBessel.apply(kappa, m / 2 - 1)


def drawn(
    mu: torch.Tensor, kappa: torch.Tensor, normals: torch.Tensor, uniforms: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Algorithm 1: z, and the logarithm of q(w) / r(w) but for what does not depend on kappa."""
    m = mu.shape[-1]
    root = torch.sqrt(4 * kappa**2 + (m - 1) ** 2)
    b = (m - 1) / (2 * kappa + root)  # (-2 kappa + root) / (m - 1)
    u = uniforms.unflatten(-1, (3, -1))
    with torch.no_grad():
        radius = torch.sqrt(-torch.expm1(torch.log(u[..., 0, :]) * 2 / (m - 2))) if m > 2 else 1.0
        e = (1 - radius * torch.cos(2 * math.pi * u[..., 1, :])) / 2
        wide = b.unsqueeze(-1)
        w = (1 - (1 + wide) * e) / (1 - (1 - wide) * e)
        x_0 = (1 - b) / (1 + b)
        c = kappa * x_0 + (m - 1) * torch.log(4 * b / (1 + b) ** 2)
        log_accept = kappa.unsqueeze(-1) * w + (m - 1) * torch.log1p(-x_0.unsqueeze(-1) * w) - c.unsqueeze(-1)
        accepted = log_accept > torch.log(u[..., 2, :])
        accepted[..., -1] = True
        e = e.gather(-1, accepted.int().argmax(-1, keepdim=True)).squeeze(-1)
    w = (1 - (1 + b) * e) / (1 - (1 - b) * e)
    size = 2 * torch.sqrt(b * e * (1 - e)) / (1 - (1 - b) * e)  # sqrt(1 - w^2)
    z = torch.cat([w.unsqueeze(-1), size.unsqueeze(-1) * normalize(normals, dim=-1)], -1)
    sign = torch.where(mu[..., :1] < 0, -1.0, 1.0).to(mu.dtype)
    axis = torch.eye(m, dtype=mu.dtype)[0]
    v = axis + sign * mu
    z = -sign * (z - 2 * v * (v * z).sum(-1, keepdim=True) / (v * v).sum(-1, keepdim=True))
    # q(w) = e^(kappa w) (1 - w^2)^((m - 3) / 2) / integral; r(w) = s(e) |de / dw|, dw / de = -2 b / (1 - (1 - b) e)^2
    log_q = kappa * w + (m - 3) * torch.log(size) + log_c(kappa, m)
    log_r = -torch.log(2 * b / (1 - (1 - b) * e) ** 2)
    return z, log_q - log_r


class HypersphericalVAE(Twin):
    """D + KL(vMF || uniform); the gradient of D has g_cor, beside the mean of all other log p(x|z)."""

    member = "hyperspherical-vae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "latent 1": {"latent_dim": 2},  # the least that there is
        "latent 2, one sample": {"latent_dim": 2, "samples": 1},
        "latent 8": {"latent_dim": 8},
        "one draw": {"m": 1, "samples": 1},
        "concentrated": {"scale": 6.0, "hidden": (), "latent_dim": 5},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        hidden = network(w, "encoder.hidden", x, options["activation"], last=True)
        mu = normalize(affine(w, "encoder.mean", hidden), dim=-1)
        kappa = softplus(affine(w, "encoder.concentration", hidden)).squeeze(-1) + 1
        m, shape = mu.shape[-1], (options["samples"], len(x))
        normals, uniforms = draws.normal(*shape, m - 1), draws.uniform(*shape, 3 * 26)
        z, log_ratio = drawn(mu, kappa, normals, uniforms)
        log_p = decoded(w, z, options).log_prob(x)
        area = math.log(2) + m / 2 * math.log(math.pi) - math.lgamma(m / 2)
        kl = (kappa * BesselRatio.apply(kappa, m) + log_c(kappa, m) + area).mean()
        reconstruction = log_p.mean()
        n = log_p.numel()
        beside = (log_p.sum() - log_p) / (n - 1) if n > 1 else torch.zeros(())
        correction = ((log_p - beside).detach() * log_ratio).mean()
        terms = {"bound": reconstruction - kl, "reconstruction": reconstruction, "kl": kl}
        loss = kl - reconstruction - (correction - correction.detach())
        return [Phase(loss, terms, ["encoder", "decoder"])]
