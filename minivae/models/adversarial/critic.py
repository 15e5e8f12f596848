"""The critic, which is trained beside a model: a network, what it says of draws, and its phase of a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...autodiff import Tensor, stop_gradient
from ...backend import Generator
from ...nn import MLP
from ...regularizers import critic_loss, density_ratio, fooling_loss
from ..phase import Phase

BETAS = (0.5, 0.999)  # decay rates of Adam: Radford et al. 2016, "Unsupervised representation learning", section 4


class Critic(MLP):
    """Tells draws of one distribution from those of another, by two logits after layers of leaky ReLUs.

    Args:
        inputs: the length of a draw.
        hidden: sizes of the hidden layers.
        generator: draws the initial weights.
        lr, betas: the step size and the decay rates of its Adam.
        options: of the model's networks; the activation and the initial weights are the critic's own.
    """

    def __init__(
        self,
        inputs: int,
        hidden: Sequence[int],
        generator: Generator,
        *,
        lr: float,
        betas: tuple[float, float] = BETAS,
        **options: Any,
    ) -> None:
        options |= {"activation": "leaky_relu", "init": "he"}
        super().__init__((inputs, *hidden, 2), generator, **options)
        self.optimizer = "adam", {"lr": lr, "betas": betas}

    def ratio(self, x: Any) -> Tensor:
        """log D(x) / (1 - D(x)), its estimate of the log of the densities' ratio: ``(M, inputs)`` -> ``(M,)``."""
        return density_ratio(self(x))

    def fooled(self, x: Any) -> Tensor:
        """-log D(x), on average over ``(M, inputs)``: what draws of the second kind cost by which it is not fooled."""
        return fooling_loss(self(x))

    def phase(self, first: Any, second: Any) -> Phase:
        """The phase that trains it: to say 0 of draws of the first kind and 1 of the second, ``(M, inputs)`` each.

        The draws are held, so that its gradient reaches nothing that they come from.
        """
        loss = critic_loss(self(stop_gradient(first)), self(stop_gradient(second)))
        return Phase(loss, self.parameters(), {"critic": loss}, optimizer=self.optimizer)
