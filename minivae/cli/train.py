"""``minivae train``."""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import backend
from ..datasets import Dataset
from ..errors import InputError, NonFiniteError
from ..models import Model, registry
from ..plots.run import draw_run
from ..runs import Run
from ..runs.checkpoint import under
from ..training import Settings, Trainer, evaluate, run_to_end
from ..version import __version__
from . import options

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
    "skip_nonfinite",
)


def train(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """Train as the options say and draw the figures; the bounds, as text and for JSON."""
    run, chosen, own = _run_to_resume(args), options.said(args), options.own_class(args.model)
    if run is not None:
        chosen = options.resumed(run, chosen, own)
    dataset = options.load_data(chosen)
    if run is None:
        chosen = options.complete(chosen, dataset)
    dataset = _prepared(dataset, chosen["prepare"], chosen.pop("why", ""))
    settings = Settings(**{name: chosen[name] for name in _SETTINGS}, detect_anomaly=args.detect_anomaly)
    model = own or registry.named(chosen["model"])[1]
    trainer = Trainer(_make_model(model, chosen, dataset), dataset, settings)
    if run is None:
        run = Run.create(args.out or _new_folder(dataset.name), _config(chosen, trainer.model))
    with run.exclusive():
        if args.resume is not None:
            _go_on(run, trainer, chosen)
        headline = "" if args.json else _headline(trainer, run, chosen)
        _train_to_end(trainer, run, headline, progress=sys.stderr.isatty() and not args.quiet)
    result = _result(trainer, run, chosen)
    shown = trainer.model, trainer.test, dataset.test.labels, dataset.image_shape, trainer.history
    # The training data, gradients and moments have been of use; pictures would come on top of them.
    del trainer, dataset
    gc.collect()  # a trainer and its compiled step refer to each other
    draw_run(*shown, run.folder)
    return _summary(result), result


def _prepared(dataset: Dataset, kind: str, why: str) -> Dataset:
    """The data as the model sees them, and in their account what was chosen for them."""
    account = dataset.account | ({"choice": why} if why else {})
    return replace(dataset.prepared(kind), account=account)


def _make_model(kind: type[Model], chosen: dict[str, Any], dataset: Dataset) -> Model:
    arguments, known = options.arguments(kind, chosen), registry.arguments(kind)
    if "context_dim" in known:
        if not dataset.classes:
            raise InputError(f"{dataset.name} has no labels, and --model {chosen['model']} needs one for each x")
        arguments["context_dim"] = dataset.classes
    of_run = {name: chosen[name] for name in registry.OF_RUN if name in known}
    model = kind(data_dim=dataset.data_dim, **arguments, **of_run)
    registry.require_remembered(model)
    return model


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
            kept = f"{run.folder} keeps the checkpoint of the last good epoch"
            if not trainer.settings.detect_anomaly:
                kept += f"; minivae train --resume {run.folder} --detect-anomaly goes on and names the operation"
            raise NonFiniteError(f"{error}; {kept}") from error
        elif isinstance(error, KeyboardInterrupt) and error.args:
            raise KeyboardInterrupt(*error.args, f"; go on with  minivae train --resume {run.folder}") from error
        raise


def _discard(run: Run) -> None:
    run.discard()
    with suppress(OSError):  # runs/, unless something else lies there
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
            f"ask for more, as in  --epochs {done + asked}"
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
    data = trainer.dataset
    sizes = ["-".join(map(str, chosen["hidden"])) + " hidden units"] if "hidden" in chosen else []
    sizes += [f"{chosen['latent']} latent dimensions"] if "latent" in chosen else []
    sizes += [f"{chosen['likelihood']} likelihood"] if "likelihood" in chosen else []
    return (
        f"{data.name}: {len(data.train)} training and {len(data.test)} test points of {data.data_dim} values, "
        f"binarization {chosen['binarize']}\n"
        f"{chosen['model']}: {', '.join([*sizes, chosen['dtype']])} on {chosen['backend']}\n"
        f"epochs {trainer.epoch + 1} to {trainer.settings.epochs} of {trainer.steps_per_epoch} minibatches "
        f"of {chosen['batch_size']}; all goes to {run.folder}"
    )


def _result(trainer: Trainer, run: Run, chosen: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {"run": str(run.folder)}
    for name, minibatches in (("train", trainer.train), ("test", trainer.test)):
        result |= {f"{name}_{part}": value for part, value in evaluate(trainer.model, minibatches).items()}
    if trainer.settings.skip_nonfinite:
        result["skipped"] = trainer.skipped
    result |= {"epochs": trainer.epoch, "samples_seen": trainer.samples_seen, "seconds": trainer.seconds}
    result["split"] = trainer.dataset.split
    for name in ("data", "model", "hidden", "latent", "likelihood", "binarize", "dtype", "seed", "backend"):
        result[name] = chosen.get(name)
    return result


def in_words(name: str, terms: Mapping[str, float]) -> str:
    """The terms of a bound, or of the objective in its place, in a line: the first, and what makes it up."""
    first, *others = ((part.replace("_", " "), value) for part, value in terms.items())
    made_of = ", ".join(f"{'KL' if part == 'kl' else part} {value:.3f}" for part, value in others)
    return f"{f'{name} {first[0]}':12} {first[1]:9.3f} nats per data point" + (made_of and f" ({made_of})")


def _summary(result: dict[str, Any]) -> str:
    lines = []
    for name in ("train", "test"):
        lines.append(in_words(name, under(f"{name}_", result)))
    seen, seconds = result["samples_seen"], result["seconds"]
    lines.append(f"{seen} samples seen in {seconds:.1f} s ({seen / seconds:.0f} per second)")
    if "skipped" in result:
        lines.append(f"{result['skipped']} steps skipped: they left something that is not finite")
    lines.append(f"history, checkpoint and figures in {result['run']}")
    return "\n".join(lines)
