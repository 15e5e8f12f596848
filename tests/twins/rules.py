"""Learning rules that are no members: small ones to be held to their twins, and what they compute. Needs no PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minivae import backend
from minivae.autodiff import tensor
from minivae.inference import MonteCarloEM
from minivae.models import VAE, Batch, FullVB
from minivae.optim import SGD, Adagrad, Adam

from . import cases, stored

LOG_VAR = "weights.log_vars."
DATASET_SIZE, N = 40, 9
OF_RUN = ("n", "scale", "step_size")
OPTIMIZERS: dict[str, Callable] = {
    "adam": lambda w: Adam(w, 0.01),
    "adagrad": lambda w: Adagrad(w, 0.02),
    "sgd": lambda w: SGD(w, 1e-3, momentum=0.9),
}


def full_vb(options: Mapping[str, Any], dtype: str = "float64") -> tuple[FullVB, Batch]:
    """A small FullVB, all of its weights and variances random, and a batch for it."""
    rng = np.random.default_rng(cases.SEED)
    usual = {"latent_dim": 3, "hidden": (5,), "samples": 2, "dataset_size": DATASET_SIZE}
    given = {k: v for k, v in {**usual, **options}.items() if k not in (*cases.OF_CASE, "log_var")}
    model = FullVB(cases.DATA_DIM, **given, dtype=dtype)
    scale, level = options.get("scale", 0.4), options.get("log_var", -1.0)
    for key, parameter in model.named_parameters():
        value = scale * rng.standard_normal(parameter.shape) + (level if key.startswith(LOG_VAR) else 0.0)
        model.load_state_dict({**model.state_dict(), key: value.astype(dtype)})
    return model, cases.batch(model, rng, options.get("m", cases.M), dtype)


def mcem(
    options: Mapping[str, Any], optimizer: str = "adam", prior: bool = True, dtype: str = "float64"
) -> tuple[MonteCarloEM, list[tuple[str, np.ndarray]]]:
    """A small run of Monte Carlo EM with random weights, and what it drew to begin with."""
    rng = np.random.default_rng(cases.SEED)
    given = {"latent_dim": 3, "hidden": (5,), **{k: v for k, v in options.items() if k not in OF_RUN}}
    model = VAE(cases.DATA_DIM, **given, dtype=dtype)
    scale = options.get("scale", 0.4)
    weights = {key: (scale * rng.standard_normal(p.shape)).astype(dtype) for key, p in model.named_parameters()}
    model.load_state_dict({**model.state_dict(), **weights})
    x = tensor(rng.uniform(size=(options.get("n", N), cases.DATA_DIM)).astype(dtype))
    trained = [p for key, p in model.named_parameters() if key.startswith("decoder.")]
    with cases.watched() as drawn:
        run = MonteCarloEM(model, x, OPTIMIZERS[optimizer](trained), backend.generator(cases.SEED), weight_prior=prior)
    arrays, meta = run.state()
    size = np.asarray(options.get("step_size", arrays["step_size"]), dtype)
    run.load_state({**arrays, "step_size": size}, meta)
    return run, drawn


def mcem_numbers(options: Mapping[str, Any]) -> list[dict[str, float]]:
    """Of three steps with the prior over weights: what is told, and digests of all that has changed."""
    run, _ = mcem(options)
    found = []
    for _ in range(3):
        told = {key: float(value) for key, value in run.step().items()}
        state = {key: value for key, value in run.state()[0].items() if not key.startswith("optimizer/")}
        found.append({**told, **stored.digests(state)})
    return found


# By name: what each computes with options.
RULES: dict[str, Callable[[Mapping[str, Any]], list[dict[str, float]]]] = {
    "full-vb": lambda options: cases.numbers(*full_vb(options)),
    "mcem": mcem_numbers,
}
