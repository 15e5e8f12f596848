"""What every distribution can do."""

from __future__ import annotations

from typing import Any

from ..autodiff import Tensor
from ..backend import Generator
from ..errors import InputError, positive_integer


class Distribution:
    """Base of the distributions over vectors: the last axis is the event, others are batches.

    A family writes ``draw_noise``, ``transform``, ``log_prob``, ``entropy`` and ``mean``.

    Attributes:
        mean: the expectation, ``(*batch, event)``.
    """

    mean: Tensor

    def sample(self, source: Any, n: int | None = None) -> Tensor:
        """Draw samples by transforming noise (section 2.4), so that noise in is repeatable samples out.

        Args:
            source: the noise itself, as ``draw_noise`` returns it, or a
                :class:`~minivae.backend.Generator` to draw it with.
            n: with a generator, how many samples of each; they come as a new first
                axis. None draws one, without that axis.

        Returns:
            ``(n, *batch, event)`` or ``(*batch, event)``.

        Raises:
            InputError: ``n`` beside explicit noise, or not a positive integer.
        """
        return self.transform(self._noise(source, n))

    def sample_with_log_prob(self, source: Any, n: int | None = None) -> tuple[Tensor, Tensor]:
        """What :meth:`sample` gives, and its log_prob, which some families know at less cost from the noise."""
        x = self.sample(source, n)
        return x, self.log_prob(x)

    def _noise(self, source: Any, n: int | None) -> Any:
        if isinstance(source, Generator):
            return self.draw_noise(source, () if n is None else (positive_integer("n", n),))
        if n is not None:
            raise InputError(f"n is {n!r} beside explicit noise; the noise's own shape says how many")
        return source

    def draw_noise(self, generator: Generator, lead: tuple[int, ...] = ()) -> Tensor:
        """Noise of shape ``(*lead, *batch, event)`` from the base distribution."""
        raise NotImplementedError

    def transform(self, noise: Any) -> Tensor:
        """The sample that the noise stands for: the function g of section 2.4."""
        raise NotImplementedError

    def log_prob(self, x: Any) -> Tensor:
        """log p(x) in nats, summed over the event axis: shape ``(..., *batch)``."""
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """The entropy in nats, summed over the event axis: shape ``batch``."""
        raise NotImplementedError
