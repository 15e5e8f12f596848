"""What every optimizer does: keep state for each parameter and apply its rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from numbers import Real
from typing import Any

import numpy as np

from .. import backend
from ..autodiff import Parameter, Tensor, add, constant_like, minimum, no_grad, sqrt, square, sum, tracing
from ..errors import InputError, positive_number
from ..state import copy_state, load_state


class Optimizer:
    """Base of the optimizers: minimises by one rule, written once, with Tensor operations.

    A family names its state arrays in ``slots`` and writes ``update(p, g, *slots,
    **scalars)``, its paper's formula, and ``scalars()``, the numbers in it that depend
    on the step count.

    Args:
        parameters: what to train, in a fixed order.
        lr: the step size.
        weight_decay: lambda of an L2 penalty lambda/2 |theta|^2, added to the gradient.
        max_norm: scale the gradients down so that their joint Euclidean norm is at most this.

    Attributes:
        count: how many steps have been taken.

    Raises:
        InputError: a step size, decay or norm out of range, or nothing to train.
    """

    slots: tuple[str, ...] = ()

    def __init__(
        self,
        parameters: Sequence[Parameter],
        lr: float,
        *,
        weight_decay: float = 0.0,
        max_norm: float | None = None,
    ) -> None:
        self.parameters = list(parameters)
        if not self.parameters:
            raise InputError("parameters is empty; expected at least one to train")
        self.lr = positive_number("lr", lr)
        self.weight_decay = positive_number("weight_decay", weight_decay) if weight_decay else 0.0
        self.max_norm = None if max_norm is None else positive_number("max_norm", max_norm)
        self.count = 0
        self.state = [[constant_like(p, 0.0, p.shape) for _ in self.slots] for p in self.parameters]
        self._scalars: dict[str, Tensor] = {}  # 0-d, so that a recorded step reads what they are now

    def scalars(self, lr: float) -> dict[str, float]:
        """The numbers of the rule at step ``count`` (which starts at 1), for a step size."""
        return {"lr": lr}

    def update(self, p: Tensor, g: Tensor, *slots: Tensor, **scalars: Tensor) -> None:
        """Write the new values of ``p`` and its slots: the rule itself."""
        raise NotImplementedError

    def step(self, gradients: Sequence[Tensor], lr_factor: float = 1.0) -> None:
        """Change each parameter in place by its gradient: :meth:`advance`, then :meth:`apply`.

        Args:
            gradients: one for each parameter, of its shape.
            lr_factor: on the step size, as a schedule gives it.

        Raises:
            InputError: another number of gradients, or another shape.
        """
        self._require_shapes(gradients)  # before the step is counted
        self.advance(lr_factor)
        self.apply(gradients)

    def advance(self, lr_factor: float = 1.0) -> None:
        """Count a step and set the rule's numbers for it: the part that a compiled step leaves outside."""
        self.count += 1
        for name, value in self.scalars(self.lr * lr_factor).items():
            if name not in self._scalars:
                self._scalars[name] = constant_like(self.parameters[0], 0.0)
            self._scalars[name].data[...] = value

    def apply(self, gradients: Sequence[Tensor]) -> None:
        """Change each parameter in place by its gradient: the part that can be compiled.

        Raises:
            InputError: another number of gradients, or another shape.
        """
        self._require_shapes(gradients)
        with no_grad():
            if self.max_norm is not None:
                gradients = clip_by_norm(gradients, self.max_norm)
            for p, g, slots in zip(self.parameters, gradients, self.state, strict=True):
                for p_, g_, *slots_ in _blocks(p, g, *slots):
                    if self.weight_decay:
                        g_ = g_ + p_ * self.weight_decay
                    self.update(p_, g_, *slots_, **self._scalars)

    def _require_shapes(self, gradients: Sequence[Tensor]) -> None:
        expected = [p.shape for p in self.parameters]
        if [g.shape for g in gradients] != expected:
            raise InputError(f"gradients have shapes {[g.shape for g in gradients]}; expected {expected}")

    def state_dict(self) -> dict[str, np.ndarray]:
        """The step count and a copy of every slot in host memory, by name."""
        return {"count": np.array(self.count), **copy_state(self._named_slots())}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back what :meth:`state_dict` gave, all of it or nothing.

        Raises:
            InputError: names or shapes differ from this optimizer's, a value is no array
                of numbers, or the count is no number of steps.
        """
        slots = dict(state)
        count = np.asarray(slots.pop("count", None))
        if count.shape or count.dtype.kind not in "iu" or count < 0:
            raise InputError(f"optimizer state has count {count}; expected a number of steps, at least 0")
        load_state(type(self).__name__, self._named_slots(), slots)
        self.count = int(count)

    def _named_slots(self) -> dict[str, Tensor]:
        return {f"{name}.{i}": slots[k] for i, slots in enumerate(self.state) for k, name in enumerate(self.slots)}


def clip_by_norm(gradients: Sequence[Tensor], max_norm: float) -> list[Tensor]:
    """The gradients, scaled together so that their joint Euclidean norm is at most ``max_norm``.

    The norm is never read by the host, so that a GPU does not wait.
    """
    norm = sqrt(reduce(add, [sum(square(g)) for g in gradients]))
    # 1e-6 as in PyTorch: keeps a zero gradient from dividing by zero.
    factor = minimum(max_norm / (norm + 1e-6), 1.0)
    return [g * factor for g in gradients]


def decay_rate(name: str, value: Any) -> float:
    """Return ``value`` as a float in [0, 1), or raise :class:`InputError` naming it."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= value < 1:
        raise InputError(f"{name} is {value!r}; expected a number in [0, 1)")
    return float(value)


def _blocks(*tensors: Tensor) -> Iterator[Sequence[Tensor]]:
    """Views of the tensors, all of one shape, in pieces that stay in the processor's cache.

    A rule has about ten operations; over whole arrays each would go out to main memory.
    """
    p = tensors[0]
    size = backend.library_of(p.data).cache_block
    # A recorded step is cut up when it is replayed. Only a contiguous array is flattened
    # without a copy, which would get the update instead.
    if tracing() or size is None or p.size <= size or not p.data.flags.c_contiguous:
        yield tensors
        return
    flat = [t.data.reshape(-1) for t in tensors]
    for start in range(0, p.size, size):
        yield [Tensor(array[start : start + size]) for array in flat]
