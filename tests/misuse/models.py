"""The rows of ``models``."""

from __future__ import annotations

from typing import Any

import numpy as np

from minivae import backend
from minivae.datasets.preparation import Preparation
from minivae.distributions import Categorical
from minivae.models import MODELS, VAE, VQVAE, Batch, Model, likelihoods, registry

from .subject import (
    BACKENDS,
    COUNTS,
    DTYPES,
    GENERATORS,
    NO_SWITCHES,
    NO_TENSORS,
    NUMBERS_ABOVE_0,
    NUMBERS_FROM_0,
    SEQUENCES_OF_SIZES,
    Says,
    misuse,
    ones,
    strict,
)

D, Z, C, M = 4, 2, 3, 5  # lengths of x, z and context; data points
GENERATOR = backend.generator(0)
SMALL: dict[str, Any] = {"hidden": (3,)}
CRITICS = ("factor-vae", "wae-gan", "aae", "labelled-aae", "gan")
OWN: dict[str, dict[str, Any]] = {  # what makes the members small
    "categorical-vae": {"variables": 1, "num_categories": 2},
    "joint-vae": {"continuous": 1, "discrete": (3,)},
    "hfvae": {"latent_dim": 4, "discrete": (3,)},
    "vq-vae": {"num_codes": 1, "entries": 3, "code_dim": 2},
    "iaf-vae": {"flow_hidden": (3,), "features": 2, "latent_dim": Z},
    **{name: {"steps": 2, "latent_dim": Z} for name in ("planar-vae", "radial-vae", "householder-vae")},
    "coupling-vae": {"steps": 2, "flow_hidden": (3,), "features": 2, "latent_dim": Z},
    **{name: {"steps": 2, "flow_hidden": (3,), "latent_dim": Z} for name in ("flow-prior-vae", "f-vae")},
    "auxiliary-vae": {"auxiliary": 2, "latent_dim": Z},
    "ladder-vae": {"levels": 2, "latent_dim": Z},
    "td-vae": {"sequence_length": 1, "state_dim": 1, "units": 2},
    **{name: {"critic_hidden": (3,), "latent_dim": Z} for name in CRITICS},
    "m1-m2": {"first_dim": 1, "second_dim": Z - 1, "second_hidden": (3,)},
    "made": {},
    "autoregressive-prior": {
        "first": {"model": "categorical-vae", "hidden": (3,), "variables": 1, "num_categories": 2}
    },
}
TOLD = [name for name, kind in MODELS.items() if "context_dim" in registry.arguments(kind)]
# By argument of a constructor, whatever the model. One that is not here is tried with what no option of its kind is.
CONSTRUCTOR: dict[str, tuple] = {
    **dict.fromkeys(("data_dim", "latent_dim", "samples", "groups", "variables", "entries", "context_dim"), COUNTS),
    **dict.fromkeys(("num_codes", "code_dim", "features", "dataset_size", "masks"), COUNTS),
    **dict.fromkeys(("continuous", "projections", "auxiliary", "first_dim", "second_dim", "levels"), COUNTS),
    **dict.fromkeys(("capacity_steps", "temperature_steps", "first_steps"), (*NUMBERS_ABOVE_0, 1.5)),
    **dict.fromkeys(("state_dim", "units", "jumps"), COUNTS),
    "sequence_length": (*COUNTS, 3),
    **dict.fromkeys(("beta", "gamma", "commitment", "free_bits", "spectral"), NUMBERS_FROM_0),
    **dict.fromkeys(("capacity", "discrete_capacity", "off_diagonal", "within"), NUMBERS_FROM_0),
    **dict.fromkeys(("mmd_weight", "critic_weight", "sw_weight"), NUMBERS_FROM_0),
    **dict.fromkeys(("alpha", "lambd"), (np.nan, np.inf, "1", None)),
    **dict.fromkeys(("hidden", "flow_hidden", "critic_hidden", "second_hidden"), SEQUENCES_OF_SIZES),
    "diagonal": [value for value in NUMBERS_FROM_0 if value is not None],
    "group_sizes": (3, "11", (1,), (2, 1), (0, 2), (1.0, 1)),
    "num_categories": (*COUNTS, 1),
    "discrete": (*SEQUENCES_OF_SIZES, (3, 1)),
    "steps": (-1, 1.5, "1", None, False),
    "critic_lr": NUMBERS_ABOVE_0,
    **dict.fromkeys(("temperature", "final_temperature"), (*NUMBERS_ABOVE_0, 1e-320)),
    **dict.fromkeys(("decay", "revival"), (1.0, -0.1, "0", None)),
    "variance": (0, 0.0, -1.0, np.nan, np.inf, "1", True),
    **dict.fromkeys(("sigmoid_mean", "sigmoid_output", "learned_prior", "ema", "direct", "random_orders"), NO_SWITCHES),
    "likelihood": ("Bernoulli", None, 3, int, likelihoods.Likelihood, Says("file.py:Class", "'file.py:Class'")),
    "variance_of": ("Column", None, 3),
    "weighting": ("MSS", None, 3),
    "categories": (*COUNTS[:4], True),
    "log_var_floor": (np.nan, -np.inf, "1", None, True),
    "estimator": ("a", None, 3),
    "activation": ("Tanh", None, 3),
    "init": ("Glorot", None, 3),
    "seed": (-1, 1.5, "0", None),
    "dtype": DTYPES,
    "backend": BACKENDS,
    "first": (
        *(3, "vq-vae", VQVAE, Says(VAE(4, 2, (3,)), "a VAE"), Says(VQVAE(5, (3,)), "data_dim=5")),
        *(Says({"model": "vae"}, "'vae'"), Says({"model": 3}, "3"), Says({"held": 1}, "1")),
        *(Says({name: 3}, f"{name} is no argument of first") for name in ("codes", "latent_dim", "seed")),
        Says({"num_codes": 0}, "0", "num_codes"),
    ),
}
OF_KIND: dict[type, tuple] = {int: (1.5, "1"), float: (np.nan, "1"), str: ("?", 3), bool: ()}


