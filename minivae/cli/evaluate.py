"""``minivae evaluate``: the bound and log p(x) of data points, on average and row by row."""

from __future__ import annotations

import argparse
import math
from typing import Any

import numpy as np

from .. import backend
from ..checks import positive_integer
from ..errors import InputError
from ..inference import log_likelihood
from ..inference.diagnostics import FEWEST_DRAWS
from ..inference.each import bound_of_each
from ..inference.importance import Explicit, LogLikelihood
from ..models import Model
from ..training import evaluate as evaluate_bound
from ..training.own_units import with_raw
from .encode import about
from .opened import Opened, open_run
from .outputs import checked_path, write
from .points import Points, load_points
from .train import in_words, of_raw

EXACT = "this model has log p(x) itself, for which nothing is drawn"
IMPORTANCE_SAMPLES = 200  # K, unless --importance-samples says
LIKELIHOOD_CHUNK = 100  # data points at a time, each with K draws


def evaluate(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """The bound with its terms, and log p(x) by importance sampling; each row's in a file, if one is named."""
    given, samples = args.importance_samples is not None, _samples(args.importance_samples)
    wanted = positive_integer("points", args.points)
    path = None if args.rows is None else checked_path(args.rows, ".csv")
    opened = open_run(args)
    model = opened.model
    why_not = EXACT if isinstance(model, Explicit) else model.no_log_likelihood
    if given and why_not:
        raise InputError(f"--importance-samples is {samples}, but {why_not}")
    points = load_points(opened, args)
    lines, result = _bound(opened, points)
    estimates = None
    if model.no_log_likelihood:
        lines.append(f"{_quantity(model):12} is not there: {model.no_log_likelihood}")
    elif len(points.told) < 2 <= len(points):
        lines.append(f"{_quantity(model):12} is not there: {len(points.told)} of the points have a label")
    else:
        every = path is not None and given
        chosen = points.told[_chosen(len(points.told), len(points) if every else wanted, args.seed)]
        estimates = _estimates(model, points, chosen, samples, args.seed)
        result |= _on_average(estimates, points, chosen)
        lines += _in_words(result)
        estimates = estimates if every else None
    if path is not None:
        columns = _each_bound(model, points, args.seed) | _each(estimates)
        write(path, {**about(points), **_with_raw(columns, points.log_jacobian)})
        result["rows"] = str(path)
        lines.append(f"each of {len(points)} rows in {path}")
    return "\n".join(lines), result


def _samples(said: int | None) -> int:
    samples = positive_integer("importance-samples", IMPORTANCE_SAMPLES if said is None else said)
    if samples == 1:
        raise InputError("importance-samples is 1; a standard error needs at least 2")
    return samples


def _quantity(model: Model) -> str:
    return "log p(x|y)" if model.context_dim else "log p(x)"


def _bound(opened: Opened, points: Points) -> tuple[list[str], dict[str, Any]]:
    """The bound of all points with its terms, in words and for JSON."""
    model, minibatches = opened.model, points.minibatches
    result: dict[str, Any] = {"run": str(opened.run.folder), **points.origin}
    result |= {"split": points.dataset.split, "binarize": minibatches.binarize}
    for x, _ in points.chunks():
        model.prepared(x)  # refuses what the likelihood does not have
    terms = with_raw(evaluate_bound(model, minibatches), points.log_jacobian)
    drawn = (
        f"z drawn {'once' if model.draws == 1 else f'{model.draws} times'} for each" if model.draws else "no z drawn"
    )
    lines = [
        points.said(in_words(points.part, terms)),
        f"             on {len(points)} points, {drawn}; binarization {minibatches.binarize}",
    ]
    if opened.taken:
        result["kept"] = opened.taken
        lines.append(f"             of {opened.taken}")
    if model.context_dim and "bound" in terms:
        lines.append(f"             a bound on {_quantity(model)}: the model is told a label y")
    return lines, result | terms


# ----------------------------------------------------------------- log p(x)


def _chosen(size: int, wanted: int, seed: int) -> np.ndarray:
    """So many random points, or all in order."""
    if wanted >= size:
        return np.arange(size)
    if wanted == 1:
        raise InputError("points is 1; a standard error needs at least 2")
    return np.random.default_rng(seed).permutation(size)[:wanted]


def _estimates(model: Model, points: Points, rows: np.ndarray, samples: int, seed: int) -> list[LogLikelihood]:
    generator = backend.generator(seed, points.minibatches.backend)
    found = []
    for chunk in np.array_split(rows, math.ceil(len(rows) / LIKELIHOOD_CHUNK)):
        x, context = points.at(chunk, generator)
        found.append(log_likelihood(model, x, generator, samples, context=context))
    return found


def _each(estimates: list[LogLikelihood] | None) -> dict[str, np.ndarray]:
    """log p(x) of each point and its standard error, as columns."""
    if estimates is None:
        return {}
    value, error, _ = _joined(estimates)
    return {"log_likelihood": value, "log_likelihood_stderr": error}


def _joined(estimates: list[LogLikelihood]) -> tuple[np.ndarray, ...]:
    """Values, standard errors and effective samples of all points."""
    parts = [(e.value.numpy(), e.stderr.numpy(), e.effective_samples.numpy()) for e in estimates]
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def _on_average(estimates: list[LogLikelihood], points: Points, chosen: np.ndarray) -> dict[str, Any]:
    """The mean over the points that were chosen, its standard error, and how it was estimated."""
    value, error, effective = (column.astype(float) for column in _joined(estimates))
    found = {"log_likelihood": value}
    if points.log_jacobian is not None:
        found["log_likelihood_raw"] = value + points.log_jacobian[chosen]
    averages: dict[str, Any] = {}
    for name, each in found.items():
        averages |= {name: float(each.mean()), f"{name}_stderr": _error_of_mean(each, error, len(points.told))}
    return averages | {
        "log_likelihood_quantity": estimates[0].quantity,
        "log_likelihood_side": estimates[0].side,
        "effective_samples": None if np.isnan(effective).any() else float(np.median(effective)),
        "importance_samples": estimates[0].samples,
        "points": len(chosen),
    }


def _error_of_mean(value: np.ndarray, error: np.ndarray, size: int) -> float:
    """The standard error of the mean of some of ``size`` points.

    It has two sources: the importance samples, and that only some of the points were drawn (none if all of them
    are used).
    """
    n = len(value)
    of_choice = value.var(ddof=1) / n * (1 - n / size) if n > 1 else 0.0
    return math.sqrt((error**2).sum() / n**2 + of_choice)


def _in_words(result: dict[str, Any]) -> list[str]:
    """What was estimated, how, from how many draws, and where it lies in expectation."""
    value = f"{result['log_likelihood']:.3f} +- {result['log_likelihood_stderr']:.3f} nats (standard error)"
    quantity, side = result["log_likelihood_quantity"], result["log_likelihood_side"]
    lines = [f"{quantity:12} {value}, {'exact, ' if side == 'exact' else ''}mean over {result['points']} points"]
    if "log_likelihood_raw" in result:
        raw = f"{result['log_likelihood_raw']:.3f} +- {result['log_likelihood_raw_stderr']:.3f}"
        same = result["log_likelihood_raw"] == result["log_likelihood"]
        lines.append(f"{'':12} {raw} {of_raw(same)}")
    if side == "exact":
        return lines
    effective = result["effective_samples"]
    few = f"fewer than {FEWEST_DRAWS}, too few to say how many are effective"
    count = few if effective is None else f"the median point has {effective:.3g} effective ones"
    return [
        *lines,
        f"             importance-sampled with K = {result['importance_samples']} draws of z for each point: {count}",
        f"             in expectation it lies {side} {quantity}, the nearer the larger K",
    ]


# ------------------------------------------------------------- row by row


def _each_bound(model: Model, points: Points, seed: int) -> dict[str, np.ndarray]:
    """The bound of each point and its terms (:func:`~minivae.inference.each.bound_of_each`), as columns."""
    generator = backend.generator(seed, points.minibatches.backend)
    chunks: dict[str, list[np.ndarray]] = {}
    for x, context in points.chunks(seed):
        for name, part in bound_of_each(model, x, generator, context).items():
            chunks.setdefault(name, []).append(part.numpy())
    return {name: np.concatenate(parts) for name, parts in chunks.items()}


def _with_raw(columns: dict[str, np.ndarray], jacobian: np.ndarray | None) -> dict[str, np.ndarray]:
    """The columns, and what of them is a log probability of the prepared values once more, of the raw ones."""
    if jacobian is None:
        return columns
    raw = {f"{name}_raw": columns[name] + jacobian for name in ("bound", "log_likelihood") if name in columns}
    return columns | raw
