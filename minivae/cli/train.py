"""``minivae train``."""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from .. import __version__, backend
from ..datasets import Dataset
from ..errors import InputError, NonFiniteError
from ..models import MODELS, Model
from ..plots.run import draw_run
from ..training import Run, Settings, Trainer, evaluate, run_to_end
from . import options

_MODEL_OPTIONS = ("hidden", "likelihood", "sigmoid_mean", "estimator", "samples", "activation", "init", "seed", "dtype")
_SETTINGS = (
    "epochs",
    "batch_size",
    "binarize",
    "optimizer",
    "lr",
    "schedule",
    "weight_prior",
    "patience",
    "seed",
    "compile",
)


def train(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """Train as the options say and draw the figures; the bounds, as text and for JSON."""
    run, chosen = _run_to_resume(args), options.said(args)
    if run is not None:
        chosen = options.resumed(run, chosen)
    dataset = options.load_data(chosen)
    if run is None:
        chosen = options.complete(chosen, dataset)
    trainer = Trainer(_make_model(chosen, dataset), dataset, Settings(**{name: chosen[name] for name in _SETTINGS}))
    if run is None:
        run = Run.create(args.out or _new_folder(dataset.name), _config(chosen, trainer.model))
    else:
        _go_on(run, trainer, chosen)
    headline = "" if args.json else _headline(trainer, run, chosen)
    _train_to_end(trainer, run, headline, progress=sys.stderr.isatty() and not args.quiet)
    draw_run(trainer.model, dataset, trainer.test, trainer.history, run.folder)
    result = _result(trainer, run, chosen)
    return _summary(result), result


def _make_model(chosen: dict[str, Any], dataset: Dataset) -> Model:
    arguments = {name: chosen[name] for name in _MODEL_OPTIONS}
    return MODELS[chosen["model"]](dataset.data_dim, chosen["latent"], library=chosen["backend"], **arguments)


def _config(chosen: dict[str, Any], model: Model) -> dict[str, Any]:
    return {
        "minivae": __version__,
        "model": chosen["model"],
        "model_config": model.config,
        "options": chosen,
        "backend": backend.describe(chosen["backend"]),
    }


def _new_folder(name: str) -> Path:
    stem = f"{Path(name).stem}-{time.strftime('%Y%m%d-%H%M%S')}"
    folder, number = Path("runs", stem), 2
    while folder.exists():
        folder, number = Path("runs", f"{stem}-{number}"), number + 1
    return folder


def _train_to_end(trainer: Trainer, run: Run, headline: str, progress: bool) -> None:
    """Train; a run that ends before its first checkpoint leaves no folder behind."""
    try:
        if headline:
            print(headline, flush=True)
        run_to_end(trainer, run, progress=progress)
    except BaseException as error:
        if not run.checkpoint_path.exists():
            _discard(run)
        elif isinstance(error, NonFiniteError):
            raise NonFiniteError(f"{error}; {run.folder} keeps the checkpoint of the last good epoch") from error
        elif isinstance(error, KeyboardInterrupt) and error.args:
            raise KeyboardInterrupt(*error.args, f"; go on with  minivae train --resume {run.folder}") from error
        raise


def _discard(run: Run) -> None:
    run.config_path.unlink(missing_ok=True)
    with suppress(OSError):  # the folder, and runs/, unless something else lies there
        run.folder.rmdir()
        if run.folder.parent == Path("runs"):
            run.folder.parent.rmdir()


# ----------------------------------------------------------------- resuming


def _run_to_resume(args: argparse.Namespace) -> Run | None:
    if args.resume is None:
        return None
    folder = args.resume or args.out
    if not folder:
        raise InputError("--resume names no run; give its folder, as in  --resume runs/NAME")
    if args.resume and args.out and Path(args.resume).resolve() != Path(args.out).resolve():
        raise InputError(f"--resume is {args.resume} and --out is {args.out}; a run goes on in its own folder")
    return Run.open(folder)


def _go_on(run: Run, trainer: Trainer, chosen: dict[str, Any]) -> None:
    """Put the trainer where the run stopped, if there is something left to do."""
    run.restore(trainer)
    done, asked = trainer.epoch, trainer.settings.epochs
    if trainer.step >= trainer.total_steps:
        raise InputError(
            f"{run.folder} has trained {done} epochs and {asked} in all are asked for; "
            f"say more, as in  --epochs {done + asked}"
        )
    if trainer.out_of_patience():
        raise InputError(
            f"{run.folder} has ended after {done} epochs: its test bound has not risen "
            f"for {trainer.settings.patience}, its --patience"
        )
    run.config["options"] = chosen
    run.save_config()


# ------------------------------------------------------------------ results


def _headline(trainer: Trainer, run: Run, chosen: dict[str, Any]) -> str:
    data, hidden = trainer.dataset, "-".join(map(str, chosen["hidden"]))
    return (
        f"{data.name}: {len(data.train)} training and {len(data.test)} test points of {data.data_dim} values, "
        f"binarization {chosen['binarize']}\n"
        f"{chosen['model']}: {hidden} hidden units, {chosen['latent']} latent dimensions, "
        f"{chosen['likelihood']} likelihood, {chosen['dtype']} on {chosen['backend']}\n"
        f"epochs {trainer.epoch + 1} to {trainer.settings.epochs} of {trainer.steps_per_epoch} minibatches "
        f"of {chosen['batch_size']}; all goes to {run.folder}"
    )


def _result(trainer: Trainer, run: Run, chosen: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {"run": str(run.folder)}
    for name, feed in (("train", trainer.train), ("test", trainer.test)):
        result |= {f"{name}_{part}": value for part, value in evaluate(trainer.model, feed).items()}
    result |= {"epochs": trainer.epoch, "samples_seen": trainer.samples_seen, "seconds": trainer.seconds}
    result["split"] = trainer.dataset.split
    for name in ("data", "model", "hidden", "latent", "likelihood", "binarize", "dtype", "seed", "backend"):
        result[name] = chosen[name]
    return result


def _summary(result: dict[str, Any]) -> str:
    lines = []
    for name in ("train", "test"):
        bound, reconstruction, kl = (result[f"{name}_{part}"] for part in ("bound", "reconstruction", "kl"))
        parts = f"(reconstruction {reconstruction:.3f}, KL {kl:.3f})"
        lines.append(f"{name + ' bound':12} {bound:9.3f} nats per data point {parts}")
    seen, seconds = result["samples_seen"], result["seconds"]
    lines.append(f"{seen} samples seen in {seconds:.1f} s ({seen / seconds:.0f} per second)")
    lines.append(f"history, checkpoint and figures in {result['run']}")
    return "\n".join(lines)
