"""The commands and their options, as ``--help`` shows them."""

from __future__ import annotations

import argparse
import sys
from typing import Any, NoReturn

from .. import __version__, backend
from ..datasets import names as dataset_names
from ..models import MODELS
from ..optim import OPTIMIZERS
from ..training import BINARIZE, SCHEDULES
from . import inspect, train


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Print the message and leave with exit code 2."""
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)
        sys.exit(2)


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = Parser(
        prog="minivae", description="Auto-Encoding Variational Bayes (arXiv 1312.6114) from first principles."
    )
    parser.add_argument("--version", action="version", version=f"minivae {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    _add_train(commands)
    _add_evaluate(commands)
    _add_sample(commands)
    _add_plot(commands)
    _add_info(commands)
    return parser


def _command(commands: Any, name: str, function: Any, text: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=text, description=text, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.set_defaults(run_command=function)
    parser.add_argument("--json", action="store_true", help="end standard output with one line of JSON")
    return parser


def _add_train(commands: Any) -> None:
    text = "Train a model and leave config.json, history.csv, model.npz and figures in a run folder."
    parser = _command(commands, "train", train.train, text)
    # Nothing has a default here: what is not said depends on the data (see train.DEFAULTS)
    # or, with --resume, on the run.
    parser.formatter_class = argparse.HelpFormatter
    parser.set_defaults(quiet=False)
    add = parser.add_argument
    add(
        "--data",
        metavar="NAME|PATH",
        help=f"{', '.join(dataset_names())}, or a file or folder of yours (default: digits)",
    )
    add("--split", choices=("random", "contiguous"), help="how data in one piece are parted into train and test")
    add("--model", choices=sorted(MODELS), help="the model (default: vae)")
    add("--hidden", type=int, nargs="+", metavar="N", help="hidden units of the encoder, layer by layer")
    add("--latent", type=int, metavar="N", help="latent dimensions")
    add("--likelihood", choices=("bernoulli", "gaussian"), help="p(x|z); Gaussian for real-valued data")
    add("--sigmoid-mean", action=argparse.BooleanOptionalAction, help="Gaussian means through a sigmoid")
    add("--estimator", choices=("A", "B"), help="Eq. 6 or Eq. 7 of the paper (default: B)")
    add("--samples", type=int, metavar="L", help="draws of z for each data point (default: 1)")
    add("--activation", help="of the hidden layers: tanh (default), relu, sigmoid, softplus")
    add("--init", help="initial weights: glorot (default), he, or paper for N(0, 0.01^2)")
    add("--binarize", choices=BINARIZE, help="how grey levels become bits (default: none)")
    add("--optimizer", choices=sorted(OPTIMIZERS), help="(default: adam)")
    add("--lr", type=float, metavar="X", help="step size (default: the optimizer's)")
    add("--schedule", choices=sorted(SCHEDULES), help="of the step size (default: constant)")
    add("--weight-prior", action=argparse.BooleanOptionalAction, help="MAP with the prior N(0, I) over the weights")
    add("--batch-size", type=int, metavar="M", help="data points in a minibatch (default: 100)")
    add("--epochs", type=int, metavar="N", help="passes over the data in all, those before a --resume included")
    add("--patience", type=int, metavar="N", help="stop when the test bound has not risen for N epochs")
    add("--seed", type=int, metavar="N", help="of weights, order, noise and random split (default: 0)")
    add("--backend", choices=backend.names(), help="array library (default: MINIVAE_BACKEND, or numpy)")
    add("--dtype", choices=backend.DTYPES, help="(default: float32)")
    add("--out", metavar="FOLDER", help="the run's folder (default: runs/DATA-DATE-TIME)")
    add("--resume", nargs="?", const="", metavar="FOLDER", help="go on with the run in FOLDER (or in --out)")
    add("--quiet", action="store_true", help="no progress bar")


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the folder of a run")
    parser.add_argument("--backend", choices=backend.names(), help="array library")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the noise")


def _add_evaluate(commands: Any) -> None:
    parser = _command(
        commands, "evaluate", inspect.evaluate, "Print a run's test bound and importance-sampled log p(x)."
    )
    _add_run(parser)
    add = parser.add_argument
    add("--importance-samples", type=int, default=200, metavar="K", help="draws of z for each data point")
    add("--points", type=int, default=1000, metavar="N", help="how many random test points log p(x) is estimated on")


def _add_sample(commands: Any) -> None:
    parser = _command(commands, "sample", inspect.sample, "Draw images from a run's model.")
    _add_run(parser)
    parser.add_argument("-n", "--number", type=int, default=100, metavar="N", help="how many")
    parser.add_argument("--out", metavar="FILE", help="a picture (.png, .svg, .pdf) or an array (.npy)")


def _add_plot(commands: Any) -> None:
    parser = _command(commands, "plot", inspect.plot, "Draw a run's figures again.")
    _add_run(parser)
    parser.add_argument("--out", metavar="FOLDER", help="where to write them (default: the run's folder)")


def _add_info(commands: Any) -> None:
    parser = _command(commands, "info", inspect.info, "Say what is installed, or what a run is.")
    parser.add_argument("run", nargs="?", metavar="RUN", help="the folder of a run")
    parser.add_argument("--backend", choices=backend.names(), help="array library")
