"""Wake-sleep, from Hinton, Dayan, Frey & Neal 1995, with the networks of Kingma & Welling 2014 (its section 5).

wake: for x of the data and z ~ q(z|x) the decoder raises log p(x, z) = log p(x|z) + log p(z).
sleep: for a dream, z ~ p(z) and x ~ p(x|z), the encoder raises log q(z|x).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from .twin import Draws, Phase, Twin, Weights, decoded, encoded
from .vae import terms_of


class WakeSleep(Twin):
    """Two phases, the decoder's and the encoder's; each holds the weights of the other. One dream per data point."""

    member = "wake-sleep"
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
        z, terms = terms_of(w, x, draws, options)

        with torch.no_grad():
            dreamt_z = draws.normal(*z[0].shape)
            dreamt = decoded(w, dreamt_z, options)
            if options["likelihood"] == "bernoulli":
                dreamt_x = (draws.uniform(*x.shape) < dreamt.mean).to(x.dtype)
            else:
                dreamt_x = dreamt.mean + dreamt.stddev * draws.normal(*x.shape)
        sleep = -encoded(w, dreamt_x, options).log_prob(dreamt_z).mean()
        return [Phase(-terms["bound"], terms, ["decoder"]), Phase(sleep, {"sleep": sleep}, ["encoder"])]
