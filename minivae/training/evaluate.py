"""A model's bound on a whole data set."""

from __future__ import annotations

from .. import backend
from ..autodiff import Tensor, no_grad
from ..compiler import CompiledStep
from ..compiler import compile as record
from ..errors import instance, positive_integer
from ..models import Model
from .feed import Feed

# Evaluations of one run all draw the same noise, so that their differences are the model's.
EVALUATION_SEED = 20131220
# Of a minibatch. 500 take a tenth less time, and on MNIST 13 MiB more than a training step at 100.
BATCH_SIZE = 200


class Evaluation:
    """What :func:`evaluate` does, ready to be done again: a recorded step is kept.

    Args:
        model, feed, batch_size: see :func:`evaluate`.
        compile: record the evaluation of a minibatch once and replay it.
    """

    def __init__(self, model: Model, feed: Feed, batch_size: int = BATCH_SIZE, compile: bool = True) -> None:
        self._model, self._feed = instance("model", model, Model, "a Model"), instance("feed", feed, Feed, "a Feed")
        model.require_points("batch_size", positive_integer("batch_size", batch_size))
        model.require_points("the number of rows to evaluate on", len(feed))
        instance("compile", compile, bool, "True or False")
        self._batches = list(feed.in_order(batch_size, model.least_points))
        self._generator = backend.generator(0, feed.library)
        self._parts = record(self._parts_eagerly) if compile else self._parts_eagerly

    def __call__(self, seed: int = EVALUATION_SEED) -> dict[str, float]:
        """The parts, averaged over all data points, in nats."""
        self._generator.state = backend.generator(seed, self._feed.library).state
        totals: dict[str, float] = {}
        for n, rows in enumerate(self._batches):
            again = n == 0 and isinstance(self._parts, CompiledStep)  # the model may do something else by now
            parts = self._parts.checked if again else self._parts
            for name, part in parts(*self._feed.inputs(rows)).items():
                totals[name] = totals.get(name, 0.0) + float(part) * rows.size
        return {name: total / len(self._feed) for name, total in totals.items()}

    def _parts_eagerly(self, rows: Tensor, *stored: Tensor) -> dict[str, Tensor]:
        with no_grad():
            batch = self._feed.batch(rows, self._generator, *stored)
            return self._model.objectives(batch, self._generator)[0].parts


def evaluate(
    model: Model, feed: Feed, *, batch_size: int = BATCH_SIZE, seed: int = EVALUATION_SEED
) -> dict[str, float]:
    """The parts of the model's first objective, averaged over all data points, in nats.

    z is sampled, never set to the posterior mean: only so is the result a bound.

    Returns:
        ``bound``, ``reconstruction``, ``kl``, ... as the model names them.

    Raises:
        InputError: ``batch_size`` is not a positive integer; or it, or the data, have fewer points than the
            objective is defined for.
    """
    return Evaluation(model, feed, batch_size)(seed)
