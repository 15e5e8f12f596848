"""The rows of ``backend``, ``nn``, ``optim``, ``bounds`` and ``regularizers``."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from minivae import backend, bounds, nn, optim, regularizers
from minivae.autodiff import Parameter, tensor
from minivae.distributions import Normal

from .subject import (
    BACKENDS,
    COUNTS,
    DTYPES,
    GENERATORS,
    NO_TENSORS,
    NUMBERS_ABOVE_0,
    SEQUENCES_OF_SIZES,
    SHAPES,
    Says,
    misuse,
    ones,
    strict,
)

GENERATOR = backend.generator(0)
SEEDS = (-1, 1.5, "0", None, True)
NO_ARRAYS = ("x", None, [1.0], ones(2))

# -------------------------------------------------------------------- backend

misuse(backend.get_backend, {"name": "numpy"}, name=BACKENDS)
misuse(backend.use, {"name": "numpy"}, name=BACKENDS)
misuse(backend.using, {"name": "numpy"}, call=lambda name: backend.using(name).__enter__(), name=BACKENDS)
misuse(backend.register, {"new": backend.get_backend("numpy")}, new=("numpy", None, np))
for function in (backend.backend_of, backend.xp_of):
    misuse(function, {"arrays": np.ones(2)}, call=lambda arrays, f=function: f(arrays), arrays=NO_ARRAYS)
misuse(backend.to_numpy, {"array": np.ones(2)}, array=NO_ARRAYS)
misuse(
    backend.from_dlpack, {"value": np.ones(2)}, value=(Says(None, "None", "x"), Says(3, "3", "x"), Says("y", "y", "x"))
)
misuse(backend.float_dtype, {"dtype": "float32"}, dtype=DTYPES)
misuse(backend.number_dtype, {"dtype": "int8"}, dtype=("floot", "U3", object, None, 3))
misuse(
    backend.asarray,
    {"value": [1.0], "dtype": "float64", "backend": "numpy"},
    value=(*NO_TENSORS, ones(2), [None], Says(object(), "<object object")),
    dtype=("floot", "U3", object, 3),
    backend=BACKENDS,
)
for function in (backend.synchronize, backend.describe):
    misuse(function, {"backend": "numpy"}, backend=BACKENDS)
for function in (backend.Generator, backend.generator):
    misuse(function, {"seed": 0, "backend": "numpy"}, seed=SEEDS, backend=BACKENDS)
misuse(backend.require_generator, {"name": "x", "value": GENERATOR}, value=())
for draw in ("standard_normal", "uniform"):
    misuse(
        getattr(backend.Generator, draw),
        {"shape": (2,), "dtype": "float32", "out": None},
        call=getattr(GENERATOR, draw),
        shape=SHAPES,
        dtype=DTYPES,
        out=(3, np.ones(3, np.float32), np.ones(2, int)),
    )
misuse(
    backend.Generator.restore,
    {"kept": GENERATOR.keep()},
    call=GENERATOR.restore,
    kept=(None, 3, "x", GENERATOR.state, backend.generator(0, "strict").keep()),
)

# ------------------------------------------------------------------------- nn

LAYER = {"inputs": 2, "outputs": 3, "generator": GENERATOR, "init": "he", "dtype": "float32", "backend": "numpy"}
OPTIONS = {"init": ("He", 3, None), "dtype": DTYPES, "backend": BACKENDS}
POINTS = (*NO_TENSORS, ones(5, 3), ones(), strict(5, 2))
misuse(nn.Linear, LAYER, inputs=COUNTS, outputs=COUNTS, generator=GENERATORS, **OPTIONS)
misuse(nn.Linear.__call__, {"x": ones(5, 2)}, call=nn.Linear(2, 3, GENERATOR), x=POINTS)
MASKED = {"mask": np.ones((2, 3)), "generator": GENERATOR, "options": {}}
misuse(
    nn.MaskedLinear,
    MASKED,
    call=lambda mask, generator, options: nn.MaskedLinear(mask, generator, **options),
    mask=("x", None, np.ones(3), [1.0], Says(strict(2, 3), "Tensor(")),
    generator=GENERATORS,
)
misuse(
    nn.MaskedLinear.__call__,
    {"x": ones(5, 2), "mask": ones(2, 3)},
    call=nn.MaskedLinear(np.ones((2, 3)), GENERATOR),
    x=POINTS,
    mask=("x", ones(3, 2), ones(3), strict(2, 3)),
)
SWITCHES = ("True", None, 1)
SETS = (-1, 2, 0.5, "0", None, True, ones(2))
MADE = {"size": 2, "hidden": (4,), "generator": GENERATOR, "outputs": 2, "context_dim": 3, "activation": "relu"}
MADE |= {"width": 1, "direct": True, "sets": 2, "random_orders": True}
misuse(
    nn.MADE,
    MADE,
    size=COUNTS,
    hidden=SEQUENCES_OF_SIZES,
    generator=GENERATORS,
    outputs=COUNTS,
    width=COUNTS,
    context_dim=(-1, 2.5, "3", None),
    activation=("Relu", None, 3),
    direct=SWITCHES,
    sets=COUNTS,
    random_orders=SWITCHES,
)
for name in ("__call__", "together"):
    misuse(
        getattr(nn.MADE, name),
        {"x": ones(5, 2), "context": ones(5, 3), "which": 1},
        call=getattr(nn.MADE(**MADE), name),
        x=POINTS,
        context=(*NO_TENSORS, ones(5, 2), strict(5, 3)),
        which=SETS,
    )
misuse(nn.MADE.order, {"which": 1}, call=nn.MADE(**MADE).order, which=SETS)
PERCEPTRON = {"sizes": (2, 3), "generator": GENERATOR, "activation": "relu"}
misuse(
    nn.MLP,
    PERCEPTRON,
    sizes=(*SEQUENCES_OF_SIZES, (), (3, 5, -2)),
    generator=GENERATORS,
    activation=("Relu", None, 3),
    **OPTIONS,
)
misuse(nn.MLP.__call__, {"x": ones(5, 2)}, call=nn.MLP((2, 3), GENERATOR), x=POINTS)
BOOK = {
    "entries": 4,
    "dim": 2,
    "generator": GENERATOR,
    "decay": 0.9,
    "revival": 0.1,
    "dtype": "float32",
    "backend": "numpy",
}
misuse(
    nn.Codebook,
    BOOK,
    entries=COUNTS,
    dim=COUNTS,
    generator=GENERATORS,
    ema=SWITCHES,
    decay=(1.0, -0.1, "0", None),
    revival=(1.0, -0.1, "0", None),
    dtype=DTYPES,
    backend=BACKENDS,
)
misuse(nn.Codebook.nearest, {"z": ones(5, 2)}, call=nn.Codebook(4, 2, GENERATOR).nearest, z=(*POINTS, ones(5, 1)))
misuse(
    nn.SpectralNorms,
    {"shapes": [(3, 2)], "generator": GENERATOR, "dtype": "float32", "backend": "numpy"},
    shapes=(None, 3, [3], [(3,)], [(3, 0)], [(3, "2")]),
    generator=GENERATORS,
    dtype=DTYPES,
    backend=BACKENDS,
)
misuse(
    nn.SpectralNorms.__call__,
    {"matrices": [ones(3, 2)]},
    call=nn.SpectralNorms([(3, 2)], GENERATOR),
    matrices=(
        *(None, 3, Says([], "0 of them"), Says([ones(2, 3)], "matrices[0]")),
        *(Says([None], "matrices[0]"), Says([strict(3, 2)], "strict")),
    ),
)
misuse(
    nn.Codebook.moved,
    {"z": ones(5, 2), "chosen": ones(5, 4)},
    call=nn.Codebook(4, 2, GENERATOR).moved,
    z=POINTS,
    chosen=(*NO_TENSORS, ones(5, 3), ones(4, 4), strict(5, 4)),
)
for norm in (nn.BatchNorm, nn.BatchNorm2d):
    misuse(
        norm,
        {"size": 2, "gamma": 0.5, "momentum": 0.1, "epsilon": 1e-5, "dtype": "float32", "backend": "numpy"},
        size=COUNTS,
        gamma=(-0.1, np.inf, np.nan, "1"),
        momentum=(-0.1, 1.1, np.nan, "0", None),
        epsilon=(0.0, -1e-5, np.inf, np.nan, "0", None),
        dtype=DTYPES,
        backend=BACKENDS,
    )
misuse(nn.BatchNorm.__call__, {"x": ones(5, 2)}, call=nn.BatchNorm(2), x=POINTS)
OTHER_STATES = ones(5, 2), strict(5, 3)
for recurrent in (nn.GRU, nn.LSTM):
    misuse(
        recurrent,
        {"inputs": 2, "units": 3, "generator": GENERATOR, "init": "he", "dtype": "float32", "backend": "numpy"},
        inputs=COUNTS,
        units=COUNTS,
        generator=GENERATORS,
        **OPTIONS,
    )
    misuse(
        recurrent.__call__,
        {"x": ones(5, 4, 2), "state": (ones(5, 3),) * recurrent.states},
        call=recurrent(2, 3, GENERATOR),
        label=f"{recurrent.__name__}.__call__",
        x=(*NO_TENSORS, ones(5, 4, 3), ones(2), ones(5, 0, 2), strict(5, 4, 2)),
        state=(
            3,
            "h",
            ones(5, 3),
            (),
            *(Says((bad,) * recurrent.states, "state[0]") for bad in (ones(5, 2), strict(5, 3))),
        ),
    )
STATE = {"weight": np.ones((2, 3)), "bias": np.ones(3)}
NO_STATES = (
    None,
    3,
    Says({}, "missing weight"),
    Says(STATE | {"more": np.ones(1)}, "unexpected more"),
    Says(STATE | {"bias": np.ones(2)}, "(2,)"),
    Says(STATE | {"bias": "x"}, "'x'"),
)
misuse(nn.Module.load_state_dict, {"state": STATE}, call=nn.Linear(2, 3, GENERATOR).load_state_dict, state=NO_STATES)
NO_MODULES = (None, 3, "x", {"weight": 1})
misuse(
    nn.from_torch_state_dict,
    {"module": nn.Linear(2, 3, GENERATOR), "state": {"weight": np.ones((3, 2)), "bias": np.ones(3)}},
    module=NO_MODULES,
    state=NO_STATES[:3],
)
FOR_PACKAGES = {nn.to_torch_state_dict: "torch", nn.save_safetensors: "safetensors", nn.load_safetensors: "safetensors"}
for function, package in FOR_PACKAGES.items():
    there = find_spec(package) is not None  # without the package even good arguments are refused
    paths = {} if package == "torch" else {"path": "w.safetensors"}
    misuse(
        function,
        {"module": nn.Linear(2, 3, GENERATOR), **paths},
        call=lambda function=function, there=there, **given: with_weights(function, there, given),
        module=NO_MODULES,
        **dict.fromkeys(paths, (3, None)),
    )


def with_weights(function: Callable, there: bool, given: dict[str, Any]) -> None:
    """Call one of them, with a file that it may read; not with good arguments where its package is not there."""
    if there and function is nn.load_safetensors:
        nn.save_safetensors(nn.Linear(2, 3, GENERATOR), "w.safetensors")
    if there or not isinstance(given["module"], nn.Module) or given.get("path", "") in (3, None):
        function(**given)


# ---------------------------------------------------------------------- optim


def two() -> list[Parameter]:
    """Parameters to train."""
    return [Parameter(np.ones((2, 3), np.float32)), Parameter(np.ones(3, np.float32))]


P = two()
NOTHING_TO_TRAIN = (
    None,
    3,
    [],
    Says([ones(2)], "Tensor("),
    Says([P[0], P[0]], "twice"),
    Says([P[0], Parameter(np.ones(1))], "float64"),
    Says([P[0], Parameter(strict(2).data)], "strict"),
)
COMMON = {"parameters": NOTHING_TO_TRAIN, "lr": NUMBERS_ABOVE_0}
RULE = {
    "weight_decay": (-1.0, np.nan, "1", True),
    "max_norm": (0, -1.0, np.inf, "1", True),
    "compile": (0, "yes", None),
}
OWN = {
    optim.Adam: {"betas": (0.9, (0.9, 1.0), (-0.1, 0.9), (0.9,), None, "ab"), "eps": NUMBERS_ABOVE_0},
    optim.Adamax: {"betas": (0.9, (0.9, 1.0), None), "eps": NUMBERS_ABOVE_0},
    optim.Adagrad: {"warmup": (-1, 1.5, "1", None, True), "eps": NUMBERS_ABOVE_0},
    optim.SGD: {"momentum": (1.0, -0.1, "0", None)},
}
GRADIENTS = [ones(2, 3), ones(3)]
NO_GRADIENTS = (
    None,
    3,
    Says([ones(2, 3)], "(2, 3)"),
    Says([ones(2, 3), ones(2)], "(2,)"),
    Says([ones(2, 3), "x"], "'x'"),
    Says([ones(2, 3), strict(3)], "strict"),
)
STARTED = optim.SGD(two())
STARTED.advance()
for kind, own in OWN.items():
    misuse(kind, {"parameters": P, "lr": 0.1}, **COMMON, **RULE, **own)
for name in ("step", "apply"):
    misuse(
        getattr(optim.Optimizer, name),
        {"gradients": GRADIENTS},
        call=getattr(STARTED, name),
        gradients=NO_GRADIENTS,
    )
for name in ("step", "advance"):
    misuse(
        getattr(optim.Optimizer, name),
        {"lr_factor": 0.5},
        call=lambda lr_factor, name=name: getattr(optim.SGD(two()), name)(*[GRADIENTS] * (name == "step"), lr_factor),
        lr_factor=(-1.0, np.nan, np.inf, "1", None),
    )
misuse(
    optim.Optimizer.load_state_dict,
    {"state": optim.Adam(two()).state_dict()},
    call=optim.Adam(two()).load_state_dict,
    state=(None, 3, Says({}, "count"), Says({"count": 1}, "missing m.0"), Says({"count": -1}, "-1")),
)
misuse(
    optim.clip_by_norm,
    {"gradients": GRADIENTS, "max_norm": 1.0},
    gradients=(None, 3, [], Says([ones(2), "x"], "'x'")),
    max_norm=NUMBERS_ABOVE_0,
)

# --------------------------------------------------------- bounds, regularizers

TERMS = {"log_likelihood": ones(2, 3), "log_prior": ones(2, 3), "log_posterior": ones(2, 3)}
NO_TERMS = (None, "x", Says(1.0, "()"), ones(3), ones(2, 2), strict(2, 3))
misuse(
    bounds.sgvb_a,
    TERMS,
    log_likelihood=(None, "x", Says(1.0, "()"), ones(3), ones(2, 3, 1)),
    log_prior=NO_TERMS,
    log_posterior=NO_TERMS,
)
misuse(
    bounds.sgvb_b,
    {"log_likelihood": ones(2, 3), "divergence": ones(3)},
    log_likelihood=(None, "x", Says(1.0, "()"), ones(3), ones(2, 3, 1)),
    divergence=(None, "x", Says(1.0, "()"), ones(2), ones(2, 3), strict(3)),
)
misuse(
    bounds.importance_weighted,
    TERMS | {"groups": 2},
    log_likelihood=(None, "x", Says(1.0, "()"), ones(3), ones(2, 3, 1)),
    log_prior=NO_TERMS,
    log_posterior=NO_TERMS,
    groups=(*COUNTS, 3),
)
misuse(
    bounds.renyi,
    TERMS | {"alpha": 0.5},
    log_likelihood=(None, "x", Says(1.0, "()"), ones(3), ones(2, 3, 1)),
    log_prior=NO_TERMS,
    log_posterior=NO_TERMS,
    alpha=(None, "x", float("nan"), float("-inf"), True, 1j),
)
misuse(
    bounds.doubly_reparameterized,
    {"log_weights": ones(2, 3), "groups": 2, "kl_weight": 0.5},
    log_weights=(None, "x", Says(1.0, "()"), ones(3), ones(2, 3, 1)),
    groups=(*COUNTS, 3),
    kl_weight=("x", ones(3), strict()),
)
Q = Normal(ones(3, 4), ones(3, 4))
misuse(
    bounds.score_function,
    {"f": lambda z: z.sum(-1), "q": Q, "z": ones(3, 4)},
    f=(None, 3, Says(lambda z: z, "(3, 4)"), Says(lambda z: 3.0, "3.0")),
    q=(None, "x", ones(3)),
    z=(None, "x", {1.0}),
)
misuse(
    bounds.with_rejections,
    {"values": ones(2, 3), "log_ratio": ones(2, 3)},
    values=(None, "x", Says(1.0, "()"), ones(3), ones(2, 3, 1)),
    log_ratio=(None, "x", ones(3), ones(1, 3), ones(2, 1), strict(2, 3)),
)
misuse(
    bounds.weight_log_prior,
    {"parameters": P},
    parameters=(None, 3, Says([], "no weight matrix"), Says([ones(3)], "no weight matrix"), Says(["x"], "'x'")),
)
DRAWS = (*NO_TENSORS, ones(3), ones(1, 2), ones(4, 3))
misuse(regularizers.mmd, {"x": ones(4, 2), "y": ones(3, 2)}, x=DRAWS, y=(*DRAWS, strict(3, 2)), kernel=(None, "rbf", 3))
NO_LIKES = (None, 3.0, "x", np.ones(1))
CODES = (*NO_TENSORS, ones(3), ones(1, 2, 2))
misuse(
    regularizers.kl_balance,
    {"kl": ones(3), "sizes": [1, 2, 2]},
    kl=(*NO_TENSORS, ones(), ones(3, 1)),
    sizes=(None, "123", [1, 2], 3),
)
misuse(regularizers.covariance, {"z": ones(4, 2)}, z=(*CODES, ones(1, 2)))
misuse(regularizers.moments, {"z": ones(4, 2)}, z=CODES)
misuse(
    regularizers.covariance_of,
    {"first": ones(2), "second": ones(2, 2)},
    first=(*NO_TENSORS, ones(2, 2), ones()),
    second=(*NO_TENSORS, ones(2), ones(2, 3), strict(2, 2)),
)
misuse(regularizers.off_identity, {"c": ones(2, 2)}, c=(*NO_TENSORS, ones(2), ones(2, 3)))
misuse(
    regularizers.sliced_wasserstein,
    {"x": ones(4, 2), "y": ones(4, 2), "directions": ones(3, 2)},
    x=(*NO_TENSORS, ones(2)),
    y=(*NO_TENSORS, ones(3, 2), strict(4, 2)),
    directions=(*NO_TENSORS, ones(3, 1), ones(2), strict(3, 2)),
)
misuse(
    regularizers.random_directions,
    {"noise": GENERATOR, "count": 3, "dim": 2, "like": ones(2)},
    noise=(*NO_TENSORS, ones(2), ones(1, 2), strict(3, 2)),
    count=COUNTS,
    dim=COUNTS,
    like=NO_LIKES,
)
POSTERIORS = Normal(ones(4, 2), ones(4, 2))
NO_POSTERIORS = (None, 3, ones(4, 2), Says(Normal(ones(2), ones(2)), "(2,)"))
NUMBERS_OF_POINTS = (*NO_TENSORS, ones(2), strict())
misuse(
    regularizers.log_weights,
    {"batch": 4, "data_points": 9, "weighting": "mss", "like": ones(2)},
    batch=(*COUNTS, 1),
    data_points=NUMBERS_OF_POINTS,
    weighting=("MSS", None, 3),
    like=NO_LIKES,
)
misuse(
    regularizers.log_ratios,
    {"q": POSTERIORS, "z": ones(1, 4, 2)},
    q=NO_POSTERIORS,
    z=(*NO_TENSORS, ones(4, 2), ones(1, 3, 2), strict(1, 4, 2)),
)
misuse(
    regularizers.log_aggregate,
    {"ratios": ones(1, 4, 4, 2), "log_w": ones(4, 4)},
    ratios=(*NO_TENSORS, ones(4, 4, 2)),
    log_w=(*NO_TENSORS, ones(4), ones(4, 3), strict(4, 4)),
)
misuse(
    regularizers.split_kl,
    {"q": POSTERIORS, "z": ones(1, 4, 2), "log_q": ones(1, 4), "log_p": ones(1, 4), "data_points": 9}
    | {"weighting": "mss", "group_sizes": (1, 1)},
    q=NO_POSTERIORS,
    z=(*NO_TENSORS, ones(4, 2), ones(1, 3, 2), strict(1, 4, 2)),
    **dict.fromkeys(("log_q", "log_p"), (*NO_TENSORS, ones(4), ones(1, 3), strict(1, 4))),
    data_points=NUMBERS_OF_POINTS,
    weighting=("MSS", None, 3),
    group_sizes=(3, "11", (1,), (2, 1), (0, 2), (1.0, 1)),
)
LOGITS = (*NO_TENSORS, ones(4, 3), ones(2))
misuse(regularizers.density_ratio, {"logits": ones(4, 2)}, logits=LOGITS)
misuse(regularizers.fooling_loss, {"logits": ones(4, 2)}, logits=LOGITS)
misuse(regularizers.critic_loss, {"first": ones(4, 2), "second": ones(3, 2)}, first=LOGITS, second=LOGITS)
misuse(
    regularizers.permute_columns,
    {"z": tensor([[1.0, 2.0], [3.0, 4.0]]), "noise": GENERATOR},
    z=(*NO_TENSORS, ones(3)),
    noise=(*NO_TENSORS, ones(2), ones(1, 2), strict(2, 2)),
)
