"""What every optimizer does: lay its parameters end to end, keep state for them, and apply its rule to all at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import accumulate, pairwise
from typing import Any, NamedTuple, NoReturn
from weakref import finalize

import numpy as np

from .. import backend
from ..autodiff import (
    Parameter,
    Tensor,
    add,
    as_tensor,
    assign,
    attributes,
    concatenate,
    constant_like,
    minimum,
    no_grad,
    reshape,
    sqrt,
    square,
    sum,
    tracing,
    transpose,
)
from ..autodiff.modes import set_mode
from ..autodiff.state import copy_state, load_state
from ..checks import instance, number_from_zero, positive_number, sequence, switch
from ..compiler import compile as recorded
from ..errors import InputError


class Optimizer:
    """Base of the optimizers: minimises by one rule, written once, with Tensor operations.

    A family names its state arrays in ``slots`` and writes ``update(p, g, *slots,
    **scalars)``, its paper's formula, and ``scalars()``, the numbers in it that depend
    on the step count. The rule runs once, over all parameters end to end, and is
    recorded: other numbers in it stay as they were at the first step.

    Args:
        parameters: what to train, in a fixed order. Their arrays are moved into one
            vector (:class:`Flat`): ``data`` is a view of it from then on.
        lr: the step size.
        weight_decay: lambda of an L2 penalty lambda/2 |theta|^2, added to the gradient.
        max_norm: scale the gradients down so that their joint Euclidean norm is at most this.
        compile: record the rule and replay it; False to run its operations one by one, for a debugger.

    Attributes:
        count: how many steps have been taken.
        state: a vector for each of the slots, as long as all parameters together.

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
        compile: bool = True,
    ) -> None:
        self._flat = Flat(parameters)
        self.parameters = self._flat.parameters
        self.lr = positive_number("lr", lr)
        self.weight_decay = number_from_zero("weight_decay", weight_decay)
        self.max_norm = None if max_norm is None else positive_number("max_norm", max_norm)
        self.count = 0
        vector = self._flat.vector
        memory = constant_like(vector, 0.0, (len(self.slots), *vector.shape))
        self.state = [Tensor(row) for row in memory.data]
        self._gradient = constant_like(vector, 0.0, vector.shape)
        self._gradients = [Tensor(part) for part in self._flat.parts(self._gradient.data)]
        switch("compile", compile)
        self._update_all = recorded(self._update_all_eagerly) if compile else self._update_all_eagerly
        self._scalars: dict[str, Tensor] = {}  # 0-d, so that a recorded step reads what they are now

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; other numbers of the rule than before make recorded steps be recorded anew."""
        if name not in ("lr", "count"):  # what a step has of these is in 0-d tensors
            attributes.note(self, name, value)
        super().__setattr__(name, value)

    @property
    def tensors(self) -> list[Tensor]:
        """All that a step changes: the vector of the parameters, and one for each of the slots."""
        return [self._flat.vector, *self.state]

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
        lr_factor = number_from_zero("lr_factor", lr_factor)
        if tracing():
            raise InputError(
                "advance() (or step()) of an optimizer is called inside a step that compile() records, where it would "
                "count once for ever; call advance() before each call of the step, and apply() inside"
            )
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
        for part, gradient in zip(self._gradients, gradients, strict=True):
            assign(part, gradient)
        self._update_all()

    def _update_all_eagerly(self) -> None:
        with no_grad():
            p, g = self._flat.vector, self._gradient
            if self.max_norm is not None:
                (g,) = clip_by_norm([g], self.max_norm)
            if self.weight_decay:
                g = g + p * self.weight_decay
            self.update(p, g, *self.state, **self._scalars)

    def _require_shapes(self, gradients: Sequence[Tensor]) -> None:
        vector = self._flat.vector
        for i, g in enumerate(sequence("gradients", gradients, "a list of Tensors")):
            as_tensor(instance(f"gradients[{i}]", g, Tensor, "a Tensor"), vector, f"gradients[{i}]")
        expected = [p.shape for p in self.parameters]
        if [g.shape for g in gradients] != expected:
            raise InputError(f"gradients have shapes {[g.shape for g in gradients]}; expected {expected}")

    def state_dict(self) -> dict[str, np.ndarray]:
        """The step count and a copy of every slot in host memory, by name."""
        return {"count": np.array(self.count), **copy_state(self.named_slots())}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back what :meth:`state_dict` gave, all of it or nothing.

        Raises:
            InputError: names or shapes differ from this optimizer's, a value is no array
                of numbers, or the count is no number of steps.
        """
        slots = dict(instance("state", state, Mapping, "a mapping from names to arrays"))
        count = np.asarray(slots.pop("count", None))
        if count.shape or count.dtype.kind not in "iu" or count < 0:
            raise InputError(f"optimizer state has count {count}; expected a number of steps, at least 0")
        load_state(type(self).__name__, self.named_slots(), slots)
        self.count = int(count)

    def named_slots(self) -> dict[str, Tensor]:
        """The part of each slot that belongs to each parameter, as ``slot.number``, slot by slot."""
        return {
            f"{name}.{i}": Tensor(part)
            for name, vector in zip(self.slots, self.state, strict=True)
            for i, part in enumerate(self._flat.parts(vector.data))
        }

    def __reduce__(self) -> NoReturn:
        """Refused: a copy's parameters and moments would not be parts of its vectors any more."""
        raise InputError(f"{type(self).__name__} cannot be copied or pickled; make another and load its state_dict()")


