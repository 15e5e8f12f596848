"""The commands and their options, as ``--help`` shows them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from .. import backend
from ..datasets import SPLITS
from ..datasets import names as dataset_names
from ..datasets.preparation import PREPARATIONS
from ..models import MODELS
from ..models.registry import Option
from ..nn import ACTIVATIONS, INITIALIZERS
from ..optim import OPTIMIZERS
from ..training import BINARIZE, SCHEDULES
from ..version import __version__
from . import train
from .arguments import add_backend, add_command, integer
from .completion import SHELLS, PrintCompletion
from .options import COMMON, USUAL, of_models
from .run_parser import add_run_commands


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Print the message and leave with exit code 2."""
        print(f"{self.prog}: {' '.join(message.split())} (see {self.prog} --help)", file=sys.stderr)
        sys.exit(2)


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = Parser(
        prog="minivae", description="Auto-Encoding Variational Bayes (arXiv 1312.6114) from first principles."
    )
    parser.add_argument("--version", action="version", version=f"minivae {__version__}")
    text = "print a script that completes commands and options, for your shell to read"
    parser.add_argument("--print-completion", choices=SHELLS, action=PrintCompletion, help=text)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    _add_train(commands)
    add_run_commands(commands)
    return parser


# -------------------------------------------------------------------- train


def _add_train(commands: Any) -> None:
    text = "Train a model; leaves config.json, history.csv, model.npz and figures in a run folder."
    # No option has a default here: what is not said is as usual for the data or, with
    # --resume, as in the run.
    layout = argparse.RawDescriptionHelpFormatter
    parser = add_command(commands, "train", train.train, text, epilog=_usual(), formatter_class=layout)
    _add_data(parser.add_argument_group("data").add_argument)
    _add_model(parser)
    _add_training(parser.add_argument_group("training").add_argument)
    _add_run_options(parser.add_argument_group("run").add_argument)


def _usual() -> str:
    """What --help says of the defaults that depend on the data."""
    rows = [f"  {name:16} {_as_options(usual)}" for name, usual in USUAL.items()]
    rows.append(f"  {'your own':16} --hidden 200 --latent 10 --batch-size 100 (or all of fewer rows),")
    rows.append(f"  {'':16} epochs for 100,000 samples (10 to 500), --likelihood bernoulli")
    rows.append(f"  {'':16} if all values are in [0, 1], else gaussian")
    return "\n".join(["usual for the data:", *rows])


def _as_options(values: Mapping[str, Any]) -> str:
    words = []
    for name, value in values.items():
        words.append(f"--{name.replace('_', '-')}")
        words += [] if value is True else map(str, value) if isinstance(value, list) else [str(value)]
    return " ".join(words)


def _add_data(add: Callable) -> None:
    names = ", ".join(dataset_names())
    text = f"{names}; or your .npy, .npz, .mat, IDX or folder of PNGs (default: digits)"
    add("--data", metavar="NAME|PATH", help=text)
    add("--split", choices=SPLITS, help="how data in one piece are parted into train and test (default: random)")
    text = "how raw values become model values (default: auto, which is said; for named data none)"
    add("--prepare", choices=("auto", *PREPARATIONS), help=text)
    add("--binarize", choices=BINARIZE, help=f"how grey levels become bits (default: {COMMON['binarize']})")


# Options whose values are the names in a table.
_NAMES = {"activation": sorted(ACTIVATIONS), "init": sorted(INITIALIZERS)}
_METAVARS = {int: "N", float: "X", str: "NAME"}


def _add_model(parser: argparse.ArgumentParser) -> None:
    """The models' options, as their constructors have them; each once, whichever models it belongs to."""
    group = parser.add_argument_group("model")
    group.add_argument("--model", choices=sorted(MODELS), help=f"see minivae models (default: {COMMON['model']})")
    own = parser.add_argument_group("options of some models")
    for name, models in of_models().items():
        if name in COMMON:  # a model's own kind of what all models have
            continue
        chosen, option = (group if "vae" in models else own), next(iter(models.values()))
        flag, text = f"--{name.replace('_', '-')}", _help_of(name, models).replace("%", "%%")
        if option.kind is bool:
            chosen.add_argument(flag, action=argparse.BooleanOptionalAction, help=text)
            continue
        words: dict[str, Any] = {"type": integer if option.kind is int else option.kind, "help": text}
        words["choices"] = option.choices or _NAMES.get(name)
        words["metavar"] = None if words["choices"] else _METAVARS[option.kind]
        chosen.add_argument(flag, nargs="+" if option.several else None, **words)


def _help_of(name: str, models: Mapping[str, Option]) -> str:
    """What the option means to the first model that has it, and its default for each that has another."""
    first = next(iter(models.values()))
    text = ("" if "vae" in models else f"{', '.join(models)}: ") + first.help.rstrip(".")
    if any(name in usual for usual in USUAL.values()):
        return f"{text}; see below"
    others = [f"{model} {_said(option.default)}" for model, option in models.items() if option.default != first.default]
    return f"{text} (default: {'; '.join([_said(first.default), *others])})"


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
    add("--lr", type=float, metavar="X", help="step size; see below (default: the optimizer's)")
    add("--schedule", choices=sorted(SCHEDULES), help=f"of the step size (default: {COMMON['schedule']})")
    text = "epochs in which the step size rises to --lr, before the schedule begins (default: 0)"
    add("--lr-warmup", type=float, metavar="EPOCHS", help=text)
    text = "epochs in which the KL's weight rises from 0 to 1 (default: 0, or half a cycle)"
    add("--kl-warmup", type=float, metavar="EPOCHS", help=text)
    add("--kl-cycles", type=integer, metavar="N", help="the KL's weight rises anew in each of N parts of the run")
    text = "nats of KL that each latent dimension has for nothing (default: 0; iaf-vae 0.25)"
    add("--free-bits", type=float, metavar="NATS", help=text)
    add("--weight-prior", action=argparse.BooleanOptionalAction, help="MAP with the prior N(0, I) over the weights")
    add("--patience", type=integer, metavar="N", help="stop when the validation bound has not risen for N epochs")
    add("--seed", type=integer, metavar="N", help=f"of weights, order, noise, random split (default: {COMMON['seed']})")


def _add_run_options(add: Callable) -> None:
    add_backend(add)
    add("--dtype", choices=backend.DTYPES, help=f"(default: {COMMON['dtype']})")
    add("--out", metavar="FOLDER", help="the run's folder (default: runs/DATA-DATE-TIME)")
    add("--resume", nargs="?", const="", metavar="FOLDER", help="go on with the run in FOLDER, or in --out")
    add("--init-from", metavar="RUN", help="begin with the weights of a run, and its options where none are said")
    add("--config", metavar="FILE", help="options as a run's config.json has them, or yours by name, in JSON")
    add("--compile", action=argparse.BooleanOptionalAction, help="record the step once and replay it (default: yes)")
    text = "take a step back that leaves NaN or an infinity, and count it (default: stop there)"
    add("--skip-nonfinite", action=argparse.BooleanOptionalAction, help=text)
    text = "stop at the first operation that gives NaN or an infinity, and name it and its line (slow)"
    add("--detect-anomaly", action="store_true", help=text)
    add("--quiet", action="store_true", help="no progress bar, and without a terminal no line for each report")
