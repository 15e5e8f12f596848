"""The options of ``minivae train``: said, the model's own, usual for the data, or those of a run."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import Any

from .. import backend, datasets
from ..datasets import Dataset
from ..errors import InputError
from ..models import MODELS, Model, registry
from ..runs import Run
from .automatic import for_own

# What is trained when the options do not say.
COMMON: dict[str, Any] = {
    "model": "vae",
    "split": None,
    "prepare": "none",
    "binarize": "none",
    "optimizer": "adam",
    "lr": None,
    "schedule": "constant",
    "weight_prior": False,
    "batch_size": 100,
    "patience": None,
    "seed": 0,
    "compile": True,
    "skip_nonfinite": False,
    "dtype": "float32",
}
# Beyond that, for the data that have a name: the paper's sizes where it has them. For
# the digits, which the paper has not: on 300 held-out training points these reach -24.1
# nats (mean of 3 seeds), Adam's usual lr of 0.001 needs 300 epochs for -24.3, and other
# sizes of one hidden layer, from 100 units and 6 latent dimensions up, differ by 0.1.
USUAL: dict[str, dict[str, Any]] = {
    "digits": {"hidden": [200], "latent": 8, "likelihood": "bernoulli", "epochs": 200, "lr": 0.005},
    "mnist": {"hidden": [500], "latent": 20, "likelihood": "bernoulli", "epochs": 10},
    "binarized-mnist": {"hidden": [500], "latent": 20, "likelihood": "bernoulli", "epochs": 10},
    "frey": {"hidden": [200], "latent": 10, "likelihood": "gaussian", "sigmoid_mean": True, "epochs": 100},
}
# Arguments of a single model that go with the data as the sizes do: of 64 pixels 25 nats cannot be made use of.
USUAL_OF_MODEL: dict[tuple[str, str], dict[str, Any]] = {("digits", "disentangled-beta-vae"): {"capacity": 6.0}}
MAY_CHANGE = ("epochs", "skip_nonfinite")  # when a run is resumed
_OF_RUN = (*COMMON, "epochs", "data", "backend")


def of_model(model: str | type[Model]) -> dict[str, registry.Option]:
    """The options of a model by their names here: the latent dimensions are short."""
    kind = registry.named(model)[1] if isinstance(model, str) else model
    return {_short(argument): option for argument, option in registry.options(kind).items()}


def of_models(chosen: str | None = None) -> dict[str, dict[str, registry.Option]]:
    """Every option of any model that is listed, or chosen: the models that have it, with what it is there."""
    found: dict[str, dict[str, registry.Option]] = {}
    for model in dict.fromkeys([*MODELS, chosen or COMMON["model"]]):
        for name, option in of_model(model).items():
            found.setdefault(name, {})[model] = option
    return found


def own_class(name: str | None) -> type[Model] | None:
    """The class that ``--model`` names, whose code may be the user's own; None if nothing is said."""
    return None if name is None else registry.named(name)[1]


def arguments(model: type[Model], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The options of the model as arguments of its constructor."""
    return {argument: chosen[_short(argument)] for argument in registry.options(model)}


def _short(argument: str) -> str:
    return "latent" if argument == "latent_dim" else argument


def said(args: argparse.Namespace) -> dict[str, Any]:
    """The options that were given on the command line; a path made absolute."""
    names = *_OF_RUN, *of_models(args.model)
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    if args.model is not None:
        given["model"] = registry.named(args.model)[0]
    path = os.path.expanduser(given.get("data", ""))
    if os.path.exists(path) and given["data"] not in datasets.names():
        given["data"] = os.path.abspath(path)
    return given


def load_data(options: Mapping[str, Any]) -> Dataset:
    """The data that the options ask for; the digits if they ask for none."""
    data = options.get("data", "digits")
    return datasets.load(data, split=options.get("split"), seed=options.get("seed", 0))


def complete(given: Mapping[str, Any], dataset: Dataset) -> dict[str, Any]:
    """Every option: as given, else as usual for the model with these data, else the model's own, else as usual for
    these data, else the VAE's. For the user's own data also ``why``: likelihood and preparation, in words.

    Raises:
        InputError: one was given that the model does not have.
    """
    name = given.get("data", "digits")
    which = given.get("model", COMMON["model"])
    model, plain = of_model(which), of_model("vae")
    _require_known(given, model)
    given = {flag: value for flag, value in given.items() if (flag, value) != ("prepare", "auto")}
    usual = {**COMMON, "data": name, **(USUAL.get(name) or _usual_for_own(dataset, given))}
    usual["backend"] = backend.get_backend().name
    defaults = {flag: option.default for flag, option in model.items()}
    own = {flag: value for flag, value in defaults.items() if flag not in plain or value != plain[flag].default}
    chosen = {**defaults, **usual, **own, **USUAL_OF_MODEL.get((name, which), {}), **given}
    if chosen.get("likelihood") == "bernoulli" and "sigmoid_mean" not in given:
        chosen["sigmoid_mean"] = False
    return {flag: value for flag, value in chosen.items() if flag in model or flag in (*_OF_RUN, "why")}


def _require_known(given: Mapping[str, Any], model: Mapping[str, Any]) -> None:
    for flag in given:
        if flag not in model and flag not in _OF_RUN:
            others = ", ".join(of_models()[flag])
            name = given.get("model", COMMON["model"])
            raise InputError(f"--{flag.replace('_', '-')} is not an option of --model {name}; it belongs to {others}")


def _usual_for_own(dataset: Dataset, given: Mapping[str, Any]) -> dict[str, Any]:
    """For the user's own data: a mid-sized model, and 100,000 samples within sensible limits."""
    rows = len(dataset.train)
    return {
        **for_own(dataset, given),
        "hidden": [200],
        "latent": 10,
        "epochs": min(max(100_000 // rows, 10), 500),
        "batch_size": min(100, rows),
    }


def of_run(run: Run, own: type[Model] | None = None) -> dict[str, Any]:
    """The options that a run was trained with; ``own`` is the class of its model, if that is the user's own.

    Raises:
        InputError: its ``config.json`` lacks one, since another program wrote it; or the class is not that of the run.
    """
    options = run.config.get("options")
    found = options if isinstance(options, dict) else {}
    missing = {*_OF_RUN, *of_model(run.model_class(own))} - found.keys()
    if missing:
        raise InputError(
            f"{run.config_path} lacks options: {', '.join(sorted(missing))}; expected a run of minivae train"
        )
    return found


def resumed(run: Run, given: Mapping[str, Any], own: type[Model] | None = None) -> dict[str, Any]:
    """The run's options; of what is given now, only those of ``MAY_CHANGE`` may differ.

    Raises:
        InputError: something else differs.
    """
    options = of_run(run, own)
    given = {name: value for name, value in given.items() if name != "model"}  # a file may have moved since
    _require_known({"model": options["model"], **given}, options)
    for name, value in given.items():
        if name not in MAY_CHANGE and value != options[name]:
            flag = f"--{name.replace('_', '-')}"
            raise InputError(f"{flag} is {value!r}, but the run to resume was trained with {options[name]!r}")
    return {**options, **given}
