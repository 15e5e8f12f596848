"""``minivae train``."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from .. import __version__, backend, datasets
from ..datasets import Dataset
from ..errors import InputError
from ..models import MODELS, Model
from ..plots.run import draw_run
from ..training import Run, Settings, Trainer, evaluate, run_to_end

# What is trained when the options do not say: sizes of the paper where it has them.
_COMMON = {
    "model": "vae",
    "split": None,
    "sigmoid_mean": False,
    "estimator": "B",
    "samples": 1,
    "activation": "tanh",
    "init": "glorot",
    "binarize": "none",
    "optimizer": "adam",
    "lr": None,
    "schedule": "constant",
    "weight_prior": False,
    "batch_size": 100,
    "patience": None,
    "seed": 0,
    "dtype": "float32",
}
DEFAULTS: dict[str, dict[str, Any]] = {
    "digits": {"hidden": [200], "latent": 8, "likelihood": "bernoulli", "epochs": 100},
    "mnist": {"hidden": [500], "latent": 20, "likelihood": "bernoulli", "epochs": 10},
    "binarized-mnist": {"hidden": [500], "latent": 20, "likelihood": "bernoulli", "epochs": 10},
    "frey": {"hidden": [200], "latent": 10, "likelihood": "gaussian", "sigmoid_mean": True, "epochs": 100},
}
_MODEL_OPTIONS = ("hidden", "likelihood", "sigmoid_mean", "estimator", "samples", "activation", "init", "seed", "dtype")
_SETTINGS = ("epochs", "batch_size", "binarize", "optimizer", "lr", "schedule", "weight_prior", "patience", "seed")


def train(args: argparse.Namespace) -> None:
    """Train as the options say, draw the figures, print the bounds."""
    run = _run_to_resume(args)
    said = _said(args)
    dataset, options = _load_data(said if run is None else _resumed_options(run, said))
    model = _make_model(options, dataset)
    trainer = Trainer(model, dataset, Settings(**{name: options[name] for name in _SETTINGS}))
    if run is None:
        run = Run.create(args.out or _new_folder(dataset.name), _config(options, model))
    else:
        run.restore(trainer)
        _require_work_left(trainer, run)
        run.config["options"] = options
        run.save_config()
    print(_headline(trainer, options), flush=True)
    run_to_end(trainer, run, progress=not (args.quiet or args.json))
    draw_run(model, dataset, trainer.test, trainer.history, run.folder)
    _print_result(_result(trainer, run, options), args.json)


def _said(args: argparse.Namespace) -> dict[str, Any]:
    """The options that were given on the command line."""
    names = {*_COMMON, "data", "hidden", "latent", "likelihood", "epochs", "backend"}
    return {name: value for name, value in vars(args).items() if name in names and value is not None}


def _load_data(said: dict[str, Any]) -> tuple[Dataset, dict[str, Any]]:
    """The data, and every option: as said, else as usual for these data."""
    name = said.get("data", "digits")
    dataset = datasets.load(name, split=said.get("split"), seed=said.get("seed", 0))
    if name not in datasets.names():
        said = {**said, "data": str(Path(name).resolve())}
    low, high = dataset.value_range
    own = {"hidden": [200], "latent": 10, "epochs": 20}
    own["likelihood"] = "bernoulli" if low >= 0 and high <= 1 else "gaussian"
    defaults = {**_COMMON, "data": name, "backend": backend.library().name, **DEFAULTS.get(name, own)}
    if said.get("likelihood") == "bernoulli":
        defaults["sigmoid_mean"] = False
    return dataset, {**defaults, **said}


def _make_model(options: dict[str, Any], dataset: Dataset) -> Model:
    chosen = {name: options[name] for name in _MODEL_OPTIONS}
    return MODELS[options["model"]](dataset.data_dim, options["latent"], library=options["backend"], **chosen)


def _config(options: dict[str, Any], model: Model) -> dict[str, Any]:
    return {
        "minivae": __version__,
        "model": options["model"],
        "model_config": model.config,
        "options": options,
        "backend": backend.describe(options["backend"]),
    }


def _new_folder(name: str) -> Path:
    stem = f"{Path(name).stem}-{time.strftime('%Y%m%d-%H%M%S')}"
    folder, number = Path("runs", stem), 2
    while folder.exists():
        folder, number = Path("runs", f"{stem}-{number}"), number + 1
    return folder


# ----------------------------------------------------------------- resuming


def _run_to_resume(args: argparse.Namespace) -> Run | None:
    if args.resume is None:
        return None
    folder = args.resume or args.out
    if not folder:
        raise InputError("--resume names no run; give its folder, as in  --resume runs/NAME")
    if args.resume and args.out and Path(args.resume) != Path(args.out):
        raise InputError(f"--resume is {args.resume} and --out is {args.out}; a run goes on in its own folder")
    return Run.open(folder)


def _resumed_options(run: Run, said: dict[str, Any]) -> dict[str, Any]:
    """The run's options; of what is said now, only the number of epochs may differ."""
    options = run.config["options"]
    for name, value in said.items():
        if name != "epochs" and options.get(name) != value and str(Path(str(value)).resolve()) != options.get(name):
            raise InputError(f"--{name.replace('_', '-')} is {value!r}; the run to resume has {options.get(name)!r}")
    return {**options, "epochs": said.get("epochs", options["epochs"])}


def _require_work_left(trainer: Trainer, run: Run) -> None:
    if trainer.step >= trainer.total_steps:
        done, asked = trainer.epoch, trainer.settings.epochs
        raise InputError(
            f"{run.folder} has trained {done} epochs and {asked} in all are asked for; "
            f"say more, as in  --epochs {done + asked}"
        )


# ------------------------------------------------------------------ results


def _headline(trainer: Trainer, options: dict[str, Any]) -> str:
    data, dim = trainer.dataset, trainer.dataset.data_dim
    return (
        f"{data.name}: {len(data.train)} training and {len(data.test)} test points of {dim} values; "
        f"{options['model']} with {options['hidden']} hidden units, {options['latent']} latent dimensions, "
        f"{options['likelihood']} likelihood, binarization {options['binarize']}; on {options['backend']}"
    )


def _result(trainer: Trainer, run: Run, options: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {"run": str(run.folder), "data": options["data"], "model": options["model"]}
    for name, feed in (("train", trainer.train), ("test", trainer.test)):
        result |= {f"{name}_{part}": value for part, value in evaluate(trainer.model, feed).items()}
    for name in ("likelihood", "binarize", "latent", "hidden", "dtype", "seed"):
        result[name] = options[name]
    progress = {"epochs": trainer.epoch, "samples_seen": trainer.samples_seen, "seconds": trainer.seconds}
    return {**result, **progress, "split": trainer.dataset.split, "backend": options["backend"]}


def _print_result(result: dict[str, Any], as_json: bool) -> None:
    for name in ("train", "test"):
        bound, reconstruction, kl = (result[f"{name}_{part}"] for part in ("bound", "reconstruction", "kl"))
        parts = f"(reconstruction {reconstruction:.3f}, KL {kl:.3f})"
        print(f"{name + ' bound':12} {bound:9.3f} nats per data point {parts}")
    seen, seconds = result["samples_seen"], result["seconds"]
    print(f"{seen} samples seen in {seconds:.1f} s ({seen / seconds:.0f} per second); all in {result['run']}")
    if as_json:
        print(json.dumps(result))
