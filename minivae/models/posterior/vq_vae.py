"""The vector-quantised VAE: codes from a learnt list.

    z_e = E(x);  k = argmin_k |z_e - e_k|^2 for each code;  z_q = e_k
    minimises  D(z_q) + |sg z_e - e_k|^2 + beta |z_e - sg e_k|^2    (sg: held, no gradient)

van den Oord, Vinyals & Kavukcuoglu 2017, "Neural discrete representation learning", arXiv
1711.00937, Eq. 3; distances are summed over codes and elements and averaged over the
minibatch, as D is. The decoder's gradient by z_q goes to z_e as it is (straight through). If
``ema``, the list follows running means of the codes near it instead of the second term (App. A.1).

Changes posterior and prior. With p(k) uniform, q(z|x) a point: R = num_codes log K, and -D - R bounds log p(x).
Samples are decoded from uniform codes; the paper fits p(k) afterwards (``autoregressive-prior``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ... import bounds
from ...autodiff import Tensor, argmax, constant_like, expand_dims, log, mean, reshape, square, stop_gradient, sum
from ...backend import Generator
from ...checks import decay_rate, number_from_zero, positive_integer
from ...distributions import Delta, Distribution, Entries, UniformCodes
from ...nn import MLP, Codebook
from ..phase import Batch, Phase
from ..vae import VAE


class VQVAE(VAE):
    """The VAE whose z is a row of entries of a learnt list.

    Args:
        num_codes: how many entries make a z.
        entries: the length of the list (K).
        code_dim: the length of an entry.
        commitment: beta.
        ema: the list follows running means; else it is trained by gradient.
        decay, revival: of the running means: their memory, and below which share of use an entry starts anew.
        data_dim, hidden, others: see :class:`VAE`.
    """

    minimises = "D(e_k) + |sg z - e|^2 + beta |z - sg e|^2"
    source = "van den Oord et al. 2017, arXiv 1711.00937"
    no_kl = "the KL of its codes is a constant"
    fixed = ("latent_dim", "estimator", "samples")
    no_log_likelihood = "the codes of a VQ-VAE are points, so that importance samples would all be the same one"

    def __init__(
        self,
        data_dim: int,
        hidden: Sequence[int] = (500,),
        *,
        num_codes: int = 16,
        entries: int = 64,
        code_dim: int = 4,
        commitment: float = 0.25,
        ema: bool = True,
        decay: float = 0.99,
        revival: float = 0.05,
        **others: Any,
    ) -> None:
        self.num_codes, self.code_dim = positive_integer("num_codes", num_codes), positive_integer("code_dim", code_dim)
        self.num_categories = positive_integer("entries", entries)
        self.commitment = number_from_zero("commitment", commitment)
        self.list_options = {"ema": ema, "decay": decay_rate("decay", decay), "revival": decay_rate("revival", revival)}
        super().__init__(data_dim, self.num_codes * self.code_dim, hidden, samples=1, **others)
        self.draws = 0  # z_q is a point
        self.remember(num_codes=self.num_codes, entries=self.num_categories, code_dim=self.code_dim)
        self.remember(commitment=self.commitment, **self.list_options)

    def build(self, noise: Generator, options: dict[str, Any]) -> None:
        """An encoder of codes, the VAE's decoder, and the list."""
        self.encoder = MLP((self.data_dim, *self.hidden, self.latent_dim), noise, **options)
        self.decoder = self.make_decoder(self.latent_dim, noise, options)
        where = {name: options[name] for name in ("dtype", "backend")}
        self.codebook = Codebook(self.num_categories, self.code_dim, noise, **self.list_options, **where)

    def quantize(self, x: Any) -> tuple[Tensor, Tensor]:
        """z_e, ``(..., num_codes, code_dim)``, and which entry is nearest, one-hot ``(..., num_codes, K)``."""
        z = self.encoder(self.features(x))
        z = reshape(z, *z.shape[:-1], self.num_codes, self.code_dim)
        return z, self.codebook.nearest(z)

    def codes(self, x: Any) -> Tensor:
        """k of each code, ``(M, num_codes)`` integers."""
        return argmax(self.quantize(self.prepared(x))[1], axis=-1)

    def drawn_codes(self, x: Any, noise: Any) -> tuple[Tensor, Tensor, float]:
        """k of each code of model values, one-hot end to end, ``(1, M, num_codes * K)``; z_q; the entropy, 0."""
        chosen = expand_dims(self.quantize(x)[1], 0)
        return _flat(chosen), _flat(chosen @ self.codebook.entries), 0.0

    def prior_of(self, codes: Distribution) -> Entries:
        """p(z) if the one-hot codes have that distribution."""
        return Entries(self.codebook.entries, codes)

    def posterior(self, x: Any, context: Any = None) -> Delta:
        """The point z_q."""
        return Delta(_flat(self.quantize(x)[1] @ self.codebook.entries))

    def prior(self, context: Any = None) -> UniformCodes:
        """Each entry of the list as likely, for each code."""
        return UniformCodes(self.codebook.entries, self.num_codes)

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """One phase. No noise is drawn."""
        x = self._points(batch)
        z, chosen = self.quantize(x)
        e = chosen @ self.codebook.entries
        codebook = mean(sum(square(stop_gradient(z) - e), axis=(-2, -1)))
        commitment = mean(sum(square(z - stop_gradient(e)), axis=(-2, -1)))
        straight_through = z + stop_gradient(e - z)  # the losses come first: after it z - e would be 0
        log_likelihood = self.likelihood(_flat(straight_through)).log_prob(x)
        kl = constant_like(log_likelihood, self.prior().code_entropy, log_likelihood.shape)
        terms = bounds.sgvb_b(expand_dims(log_likelihood, 0), kl).terms()
        loss = commitment * self.commitment - terms["reconstruction"]
        loss = loss if self.codebook.ema else loss + codebook
        means = {"shares": mean(reshape(chosen, -1, self.num_categories), axis=0)}
        phase = Phase(loss, self.parameters(), terms, self.codebook.moved(z, chosen), means=means)
        return [phase.with_loss(loss, codebook=codebook, commitment=commitment, **self.of_means(means))]

    def of_means(self, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Entropy of the entries' shares, in nats: log K if all are used equally, low by (K - 1) / 2n for n codes."""
        return {"code_entropy": -sum(means["shares"] * log(means["shares"] + 1e-10))}  # 0 log 0 is 0


def _flat(z: Tensor) -> Tensor:
    """``(..., num_codes, code_dim)`` -> ``(..., num_codes * code_dim)``."""
    return reshape(z, *z.shape[:-2], -1)
