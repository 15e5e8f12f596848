"""Numbers that must be finite: which are not, by name; and steps that are taken back if they are not."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import reduce
from itertools import product

from ..autodiff import (
    Parameter,
    Tensor,
    absolute,
    assign,
    astype,
    constant_like,
    detect_anomaly,
    less,
    max,
    maximum,
    no_grad,
    where,
)
from ..backend import backend_of
from ..datasets import first_beyond
from ..errors import NonFiniteError
from ..models import Model
from ..optim import Optimizer
from .minibatches import Minibatches

ADVICE = (
    "lower the learning rate, clip the gradients (the optimizer's max_norm), skip such steps "
    "(skip_nonfinite), or find the operation (detect_anomaly)"
)
NAMED = 3  # so many parameters and moments are named, the others counted


class Watch:
    """Says what in a run is not finite. Asking waits for the device.

    Args:
        model, optimizers: what a step changes.
        minibatches: the data, by what messages call them.
    """

    def __init__(self, model: Model, optimizers: Sequence[Optimizer], minibatches: Mapping[str, Minibatches]) -> None:
        self.model, self.optimizers, self.minibatches = model, optimizers, minibatches

    def changed(self) -> list[Tensor]:
        """All tensors that a step may change, parameters and moments in few pieces."""
        others = [x for _, x in self.model.named_tensors() if not isinstance(x, Parameter) and x.dtype.kind == "f"]
        return [x for optimizer in self.optimizers for x in optimizer.tensors] + others

    def require_terms(self, terms: dict[str, float], name: str, step: int) -> dict[str, float]:
        """Return the terms of a bound; raise :class:`NonFiniteError` if one is not finite."""
        if not all(math.isfinite(value) for value in terms.values()):
            values = ", ".join(f"{part} {value:g}" for part, value in terms.items())
            raise self.error(f"the {name} bound is not finite", step, values)
        return terms

    def require_state(self, step: int) -> None:
        """Raise :class:`NonFiniteError` if a parameter, a moment or other state of the model is not finite."""
        if self._state_faults():
            raise self.error("parameters or moments are not finite", step)

    @contextmanager
    def anomaly(self, step: int) -> Iterator[None]:
        """Anomaly mode for one step; the error says which."""
        self.require_state(step)
        try:
            with detect_anomaly():
                yield
        except NonFiniteError as error:
            raise self.error("the first NaN or infinity arose", step, str(error)) from error

    def error(self, what: str, step: int, *details: str) -> NonFiniteError:
        """What happened at a step, and everything that is not finite: rows of data, parameters, moments."""
        return NonFiniteError(
            f"{what} at step {step}: {'; '.join([*details, *self._row_faults(), *self._state_faults(), ADVICE])}"
        )

    def _row_faults(self) -> list[str]:
        found = []
        for name, minibatches in self.minibatches.items():
            images = minibatches.images.numpy() if isinstance(minibatches.images, Tensor) else minibatches.images
            if (at := first_beyond(images, math.inf)) is not None:
                found.append(f"{name} row {at[0]} is not finite at value {at[1]}")
        return found

    def _state_faults(self) -> list[str]:
        found = []
        for name, x in self._named():
            if x.dtype.kind == "f" and not backend_of(x.data).is_finite(x.data):
                found.append(f"{name} holds {'NaN' if x.xp.isnan(x.data).any() else 'an infinity'}")
        return [*found[:NAMED], f"{len(found) - NAMED} more are not finite"] if len(found) > NAMED else found

    def _named(self) -> Iterator[tuple[str, Tensor]]:
        names = {id(p): name for name, p in self.model.named_parameters()}
        yield from self.model.named_tensors()
        for optimizer in self.optimizers:
            pairs = product(optimizer.slots, optimizer.parameters)
            for (slot, p), part in zip(pairs, optimizer.named_slots().values(), strict=True):
                yield f"{type(optimizer).__name__}'s {slot} of {names[id(p)]}", part


class Guard:
    """A training step that takes itself back if it leaves anything NaN or infinite.

    Then all that it has changed (parameters, moments, running means) is as it was before, and the
    step is counted. Only noise and the place in the data have moved on, and with them what depends
    on the number of the step: schedules, and Adam's bias correction. The device is never
    waited for, and the whole can be recorded with ``compile``.

    Args:
        update: the step: what is known of a minibatch to named terms.
        changed: gives all tensors that it changes.

    Attributes:
        skipped: how many steps have been taken back, 0-d.
    """

    def __init__(self, update: Callable[..., dict[str, Tensor]], changed: Callable[[], list[Tensor]]) -> None:
        self._update, self._changed = update, changed
        self.skipped = constant_like(changed()[0], 0.0)

    def __call__(self, *inputs: Tensor) -> dict[str, Tensor]:
        """The terms of the step, 0 if it was taken back; and ``skipped``, 1 if so, else 0."""
        tensors = self._changed()
        with no_grad():
            before = [x * 1.0 for x in tensors]
        terms = self._update(*inputs)
        with no_grad():
            finite = less(_largest([*tensors, *terms.values()]), math.inf)  # NaN is not less either
            for x, old in zip(tensors, before, strict=True):
                assign(x, where(finite, x, old))
            skipped = 1.0 - astype(finite, self.skipped.dtype)
            assign(self.skipped, self.skipped + skipped)
            return {**{name: where(finite, part, 0.0) for name, part in terms.items()}, "skipped": skipped}


def _largest(tensors: Sequence[Tensor]) -> Tensor:
    """The largest size of any element; NaN if one is NaN."""
    return reduce(maximum, [max(absolute(x)) for x in tensors])
