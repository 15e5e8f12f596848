"""The options of ``minivae train``: said, in a file, the model's own, usual for the data, or those of a run."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from .. import backend, datasets
from ..checks import one_of
from ..datasets import Dataset
from ..datasets.domain import COUNTS
from ..errors import InputError
from ..models import MODELS, Model, registry
from ..models.automatic import for_own, usual_sizes
from ..models.own import is_own, is_same
from ..models.vae import DECODERS
from ..runs import Run
from ..runs.config import read_object
from ..slips import did_you_mean
from ..training import Settings
from ..training.validation import with_validation

# The options that say how data are read, as datasets.load has them.
READING = ("validation", "array", "points_axis", "labels", "labelled", "colour", "size", "header", "sequence_length")
# What a model of codes has as the run has it that the codes are of, beside the data themselves.
OF_CODES = ("split", "prepare", "binarize", *(name for name in READING if name != "labels"))
# What is trained when the options do not say.
COMMON: dict[str, Any] = {
    "model": "vae",
    "split": None,
    "prepare": "none",
    **dict.fromkeys(READING),
    "binarize": "none",
    "optimizer": "adam",
    "lr": None,
    "schedule": "constant",
    "lr_warmup": 0.0,
    "kl_warmup": 0.0,
    "kl_cycles": None,
    "free_bits": 0.0,
    "weight_prior": False,
    "batch_size": 100,
    "patience": None,
    "seed": 0,
    "codes_of": None,
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
    "moving-digits": {"hidden": [50], "latent": 20, "likelihood": "bernoulli", "epochs": 120, "lr": 0.005},
    "linear-gaussian-sequences": {"hidden": [50], "latent": 20, "likelihood": "gaussian", "epochs": 60, "lr": 0.003},
}
# Arguments of a single model that go with the data as the sizes do: of 64 pixels 25 nats cannot be made use of.
# Of 1,500 training points a prior of 16 codes learns no more after some 600 steps of 0.001, but the points by heart.
USUAL_OF_MODEL: dict[tuple[str, str], dict[str, Any]] = {
    ("digits", "disentangled-beta-vae"): {"capacity": 6.0},
    ("digits", "autoregressive-prior"): {"epochs": 40, "lr": 0.001},
}
MAY_CHANGE = ("epochs", "patience", "lr", "skip_nonfinite")  # when a run is resumed
_OF_RUN = (*COMMON, "epochs", "data", "backend")
OF_PROGRAMS = ("split_seed", "report_every", "optimizer_options")  # what else a run made by minivae.fit may have


def of_model(model: str | type[Model]) -> dict[str, registry.Option]:
    """The options of a model by their names here: the latent dimensions are short."""
    kind = registry.named(model)[1] if isinstance(model, str) else model
    return {short(argument): option for argument, option in registry.options(kind).items()}


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


def own_likelihood(name: str | None) -> type | None:
    """The same of ``--likelihood``."""
    return None if name is None else registry.named_likelihood(name)[1]


def arguments(model: type[Model], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The options of the model as arguments of its constructor."""
    return {argument: chosen[short(argument)] for argument in registry.options(model)}


def settings(chosen: Mapping[str, Any], **others: Any) -> Settings:
    """The options of the training; what the model has as an option of its own (free bits) is the model's."""
    own = of_model(chosen["model"])
    names = [field.name for field in fields(Settings) if field.name in chosen and field.name not in own]
    return Settings(**{name: chosen[name] for name in names}, **others)


def short(argument: str) -> str:
    """The name here of an argument of a model."""
    return "latent" if argument == "latent_dim" else argument


def said(args: argparse.Namespace) -> dict[str, Any]:
    """The options that were given on the command line; paths made absolute."""
    names = *_OF_RUN, *of_models(args.model)
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    if args.model is not None:
        given["model"] = registry.named(args.model)[0]
    if args.likelihood is not None:
        given["likelihood"] = registry.named_likelihood(args.likelihood)[0]
    return _with_absolute_paths(given)


def _with_absolute_paths(given: dict[str, Any]) -> dict[str, Any]:
    for name, taken in (("data", datasets.names()), ("labels", (datasets.NO_LABELS,)), ("codes_of", ())):
        said = given.get(name)
        path = os.path.expanduser(said) if isinstance(said, str) and said not in taken else ""
        if os.path.exists(path):
            given = {**given, name: os.path.abspath(path)}
    return given


