"""A model's bound on a whole data set."""

from __future__ import annotations

from .. import backend
from ..autodiff import no_grad
from ..models import Model
from .feed import Feed

# Evaluations of one run all draw the same noise, so that their differences are the model's.
EVALUATION_SEED = 20131220


def evaluate(model: Model, feed: Feed, *, batch_size: int = 500, seed: int = EVALUATION_SEED) -> dict[str, float]:
    """The parts of the model's first objective, averaged over all data points, in nats.

    z is sampled, never set to the posterior mean: only so is the result a bound.

    Returns:
        ``bound``, ``reconstruction``, ``kl``, ... as the model names them.

    Raises:
        InputError: ``batch_size`` is not a positive integer.
    """
    generator = backend.generator(seed, feed.library)
    totals: dict[str, float] = {}
    with no_grad():
        for batch in feed.in_order(batch_size, generator):
            for name, part in model.objectives(batch, generator)[0].parts.items():
                totals[name] = totals.get(name, 0.0) + float(part) * batch.x.shape[0]
    return {name: total / len(feed) for name, total in totals.items()}
