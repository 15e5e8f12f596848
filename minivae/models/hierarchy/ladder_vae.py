"""The ladder VAE: L levels of latent variables, with NVAE's parts on perceptrons.

    p(z) = p(z_1) prod_l p(z_l | z_<l),    q(z|x) = prod_l q(z_l | z_<l, x),    z_1 on top, p(z_1) = N(0, I)
    q(z_l | z_<l, x) = N(mu_p + dmu, sigma_p^2 dsigma^2)
    minimises  D + sum_l KL_l + lambda sum_i s_i,    KL_l = 1/2 sum (dmu^2 / sigma_p^2 + dsigma^2 - log dsigma^2 - 1)

Vahdat & Kautz 2020, "NVAE: A deep hierarchical variational autoencoder", arXiv 2007.03898, Eq. 1 and 2: the residual
posterior, spectral regularization (s_i is the largest singular value of a layer's weights, lambda 0.01) and KL
balancing (App. A); without convolution, batch normalization and flows. The top-down pass that p and q share is of
Sønderby et al. 2016, "Ladder variational autoencoders", arXiv 1602.02282. Changes posterior, prior and loss. Each KL_l
is in closed form given the z above, drawn from q: estimator B at every level. L = 1 and lambda = 0 is the VAE.

z is all levels end to end, the top first. Both papers raise the KL's weight from 0 over the first part of a run:
``--kl-warmup``. There, and only there, levels pay gamma_l KL_l, balanced (:mod:`minivae.regularizers.balance`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial, reduce
from typing import Any

from ... import bounds
from ...autodiff import Tensor, add, less, mean, stack, sum, where
from ...backend import Generator
from ...checks import number_from_zero, positive_integer, switch
from ...distributions.hierarchy import Descent, Hierarchy
from ...errors import InputError
from ...nn import Linear, SpectralNorms
from ...regularizers import kl_balance
from ..phase import Batch, Phase
from ..vae import VAE
from .networks import BottomUpMLP, TopDownMLP


class LadderVAE(VAE):
    """The VAE with a hierarchy of latent variables.

    Args:
        levels: L, among which the elements of z are shared out evenly, or one more to the lowest.
        balance: whether levels with a small KL pay less for it while its weight is below 1 (kl_warmup).
        spectral: lambda, on the sum of the largest singular values of all weights.
        latent_dim: the length of all levels together.
        data_dim, hidden, others: see :class:`VAE`; states between levels are as long as the last hidden layer.

    Attributes:
        lengths: of z_1, ..., z_L.
    """

    minimises = "D + sum_l R_l + lambda sum_i s_i"
    source = "Vahdat & Kautz 2020, arXiv 2007.03898"
    no_free_bits = "its KL is no sum over dimensions of q(z|x) and p(z), but one given draws of the levels above"
    fixed = ("estimator",)

    def __init__(
        self, data_dim: int, latent_dim: int = 20, hidden: Sequence[int] = (500,), *, levels: int = 2,
        balance: bool = True, spectral: float = 0.01, **others: Any,
    ) -> None:  # fmt: skip
        whole, count = positive_integer("latent_dim", latent_dim), positive_integer("levels", levels)
        if count > whole:
            raise InputError(f"levels is {count}; expected at most latent_dim, {whole}: each level has an element of z")
        self.lengths = [(whole + i) // count for i in range(count)]
        self.balance, self.spectral = switch("balance", balance), number_from_zero("spectral", spectral)
        super().__init__(data_dim, latent_dim, hidden, estimator="B", **others)
        self.remember(levels=count, balance=self.balance, spectral=self.spectral)

    def build(self, noise: Generator, options: dict[str, Any]) -> None:
        """The networks from the bottom up and from the top down; the VAE's decoder on what is below all levels."""
        width = self.hidden[-1] if self.hidden else self.latent_dim
        self.encoder = BottomUpMLP(self.data_dim, self.hidden, self.lengths, width, noise, **options)
        self.down = TopDownMLP(self.lengths, width, noise, **options)
        self.decoder = self.make_decoder(self.down.outputs, noise, options)
        if self.spectral:
            placed = {name: options[name] for name in ("dtype", "backend")}
            self.norms = SpectralNorms([weight.shape for weight in self.weights()], noise, **placed)

    def weights(self) -> list[Tensor]:
        """The matrices of all layers."""
        return [module.weight for module in self.modules() if isinstance(module, Linear)]

    def posterior(self, x: Any, context: Any = None) -> Hierarchy:
        """q(z|x): ``(..., data_dim)`` -> a distribution over ``(..., latent_dim)``."""
        features = self.encoder(self.features(x))
        return Hierarchy(self.down, features[0], partial(self.encoder.offsets, features), features[0].shape[:-1])

    def prior(self, context: Any = None) -> Hierarchy:
        """p(z), from the top down."""
        return Hierarchy(self.down, self.encoder.first_parameter())

    def likelihood(self, z: Any, context: Any = None) -> Any:
        """p(x|z)."""
        return self.decoder(self.down(self._vectors("z", z, "latent_dim")))

    def bound_and_draws(
        self, x: Any, noise: Any, context: Any = None, samples: int | None = None
    ) -> tuple[bounds.Bound, Tensor]:
        """The bound of model values ``x``, and the draws z that estimate it."""
        bound, _, descent = self._by_level(x, noise, samples)
        return bound, descent.z

    def _by_level(self, x: Any, noise: Any, samples: int | None = None) -> tuple[bounds.Bound, list[Tensor], Descent]:
        """The bound; KL_l of each level, averaged over the draws, ``(M,)``; and the pass that drew them."""
        x = self._vectors("x", x, "data_dim")
        q = self.posterior(x)
        descent = q.drawn(self.noise(q, noise, samples))
        kls = [kl if kl.ndim == 1 else mean(kl, axis=0) for kl in descent.kls()]
        return bounds.sgvb_b(self.decoder(descent.state).log_prob(x), reduce(add, kls)), kls, descent

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """One phase: minus the bound, and the singular values."""
        return [self._phase(batch, noise)]

    def phases_at(self, batch: Batch, noise: Any, weight: Tensor) -> list[Phase]:
        """The same with the KL's part times ``weight``, and balanced while that is below 1."""
        return [self._phase(batch, noise, weight)]

    def _phase(self, batch: Batch, noise: Any, weight: Tensor | None = None) -> Phase:
        bound, kls, _ = self._by_level(self._points(batch), noise)
        by_level = stack([mean(kl) for kl in kls])
        terms = bound.terms() | {f"kl_{i + 1}": by_level[i] for i in range(len(kls))}
        phase = Phase(loss := -terms["bound"], self.parameters(), terms)
        if weight is not None:
            shares = where(less(weight, 1.0), kl_balance(by_level, self.lengths), 1.0) if self.balance else 1.0
            loss = sum(by_level * shares) * weight - terms["reconstruction"]
        if self.spectral:
            values, moved = self.norms(self.weights())
            total = reduce(add, values)
            phase = phase._replace(assignments=moved, terms={**terms, "spectral": total})
            loss = loss + total * self.spectral
        return phase if loss is phase.loss else phase.with_loss(loss)
