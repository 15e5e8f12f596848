"""The temporal difference VAE: beliefs about a state at two times of a sequence, each held to the other.

    z_2 ~ p_B(z|b_2),  z_1 ~ q(z_1|z_2, b_1, b_2),    b_t what an LSTM makes of x_1, ..., x_t
    minimises  -log p_D(x_2|z_2) - log p_B(z_1|b_1) - log p_T(z_2|z_1) + log p_B(z_2|b_2) + log q(z_1|z_2, b_1, b_2)

Gregor et al. 2019, "Temporal difference variational auto-encoder", arXiv 1806.03107, section 4, with one layer of z
where the paper's moving digits have two. The times are drawn with z, ``samples`` of them for each data point: t_2 = t_1
+ delta, delta from 1 to ``jumps`` (by default 1; 4 for the paper's moving digits) and told to q and p_T; t_1 from 0,
before the first step, where b is 0, so that sequences can be drawn from nothing, too.

Changes the loss of :mod:`.state_space`, where the networks are: it is of two times, and no bound on log p(x). For delta
= 1 minus the loss is on average at most log p(x_2|x_1, ..., x_{t_1}), which p_B, p_T and p_D define. If p_B is the
exact belief of a model and q its exact smoothing, it is that at every draw.
"""

from __future__ import annotations

from typing import Any

from ...autodiff import (
    Tensor,
    arange,
    astype,
    equal,
    expand_dims,
    floor,
    matmul,
    mean,
    reshape,
    split,
    standard_normal,
    swapaxes,
    uniform,
)
from ...autodiff.shape import shaped
from ...backend import Generator
from ..phase import Batch, Phase, noise_for
from .state_space import StateSpaceVAE


class TDVAE(StateSpaceVAE):
    """The VAE of a state that moves, learned from pairs of times. Arguments as of :class:`StateSpaceVAE`."""

    minimises = "log q(z1|z2,b)/p_B(z1|b1) + log p_B(z2|b2)/p_T(z2|z1) - log p_D(x2|z2)"
    source = "Gregor et al. 2019, arXiv 1806.03107"
    no_kl = "its loss has no KL from a prior, but two differences between beliefs"

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """One phase; ``objective`` is of x_2 alone, and what makes it up are means of :meth:`differences`.

        ``noise``: a generator, or a dict of "times", u in [0, 1) for delta and t_1, ``(L, M, 2)``, and "z".
        """
        x = self._points(batch)
        of_times, of_z = noise_for(("times", "z"), noise)
        drawn = isinstance(of_times, Generator)
        shape = self.samples, len(x), 2
        u = uniform(of_times, shape, x.dtype) if drawn else shaped("times", of_times, x, None, *shape[1:])
        delta = floor(u[..., 0] * self.jumps) + 1.0
        first = floor(u[..., 1] * (self.sequence_length + 1.0 - delta))
        log_p, smoothing, transition = map(mean, self.differences(x, first, delta, of_z))
        loss = smoothing + transition - log_p
        terms = {"reconstruction": log_p, "smoothing": smoothing, "transition": transition}
        return [Phase(loss, self.parameters(), terms).with_loss(loss)]

    def differences(self, x: Any, first: Any, delta: Any, noise: Any) -> tuple[Tensor, Tensor, Tensor]:
        """What the loss is made of, each ``(L, M)``, in nats.

        Args:
            x: ``(M, data_dim)``, model values.
            first, delta: t_1 and t_2 - t_1 of each draw, whole numbers, ``(L, M)``.
            noise: a generator, or epsilon of z_2 and z_1 side by side, ``(L, M, 2 state_dim)``.

        Returns:
            log p_D(x_2|z_2), log q(z_1|z_2, b_1, b_2) - log p_B(z_1|b_1), and log p_B(z_2|b_2) - log p_T(z_2|z_1).
        """
        b = self.beliefs(x)
        first = shaped("first", first, b, None, len(b))
        delta, shape = shaped("delta", delta, b, *first.shape), (*first.shape, 2 * self.state_dim)
        if isinstance(noise, Generator):
            noise = standard_normal(noise, shape, b.dtype)
        of_z2, of_z1 = split(shaped("noise", noise, b, *shape), 2, axis=-1)
        b1, b2, jump = _at(b, first), _at(b, first + delta), self._one_hot(delta)
        z2, log_belief = self.belief(b2).sample_with_log_prob(of_z2)
        z1, log_q = self.smoothing(z2, b1, b2, jump).sample_with_log_prob(of_z1)
        x2 = _at(reshape(self._vectors("x", x, "data_dim"), (len(b), self.sequence_length, -1)), first + delta - 1.0)
        smoothing = log_q - self.belief(b1).log_prob(z1)
        return self.decoder(z2).log_prob(x2), smoothing, log_belief - self.transition(z1, jump).log_prob(z2)


def _at(sequences: Tensor, place: Tensor) -> Tensor:
    """Steps of sequences: of ``(M, steps, length)`` at ``(L, M)``, ``(L, M, length)``."""
    steps = arange(sequences.shape[1], like=place)
    chosen = astype(equal(expand_dims(swapaxes(place, 0, 1), -1), steps), sequences.dtype)
    return swapaxes(matmul(chosen, sequences), 0, 1)
