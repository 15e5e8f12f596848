"""The hyperspherical VAE: codes are directions, and so no centre draws them together.

    p(z) uniform on the sphere |z| = 1 in R^m,    q(z|x) = vMF(mu(x), kappa(x)), kappa = softplus(.) + 1
    minimises  D + R,    R = kappa A + log C_m(kappa) + log |S|,  A = I_(m/2)(kappa) / I_(m/2 - 1)(kappa)

Davidson, Falorsi, De Cao, Kipf & Tomczak 2018, "Hyperspherical variational auto-encoders", arXiv 1804.00891, Eq. 7 to
9 and Algorithm 1. Changes posterior and prior. m is ``latent_dim``: z has so many numbers, and one dimension less. R
does not depend on mu. Draws are accepted or rejected, with a probability that depends on kappa, of which the path
through them knows nothing: the loss has a term of value 0 whose gradient is the missing part, the paper's g_cor,
beside the mean of the minibatch's other values (:func:`~minivae.bounds.with_rejections`). Published code leaves it
out, and evaluates with another kappa than it trains with, softplus without the 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import bounds
from ...autodiff import Tensor, absolute, any, greater, norm, softplus, squeeze
from ...backend import Generator
from ...distributions import UniformOnSphere, VonMisesFisher, kl
from ...distributions.von_mises_fisher import OFF
from ...errors import InputError
from ...nn import Linear
from ...nn.mlp import HiddenLayers
from ..vae import VAE


class DirectionMLP(HiddenLayers):
    """x -> a von Mises-Fisher distribution, kappa = softplus(.) + 1. Arguments as of :class:`~minivae.nn.MLP`."""

    mean: Linear
    concentration: Linear

    def __init__(self, inputs: int, hidden: Sequence[int], outputs: int, generator: Generator, **options: Any) -> None:
        super().__init__(inputs, hidden, {"mean": outputs, "concentration": 1}, generator, **options)

    def __call__(self, x: Any) -> VonMisesFisher:
        """``(..., inputs)`` -> a distribution over the unit vectors of ``(..., outputs)``."""
        h = self.hidden(x)
        return VonMisesFisher(self.mean(h), softplus(squeeze(self.concentration(h), -1)) + 1.0)


class HypersphericalVAE(VAE):
    """The VAE whose z is a unit vector.

    Args:
        latent_dim: m, how many numbers z has; at least 2.
        data_dim, hidden, others: see :class:`VAE`.
    """

    minimises = "D + R, R of a von Mises-Fisher distribution to the uniform one"
    source = "Davidson et al. 2018, arXiv 1804.00891"
    fixed = ("estimator",)
    no_free_bits = "its KL is no sum over latent dimensions, which depend on each other"
    on_sphere = True

    def __init__(self, data_dim: int, latent_dim: int = 20, hidden: Sequence[int] = (500,), **others: Any) -> None:
        super().__init__(data_dim, latent_dim, hidden, **others)

    def build(self, noise: Generator, options: dict[str, Any]) -> None:
        """The encoder of a direction and a concentration; the VAE's decoder."""
        if self.latent_dim < 2:
            raise InputError(f"latent_dim is {self.latent_dim}; expected at least 2: z is a direction")
        self.encoder = DirectionMLP(self.data_dim, self.hidden, self.latent_dim, noise, **options)
        self.decoder = self.make_decoder(self.latent_dim, noise, options)

    def posterior(self, x: Any, context: Any = None) -> VonMisesFisher:
        """q(z|x)."""
        return self.encoder(self.features(x))

    def prior(self, context: Any = None) -> UniformOnSphere:
        """p(z), uniform on the sphere."""
        return UniformOnSphere(self.latent_dim, self.encoder.first_parameter())

    def bound_and_draws(
        self, x: Any, noise: Any, context: Any = None, samples: int | None = None
    ) -> tuple[bounds.Bound, Tensor]:
        """See :meth:`VAE.bound_and_draws`; of the reconstruction the gradient is that of a draw with rejections."""
        x = self._vectors("x", x, "data_dim")
        q = self.posterior(x)
        z, log_ratio = q.sample_with_log_ratio(self.noise(q, noise, samples))
        log_likelihood = bounds.with_rejections(self.likelihood(z).log_prob(x), log_ratio)
        return bounds.sgvb_b(log_likelihood, kl(q, self.prior())), z

    def decode(self, z: Any, context: Any = None) -> Tensor:
        """The means of p(x|z), ``(M, data_dim)``, in the data's own units.

        Raises:
            InputError: a z is not of length 1: there is no such code.
        """
        lengths = norm(self._vectors("z", z, "latent_dim"), axis=-1)
        if bool(any(greater(absolute(lengths - 1.0), OFF))):
            wrong = lengths.numpy().ravel()
            wrong = float(wrong[abs(wrong - 1).argmax()])
            raise InputError(
                f"z of a {type(self).__name__} has a row of length {wrong:.4g}; expected directions, |z| = 1"
            )
        return super().decode(z)
