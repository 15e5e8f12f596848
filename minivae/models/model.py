"""What training, evaluation, plotting and the command line know of a model."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..autodiff import Parameter, Tensor, as_tensor, no_grad
from ..backend import Generator
from ..distributions import Distribution
from ..errors import InputError
from ..nn import Module


class Batch(NamedTuple):
    """A minibatch: data ``(M, data_dim)`` and what the model is told beside them."""

    x: Tensor
    context: Any = None


class Objective(NamedTuple):
    """One phase of a training step.

    Attributes:
        loss: 0-d, to be minimised, in nats per data point.
        parameters: what this phase trains.
        parts: named 0-d tensors in nats per data point, unweighted, for the history.
    """

    loss: Tensor
    parameters: list[Parameter]
    parts: dict[str, Tensor]


class Model(Module):
    """Base of the models with a latent variable z: prior p(z), likelihood p(x|z), posterior q(z|x).

    Attributes:
        config: the constructor's arguments that rebuild the model, as JSON can hold them;
            without seed, dtype and library, which belong to a run.
        data_dim, latent_dim: the lengths of x and z.
        needs_unit_interval: whether the likelihood is for data in [0, 1].
    """

    config: dict[str, Any]
    data_dim: int
    latent_dim: int
    needs_unit_interval: bool

    def posterior(self, x: Any, context: Any = None) -> Distribution:
        """q(z|x), the recognition model: for x of shape ``(..., data_dim)``."""
        raise NotImplementedError

    def likelihood(self, z: Any, context: Any = None) -> Distribution:
        """p(x|z), the generative model: for z of shape ``(..., latent_dim)``."""
        raise NotImplementedError

    def prior(self, context: Any = None) -> Distribution:
        """p(z), over vectors of length latent_dim."""
        raise NotImplementedError

    def objectives(self, batch: Batch, noise: Any) -> list[Objective]:
        """The phases of one training step on a minibatch.

        Args:
            batch: the data.
            noise: a generator to draw noise with, or the noise itself.
        """
        raise NotImplementedError

    # What users call; none of it is recorded for differentiation.

    def encode(self, x: Any, context: Any = None) -> Tensor:
        """The posterior means, ``(M, latent_dim)``."""
        with no_grad():
            return self.posterior(x, context).mean

    def decode(self, z: Any, context: Any = None) -> Tensor:
        """The means of p(x|z), ``(M, data_dim)``."""
        with no_grad():
            return self.likelihood(z, context).mean

    def reconstruct(self, x: Any, context: Any = None) -> Tensor:
        """The means of p(x|z) at the posterior means of z: what the code keeps of ``x``."""
        return self.decode(self.encode(x, context), context)

    def sample(self, generator: Generator, n: int, context: Any = None) -> Tensor:
        """``n`` draws of z from the prior, decoded to the means of p(x|z), ``(n, data_dim)``."""
        with no_grad():
            return self.decode(self.prior(context).sample(generator, n), context)

    def _vectors(self, name: str, value: Any, length: str) -> Tensor:
        """``value`` as a tensor over vectors as long as the attribute called ``length``.

        Arrays take the dtype of the model: float64 data would turn all of it to float64.
        """
        vectors = as_tensor(value, like=self.parameters()[0])
        expected = getattr(self, length)
        if vectors.shape[-1:] != (expected,):
            raise InputError(f"{name} has shape {vectors.shape}, but this model was built for {length}={expected}")
        return vectors
