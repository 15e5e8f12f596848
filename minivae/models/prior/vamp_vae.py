"""The VampPrior: p(z) is a mixture of posteriors, of inputs that are learned.

    p(z) = (1/K) sum_k q(z|u_k)
    minimises  -log p(x|z) - log p(z) + log q(z|x), z drawn from q(z|x)

Tomczak & Welling 2018, "VAE with a VampPrior", arXiv 1705.07120, Eq. 9. The prior that is best for the bound is the
average of q(z|x) over the data, which has too many components; here it is that over K pseudo-inputs, so that the
encoder is trained as a part of the prior, too. Changes the prior, whose KL has no closed form (estimator A). With the
data themselves as pseudo-inputs, K = N, it is that average. One component is drawn for all elements of z.

Pseudo-inputs go through a clip to what x can be, as in the authors' code; they begin in its middle half, if it has
two ends, where the authors begin at means below 0, whose gradient is cut off, or with data.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ...autodiff import Parameter, Tensor, clip
from ...backend import Generator, asarray, float_dtype, get_backend
from ...checks import positive_integer
from ...datasets.domain import UNIT
from ...distributions import Mixture
from ..vae import VAE


class VampVAE(VAE):
    """The VAE whose prior is a mixture of its own posteriors.

    Args:
        components: K, how many pseudo-inputs there are.
        data_dim, latent_dim, hidden, others: see :class:`VAE`.

    Attributes:
        inputs: what the pseudo-inputs are before the clip, ``(K, data_dim)``, in model values.
    """

    minimises = "-log p(x|z) + log q(z|x) - log mean_k q(z|u_k)"
    source = "Tomczak & Welling 2018, arXiv 1705.07120"
    fixed = ("estimator",)
    no_free_bits = "its prior is a mixture, whose KL is no sum over dimensions"

    def __init__(
        self,
        data_dim: int,
        latent_dim: int = 20,
        hidden: Sequence[int] = (500,),
        *,
        components: int = 500,
        **others: Any,
    ) -> None:
        self.components = positive_integer("components", components)
        super().__init__(data_dim, latent_dim, hidden, estimator="A", **others)
        self.remember(components=self.components)

    def build(self, noise: Generator, options: dict[str, Any]) -> None:
        """The VAE's networks, and the pseudo-inputs."""
        super().build(noise, options)
        shape, dtype = (self.components, self.data_dim), float_dtype(options["dtype"])
        domain = UNIT if self._decoder_options.get("sigmoid_mean") else self.decoder.domain
        if math.isfinite(domain.high):
            drawn = domain.low + (domain.high - domain.low) * (0.25 + 0.5 * noise.uniform(shape, dtype))
        else:
            drawn = noise.standard_normal(shape, dtype)
            drawn = abs(drawn) if math.isfinite(domain.low) else drawn
        self.inputs = Parameter(asarray(drawn.astype(dtype), backend=get_backend(options["backend"]).name))

    def pseudo_inputs(self) -> Tensor:
        """u, ``(K, data_dim)``: values that x can have."""
        low, high = (end if math.isfinite(end) else None for end in (self.domain.low, self.domain.high))
        return self.inputs if low is high is None else clip(self.inputs, low, high)

    def prior(self, context: Any = None) -> Mixture:
        """p(z) = (1/K) sum_k q(z|u_k)."""
        return Mixture(self.posterior(self.pseudo_inputs()))  # pyright: ignore[reportArgumentType]
