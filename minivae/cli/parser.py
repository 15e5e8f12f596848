"""The commands and their options, as ``--help`` shows them."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .. import backend
from ..datasets import COLOURS, FORMATS, SPLITS
from ..datasets import names as dataset_names
from ..datasets.preparation import PREPARATIONS
from ..errors import InputError
from ..models.registry import Option
from ..nn import ACTIVATIONS, INITIALIZERS
from ..optim import OPTIMIZERS
from ..runs.pace import SECONDS
from ..training import BINARIZE, SCHEDULES
from ..version import __version__
from . import train
from .answering import Parser
from .arguments import add_backend, add_command, integer, likelihood_names, model_names, real, size
from .completion import SHELLS, PrintCompletion
from .options import COMMON, USUAL, of_models
from .run_parser import add_run_commands


def make_parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser of the whole command line; ``words`` are what it will read, for ``--model`` decides on options."""
    parser = Parser(
        prog="minivae", description="Auto-Encoding Variational Bayes (arXiv 1312.6114) from first principles."
    )
    parser.add_argument("--version", action="version", version=f"minivae {__version__}")
    text = "print a script that completes commands and options, for your shell to read"
    parser.add_argument("--print-completion", choices=SHELLS, action=PrintCompletion, help=text)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    _add_train(commands, words)
    add_run_commands(commands)
    Parser.commands = commands.choices
    return parser


# -------------------------------------------------------------------- train


def _add_train(commands: Any, words: Sequence[str]) -> None:
    text = "Train a model; leaves config.json, history.csv, model.npz and figures in a run folder."
    # No option has a default here: what is not said is as usual for the data or, with
    # --resume, as in the run.
    layout = argparse.RawDescriptionHelpFormatter
    parser = add_command(commands, "train", train.train, text, epilog=_usual(), formatter_class=layout)
    titles = ("data", "model", "training", "run")
    data, model, training, run = (parser.add_argument_group(title) for title in titles)
    _add_data(data.add_argument)
    _add_training(training.add_argument)
    _add_run_options(run.add_argument)
    try:
        _add_model(model, _model_in(words), everything="--print-completion" in words)
    except argparse.ArgumentError as error:  # two options of a name
        parser.error(f"--model {_model_in(words)}: {error.message}; call the argument of the model something else")
    except InputError as error:
        parser.error(str(error))


def _model_in(words: Sequence[str]) -> str:
    """The model that the words of ``train`` name, or the usual one where they name none that there is."""
    ahead = argparse.ArgumentParser(add_help=False)
    ahead.add_argument("--model", nargs="?")
    name = ahead.parse_known_args(words)[0].model if words[:1] == ["train"] else None
    return name if name is not None and name in model_names() else COMMON["model"]


def _usual() -> str:
    """What --help says of the defaults that depend on the data."""
    rows = [f"  {name:16} {_as_options(usual)}" for name, usual in USUAL.items()]
    rows.append(f"  {'your own':16} --hidden 200 --latent 10 --batch-size 100 (or all of fewer rows),")
    rows.append(f"  {'':16} epochs for 100,000 samples (10 to 500), --likelihood and --prepare")
    rows.append(f"  {'':16} by the values, which is said with the reason")
    return "\n".join(["usual for the data:", *rows])


def _as_options(values: Mapping[str, Any]) -> str:
    words = []
    for name, value in values.items():
        words.append(f"--{name.replace('_', '-')}")
        words += [] if value is True else map(str, value) if isinstance(value, list) else [str(value)]
    return " ".join(words)


def _add_data(add: Callable) -> None:
    names = ", ".join(dataset_names())
    text = f"{names}; or your {FORMATS} (default: digits, moving-digits of td-vae)"
    add("--data", metavar="NAME|PATH", help=text)
    add("--split", choices=SPLITS, help="how data in one piece are parted into train and test (default: random)")
    text = "how raw values become model values (default: auto, which is said; for named data none)"
    add("--prepare", choices=("auto", *PREPARATIONS), help=text)
    text = "share of the training rows that become a validation part, drawn by --seed"
    add("--validation", type=real, metavar="FRACTION", help=text)
    add("--array", metavar="NAME", help="the array of a file that has several")
    add("--points-axis", type=integer, metavar="N", help="which axis of the array is the points, from 0")
    text = "the labels: an array or column of the file, or another file; none for no labels"
    add("--labels", metavar="NAME|FILE|COLUMN", help=text)
    text = "keep so many labels of training points, equally many of each class, drawn by --seed (for --model m2)"
    add("--labelled", type=integer, metavar="N", help=text)
    add("--colour", choices=COLOURS, help="what the pictures of a folder become (default: as they are)")
    add("--size", type=size, metavar="HxW", help="rows and columns that the pictures of a folder are resized to")
    text = "whether the first line of a table names its columns (default: as it looks)"
    add("--header", action=argparse.BooleanOptionalAction, help=text)
    text = "steps of a data point that is a sequence, whose values come one step after the other"
    add("--sequence-length", type=integer, metavar="T", help=text)
    add("--binarize", choices=BINARIZE, help=f"how grey levels become bits (default: {COMMON['binarize']})")


