"""A model's bound on a whole data set."""

from __future__ import annotations

import numpy as np

from .. import backend
from ..autodiff import Tensor, no_grad, tensor
from ..checks import instance, positive_integer, switch
from ..compiler import CompiledStep
from ..compiler import compile as record
from ..models import Model
from ..runs.checkpoint import put_under, under
from .minibatches import Minibatches

# Evaluations of one run all draw the same noise, so that their differences are the model's.
EVALUATION_SEED = 20131220
# Of a minibatch. 500 take a tenth less time, and on MNIST 13 MiB more than a training step at 100.
BATCH_SIZE = 200


class Evaluation:
    """What :func:`evaluate` does, ready to be done again: a recorded step is kept.

    Args:
        model, minibatches, batch_size, seed: see :func:`evaluate`.
        compile: record the evaluation of a minibatch once and replay it.
    """

    def __init__(
        self,
        model: Model,
        minibatches: Minibatches,
        batch_size: int = BATCH_SIZE,
        seed: int = EVALUATION_SEED,
        compile: bool = True,
    ) -> None:
        self._model, self._minibatches = (
            instance("model", model, Model, "a Model"),
            instance("minibatches", minibatches, Minibatches, "Minibatches"),
        )
        model.require_points("batch_size", positive_integer("batch_size", batch_size))
        model.require_points("the number of rows to evaluate on", len(minibatches))
        switch("compile", compile)
        self._batches = list(minibatches.fixed_order(batch_size, model.least_points))
        self._generator = backend.generator(seed, minibatches.backend)
        self._start = self._generator.keep()
        self._averages = record(self._averages_eagerly) if compile else self._averages_eagerly

    def __call__(self) -> dict[str, float]:
        """The terms, in nats per data point."""
        self._generator.restore(self._start)
        totals: dict[str, np.ndarray] = {}
        for n, rows in enumerate(self._batches):
            run = self._averages
            if n == 0 and isinstance(run, CompiledStep):
                run = run.checked  # the model may do something else by now
            for name, average in run(*self._minibatches.inputs(rows)).items():
                totals[name] = totals.get(name, 0.0) + average.numpy().astype(np.float64) * rows.size
        averages = {name: total / len(self._minibatches) for name, total in totals.items()}
        terms = {name: float(value) for name, value in under("terms/", averages).items()}
        return terms | self._of_means(under("means/", averages))

    def _averages_eagerly(self, rows: Tensor, *stored: Tensor) -> dict[str, Tensor]:
        """Of a minibatch: the terms, and what those that are no averages are made of."""
        with no_grad():
            batch = self._minibatches.batch(rows, self._generator, *stored)
            first = self._model.phases(batch, self._generator)[0]
            return put_under("terms/", first.terms) | put_under("means/", first.means)

    def _of_means(self, means: dict[str, np.ndarray]) -> dict[str, float]:
        """The terms that are made of averages over all data points, and are none themselves."""
        if not means:
            return {}
        with no_grad():
            there = {
                name: tensor(value, self._minibatches.dtype, self._minibatches.backend) for name, value in means.items()
            }
            return {name: float(part) for name, part in self._model.of_means(there).items()}


def evaluate(
    model: Model, minibatches: Minibatches, *, batch_size: int = BATCH_SIZE, seed: int = EVALUATION_SEED
) -> dict[str, float]:
    """The terms of the model's first phase on all data points, in nats per data point.

    z is sampled, never set to the posterior mean: only so is the result a bound. Minibatches are
    drawn in one fixed random order (:meth:`Minibatches.fixed_order`), so that the order in which the data are
    stored is in no number. A part is one of four kinds:

    - an average over data points (bound, reconstruction, KL, the critic's total correlation) is
      averaged over all of them; how they are cut into minibatches does not matter;
    - a function of such averages (|mean KL - C|, free bits, the entropy of codes) is computed once, from
      the averages over all data points (:meth:`Model.of_means`);
    - a U-statistic of pairs of codes (MMD^2, and an objective that holds it) is averaged over the
      minibatches, n points in each: an unbiased estimate of that of all N points, as each minibatch
      is a random sample, whatever its size. Codes of N points would make N^2 pairs, this takes N n; the
      estimate's standard deviation is at most about sqrt(N / n) times that of all pairs;
    - an estimate that has a bias, which depends on the size of a minibatch (log q(z), whose names end in ``_mws`` or
      ``_mss``, the sliced Wasserstein distance, and an objective that holds one) is averaged over the minibatches,
      too: it is of that size, and compares with others of that size. docs/family.md tables the biases.

    Memory: that of a minibatch of ``batch_size``, and N numbers of rows.

    Args:
        model, minibatches: what is evaluated, on what.
        batch_size: at most so many data points at once.
        seed: of the noise. One seed gives one number for one model.

    Returns:
        ``bound``, ``reconstruction``, ``kl``, ... as the model names them.

    Raises:
        InputError: ``batch_size`` is not a positive integer; or it, or the data, have fewer points than the
            model's objective is defined for.
    """
    return Evaluation(model, minibatches, batch_size, seed)()
