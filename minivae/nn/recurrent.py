"""Layers that go through a sequence step by step: GRU and LSTM.

    GRU:   r, u = sigmoid(W x + U h);  n = tanh(W x + r (U h));                  h' = (1 - u) n + u h
    LSTM:  i, f, o = sigmoid(W x + U h);  g = tanh(W x + U h);  c' = f c + i g;  h' = o tanh(c')

each gate with its own W, U and two biases, one beside each. Cho et al. 2014, "Learning phrase representations using RNN
encoder-decoder", arXiv 1406.1078, Eq. 5 to 8, but with the reset r on U h, where they have U (r h): what cuDNN and
PyTorch compute, as the matrix product then needs no gate. Hochreiter & Schmidhuber 1997, "Long short-term memory", with
the forget gate f of Gers et al. 2000.

Names, layouts and order of the parameters are those of ``torch.nn.GRU`` and ``torch.nn.LSTM`` of one layer with
``batch_first``: a state is loaded from there and there as it is.
"""

from __future__ import annotations

from typing import Any

from ..autodiff import Parameter, Tensor, constant_like, linear, sigmoid, split, stack, swapaxes, tanh
from ..autodiff.shape import shaped
from ..backend import Generator, asarray, float_dtype, get_backend, require_generator
from ..backend.memory import memory_for
from ..checks import one_of, positive_integer
from ..errors import InputError, shown
from .init import INITIALIZERS
from .mlp import Module

State = tuple[Tensor, ...]  # what a step hands to the next one, each (..., units): h, or h and c


class Recurrent(Module):
    """Base of the recurrent layers.

    Args:
        inputs: the length of what comes in at each step.
        units: the length of h.
        generator: draws the initial weights, those of each gate for itself.
        init, dtype, backend: as of :class:`~minivae.nn.Linear`.

    Attributes:
        weight_ih_l0, weight_hh_l0: W and U of all gates, ``(gates * units, inputs)`` and ``(gates * units, units)``.
        bias_ih_l0, bias_hh_l0: ``(gates * units,)``.
        gates: how many there are, n and g among them.
        states: how many vectors a step hands on.
    """

    gates: int
    states: int

    def __init__(
        self,
        inputs: int,
        units: int,
        generator: Generator,
        *,
        init: str = "glorot",
        dtype: Any = None,
        backend: str | None = None,
    ) -> None:
        initializer = INITIALIZERS[one_of("init", init, INITIALIZERS)]
        inputs, self.units = positive_integer("inputs", inputs), positive_integer("units", units)
        require_generator("generator", generator)
        where, kind = get_backend(backend).name, float_dtype(dtype)
        with memory_for(f"a recurrent layer of {shown(inputs)} inputs and {shown(units)} units", generator.backend):
            drawn = [[initializer(generator, n, units, kind) for _ in range(self.gates)] for n in (inputs, units)]
            xp = generator.backend.xp
            weights = [xp.concatenate([weight.T for weight, _ in gates]) for gates in drawn]
            biases = [xp.concatenate([bias for _, bias in gates]) for gates in drawn]
        self.weight_ih_l0, self.weight_hh_l0 = (Parameter(asarray(value, backend=where)) for value in weights)
        self.bias_ih_l0, self.bias_hh_l0 = (Parameter(asarray(value, backend=where)) for value in biases)

    def __call__(self, x: Any, state: Any = None) -> tuple[Tensor, State]:
        """h at each step, ``(..., steps, inputs) -> (..., steps, units)``; and the state after the last one.

        Args:
            x: the sequences.
            state: where they begin, ``(h,)`` of the GRU and ``(h, c)`` of the LSTM, each ``(..., units)``; 0 if None.

        Raises:
            InputError: an argument has another shape; or there is no step.
        """
        x = shaped("x", x, self.weight_ih_l0, ..., None, self.weight_ih_l0.shape[1])
        if not x.shape[-2]:
            raise InputError(f"x has shape {x.shape}; expected at least one step, (..., steps, inputs)")
        now, hs = self._begin(state, (*x.shape[:-2], self.units)), []
        of_x = linear(x, swapaxes(self.weight_ih_l0, 0, 1), self.bias_ih_l0)
        recurrent = swapaxes(self.weight_hh_l0, 0, 1)
        for i in range(x.shape[-2]):
            now = self._step(of_x[..., i, :], linear(now[0], recurrent, self.bias_hh_l0), now)
            hs.append(now[0])
        return stack(hs, axis=-2), now

    def _begin(self, state: Any, shape: tuple[int, ...]) -> State:
        if state is None:
            return (constant_like(self.weight_ih_l0, 0.0, shape),) * self.states
        if not isinstance(state, list | tuple) or len(state) != self.states:
            raise InputError(f"state is {shown(state)}; expected {self.states} tensors in a tuple, each {shape}")
        return tuple(shaped(f"state[{i}]", value, self.weight_ih_l0, *shape) for i, value in enumerate(state))

    def _step(self, of_x: Tensor, of_h: Tensor, state: State) -> State:
        """The next state from W x and U h of all gates with their biases, ``(..., gates * units)``."""
        raise NotImplementedError


class GRU(Recurrent):
    """The gated recurrent unit. Arguments as of :class:`Recurrent`; the gates are r, u and n."""

    gates, states = 3, 1

    def _step(self, of_x: Tensor, of_h: Tensor, state: State) -> State:
        """h'."""
        (xr, xu, xn), (hr, hu, hn) = split(of_x, 3, axis=-1), split(of_h, 3, axis=-1)
        u = sigmoid(xu + hu)
        return ((1.0 - u) * tanh(xn + sigmoid(xr + hr) * hn) + u * state[0],)


class LSTM(Recurrent):
    """The long short-term memory. Arguments as of :class:`Recurrent`; the gates are i, f, g and o."""

    gates, states = 4, 2

    def _step(self, of_x: Tensor, of_h: Tensor, state: State) -> State:
        """h' and c'."""
        i, f, g, o = split(of_x + of_h, 4, axis=-1)
        c = sigmoid(f) * state[1] + sigmoid(i) * tanh(g)
        return sigmoid(o) * tanh(c), c