# Options whose values are the names in a table.
_NAMES = {"activation": sorted(ACTIVATIONS), "init": sorted(INITIALIZERS)}
_METAVARS = {int: "N", float: "X", str: "NAME"}


def _add_model(group: Any, model: str, everything: bool) -> None:
    """Options of models, as their constructors have them; help shows those of one, or those of all."""
    names = model_names()
    others = ", ".join(name for name in names if name != model)
    text = f"of {model}; for those of another: minivae train --help --model NAME, with {others}"
    group.description = textwrap.fill(text, 76, break_on_hyphens=False)
    text = f"see minivae models; or your own, file.py:Class or package.module:Class (default: {COMMON['model']})"
    group.add_argument("--model", choices=names, metavar="NAME", help=text)
    for name, models in of_models(model).items():
        if name in COMMON:  # a model's own kind of what all models have
            continue
        option = models.get(model) or next(iter(models.values()))
        text = _help_of(name, option) if everything or model in models else argparse.SUPPRESS
        _add_option(group.add_argument, name, option, text)


def _add_option(add: Callable, name: str, option: Option, text: str) -> None:
    flag = f"--{name.replace('_', '-')}"
    if option.kind is bool:
        add(flag, action=argparse.BooleanOptionalAction, help=text)
        return
    words: dict[str, Any] = {"type": {int: integer, float: real}.get(option.kind, option.kind), "help": text}
    words["choices"] = likelihood_names() if option.own else option.choices or _NAMES.get(name)
    short = words["choices"] and len(",".join(map(str, words["choices"]))) < 50  # a longer list would not be read
    words["metavar"] = None if short else _METAVARS[option.kind]
    add(flag, nargs="+" if option.several else None, **words)


def _help_of(name: str, option: Option) -> str:
    """What the option means to the model, and its default."""
    text = option.help.rstrip(".").replace("%", "%%")
    if any(name in usual for usual in USUAL.values()):
        return f"{text}; see below"
    return f"{text} (default: {_said(option.default)})".lstrip()


def _said(value: Any) -> str:
    """A default as the command line would say it."""
    if isinstance(value, tuple | list):
        return " ".join(map(str, value))
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _add_training(add: Callable) -> None:
    add("--epochs", type=integer, metavar="N", help="passes over the data, those before a --resume included; see below")
    add("--batch-size", type=integer, metavar="M", help=f"points in a minibatch (default: {COMMON['batch_size']})")
    add("--optimizer", choices=sorted(OPTIMIZERS), help=f"(default: {COMMON['optimizer']})")
    add("--lr", type=real, metavar="X", help="step size; see below (default: the optimizer's)")
    add("--schedule", choices=sorted(SCHEDULES), help=f"of the step size (default: {COMMON['schedule']})")
    text = "epochs in which the step size rises to --lr, before the schedule begins (default: 0)"
    add("--lr-warmup", type=real, metavar="EPOCHS", help=text)
    text = "epochs in which the KL's weight rises from 0 to 1 (default: 0, or half a cycle)"
    add("--kl-warmup", type=real, metavar="EPOCHS", help=text)
    add("--kl-cycles", type=integer, metavar="N", help="the KL's weight rises anew in each of N parts of the run")
    text = "nats of KL that each latent dimension has for nothing (default: 0; iaf-vae 0.25)"
    add("--free-bits", type=real, metavar="NATS", help=text)
    add("--weight-prior", action=argparse.BooleanOptionalAction, help="MAP with the prior N(0, I) over the weights")
    add("--patience", type=integer, metavar="N", help="stop when the validation bound has not risen for N epochs")
    add("--seed", type=integer, metavar="N", help=f"of weights, order, noise, random split (default: {COMMON['seed']})")


def _add_run_options(add: Callable) -> None:
    add_backend(add)
    add("--dtype", choices=backend.DTYPES, help=f"(default: {COMMON['dtype']})")
    add("--out", metavar="FOLDER", help="the run's folder (default: runs/DATA-DATE-TIME)")
    add("--resume", nargs="?", const="", metavar="FOLDER", help="go on with the run in FOLDER, or in --out")
    add("--init-from", metavar="RUN", help="begin with the weights of a run, and its options where none are said")
    text = "of autoregressive-prior: the trained model whose codes it is for; else a VQ-VAE is trained along"
    add("--codes-of", metavar="RUN", help=text)
    add("--config", metavar="FILE", help="options as a run's config.json has them, or yours by name, in JSON")
    text = "keep a checkpoint at the first report after each so many seconds, and at the end (default: %(default)g)"
    add("--checkpoint-every", type=real, default=SECONDS, metavar="SECONDS", help=text)
    add("--compile", action=argparse.BooleanOptionalAction, help="record the step once and replay it (default: yes)")
    text = "take a step back that leaves NaN or an infinity, and count it (default: stop there)"
    add("--skip-nonfinite", action=argparse.BooleanOptionalAction, help=text)
    text = "stop at the first operation that gives NaN or an infinity, and name it and its line (slow)"
    add("--detect-anomaly", action="store_true", help=text)
    text = "your own callback, file.py:Class or package.module:Class, made without arguments; may be said several times"
    add("--callback", action="append", metavar="NAME", help=text)
    add("--quiet", action="store_true", help="no progress bar, and without a terminal no line for each report")
