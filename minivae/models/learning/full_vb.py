"""Full variational Bayes (App. F): distributions over the weights of p(x|z) as well as over z.

    q(theta) = N(m, diag s^2),  theta = m + s * zeta,  zeta ~ N(0, I);  p(theta) = N(0, I)

Algorithm 2 maximises Eq. 24, the lower bound on log p(X) with the weights integrated out:

    sum_i L(x_i; theta) + 1/2 sum (1 + log s^2 - m^2 - s^2)

where L is the VAE's bound with drawn weights. Here it is divided by N, a bound in nats per
data point. The encoder has a point estimate. The paper ran no experiment with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from typing import Any

from ...autodiff import Parameter, Tensor, add, exp, reshape, standard_normal
from ...autodiff.shape import shaped
from ...backend import Generator, xp_of
from ...checks import finite_number, instance, positive_integer, sequence
from ...distributions import Normal, StandardNormal, kl
from ...errors import InputError, shown
from ...nn import Module
from ..phase import Batch, Phase, noise_for
from ..vae import VAE

# Of the first weights: small beside those that are learnt, so that training begins like the VAE's.
FIRST_LOG_VAR = -8.0


class GaussianWeights(Module):
    """q(theta) = N(m, diag s^2) over the parameters of any module, which stays as it is written.

    The module's parameters are the means m. Inside ``with drawn(noise)`` drawn weights stand
    in their places, and whatever is computed with the module has gradients by m and log s^2.

    Args:
        module: what becomes Bayesian.
        log_var: of all weights at first.

    Attributes:
        means: m by name: the module's own parameters.
        log_vars: log s^2, of the shapes of m and in their order.

    Raises:
        InputError: the module has no parameters.
    """

    def __init__(self, module: Module, log_var: float = FIRST_LOG_VAR) -> None:
        instance("module", module, Module, "a Module")
        finite_number("log_var", log_var)
        # In a dict, where a Module does not look for state: the means are the module's.
        self.means = dict(module.named_parameters())
        if not self.means:
            raise InputError("module has no parameters; expected at least one to have a distribution over")
        self._owners = {name: _owner(module, name) for name in self.means}
        self.log_vars = [Parameter(xp_of(m.data).full_like(m.data, log_var)) for m in self.means.values()]

    def draw_noise(self, generator: Generator) -> list[Tensor]:
        """zeta from N(0, I), one tensor for each parameter."""
        return [standard_normal(generator, m.shape, m.dtype) for m in self.means.values()]

    @contextmanager
    def drawn(self, noise: Sequence[Any]) -> Iterator[None]:
        """A ``with`` block in which the module has the weights m + s * zeta.

        Args:
            noise: zeta, as ``draw_noise`` returns it.
        """
        noise = sequence("noise", noise, "a tensor for each parameter")
        if len(noise) != len(self.log_vars):
            raise InputError(f"noise has {len(noise)} tensors, {shown(noise)}; expected {len(self.log_vars)}")
        pairs = enumerate(zip(noise, self.means.values(), strict=True))
        noise = [shaped(f"noise[{i}]", zeta, m, *m.shape) for i, (zeta, m) in pairs]
        for (name, m), log_var, zeta in zip(self.means.items(), self.log_vars, noise, strict=True):
            self._put(name, m + exp(log_var * 0.5) * zeta)
        try:
            yield
        finally:
            for name, m in self.means.items():
                self._put(name, m)

    def kl(self) -> Tensor:
        """KL(q(theta) || N(0, I)) = -1/2 sum (1 + log s^2 - m^2 - s^2), 0-d, in nats."""
        vectors = ((reshape(m, -1), reshape(v, -1)) for m, v in zip(self.means.values(), self.log_vars, strict=True))
        return reduce(add, (kl(Normal(m, v), StandardNormal(m.size, m)) for m, v in vectors))

    def _put(self, name: str, value: Tensor) -> None:
        owner, last = self._owners[name], name.rpartition(".")[2]
        if isinstance(owner, list):
            owner[int(last)] = value
        else:
            setattr(owner, last, value)


class FullVB(VAE):
    """The paper's model with a distribution over the decoder's weights, trained by Algorithm 2.

    Its bound is on log p(X) / N with the weights integrated out; ``encode``, ``decode`` and
    ``sample`` use the means of the weights. One draw of the weights serves a minibatch.

    Args:
        data_dim, latent_dim, hidden, options: see :class:`VAE`.
        dataset_size: N, the number of training points that share the weights.
    """

    minimises = "D + R + KL(q(theta) || p(theta)) / N"
    source = "Kingma & Welling 2014, arXiv 1312.6114, App. F"

    def __init__(
        self,
        data_dim: int,
        latent_dim: int = 20,
        hidden: Sequence[int] = (500,),
        *,
        dataset_size: int,
        **options: Any,
    ) -> None:
        super().__init__(data_dim, latent_dim, hidden, **options)
        self.dataset_size = positive_integer("dataset_size", dataset_size)
        self.config |= {"dataset_size": self.dataset_size}
        self.weights = GaussianWeights(self.decoder)

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """One phase: minus Eq. 24 divided by N.

        Args:
            batch: the data.
            noise: a generator, or a dict of "z", epsilon, and "weights", zeta as
                :meth:`GaussianWeights.draw_noise` gives it.
        """
        epsilon, zeta = noise_for(("z", "weights"), noise)
        with self.weights.drawn(self.weights.draw_noise(zeta) if isinstance(zeta, Generator) else zeta):
            bound = self.bound_and_draws(self._points(batch), epsilon)[0]
        weights_kl = self.weights.kl() * (1 / self.dataset_size)
        terms = bound.terms() | {"weights_kl": weights_kl}
        terms["bound"] = terms["bound"] - weights_kl
        return [Phase(-terms["bound"], self.parameters(), terms)]


def _owner(module: Module, name: str) -> Any:
    """The module or list that holds the tensor of a dotted name."""
    owner: Any = module
    for part in name.split(".")[:-1]:
        owner = owner[int(part)] if isinstance(owner, list | tuple) else getattr(owner, part)
    return owner