def begun(
    given: Mapping[str, Any], config: str | None, init_from: str | None, own: type[Model] | None = None
) -> dict[str, Any]:
    """What is asked for of a new run: what is said, else what the file ``config`` has, else the run ``init_from``.

    Where another model is said, those options of theirs are left out that it does not have. ``own`` is the class that
    ``--model`` names: code runs because it was said, never because a run or a file has its name. The data of a model of
    codes (``codes_of``) are those of the run that the codes are of.

    Raises:
        InputError: there is no such run or file, or an option in the file is none; or data that are not those of the
            run of the codes.
    """
    base = {}
    if init_from is not None:
        run = Run.open(init_from)
        base = of_run(run, own if is_own(run.config["model"]) else None)
    in_file = {} if config is None else of_file(Path(config))
    base |= in_file
    model = given.get("model", base.get("model", COMMON["model"]))
    if base.get("model", model) != model:
        base = {name: value for name, value in base.items() if name in (*_OF_RUN, *OF_PROGRAMS, *of_model(model))}
    # Not the codes that the run ``init_from`` was of: it has their model itself.
    codes_of = given.get("codes_of", in_file.get("codes_of"))
    of_codes = {} if codes_of is None else _data_of(Run.open(codes_of), given)
    return {**base, **given, **of_codes}


def _data_of(run: Run, given: Mapping[str, Any]) -> dict[str, Any]:
    """Which data a run has, and how they are seen; of what is given only where they lie may differ.

    Raises:
        InputError: something else differs.
    """
    options = of_run(run)
    found = {name: options[name] for name in OF_CODES}
    for name in given.keys() & found.keys():
        if given[name] != found[name]:
            flag = f"--{name.replace('_', '-')}"
            raise InputError(f"{flag} is {given[name]!r}, but --codes-of {run.folder} was trained with {found[name]!r}")
    data = {name: given.get(name, options[name]) for name in ("data", "labels")}
    return {**found, **data, "split_seed": options.get("split_seed", options["seed"])}


def of_file(path: Path) -> dict[str, Any]:
    """The options in a file: a run's ``config.json``, or a JSON object of options by their names.

    Raises:
        InputError: it cannot be read, or has a name that is no option; names the nearest one.
    """
    held = read_object(path)
    found = held.get("options", {}) if "format" in held else held
    options = {name.replace("-", "_"): value for name, value in found.items()}
    known = (*_OF_RUN, *OF_PROGRAMS, *of_models())
    for name in options.keys() - {*known}:
        hint = did_you_mean(name, known)
        raise InputError(f"{path} has {name!r}; expected options of minivae train alone, by their names{hint}")
    if "model" in options:
        one_of(f"model in {path}", options["model"], MODELS)
        _require_known(options, of_model(options["model"]))
    return _with_absolute_paths(options)


def data_of(options: Mapping[str, Any]) -> Any:
    """The data that the options ask for; if they ask for none the digits, and for a model of sequences moving ones."""
    if "data" in options:
        return options["data"]
    model = registry.named(options.get("model", COMMON["model"]))[1]
    return "moving-digits" if "sequence_length" in registry.arguments(model) else "digits"


def load_data(options: Mapping[str, Any]) -> Dataset:
    """The data that the options ask for, or :func:`data_of` says."""
    data = data_of(options)
    seed = options.get("split_seed", options.get("seed", 0))
    reading = {name: options.get(name) for name in READING}
    dataset = datasets.load(data, split=options.get("split"), seed=seed, **reading)
    kind = DECODERS.get(options.get("likelihood", ""))
    counted = getattr(kind, "domain", None) is COUNTS and data not in datasets.names()
    return dataset.as_stored() if counted else dataset  # a square number of columns of counts is no picture


