"""The conditional VAE and its kin: what is told beside x (y) reaches the encoder, the prior and maybe the decoder.

    CVAE:  minimises  -log p(x|z, y) + KL(q(z|x, y) || p(z|y))
    CMMA:  minimises  -log p(x|z)    + KL(q(z|x, y) || p(z|y))

Sohn, Lee & Yan 2015, "Learning structured output representation using deep conditional
generative models", Eq. 4 (with p(z) = N(0, I) as an option, which Kingma et al. 2014, "Semi-
supervised learning", Eq. 6, has); Pandey & Dukkipati 2017, "Variational methods for conditional
multimodal deep learning". Changes what the networks see, and the prior. In CMMA all that y says
of x goes through z: its decoder must not see y. A y that never changes leaves the VAE.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...autodiff import Tensor, broadcast_to, concatenate
from ...backend import Generator
from ...checks import positive_integer, switch
from ...distributions import Distribution
from ..vae import VAE, GaussianMLP


class CVAE(VAE):
    """The VAE that is told y: in training the label, one-hot.

    Args:
        context_dim: the length of y.
        learned_prior: whether p(z|y) is a Gaussian of a network; else it is N(0, I).
        data_dim, latent_dim, hidden, others: see :class:`VAE`.

    Attributes:
        decoder_is_told: whether p(x|z, y) depends on y beside z.
    """

    minimises = "-log p(x|z,y) + KL(q(z|x,y) || p(z|y))"
    source = "Sohn et al. 2015, NeurIPS"
    decoder_is_told = True

    def __init__(
        self,
        data_dim: int,
        latent_dim: int = 20,
        hidden: Sequence[int] = (500,),
        *,
        context_dim: int,
        learned_prior: bool = True,
        **others: Any,
    ) -> None:
        self.context_dim = positive_integer("context_dim", context_dim)
        self.learned_prior = switch("learned_prior", learned_prior)
        super().__init__(data_dim, latent_dim, hidden, **others)
        self.remember(context_dim=self.context_dim, learned_prior=learned_prior)

    def build(self, noise: Generator, options: dict[str, Any]) -> None:
        """The VAE's networks with y beside their inputs, and that of the prior."""
        y = self.context_dim
        self.encoder = GaussianMLP(self.data_dim + y, self.hidden, self.latent_dim, noise, **options)
        self.decoder = self.make_decoder(self.latent_dim + y * self.decoder_is_told, noise, options)
        if self.learned_prior:
            self.prior_network = self.make_prior(noise, options)

    def make_prior(self, noise: Generator, options: dict[str, Any]) -> Any:
        """The network of p(z|y)."""
        return GaussianMLP(self.context_dim, self.hidden, self.latent_dim, noise, **options)

    def posterior(self, x: Any, context: Any = None) -> Distribution:
        """q(z|x, y)."""
        return self.encoder(beside(self.features(x), self._told(context)))

    def likelihood(self, z: Any, context: Any = None) -> Distribution:
        """p(x|z, y), or p(x|z)."""
        z = self._vectors("z", z, "latent_dim")
        return self.decoder(beside(z, self._told(context)) if self.decoder_is_told else z)

    def prior(self, context: Any = None) -> Distribution:
        """p(z|y)."""
        return self.prior_network(self._told(context)) if self.learned_prior else super().prior()


class CMMA(CVAE):
    """The conditional VAE whose decoder sees z alone. Arguments as of :class:`CVAE`."""

    minimises = "-log p(x|z) + KL(q(z|x,y) || p(z|y))"
    source = "Pandey & Dukkipati 2017, arXiv 1603.01801"
    decoder_is_told = False


def beside(x: Tensor, context: Tensor) -> Tensor:
    """``(..., M, D)`` and ``(M, C)`` -> ``(..., M, D + C)``: each sample of a data point gets its context."""
    return concatenate([x, broadcast_to(context, (*x.shape[:-1], context.shape[-1]))], axis=-1)
