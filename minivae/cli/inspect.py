"""``minivae evaluate``, ``sample``, ``plot`` and ``info``: what can be done with a trained run.

Each returns its result twice: as text, and as what ``--json`` prints.
"""

from __future__ import annotations

import argparse
import math
import os
import textwrap
from pathlib import Path
from typing import Any

import numpy as np

from .. import autodiff, backend, datasets, plots
from ..checks import one_of, positive_integer
from ..datasets import Dataset
from ..errors import InputError
from ..files import atomic_path
from ..inference import log_likelihood
from ..inference.diagnostics import FEWEST_DRAWS
from ..models import MODELS, Model, registry
from ..models.own import installed
from ..plots.canvas import FORMATS
from ..plots.run import draw_run
from ..runs import Run
from ..training import Minibatches
from ..training import evaluate as evaluate_bound
from ..version import __version__
from . import options
from .train import in_words

IMPORTANCE_SAMPLES = 200  # K, unless --importance-samples says


def evaluate(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """The test bound with its terms, and log p(x) by importance sampling."""
    given = args.importance_samples is not None
    samples = positive_integer("importance-samples", args.importance_samples if given else IMPORTANCE_SAMPLES)
    points = positive_integer("points", args.points)
    if samples == 1:
        raise InputError("importance-samples is 1; a standard error needs at least 2")
    run = Run.open(args.run)
    model, dataset, minibatches = _load(run, args.model)
    if model.no_log_likelihood and given:
        raise InputError(f"importance-samples is {samples}, but {model.no_log_likelihood}")
    result: dict[str, Any] = {"run": str(run.folder), "data": dataset.name, "split": dataset.split}
    terms = evaluate_bound(model, minibatches)
    result |= {"binarize": minibatches.binarize, **terms}
    drawn = (
        f"z drawn {'once' if model.draws == 1 else f'{model.draws} times'} for each" if model.draws else "no z drawn"
    )
    lines = [
        in_words("test", terms),
        f"             on {len(minibatches)} points, {drawn}; binarization {minibatches.binarize}",
    ]
    quantity = "log p(x|y)" if model.context_dim else "log p(x)"
    if model.context_dim and "bound" in terms:
        lines.append(f"             a bound on {quantity}: the model is told a label y")
    if model.no_log_likelihood:
        return "\n".join([*lines, f"{quantity:12} is not there: {model.no_log_likelihood}"]), result
    result |= _log_likelihood(model, minibatches, samples, points, args.seed)
    return "\n".join([*lines, *_estimate_in_words(result)]), result


def _estimate_in_words(result: dict[str, Any]) -> list[str]:
    """What was estimated, how, from how many draws, and where it lies in expectation."""
    value = f"{result['log_likelihood']:.3f} +- {result['log_likelihood_stderr']:.3f} nats (standard error)"
    quantity, side = result["log_likelihood_quantity"], result["log_likelihood_side"]
    first = f"{quantity:12} {value}, {'exact, ' if side == 'exact' else ''}mean over {result['points']} points"
    if side == "exact":
        return [first]
    effective = result["effective_samples"]
    few = f"fewer than {FEWEST_DRAWS}, too few to say how many are effective"
    count = few if effective is None else f"the median point has {effective:.3g} effective ones"
    return [
        first,
        f"             importance-sampled with K = {result['importance_samples']} draws of z for each point: {count}",
        f"             in expectation it lies {side} {quantity}, the nearer the larger K",
    ]


def _log_likelihood(model: Model, minibatches: Minibatches, samples: int, points: int, seed: int) -> dict[str, Any]:
    """The mean over random test points, its standard error, and how it was estimated.

    The error has two sources: the importance samples, and that only some of the test
    points were drawn (none if all of them are used).
    """
    n = min(points, len(minibatches))
    if n == 1 < len(minibatches):
        raise InputError("points is 1; a standard error needs at least 2")
    generator = backend.generator(seed, minibatches.backend)
    rows = np.random.default_rng(seed).permutation(len(minibatches))[:n]
    estimates = []
    for chunk in np.array_split(rows, math.ceil(n / 100)):
        x, context = minibatches.batch(chunk, generator)
        estimates.append(log_likelihood(model, model.raw(x), generator, samples, context=context))
    value, error, effective = (
        np.concatenate([estimate[i].numpy() for estimate in estimates]).astype(float) for i in range(3)
    )
    of_sampling = (error**2).sum() / n**2
    of_choice = value.var(ddof=1) / n * (1 - n / len(minibatches)) if n > 1 else 0.0
    return {
        "log_likelihood": float(value.mean()),
        "log_likelihood_stderr": math.sqrt(of_sampling + of_choice),
        "log_likelihood_quantity": estimates[0].quantity,
        "log_likelihood_side": estimates[0].side,
        "effective_samples": None if np.isnan(effective).any() else float(np.median(effective)),
        "importance_samples": estimates[0].samples,
        "points": n,
    }


def sample(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """Write images drawn from the model: the means of p(x|z) for z from the prior, given a label if one is told."""
    number = positive_integer("number", args.number)
    run = Run.open(args.run)
    path = Path(args.out or run.folder / "samples.png")
    one_of(f"the suffix of {path}", path.suffix.lower(), (*FORMATS, ".npy"))
    model, dataset, minibatches = _load(run, args.model)
    context = _context(model, minibatches, number, args.label)
    images = model.sample(backend.generator(args.seed, minibatches.backend), number, context).numpy()
    if path.suffix.lower() == ".npy":
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            np.save(file, images)
    else:
        plots.samples(images, dataset.image_shape, path)
    return f"{number} samples in {path}", {"run": str(run.folder), "path": str(path), "number": number}


def _context(model: Model, minibatches: Minibatches, number: int, label: int | None) -> Any:
    """One-hot labels for so many samples: the one asked for, or all in turn; None for a model that takes none."""
    if not model.context_dim:
        if label is not None:
            raise InputError(f"label is {label}, but the model of this run takes no labels")
        return None
    labels = np.arange(number) % model.context_dim if label is None else np.full(number, label)
    return minibatches.one_hot(labels)


def plot(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """Draw the figures of a run again."""
    run = Run.open(args.run)
    model, dataset, minibatches = _load(run, args.model)
    folder = Path(args.out or run.folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder}: {error.strerror}") from error
    drawn = draw_run(model, minibatches, dataset.test.labels, dataset.image_shape, run.load_history(), folder)
    paths = [str(path) for path in drawn]
    return "\n".join(paths), {"run": str(run.folder), "figures": paths}


def info(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """The installation, or a run's configuration and last measurements."""
    if args.run is None:
        found = {name: str(path) if path else None for name, path in datasets.available().items()}
        result = {"minivae": __version__, "backend": backend.describe(), "processors": os.cpu_count()}
        result |= {"data": found, "primitives": len(autodiff.PRIMITIVES)}
    else:
        run = Run.open(args.run)
        rows = run.load_history().rows
        result = {"run": str(run.folder), **run.config, "last": rows[-1] if rows else None}
    return "\n".join(_outline(result)), result


def models(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """Every model that can be trained, with its objective and source."""
    result = {name: {"minimises": model.minimises, "source": model.source} for name, model in MODELS.items()}
    rows = [f"{name:22} {model.minimises}\n{'':22} {model.source}" for name, model in MODELS.items()]
    legend = "minimised, in nats per data point: D is -log p(x|z), R is KL(q(z|x) || p(z)), w is p(x, z) / q(z|x)"
    rows += [f"{name:22} {value}, installed" for name, value in installed(registry.ENTRY_POINTS).items()]
    own = "your own: --model file.py:Class or package.module:Class; its options: train --help --model NAME"
    return "\n".join([*rows, "", *textwrap.wrap(legend, 100), own]), result


def _outline(result: dict[str, Any]) -> list[str]:
    lines = []
    for name, value in result.items():
        if isinstance(value, dict):
            absent = "not here, will be downloaded" if name == "data" else "-"
            lines.append(f"{name}:")
            lines += [f"  {key:20} {absent if item is None else item}" for key, item in value.items()]
        else:
            lines.append(f"{name:22} {value}")
    return lines


def _load(run: Run, model_name: str | None) -> tuple[Model, Dataset, Minibatches]:
    """The run's model, data, and test points as the model sees them; the name is ``--model``'s."""
    own = options.own_class(model_name)
    chosen = options.of_run(run, own)
    kind = run.model_class(own)
    of_run = {"dtype": chosen["dtype"]} if "dtype" in registry.arguments(kind) else {}
    model = run.load_model(model_class=own, **of_run)
    dataset = options.load_data(chosen)
    if dataset.data_dim != model.data_dim:
        raise InputError(
            f"{dataset.name} has {dataset.data_dim} columns, but the model of {run.folder} has {model.data_dim}"
        )
    of_run = {"binarize": chosen["binarize"], "dtype": chosen["dtype"], "classes": model.context_dim}
    return model, dataset, Minibatches(dataset.test, dataset.scale, preparation=model.preparation, **of_run)
