"""The joint VAE, from Dupont 2018 (arXiv 1804.00104), Eq. 7: two KLs, each drawn to a capacity that grows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch.distributions import Normal, OneHotCategorical, kl_divergence
from torch.nn.functional import one_hot

from .twin import Draws, Phase, Twin, Weights, affine, decoded, network, ramp


class JointVAE(Twin):
    """D of the Gaussian's draw and the relaxed one-hot draws, plus gamma |KL - C| for either kind of variable."""

    member = "joint-vae"
    cases: Mapping[str, Mapping[str, Any]] = {
        "one of each": {"continuous": 1, "discrete": (2,)},
        "nothing discrete": {"discrete": (), "samples": 3},
        "many values": {"discrete": (70, 2)},
        "as many as are continuous": {"continuous": 4, "discrete": (4,)},
        "gamma 0": {"gamma": 0.0},
        "gamma 1000": {"gamma": 1000.0},
        "half of the capacities": {"at": 0.25},
        "all of the capacities": {"at": 0.5, "samples": 2},
        "a capacity that the discrete ones cannot hold": {"at": 1.0, "discrete": (2, 3), "discrete_capacity": 9.0},
        "capacities over 400 minibatches": {"at": 0.2, "capacity_steps": 400, "capacity": 3.0},
        "cold": {"temperature": 0.1, "scale": 0.5},
        "nearly certain codes": {"scale": 3.0, "samples": 4},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        h = network(w, "encoder.hidden", x, options["activation"], last=True)
        loc, log_var = (affine(w, f"encoder.{head}", h) for head in ("mean", "log_var"))
        gaussian = Normal(loc, (log_var / 2).exp())
        samples, points = options["samples"], len(x)
        z = loc + gaussian.scale * draws.normal(samples, points, options["continuous"])
        of_z = kl_divergence(gaussian, Normal(0.0, 1.0)).sum(-1).mean()
        soft, hard, of_c = [z], [z], torch.zeros(()).to(x)
        if options["discrete"]:
            all_logits = affine(w, "encoder.logits", h)
            for logits in all_logits.split(tuple(options["discrete"]), dim=-1):
                q = OneHotCategorical(logits=logits, validate_args=False)
                perturbed = q.logits - (-draws.uniform(samples, points, logits.shape[-1]).log()).log()
                soft.append((perturbed / options["temperature"]).softmax(-1))
                hard.append(one_hot(perturbed.argmax(-1), logits.shape[-1]).to(x))
                of_c = of_c + (math.log(logits.shape[-1]) - q.entropy()).mean()
        relaxed, discrete = (decoded(w, torch.cat(codes, -1), options).log_prob(x).mean() for codes in (soft, hard))
        distances = (of_z - w["now"][0]).abs() + (of_c - w["now"][1]).abs()
        objective = relaxed - options["gamma"] * distances
        terms = {
            "objective": objective,
            "bound": discrete - of_z - of_c,
            "reconstruction": discrete,
            "kl": of_z + of_c,
            "relaxed_bound": relaxed - of_z - of_c,
            "continuous_kl": of_z,
            "discrete_kl": of_c,
        }
        return [Phase(-objective, terms, ["encoder", "decoder"])]

    def advance(self, w: Weights, step: int, total_steps: int, options: Any) -> None:
        """Each capacity grows linearly to its largest; the discrete variables hold at most the sum of log K."""
        most = sum(math.log(k) for k in options["discrete"])
        largest = torch.tensor([options["capacity"], min(options["discrete_capacity"], most)], dtype=torch.float64)
        w["now"].copy_(largest * ramp(step, total_steps, options["capacity_steps"]))
