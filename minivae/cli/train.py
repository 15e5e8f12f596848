"""``minivae train``."""

from __future__ import annotations

import argparse
import gc
import itertools
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..checks import number_from_zero
from ..datasets import Dataset
from ..errors import InputError, NonFiniteError
from ..files import make_folder
from ..models import Model, registry
from ..plots.run import draw_run
from ..runs import Run, description
from ..runs.checkpoint import put_under, under
from ..runs.pace import Pace
from ..training import Trainer, evaluate, run_to_end
from ..training.callbacks import Callback, Lines, of_names
from ..training.own_units import log_jacobian, with_raw
from . import options, streams
from .outputs import require_apart


def train(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """Train as the options say and draw the figures; the bounds, as text and for JSON."""
    pace = Pace(number_from_zero("--checkpoint-every", args.checkpoint_every))
    run, chosen, own = _run_to_resume(args), options.said(args), options.own_class(args.model)
    likelihood, callbacks = options.own_likelihood(args.likelihood), of_names(args.callback or ())
    if run is None:
        chosen = options.begun(chosen, args.config, args.init_from, own)
        require_apart("out", args.out, chosen.get("data"), chosen.get("labels"))
    else:
        chosen = options.resumed(run, chosen, own)
    dataset = _loaded(chosen, said=args.data is not None)
    if run is None:
        chosen = options.complete(chosen, dataset, likelihood)
    dataset = _prepared(dataset, chosen["prepare"], chosen.pop("why", ""))
    kind = own or registry.named(chosen["model"])[1]
    model = _make_model(kind, likelihood, chosen, dataset, _first_stage(args, run, kind, chosen, dataset))
    _settle_dtype(args, model, chosen)
    trainer = _make_trainer(args, model, chosen, dataset)
    if run is None:
        run = _begin(args.out, dataset.name, _config(chosen, trainer, dataset, args.init_from))
    else:  # what is refused is refused before anything is touched
        run.require_data(dataset)
        run.restore(trainer)
    run.pace = pace
    with run.exclusive():
        finished = "" if args.resume is None else _go_on(run, trainer, chosen)
        if not finished:
            _train_to_end(trainer, run, _headline(trainer, run, chosen), args, callbacks)
        trainer.take_best()
        result = _result(trainer, run, chosen)
        if finished:
            return f"{finished}\n{_summary(result)}", {**result, "finished": finished}
        shown = trainer.model, trainer.test, dataset.test.labels, dataset.image_shape, trainer.history
        names = dataset.class_names, dataset.columns
        # The training data, gradients and moments have been of use; pictures would come on top of them.
        del trainer, dataset
        gc.collect()  # a trainer and its compiled step refer to each other
        try:
            draw_run(*shown, run.folder, *names)
        except InputError as error:  # what was trained is there
            streams.say(f"minivae train: {error}")
            result["not_drawn"] = str(error)
    return _summary(result), result


def _prepared(dataset: Dataset, kind: str, why: str) -> Dataset:
    """The data as the model sees them, and in their account what was chosen for them."""
    account = dataset.account | ({"choice": why} if why else {})
    return replace(dataset.prepared(kind), account=account)


def _make_trainer(args: argparse.Namespace, model: Model, chosen: dict[str, Any], dataset: Dataset) -> Trainer:
    if args.init_from is not None:
        Run.open(args.init_from).initialize(model)
    return Trainer(model, dataset, options.settings(chosen, detect_anomaly=args.detect_anomaly))


def _first_stage(
    args: argparse.Namespace, run: Run | None, kind: type[Model], chosen: dict[str, Any], dataset: Dataset
) -> dict[str, Any]:
    """The argument ``first`` of a model that has it: what the run has that goes on, or another model begins with; else
    the model of the run whose codes are asked for.
    """
    if "first" not in kind.no_options:
        return {}
    if args.codes_of is not None and args.init_from is not None:
        raise InputError(
            "--init-from is beside --codes-of; expected one of them: a run has the model of its codes in itself"
        )
    begun = run if run is not None or args.init_from is None else Run.open(args.init_from)
    if begun is not None:
        return {"first": (begun.config.get("model_config") or {}).get("first")}
    if chosen["codes_of"] is None:
        return {}
    codes = Run.open(chosen["codes_of"])
    if said := codes.differs(dataset):
        raise InputError(f"{said}; expected the data whose codes they are")
    return {"first": codes.load_model(dtype=chosen["dtype"], backend=chosen["backend"])}


def _make_model(
    kind: type[Model], likelihood: type | None, chosen: dict[str, Any], dataset: Dataset, first: dict[str, Any]
) -> Model:
    arguments, known = options.arguments(kind, chosen) | first, registry.arguments(kind)
    if likelihood is not None:
        arguments["likelihood"] = likelihood
    if "context_dim" in known:
        if not dataset.classes:
            raise InputError(f"{dataset.name} has no labels, and --model {chosen['model']} needs one for each x")
        arguments["context_dim"] = dataset.classes
    if "sequence_length" in known:
        if dataset.sequence_length == 1:
            raise InputError(
                f"{dataset.name} is no sequences, and --model {chosen['model']} is for such: --data moving-digits, or "
                "of a file --sequence-length T, the steps of a point"
            )
        arguments["sequence_length"] = dataset.sequence_length
    of_run = {name: chosen[name] for name in registry.OF_RUN if name in known}
    model = kind(data_dim=dataset.data_dim, **arguments, **of_run)
    registry.require_remembered(model)
    return model


def _loaded(chosen: Mapping[str, Any], said: bool) -> Dataset:
    """The data; where a run or a file of options says which they are (``said`` is False), they may have moved."""
    try:
        return options.load_data(chosen)
    except InputError as error:
        where = options.data_of(chosen)
        if said or not isinstance(where, str) or not os.path.isabs(where) or os.path.exists(where):
            raise
        raise InputError(f"{error}; if they have moved, say where to: --data FILE") from error


def _settle_dtype(args: argparse.Namespace, model: Model, chosen: dict[str, Any]) -> None:
    """The dtype of the run is that of its model's weights, which a class of the user's own may decide on."""
    dtype = model.parameters()[0].dtype.name
    if args.dtype not in (None, dtype):
        raise InputError(f"--dtype is {args.dtype}, but {type(model).__name__} takes no dtype: its weights are {dtype}")
    chosen["dtype"] = dtype


def _config(chosen: dict[str, Any], trainer: Trainer, dataset: Dataset, init_from: str | None) -> dict[str, Any]:
    begun = {} if init_from is None else {"init_from": os.path.realpath(init_from)}
    return {
        **description(trainer.model, dataset, vars(trainer.settings), trainer.dataset),
        **begun,
        "model": chosen["model"],
        "options": chosen,
    }


def _begin(folder: str | None, name: str, config: dict[str, Any]) -> Run:
    """A new run in that folder; else in one of its own, which no other process has, however many begin at once."""
    if folder is not None:
        return Run.create(folder, config)
    stem = f"{Path(name).stem}-{time.strftime('%Y%m%d-%H%M%S')}"
    names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    return Run.create(next(own for name in names if make_folder(own := Path("runs", name))), config)


def _train_to_end(
    trainer: Trainer, run: Run, headline: str, args: argparse.Namespace, callbacks: list[Callback]
) -> None:
    """Train; a run that ends before its first checkpoint leaves no folder behind."""
    progress = sys.stderr.isatty() and not args.quiet
    lines = [] if progress or args.quiet or args.json else [Lines()]
    try:
        if not args.json:
            print(headline, flush=True)
        run_to_end(trainer, run, progress, [*lines, *callbacks])
    except BaseException as error:
        if not run.checkpoint_path.exists():
            _discard(run)
        elif isinstance(error, NonFiniteError):
            kept = f"{run.folder} keeps its checkpoint: {run.which_model(last=True)}"
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
    if args.config is not None or args.init_from is not None:
        raise InputError(
            "--resume goes on with the options and weights of its run; expected no --config or --init-from"
        )
    folder = args.resume or args.out
    if not folder:
        raise InputError("--resume names no run; give its folder, as in  --resume runs/NAME")
    if args.resume and args.out and os.path.realpath(args.resume) != os.path.realpath(args.out):
        raise InputError(f"--resume is {args.resume} and --out is {args.out}; a run goes on in its own folder")
    return Run.open(folder)


def _go_on(run: Run, trainer: Trainer, chosen: dict[str, Any]) -> str:
    """Put the trainer where the run stopped, by now; if nothing is left to do, why."""
    run.restore(trainer)
    done, asked = trainer.epoch, trainer.settings.epochs
    if trainer.step >= trainer.total_steps:
        more = f"ask for more, as in  --epochs {done + asked}"
        return f"{run.folder} is finished: it has trained {done} epochs, and {asked} in all are asked for; {more}"
    patience = trainer.settings.patience
    if patience is not None and trainer.out_of_patience():
        return (
            f"{run.folder} is finished: after {done} epochs its validation bound had not risen for {patience}; "
            f"wait for longer, as in  --patience {2 * patience}"
        )
    new = options.changes(options.of_run(run, type(trainer.model)), chosen, trainer.step)
    if new:
        run.config["changes"] = [*run.config.get("changes", ()), *new]
        run.config["options"] = chosen
        run.save_config()
    return ""


# ------------------------------------------------------------------ results


def _headline(trainer: Trainer, run: Run, chosen: dict[str, Any]) -> str:
    data = trainer.dataset
    sizes = ["-".join(map(str, chosen["hidden"])) + " hidden units"] if "hidden" in chosen else []
    sizes += [f"{chosen['latent']} latent dimensions"] if "latent" in chosen else []
    sizes += [f"{chosen['likelihood']} likelihood"] if "likelihood" in chosen else []
    return (
        f"{data.describe()}\n"
        f"{data.name}: {_sizes(trainer)} points of {data.data_dim} values, "
        f"binarization {chosen['binarize']}\n"
        f"{chosen['model']}: {', '.join([*sizes, chosen['dtype']])} on {chosen['backend']}\n"
        f"epochs {trainer.epoch + 1} to {trainer.settings.epochs} of {trainer.steps_per_epoch} minibatches "
        f"of {chosen['batch_size']}; all goes to {run.folder}"
    )


def _sizes(trainer: Trainer) -> str:
    """How many points each part has, and where those to validate on come from."""
    data = trainer.dataset
    if data.validation is None:
        return f"{len(data.train)} training and {len(data.test)} test"
    apart = f" ({data.account['set_apart']})" if "set_apart" in data.account else ""
    return f"{len(data.train)} training, {len(data.validation)} validation{apart} and {len(data.test)} test"


def _result(trainer: Trainer, run: Run, chosen: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {"run": str(run.folder)}
    parts = {"train": trainer.train, "validation": trainer.validation, "test": trainer.test}
    for name, minibatches in parts.items():
        if minibatches is not None:
            jacobian = log_jacobian(trainer.model, trainer.dataset.parts[name], trainer.dataset.scale)
            result |= put_under(f"{name}_", with_raw(evaluate(trainer.model, minibatches), jacobian))
    if trainer.settings.skip_nonfinite:
        result["skipped"] = trainer.skipped
    result |= {"epochs": trainer.epoch, "samples_seen": trainer.samples_seen, "seconds": trainer.seconds}
    result["split"], result["account"] = trainer.dataset.split, trainer.dataset.account
    result["kept"] = run.which_model()
    for name in ("data", "model", "hidden", "latent", "likelihood", "binarize", "dtype", "seed", "backend"):
        result[name] = chosen.get(name)
    return result


def in_words(name: str, terms: Mapping[str, float]) -> str:
    """The terms of a bound, or of the objective in its place, in a line: the first, and what makes it up.

    A bound that is of raw values, too, has another line.
    """
    first, *others = ((part.replace("_", " "), value) for part, value in terms.items() if part != "bound_raw")
    made_of = ", ".join(f"{'KL' if part == 'kl' else part} {value:.3f}" for part, value in others)
    line = f"{f'{name} {first[0]}':12} {first[1]:9.3f} nats per data point" + (made_of and f" ({made_of})")
    raw = terms.get("bound_raw")
    return line if raw is None else f"{line}\n{'':12} {raw:9.3f} {of_raw(raw == first[1])}"


def of_raw(same: bool) -> str:
    """Of what a number of nats is, beside that of the prepared values, which is the ``same`` where x is discrete."""
    why = "probabilities have no unit" if same else "the Jacobian of their preparation is added"
    return f"nats of the raw values: {why}"


def _summary(result: dict[str, Any]) -> str:
    lines = []
    for name in ("train", "validation", "test"):
        if terms := under(f"{name}_", result):
            lines.append(in_words(name, terms))
    if under("validation_", result):
        lines.append(f"of the model that is kept: {result['kept']}")
    seen, seconds = result["samples_seen"], result["seconds"]
    lines.append(f"{seen} samples seen in {seconds:.1f} s ({seen / seconds:.0f} per second)")
    if skipped := result.get("skipped"):
        steps = "1 step skipped: it" if skipped == 1 else f"{skipped} steps skipped: they"
        lines.append(f"{steps} left something that is not finite")
    kept = "history and checkpoint" if "not_drawn" in result else "history, checkpoint and figures"
    lines.append(f"{kept} in {result['run']}")
    return "\n".join(lines)
