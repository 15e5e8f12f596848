"""What a training step is made of: a minibatch in, phases out, and the noise between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from ..autodiff import Parameter, Tensor
from ..autodiff.shape import shaped
from ..backend import Generator
from ..distributions import Distribution
from ..errors import InputError, shown


class Batch(NamedTuple):
    """A minibatch: data ``(M, data_dim)``, prepared, and ``(M, context_dim)``, what the model is told beside them."""

    x: Tensor
    context: Any = None


class Phase(NamedTuple):
    """One phase of a training step.

    Attributes:
        loss: 0-d, to be minimised, in nats per data point.
        parameters: what this phase trains.
        terms: named 0-d tensors in nats per data point, unweighted, for the history; ``bound`` is the
            lower bound on log p(x), and ``objective`` minus the loss where that is something else.
        assignments: state that training changes otherwise than by gradients, such as running
            means: pairs of a tensor and its new value, written after the gradients are taken.
        optimizer: the phase's own, ``(name, options)``; None for the one of the run.
        means: averages over the data points, of any shape, from which :meth:`Model.of_means` makes
            those terms that are none.
    """

    loss: Tensor
    parameters: list[Parameter]
    terms: dict[str, Tensor]
    assignments: Sequence[tuple[Tensor, Tensor]] = ()
    optimizer: tuple[str, dict[str, Any]] | None = None
    means: Mapping[str, Tensor] = MappingProxyType({})

    def with_loss(self, loss: Tensor, **terms: Tensor) -> Phase:
        """The same phase with another loss than minus the bound, and with further terms."""
        return self._replace(loss=loss, terms={"objective": -loss, **self.terms, **terms})


def noise_for(names: Sequence[str], noise: Any) -> tuple[Any, ...]:
    """What a step draws with, in the order of ``names``: a generator for all, or what a dict has for each.

    Raises:
        InputError: ``noise`` is neither.
    """
    if isinstance(noise, Generator):
        return (noise,) * len(names)
    if not isinstance(noise, Mapping) or noise.keys() != set(names):
        raise InputError(f"noise is {shown(noise)}; expected a Generator, or a dict with noise for {', '.join(names)}")
    return tuple(noise[name] for name in names)


def prior_draws(prior: Distribution, count: int, noise: Any) -> Tensor:
    """As many draws of a prior as there are data points, ``(count, latent_dim)``.

    Args:
        prior: p(z), of no batch.
        count: how many.
        noise: a generator, or the noise of the draws, ``(count, latent_dim)``.

    Raises:
        InputError: the noise has another shape.
    """
    if isinstance(noise, Generator):
        return prior.sample(noise, count)
    return prior.sample(shaped("noise", noise, prior.like, count, *prior.shape))
