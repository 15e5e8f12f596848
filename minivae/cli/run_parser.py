"""The commands on trained runs, and those that list what there is, as ``--help`` shows them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from ..datasets.parts import PARTS
from .arguments import add_backend, add_command, integer, likelihood_names, model_names
from .encode import encode
from .evaluate import IMPORTANCE_SAMPLES, evaluate
from .info import info, models, runs
from .plot import plot
from .reconstruct import interpolate, reconstruct
from .sample import sample

PICTURE_OR_NUMBERS = "a picture (.png, .svg, .pdf) or numbers (.csv, .npz, .npy)"


def add_run_commands(commands: Any) -> None:
    """Add them all."""
    for add in (_evaluate, _encode, _reconstruct, _interpolate, _sample, _plot, _runs, _info, _models):
        add(commands)


def _on_a_run(commands: Any, name: str, run_command: Callable, text: str) -> argparse.ArgumentParser:
    parser = add_command(commands, name, run_command, text)
    parser.add_argument("run", metavar="RUN", help="the folder of a run")
    text = "take the last model, where the best one by the validation part was kept, too"
    parser.add_argument("--last", action="store_true", help=text)
    add_backend(parser.add_argument)
    text = "the class of its model, if that is your own: file.py:Class or package.module:Class"
    parser.add_argument("--model", choices=model_names(), metavar="NAME", help=text)
    text = "the class of its likelihood, if that is your own, in the same way"
    parser.add_argument("--likelihood", choices=likelihood_names(), metavar="NAME", help=text)
    return parser


def _add_data(parser: argparse.ArgumentParser, usual: str = "test") -> None:
    text = "where the data are, if they have moved; or other data (default: those of the run)"
    parser.add_argument("--data", metavar="NAME|PATH", help=text)
    text = f"which points (default: {usual}" + (")" if usual == "all" else "; all of other data than the run's)")
    parser.add_argument("--part", choices=PARTS, help=text)
    parser.add_argument("--array", metavar="NAME", help="the array of other data's file that has several")
    parser.add_argument("--points-axis", type=integer, metavar="N", help="which axis of it is the points, from 0")
    text = "the labels of other data: an array or column of the file, or another file; none for no labels"
    parser.add_argument("--labels", metavar="NAME|FILE|COLUMN", help=text)
    text = "whether the first line of their table names its columns (default: as in the run's)"
    parser.add_argument("--header", action=argparse.BooleanOptionalAction, help=text)


def _add_seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=integer, default=0, metavar="N", help="of the noise (default: %(default)s)")


def _add_out(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--out", metavar="FILE", required=True, help=text)


def _evaluate(commands: Any) -> None:
    text = "Print a run's test bound and importance-sampled log p(x); write those of each row to a file."
    parser = _on_a_run(commands, "evaluate", evaluate, text)
    _add_data(parser)
    _add_seed(parser)
    add = parser.add_argument
    add(
        "--importance-samples",
        type=integer,
        metavar="K",
        help=f"draws of z a point (default: {IMPORTANCE_SAMPLES})",
    )
    text = "random points that log p(x) is averaged over (default: %(default)s, or all there are)"
    add("--points", type=integer, default=1000, metavar="N", help=text)
    text = "a table (.csv) of each row's bound, its terms and, if --importance-samples is said, its log p(x)"
    add("--rows", metavar="FILE", help=text)


def _encode(commands: Any) -> None:
    text = "Write the codes of data points to a file: posterior means, log-variances or discrete codes, labels."
    parser = _on_a_run(commands, "encode", encode, text)
    _add_data(parser, "all")
    _add_out(parser, "a table (.csv), arrays by name (.npz), or the means alone (.npy)")


def _reconstruct(commands: Any) -> None:
    text = "Write what a run's model makes of data points, in the data's own units."
    parser = _on_a_run(commands, "reconstruct", reconstruct, text)
    _add_data(parser)
    _add_out(parser, PICTURE_OR_NUMBERS)


def _interpolate(commands: Any) -> None:
    text = "Write what lies on the way from the code of one data point to that of another."
    parser = _on_a_run(commands, "interpolate", interpolate, text)
    parser.add_argument("first", type=integer, metavar="A", help="the number of a point in its part, from 0")
    parser.add_argument("second", type=integer, metavar="B", help="that of the other")
    _add_data(parser)
    text = "both ends included (default: %(default)s)"
    parser.add_argument("--steps", type=integer, default=10, metavar="N", help=text)
    _add_out(parser, PICTURE_OR_NUMBERS)


def _sample(commands: Any) -> None:
    text = "Draw from a run's model, which needs no data: means of p(x|z), z from the prior."
    parser = _on_a_run(commands, "sample", sample, text)
    _add_seed(parser)
    add = parser.add_argument
    add("-n", "--number", type=integer, default=100, metavar="N", help="how many (default: %(default)s)")
    text = "the label of all of them, for a model that is told one (default: as often as the training data have each)"
    add("--label", metavar="N|NAME", help=text)
    add("--out", metavar="FILE", help=f"{PICTURE_OR_NUMBERS} (default: samples.png in RUN)")


def _plot(commands: Any) -> None:
    text = "Draw a run's figures again; where its data are not, those that need none."
    parser = _on_a_run(commands, "plot", plot, text)
    _add_data(parser)
    parser.add_argument("--out", metavar="FOLDER", help="where to write them (default: RUN)")


def _runs(commands: Any) -> None:
    parser = add_command(commands, "runs", runs, "List the runs in a folder: data, model, bounds, epochs, seconds.")
    parser.add_argument("folder", nargs="?", default="runs", metavar="FOLDER", help="(default: %(default)s)")
    parser.set_defaults(backend=None)


def _info(commands: Any) -> None:
    parser = add_command(commands, "info", info, "Say what is installed, or what a run is.")
    parser.add_argument("run", nargs="?", metavar="RUN", help="the folder of a run")
    add_backend(parser.add_argument)


def _models(commands: Any) -> None:
    parser = add_command(commands, "models", models, "List the models that can be trained: objective and source.")
    parser.set_defaults(backend=None)
