"""The rows of ``inference``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minivae import inference, optim
from minivae.inference import hmc
from minivae.models import Batch, FullVB, GaussianWeights, WakeSleep
from minivae.nn import Module

from .models import CONSTRUCTOR, GENERATOR, D, M, X, Z, small
from .subject import (
    COUNTS,
    GENERATORS,
    NO_SWITCHES,
    NO_TENSORS,
    NUMBERS_ABOVE_0,
    NUMBERS_FROM_0,
    Says,
    misuse,
    ones,
    strict,
)

VAE = small("vae")
NO_MODELS = (None, "vae", ones(2))
ESTIMATE = {"model": VAE, "x": ones(M, D), "generator": GENERATOR}
misuse(
    inference.log_likelihood,
    ESTIMATE | {"samples": 2, "chunk": 1},
    model=(*NO_MODELS, Says(small("vq-vae"), "VQVAE")),
    x=X,
    generator=GENERATORS,
    samples=COUNTS,
    chunk=COUNTS,
)
misuse(
    inference.density_log_likelihood,
    ESTIMATE | {"draws": 10, "warmup": 1, "leapfrog_steps": 1},
    model=NO_MODELS,
    x=X,
    generator=GENERATORS,
    draws=(*COUNTS, 3, 9),
    start=("z", ones(M, Z + 1), ones(M + 1, Z), strict(M, Z)),
    warmup=COUNTS,
    leapfrog_steps=COUNTS,
)
misuse(inference.log_joint, {"model": VAE, "x": ones(M, D)}, model=NO_MODELS, x=X)
ANNEALING = {"temperatures": 2, "leapfrog_steps": 1}
misuse(
    inference.Annealing,
    ESTIMATE | ANNEALING,
    model=NO_MODELS,
    x=X,
    generator=GENERATORS,
    temperatures=COUNTS,
    leapfrog_steps=COUNTS,
)
PATH = inference.Annealing(**ESTIMATE, **ANNEALING)
misuse(inference.Annealing.lower, {"chains": 2}, call=PATH.lower, chains=COUNTS)
misuse(
    inference.Annealing.upper,
    {"z": ones(M, Z), "chains": 2},
    call=PATH.upper,
    z=(*NO_TENSORS, ones(M, Z + 1), ones(M + 1, Z), ones(Z), strict(M, Z)),
    chains=COUNTS,
)
misuse(
    inference.sandwich,
    {"model": VAE, "generator": GENERATOR, "points": M, "chains": 2, **ANNEALING},
    model=NO_MODELS,
    generator=GENERATORS,
    points=COUNTS,
    chains=COUNTS,
)
DRAWS = np.random.default_rng(0).normal(size=(12, 2))
NO_MATRICES = ("x", None, np.ones(3), np.ones((1, 2)), [["a"]], 1.0, [[1.0], [1.0, 2.0]])
LOSSY = (DRAWS + 1j, ["1", "2"] * 6, np.ma.array(DRAWS, mask=DRAWS > 1))  # something of them would not be there
misuse(inference.effective_sample_size, {"draws": DRAWS}, draws=("x", None, np.ones(3), 1.0, [["a"]], *LOSSY))
misuse(inference.active_units, {"means": DRAWS, "least": 0.01}, means=NO_MATRICES, least=NUMBERS_FROM_0)
misuse(
    inference.mean_correlation,
    {"sources": DRAWS, "codes": DRAWS},
    sources=(*NO_MATRICES, np.ones((7, 2))),
    codes=(*NO_MATRICES, np.ones((8, 3)), np.ones((12, 3))),
)
FULL = {"data_dim": D, "latent_dim": Z, "hidden": (3,), "dataset_size": 10}
SIZES = {name: CONSTRUCTOR[name] for name in ("data_dim", "latent_dim", "hidden")}
misuse(FullVB, FULL, dataset_size=COUNTS, **SIZES)
misuse(WakeSleep, {"data_dim": D, "latent_dim": Z, "hidden": (3,)}, estimator=("a", None))
FULL_VB = FullVB(**FULL)
misuse(
    FullVB.phases,
    {"batch": Batch(ones(M, D)), "noise": GENERATOR},
    call=FULL_VB.phases,
    batch=(Says(Batch(ones(M, D + 1)), f"({M}, {D + 1})"),),
    noise=(None, 3),
)
misuse(
    GaussianWeights,
    {"module": VAE.decoder, "log_var": -8.0},
    module=(None, "x", Says(Module(), "no parameters")),
    log_var=(np.nan, "1", None),
)
WEIGHTS = FULL_VB.weights
misuse(GaussianWeights.draw_noise, {"generator": GENERATOR}, call=WEIGHTS.draw_noise, generator=GENERATORS)
misuse(
    GaussianWeights.drawn,
    {"noise": WEIGHTS.draw_noise(GENERATOR)},
    call=lambda noise: WEIGHTS.drawn(noise).__enter__(),
    noise=(None, 3, [], Says([ones(2)] * len(WEIGHTS.means), "(2,)")),
)
SLEEPER = WakeSleep(D, Z, (3,))
misuse(
    WakeSleep.sleep,
    {"dreams": M, "noise": GENERATOR},
    call=SLEEPER.sleep,
    dreams=COUNTS,
    noise=(None, 3, {}),
)
misuse(
    WakeSleep.wake,
    {"batch": Batch(ones(M, D)), "noise": GENERATOR},
    call=SLEEPER.wake,
    batch=(Says(Batch(ones(M, D + 1)), f"({M}, {D + 1})"),),
    noise=(None, 3),
)
EM = {"model": VAE, "x": ones(M, D), "optimizer": optim.SGD(VAE.decoder.parameters()), "generator": GENERATOR}
misuse(
    inference.MonteCarloEM,
    EM,
    model=NO_MODELS,
    x=X,
    optimizer=(None, "sgd"),
    generator=GENERATORS,
    weight_prior=NO_SWITCHES,
)
ARRAYS, META = inference.MonteCarloEM(**EM).state()
misuse(
    inference.MonteCarloEM.load_state,
    {"arrays": ARRAYS, "meta": META},
    call=inference.MonteCarloEM(**EM).load_state,
    arrays=(None, 3, Says({}, "missing position")),
    meta=(None, 3, Says({}, "steps")),
)


def square(z: Any) -> Any:
    """A log density."""
    return (z * z).sum(axis=-1) * -0.5


START = hmc.init(ones(M, Z), square)
NO_DENSITIES: tuple[Any, ...] = (None, 3, Says(lambda z: z, f"({M}, {Z})"), Says(lambda z: 1.0, "1.0"))
NO_POSITIONS = (*NO_TENSORS, ones())
MOVE = {"state": START, "log_density": square, "generator": GENERATOR, "step_size": 0.1, "leapfrog_steps": 2}
STEP_SIZES = ("1", None, strict())
misuse(hmc.init, {"position": ones(M, Z), "log_density": square}, position=NO_POSITIONS, log_density=NO_DENSITIES)
misuse(
    hmc.leapfrog,
    {"state": START, "momentum": ones(M, Z), "log_density": square, "step_size": 0.1, "steps": 2},
    state=(None, ones(M, Z)),
    momentum=(*NO_TENSORS, ones(M, 1), ones(M, Z + 1), strict(M, Z)),
    log_density=NO_DENSITIES,
    step_size=STEP_SIZES,
    steps=COUNTS,
)
misuse(
    hmc.step,
    MOVE,
    state=(None, ones(M, Z)),
    log_density=NO_DENSITIES,
    generator=GENERATORS,
    step_size=STEP_SIZES,
    leapfrog_steps=COUNTS,
)
misuse(
    hmc.adapt,
    {"step_size": 0.1, "acceptance": ones(M), "rate": 0.05, "target": 0.9},
    step_size=("1", None),
    acceptance=("1", None),
    rate=(-1.0, np.nan, "1", None),
    target=(np.nan, "1", None, -1.0),
)
misuse(
    hmc.sample,
    {
        "log_density": square,
        "position": ones(M, Z),
        "generator": GENERATOR,
        "draws": 2,
        "warmup": 1,
        "leapfrog_steps": 1,
    },
    log_density=NO_DENSITIES,
    position=NO_POSITIONS,
    generator=GENERATORS,
    draws=COUNTS,
    warmup=COUNTS,
    leapfrog_steps=COUNTS,
    step_size=NUMBERS_ABOVE_0,
)


def recorded(log_density: Callable = square, generator: Any = GENERATOR, leapfrog_steps: Any = 2) -> None:
    """A recorded move, made."""
    hmc.compiled(log_density, generator, leapfrog_steps)(START, 0.1)


misuse(hmc.compiled, {}, call=recorded, log_density=NO_DENSITIES, generator=GENERATORS, leapfrog_steps=COUNTS)
