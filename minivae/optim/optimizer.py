"""What every optimizer does: keep state for each parameter and apply its rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .. import backend
from ..autodiff import Parameter, Tensor, minimum, no_grad, sqrt, sum
from ..errors import InputError, positive_number


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
        self.state = [[self._zeros(p) for _ in self.slots] for p in self.parameters]

    @staticmethod
    def _zeros(p: Parameter) -> Tensor:
        return Tensor(backend.namespace(p.data).zeros(p.shape, dtype=p.dtype))

    def scalars(self, lr: float) -> dict[str, float]:
        """The numbers of the rule at step ``count`` (which starts at 1), for a step size."""
        return {"lr": lr}

    def update(self, p: Tensor, g: Tensor, *slots: Tensor, **scalars: float) -> None:
        """Write the new values of ``p`` and its slots: the rule itself."""
        raise NotImplementedError

    def step(self, gradients: Sequence[Tensor], lr_factor: float = 1.0) -> None:
        """Change each parameter in place by its gradient.

        Args:
            gradients: one for each parameter, of its shape.
            lr_factor: on the step size, as a schedule gives it.

        Raises:
            InputError: another number of gradients, or another shape.
        """
        if [g.shape for g in gradients] != [p.shape for p in self.parameters]:
            expected = [p.shape for p in self.parameters]
            raise InputError(f"gradients have shapes {[g.shape for g in gradients]}; expected {expected}")
        self.count += 1
        scalars = self.scalars(self.lr * lr_factor)
        with no_grad():
            if self.max_norm is not None:
                gradients = clip_by_norm(gradients, self.max_norm)
            for p, g, slots in zip(self.parameters, gradients, self.state, strict=True):
                for p_, g_, *slots_ in _blocks(p, g, *slots):
                    if self.weight_decay:
                        g_ = g_ + p_ * self.weight_decay
                    self.update(p_, g_, *slots_, **scalars)

    def state_dict(self) -> dict[str, np.ndarray]:
        """The step count and a copy of every slot in host memory, by name."""
        state = {"count": np.array(self.count)}
        for i, slots in enumerate(self.state):
            for name, slot in zip(self.slots, slots, strict=True):
                state[f"{name}.{i}"] = np.array(backend.to_numpy(slot.data))
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back what :meth:`state_dict` gave, all of it or nothing.

        Raises:
            InputError: names or shapes differ from this optimizer's.
        """
        own = self.state_dict()
        faults = sorted(set(own) ^ set(state))
        faults += [name for name in own if name in state and np.shape(state[name]) != own[name].shape]
        if faults:
            raise InputError(f"optimizer state does not fit {type(self).__name__}: {', '.join(faults)}")
        self.count = int(state["count"])
        for i, slots in enumerate(self.state):
            for name, slot in zip(self.slots, slots, strict=True):
                library = backend.library_of(slot.data).name
                slot.data[...] = backend.asarray(state[f"{name}.{i}"], slot.dtype, library)


def clip_by_norm(gradients: Sequence[Tensor], max_norm: float) -> list[Tensor]:
    """The gradients, scaled together so that their joint Euclidean norm is at most ``max_norm``.

    The norm is never read by the host, so that a GPU does not wait.
    """
    total = sum(gradients[0] * gradients[0])
    for g in gradients[1:]:
        total = total + sum(g * g)
    # 1e-6 as in PyTorch: keeps a zero gradient from dividing by zero.
    factor = minimum(max_norm / (sqrt(total) + 1e-6), 1.0)
    return [g * factor for g in gradients]


def _blocks(*tensors: Tensor) -> Iterator[Sequence[Tensor]]:
    """Views of the tensors, all of one shape, in pieces that stay in the processor's cache.

    A rule has about ten operations; over whole arrays each would go out to main memory.
    """
    size = backend.library_of(tensors[0].data).cache_block
    if size is None or tensors[0].size <= size:
        yield tensors
        return
    flat = [t.data.reshape(-1) for t in tensors]
    for start in range(0, tensors[0].size, size):
        yield [Tensor(array[start : start + size]) for array in flat]
