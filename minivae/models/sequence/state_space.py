"""A VAE of whole sequences: its code is a state for each step, and one before the first.

    b_t = LSTM(x_1, ..., x_t), b_0 = 0;  belief p_B(z_t|b_t),  smoothing q(z_t|z_{t+1}, b_t, b_{t+1}),  p_T(z_t|z_{t-1})
    p(z) = p_B(z_0|0) prod_t p_T(z_t|z_{t-1}),    p(x|z) = prod_t p_D(x_t|z_t)
    q(z|x) = p_B(z_T|b_T) prod_t q(z_t|z_{t+1}, b_t, b_{t+1})

What follows x_1, ..., x_t is drawn from the belief there, step by step. Smoothing and transition may be over several
steps, and are told over how many.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...autodiff import Tensor, arange, astype, concatenate, constant_like, equal, expand_dims, no_grad, reshape, split
from ...backend import Generator, require_generator
from ...checks import divisor, integer_from_zero, positive_integer
from ...distributions import Product
from ...errors import InputError
from ...nn import LSTM, MLP
from ..vae import VAE
from .chain import Chain
from .d_block import DBlock


class StateSpaceVAE(VAE):
    """The VAE of a state that moves.

    Args:
        sequence_length: T, the steps of a data point; its values are those of one step after the other.
        state_dim: the length of z_t, the state at a step.
        units: of b, and of the layer before each Gaussian of a state.
        jumps: the most steps that smoothing and transition are over, of which there are T.
        samples: L, draws for each data point, each at times of its own.
        hidden: layers between a step and the LSTM; the decoder has them in reverse.
        data_dim, others: see :class:`VAE`.
    """

    fixed = ("latent_dim", "estimator")

    def __init__(
        self,
        data_dim: int,
        hidden: Sequence[int] = (50,),
        *,
        sequence_length: int,
        state_dim: int = 12,
        units: int = 50,
        jumps: int = 1,
        samples: int = 10,
        **others: Any,
    ) -> None:
        self.sequence_length = divisor("sequence_length", sequence_length, positive_integer("data_dim", data_dim))
        self.state_dim, self.units = positive_integer("state_dim", state_dim), positive_integer("units", units)
        self.jumps = min(positive_integer("jumps", jumps), self.sequence_length)
        z = self.state_dim * (self.sequence_length + 1)
        super().__init__(data_dim, z, hidden, samples=samples, estimator="A", **others)
        self.remember(sequence_length=self.sequence_length, state_dim=self.state_dim, units=self.units, jumps=jumps)

    def build(self, noise: Generator, options: dict[str, Any]) -> None:
        """The LSTM and the layers before it; belief, smoothing and transition; the decoder of a step."""
        d, units, length = self.state_dim, self.units, self.data_dim // self.sequence_length
        plain = {name: value for name, value in options.items() if name != "activation"}
        self.before_memory = MLP((length, *self.hidden), noise, activate_last=True, **options)
        self.memory = LSTM((length, *self.hidden)[-1], units, noise, **plain)
        self.belief = DBlock(units, units, d, noise, **plain)
        self.smoothing = DBlock(d + 2 * units + self.jumps, units, d, noise, **plain)
        self.transition = DBlock(d + self.jumps, units, d, noise, **plain)
        self.decoder = self.make_decoder(d, noise, options, length)

    def beliefs(self, x: Any) -> Tensor:
        """b_0, ..., b_T, ``(..., data_dim) -> (..., T + 1, units)``."""
        x = self.features(x)
        b, _ = self.memory(self.before_memory(reshape(x, (*x.shape[:-1], self.sequence_length, -1))))
        return concatenate([constant_like(b, 0.0, (*b.shape[:-2], 1, b.shape[-1])), b], axis=-2)

    def _one_hot(self, delta: Any) -> Tensor:
        """Numbers of steps, as smoothing and transition are told them: ``(...) -> (..., jumps)``."""
        return astype(equal(expand_dims(delta, -1), arange(1, self.jumps + 1, like=delta)), delta.dtype)

    def posterior(self, x: Any, context: Any = None) -> Chain:
        """q(z|x): the last belief, and from there backwards."""
        b = self.beliefs(x)
        one = self._one_hot(constant_like(b, 1.0, ()))
        step = lambda z, i: self.smoothing(z, b[..., i, :], b[..., i + 1, :], one)  # noqa: E731
        return Chain(self.belief(b[..., -1, :]), step, self.sequence_length, backwards=True)

    def prior(self, context: Any = None) -> Chain:
        """p(z): the belief before the first step, and from there on."""
        none = constant_like(self.first_parameter(), 0.0, (self.units,))
        one = self._one_hot(constant_like(none, 1.0, ()))
        return Chain(self.belief(none), lambda z, _: self.transition(z, one), self.sequence_length)

    def likelihood(self, z: Any, context: Any = None) -> Product:
        """p(x|z), of each step by its state; z_0 has none."""
        states = split(self._vectors("z", z, "latent_dim"), self.sequence_length + 1, axis=-1)
        return Product([self.decoder(state) for state in states[1:]])

    def rollout(self, x: Any, seen: int, generator: Generator) -> Tensor:
        """Sequences as they may go on: the means of p(x_t|z_t), ``(M, data_dim)``, in the data's own units.

        Args:
            x: ``(M, data_dim)``, in the data's own units.
            seen: of how many steps they are looked at. There z_t is the mean of the belief; what comes then begins
                with a draw from the last belief.
            generator: draws states.

        Raises:
            InputError: there are not so many steps, or an argument is of a wrong kind.
        """
        require_generator("generator", generator)
        if integer_from_zero("seen", seen) > self.sequence_length:
            raise InputError(f"seen is {seen}; expected at most {self.sequence_length}, the steps of a sequence")
        with no_grad():
            b = self.beliefs(self.prepared(x))
            one = self._one_hot(constant_like(b, 1.0, ()))
            z = self.belief(b[..., seen, :]).sample(generator)
            states = [self.belief(b[..., i, :]).mean for i in range(seen + 1)]
            for _ in range(self.sequence_length - seen):
                z = self.transition(z, one).sample(generator)
                states.append(z)
            return self.decode(concatenate(states, axis=-1))