def wrong(name: str, option: registry.Option) -> tuple:
    """Values that a model must refuse for one of its options."""
    if name in CONSTRUCTOR:
        return CONSTRUCTOR[name]
    return (3, "x") if option.several else OF_KIND[option.kind]


def small(name: str) -> Model:
    """A small member of the family."""
    return MODELS[name](data_dim=D, **arguments(name))


def arguments(name: str) -> dict[str, Any]:
    """What makes a model small."""
    told = {"context_dim": C} if name in TOLD else {}
    real = {"likelihood": "gaussian"} if "likelihood" in registry.arguments(MODELS[name]) else {}  # has all options
    return SMALL | OWN.get(name, {"latent_dim": Z}) | told | real


def method(model: Model, label: str, name: str, good: dict, **wrong: tuple) -> None:
    """Rows of a method of a model."""
    bound = getattr(model, name)
    misuse(getattr(type(model), name), good, call=bound, label=f"{label}.{name}", **wrong)


X = (*NO_TENSORS, ones(M, D + 1), ones(), strict(M, D))
CODE = (*NO_TENSORS, ones(M, Z + 1), ones(), strict(M, Z))
CONTEXT = ("y", ones(M, C + 1), strict(M, C))
N = [n for n in COUNTS if n is not True]
FEWER_ROWS = (Says(ones(M - 1, C), str(M - 1)),)  # of a context on which p(z) depends
for name, kind in MODELS.items():
    options = registry.arguments(kind)
    misuse(
        kind,
        {"data_dim": D, **arguments(name)},
        label=kind.__name__,
        **{option: wrong(option, known) for option, known in options.items()},
    )
    model = small(name)
    told = {"context": ones(M, C)} if name in TOLD else {}
    context = {"context": (*CONTEXT, None)} if name in TOLD else {}
    batch = Batch(ones(M, D), *told.values())
    misuse(
        kind.phases,
        {"batch": batch, "noise": GENERATOR},
        call=model.phases,
        label=f"{kind.__name__}.phases",
        batch=[
            Says(batch._replace(x=ones(M, D + 1)), f"({M}, {D + 1})"),
            Says(batch._replace(x=ones(D)), f"({D},)"),
            *(Says(batch._replace(x=ones(n, D)), f"minibatch is {n};", "minibatch") for n in range(model.least_points)),
        ],
        noise=() if name in ("made", "vq-vae") else (None, 3, np.random.default_rng(0)),
    )
    method(
        model, kind.__name__, "sample", {"generator": GENERATOR, "n": M, **told}, generator=GENERATORS, n=N, **context
    )
    misuse(
        Model.require_points,
        {"name": "points", "points": M},
        call=model.require_points,
        label=f"{kind.__name__}.require_points",
        points=range(model.least_points),
    )
    for call in ("prepared", "raw", "features"):
        method(model, kind.__name__, call, {"x": ones(M, D)}, x=X)
    if name == "made":
        method(model, kind.__name__, "log_prob", {"x": ones(M, D)}, x=X)
        continue
    encoder_told = context if name != "labelled-aae" else {}
    for call in () if model.no_codes else ("posterior", "encode", "reconstruct"):
        method(model, kind.__name__, call, {"x": ones(M, D), **told}, x=X, **encoder_told)
    misuse(
        Model.sample_prior,
        {"generator": GENERATOR, "n": M, "lead": (2,), **told},
        call=model.sample_prior,
        label=f"{kind.__name__}.sample_prior",
        generator=GENERATORS,
        n=N,
        lead=(3, "x", (-1,), None),
        **{key: (*values, *(FEWER_ROWS if name != "m2" else ())) for key, values in context.items()},
    )
    z = ones(M, model.latent_dim) / (model.latent_dim**0.5 if model.on_sphere else 1.0)
    decoder_told = encoder_told if name not in ("cmma", "ivae", "m1-m2") else {}
    for call in ("likelihood", "decode"):
        method(model, kind.__name__, call, {"z": z, **told}, z=CODE, **decoder_told)
    if context:
        method(model, kind.__name__, "prior", told, **context)
    if model.num_categories:
        method(model, kind.__name__, "codes", {"x": ones(M, D)}, x=X)
    if kind.begin is not Model.begin:
        labelled = COUNTS if model.partly_told else (-1, 2.5, "3", None)
        method(model, kind.__name__, "begin", {"data_points": M, "labelled": 1}, data_points=COUNTS, labelled=labelled)
    if model.partly_told:
        method(model, kind.__name__, "classify", {"x": ones(M, D)}, x=X)
        method(model, kind.__name__, "completed", {"x": ones(M, D), **told}, x=X, context=CONTEXT)
    if name in ("vq-vae", "categorical-vae"):
        noise, called = ((None, 3), "codes") if name == "categorical-vae" else ((), "which")
        method(model, kind.__name__, "drawn_codes", {"x": ones(M, D), "noise": GENERATOR}, x=X, noise=noise)
        codes = Categorical(ones(model.num_codes * model.num_categories), model.num_categories)
        method(model, kind.__name__, "prior_of", {"codes": codes}, codes=[Says(v, str(v), called) for v in (None, 3)])
    if name == "td-vae":
        method(model, kind.__name__, "beliefs", {"x": ones(M, D)}, x=X)
        seen = {"seen": (-1, 0.5, "1", None, 2)}
        good = {"x": ones(M, D), "seen": 1, "generator": GENERATOR}
        method(model, kind.__name__, "rollout", good, x=X, **seen, generator=GENERATORS)
        times = {"first": np.zeros((3, M)), "delta": np.ones((3, M))}
        no_times = (*NO_TENSORS, ones(3, M + 1), ones(M), strict(3, M))
        noise = (*NO_TENSORS, ones(3, M), ones(2, M, 2), strict(3, M, 2))
        good = {"x": ones(M, D), **times, "noise": GENERATOR}
        method(model, kind.__name__, "differences", good, x=X, **dict.fromkeys(times, no_times), noise=noise)
    if name == "vq-vae":
        method(model, kind.__name__, "quantize", {"x": ones(M, D)}, x=X)
    if not model.no_log_likelihood and name != "iaf-vae":
        noise = (
            *NO_TENSORS,
            ones(1, M, model.latent_dim + 1),
            ones(M, model.latent_dim),
            strict(1, M, model.latent_dim),
        )
        for call in ("bound", "bound_and_draws"):
            method(
                model,
                kind.__name__,
                call,
                {"x": ones(M, D), "noise": GENERATOR, "samples": 2, **told},
                x=X,
                noise=noise,
                samples=[n for n in COUNTS if n is not None],
                **context,
            )

