"""Wake-sleep, from Hinton, Dayan, Frey & Neal 1995, with the networks of Kingma & Welling 2014 (its section 5).

wake: for x of the data and z ~ q(z|x) the decoder raises log p(x, z) = log p(x|z) + log p(z).
sleep: for a dream, z ~ p(z) and x ~ p(x|z), the encoder raises log q(z|x).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.distributions import kl_divergence

from .twin import Draws, Phase, Twin, Weights, decoded, encoded, standard_normal


class WakeSleep(Twin):
    """Two phases, the decoder's and the encoder's; each holds the weights of the other. One dream per data point."""

    cases: Mapping[str, Mapping[str, Any]] = {
        "estimator B": {"estimator": "B", "samples": 3},
        "estimator B, one sample, gaussian": {"estimator": "B", "samples": 1, "likelihood": "gaussian"},
        "gaussian, means in (0, 1), fixed variance": {
            "likelihood": "gaussian",
            "sigmoid_mean": True,
            "variance": 0.02,
            "samples": 3,
        },
        "gaussian, weights of scale 1": {"likelihood": "gaussian", "scale": 1.0},
        "33 data points, 2 dimensions": {"m": 33, "latent_dim": 2},
    }

    def phases(self, w: Weights, x: torch.Tensor, context: Any, draws: Draws, options: Any) -> list[Phase]:
        q = encoded(w, x, options)
        z = q.mean + q.stddev * draws.normal(options["samples"], *q.mean.shape)
        reconstruction = decoded(w, z, options).log_prob(x).mean()
        if options["estimator"] == "A":
            kl = (q.log_prob(z) - standard_normal(z).log_prob(z)).mean()
        else:
            kl = kl_divergence(q, standard_normal(q.mean)).mean()
        bound = reconstruction - kl  # (the entropy of q has no gradient by the decoder)
        terms = {"bound": bound, "reconstruction": reconstruction, "kl": kl}

        with torch.no_grad():
            dreamt_z = draws.normal(*q.mean.shape)
            dreamt = decoded(w, dreamt_z, options)
            if options["likelihood"] == "bernoulli":
                dreamt_x = (draws.uniform(*x.shape) < dreamt.mean).to(x.dtype)
            else:
                dreamt_x = dreamt.mean + dreamt.stddev * draws.normal(*x.shape)
        sleep = -encoded(w, dreamt_x, options).log_prob(dreamt_z).mean()
        return [Phase(-bound, terms, ["decoder"]), Phase(sleep, {"sleep": sleep}, ["encoder"])]