def complete(given: Mapping[str, Any], dataset: Dataset, likelihood: type | None = None) -> dict[str, Any]:
    """Every option: as given, else as usual for the model with these data, else the model's own, else as usual for
    these data, else the VAE's. For the user's own data also ``why``: likelihood and preparation, in words.
    ``likelihood`` is the class that ``--likelihood`` names.

    Raises:
        InputError: one was given that the model does not have.
    """
    name = data_of(given)
    which = given.get("model", COMMON["model"])
    model, plain = of_model(which), of_model("vae")
    _require_known(given, model)
    if given.get("codes_of") is not None and "first" not in registry.named(which)[1].no_options:
        raise InputError(f"--codes-of is not an option of --model {which}; it belongs to autoregressive-prior")
    given = {flag: value for flag, value in given.items() if (flag, value) != ("prepare", "auto")}
    usual = {**COMMON, "data": name, **(USUAL.get(name) or _usual_for_own(dataset, given, likelihood))}
    usual["backend"] = backend.get_backend().name
    defaults = {flag: option.default for flag, option in model.items()}
    own = {flag: value for flag, value in defaults.items() if flag not in plain or value != plain[flag].default}
    chosen = {**defaults, **usual, **own, **USUAL_OF_MODEL.get((name, which), {}), **given}
    if chosen.get("likelihood") == "bernoulli" and "sigmoid_mean" not in given:
        chosen["sigmoid_mean"] = False
    known = (*model, *_OF_RUN, *OF_PROGRAMS, "why")
    return {flag: value for flag, value in chosen.items() if flag in known}


def _require_known(given: Mapping[str, Any], model: Mapping[str, Any]) -> None:
    for flag in given:
        if flag not in (*model, *_OF_RUN, *OF_PROGRAMS):
            others = ", ".join(of_models()[flag])
            name = given.get("model", COMMON["model"])
            raise InputError(f"--{flag.replace('_', '-')} is not an option of --model {name}; it belongs to {others}")


def _usual_for_own(dataset: Dataset, given: Mapping[str, Any], likelihood: type | None) -> dict[str, Any]:
    trained = dataset
    if given.get("patience") is not None:  # which sets rows apart
        least = registry.named(given.get("model", COMMON["model"]))[1].least_points
        trained = with_validation(dataset, given.get("seed", COMMON["seed"]), least)
    sizes = {short(name): value for name, value in usual_sizes(len(trained.train)).items()}
    named = {} if likelihood is None else {"likelihood": likelihood}
    return {**for_own(dataset, {**given, **named}), **sizes}


def of_run(run: Run, own: type[Model] | None = None) -> dict[str, Any]:
    """The options that a run was trained with; those of its model stand with its model's arguments, too.

    ``own`` is the class of its model, if that is the user's own.

    Raises:
        InputError: its ``config.json`` lacks one, since another program wrote it; or the class is not that of the run.
    """
    model, options, arguments = (run.config.get(name) for name in ("model", "options", "model_config"))
    known = of_model(run.model_class(own))
    found = {short(name): value for name, value in arguments.items()} if isinstance(arguments, dict) else {}
    found = {name: value for name, value in found.items() if name in known} | {"model": model}
    found |= {**dict.fromkeys((*READING, "codes_of")), **(options if isinstance(options, dict) else {})}
    missing = {*_OF_RUN, *known} - found.keys()
    if missing:
        lacking = ", ".join(sorted(missing))
        raise InputError(f"{run.config_path} lacks options: {lacking}; expected a run of minivae train or minivae.fit")
    return found


def resumed(run: Run, given: Mapping[str, Any], own: type[Model] | None = None) -> dict[str, Any]:
    """The run's options; of what is given now, only those of ``MAY_CHANGE`` may differ, and where a file of data is.

    Raises:
        InputError: something else differs.
    """
    options = of_run(run, own)
    may_have_moved = {"model"} | {name for name in ("likelihood",) if is_same(given.get(name), options.get(name))}
    given = {name: value for name, value in given.items() if name not in may_have_moved}  # with its file
    _require_known({"model": options["model"], **given}, options)
    for name, value in given.items():
        moved = name == "data" and not {value, options[name]} & {*datasets.names()}
        if name not in MAY_CHANGE and not moved and value != options[name]:
            flag = f"--{name.replace('_', '-')}"
            raise InputError(
                f"{flag} is {value!r}, but the run to resume was trained with {options[name]!r}; "
                f"another run may begin from its weights: --init-from {run.folder}"
            )
    return {**options, **given}


def changes(before: Mapping[str, Any], after: Mapping[str, Any], step: int) -> list[dict[str, Any]]:
    """Which options a run goes on with that it did not begin with: a row for each, and from which step on."""
    names = [name for name in after if before.get(name) != after[name]]
    return [{"step": step, "option": name, "before": before.get(name), "after": after[name]} for name in names]
