"""The partially importance-weighted auto-encoder: a bound for the decoder, and another for the encoder.

    by theta:  minimises  -log (1/MK) sum w                              (IWAE with all samples)
    by phi:    minimises  -mean over M groups of log (1/K) sum_k w_k     (MIWAE)

Rainforth et al. 2018, "Tighter variational bounds are not necessarily better", section 5.3. Changes the bound, in two
phases on one set of samples: the decoder has the tightest bound that they give, the encoder one whose gradient keeps
its signal. One group (M = 1) is IWAE. The bound that is reported is the decoder's.
"""

from __future__ import annotations

from ... import bounds
from ...autodiff import Tensor
from ..phase import Phase
from .iwae import Densities
from .miwae import MIWAE


class PIWAE(MIWAE):
    """IWAE's bound for the decoder, MIWAE's for the encoder.

    Args:
        groups: M.
        samples: K, importance samples in a group.
        data_dim, latent_dim, hidden, others: see :class:`VAE`.
    """

    minimises = "-log mean_MK w by theta; -mean_M log mean_K w by phi"
    source = "Rainforth et al. 2018, arXiv 1802.04537"
    fixed = ("estimator", "gradient")

    def estimate(self, log_likelihood: Tensor, log_prior: Tensor, log_posterior: Tensor) -> bounds.Bound:
        """The decoder's, of all samples in one group."""
        return bounds.importance_weighted(log_likelihood, log_prior, log_posterior)

    def _phases_of(self, densities: Densities, weight: Tensor | None = None) -> list[Phase]:
        """The decoder's phase, and the encoder's, whose bound is the term ``encoder_bound``."""
        terms = self.estimate(*densities).terms()
        grouped = bounds.importance_weighted(*densities, self.groups).terms()["bound"]
        return [
            Phase(-terms["bound"], self._beside_encoder(), terms),
            Phase(-grouped, self.encoder.parameters(), {"encoder_bound": grouped}),
        ]