def clip_by_norm(gradients: Sequence[Tensor], max_norm: float) -> list[Tensor]:
    """The gradients, scaled together so that their joint Euclidean norm is at most ``max_norm``.

    The norm is never read by the host, so that a GPU does not wait.
    """
    gradients = [
        as_tensor(g, name=f"gradients[{i}]") for i, g in enumerate(sequence("gradients", gradients, "Tensors"))
    ]
    if not gradients:
        raise InputError("gradients is empty, []; expected at least one")
    max_norm = positive_number("max_norm", max_norm)
    norm = sqrt(reduce(add, [sum(square(g)) for g in gradients]))
    # 1e-6 as in PyTorch: keeps a zero gradient from dividing by zero.
    factor = minimum(max_norm / (norm + 1e-6), 1.0)
    return [g * factor for g in gradients]


# ------------------------------------------- parameters end to end in one vector, over which a rule runs once


class Segment(NamedTuple):
    """Where the array of a parameter lies: ``view`` is ``vector`` from ``start`` on."""

    vector: Any
    start: int
    view: Any


# Where arrays of living parameters lie, by the parameter's id.
_segments: dict[int, Segment] = {}


def _put(p: Parameter, segment: Segment) -> None:
    if id(p) not in _segments:
        finalize(p, _segments.pop, id(p), None)
    p.data, _segments[id(p)] = segment.view, segment


class Flat:
    """One vector that holds all elements of the parameters, whose arrays become views of it.

    Each keeps its order in memory: by rows, by columns, or as kernels lie. Parameters that lie
    end to end already, where another optimizer has put them, stay.

    Args:
        parameters: of one dtype and backend, in a fixed order.

    Raises:
        InputError: there are none, one comes twice, or dtypes or backends differ.
    """

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self.parameters = list(sequence("parameters", parameters, "a list of Parameters"))
        for i, p in enumerate(self.parameters):
            instance(f"parameters[{i}]", p, Parameter, "a Parameter")
        if not self.parameters:
            raise InputError("parameters is empty; expected at least one to train")
        if len({id(p) for p in self.parameters}) < len(self.parameters):
            raise InputError("parameters names one parameter twice; expected each once")
        kinds = sorted({f"{p.dtype} on {backend.backend_of(p.data).name}" for p in self.parameters})
        if len(kinds) > 1:
            raise InputError(f"parameters are {' and '.join(kinds)}; expected one dtype on one backend")
        # Gradients and moments are kept in this order, so a parameter that is given another array keeps it, too.
        self._orders = [_order(p) for p in self.parameters]
        self._vector = Parameter(None)
        self._lay_out()

    @property
    def vector(self) -> Parameter:
        """All elements, ``(total,)``, shared with the parameters, also when they have been moved."""
        if any(p.data is not view for p, view in zip(self.parameters, self._views, strict=True)):
            self._lay_out()
        return self._vector

    def parts(self, vector: Any) -> Iterator[Any]:
        """Views of an array as long as the vector: one for each parameter, of its shape."""
        stops = accumulate(p.size for p in self.parameters)
        for p, order, stop in zip(self.parameters, self._orders, stops, strict=True):
            part = vector[stop - p.size : stop].reshape([p.shape[axis] for axis in order])
            yield part.transpose([order.index(axis) for axis in range(p.ndim)])

    def _lay_out(self) -> None:
        if not self._end_to_end():
            with set_mode(tracer=None, hooks=(), taping=False):  # no part of a step that is recorded meanwhile
                vector, start = self._joined().data, 0
            for p, view in zip(self.parameters, self.parts(vector), strict=True):
                _put(p, Segment(vector, start, view))
                start += p.size
        self._views = [p.data for p in self.parameters]
        first, last = (_segments[id(p)] for p in (self.parameters[0], self.parameters[-1]))
        self._vector.data = first.vector[first.start : last.start + last.view.size]

    def _joined(self) -> Tensor:
        pairs = zip(self.parameters, self._orders, strict=True)
        return concatenate([reshape(transpose(p.detach(), order), -1) for p, order in pairs])

    def _end_to_end(self) -> bool:
        if [_order(p) for p in self.parameters] != self._orders:
            return False
        segments = [segment for p in self.parameters if (segment := _segments.get(id(p))) and segment.view is p.data]
        if len(segments) < len(self.parameters):
            return False
        return all(b.vector is a.vector and b.start == a.start + a.view.size for a, b in pairwise(segments))


def _order(p: Parameter) -> tuple[int, ...]:
    """The axes from that of the largest steps in memory down; as they come, where there are gaps between elements."""
    steps = p.data.strides
    order = tuple(sorted(range(p.ndim), key=lambda axis: (-steps[axis], -p.shape[axis], axis)))
    return order if p.data.transpose(order).flags.c_contiguous else tuple(range(p.ndim))