PREPARED = small("vae")
PREPARED.preparation = Preparation("standardize", np.zeros(D), np.ones(D))
UNUSABLE = np.where(np.eye(M, D), np.nan, 1.0)
for call in ("prepared", "raw"):
    unusable = (Says(UNUSABLE, "a NaN or an infinity"),) if call == "prepared" else ()
    method(PREPARED, "VAE on prepared data", call, {"x": ones(M, D)}, x=(*X, *unusable))

LAYERS = {"inputs": Z, "hidden": (3,), "outputs": D, "generator": GENERATOR}
for network in likelihoods.LIKELIHOODS.values():
    categorical = network is likelihoods.CategoricalMLP
    good = LAYERS | ({"categories": 2} if categorical else {"log_scale_floor": -3.0})
    own = {"categories": COUNTS} if categorical else {"log_scale_floor": ("1", np.nan, -np.inf, True)}
    sizes = {"inputs": COUNTS, "hidden": SEQUENCES_OF_SIZES, "outputs": COUNTS, "generator": GENERATORS}
    misuse(network, good, **sizes, **own)
    misuse(network.__call__, {"z": ones(M, Z)}, call=network(**good), label=f"{network.__name__}.__call__", z=CODE)
NO_DOMAIN = type("NoDomain", (likelihoods.PoissonMLP,), {"domain": "counts"})
NO_HEADS = type("NoHeads", (likelihoods.Likelihood,), {})
misuse(
    likelihoods.require_likelihood,
    {"kind": likelihoods.PoissonMLP},
    kind=[Says(kind, repr(kind)[:60], "likelihood") for kind in (None, "poisson", int, NO_DOMAIN, NO_HEADS)],
)
