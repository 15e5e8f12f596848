"""The variational auto-encoder of the paper (section 3, App. C).

    p(z) = N(0, I)                            the prior
    q(z|x) = N(mu(x), diag sigma^2(x))        the encoder, Eq. 9 and 12
    p(x|z)                                    the decoder: Bernoulli, Eq. 11, or Gaussian, Eq. 12
    z_l = mu + sigma * eps_l, eps_l ~ N(0, I) the reparameterization, section 2.4

Training maximises a lower bound on log p(x) per data point: estimator B, Eq. 7, which is
Eq. 10 here, or estimator A, Eq. 6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from .. import bounds
from ..autodiff import Parameter, Tensor, as_tensor, sigmoid, softplus
from ..backend import Generator, generator
from ..checks import layer_sizes, one_of, positive_integer, positive_number, switch
from ..datasets.domain import REAL, UNIT
from ..distributions import Bernoulli, Delta, Distribution, Normal, StandardNormal, kl
from ..errors import InputError, shown
from ..nn import MLP, Linear, Module
from ..nn.mlp import HiddenLayers
from .likelihood_options import VARIANCE_OF, options_of
from .likelihoods import LIKELIHOODS, Likelihood, require_likelihood
from .model import Model
from .own import is_own, name_in
from .phase import Batch, Phase

# The least log-variance of a density over x: that of the rounding error of a pixel stored in
# 256 steps, (1/256)^2 / 12. A density on rounded data has no upper bound, so without a floor
# the variance of an almost constant pixel would shrink for ever. It is for data in [0, 1], or
# of variance 1.
LOG_VAR_FLOOR = -2 * math.log(256) - math.log(12)


class GaussianMLP(HiddenLayers):
    """Eq. 12: h = tanh(W3 x + b3); mu = W4 h + b4; log sigma^2 = W5 h + b5.

    Args:
        inputs, hidden, outputs: sizes; ``hidden`` may name any number of layers.
        generator: draws the initial weights.
        sigmoid_mean: pass mu through a sigmoid, as the paper does for Frey Face.
        log_var_floor: keep log sigma^2 above this, smoothly: floor + softplus(. - floor),
            which is the identity well above the floor and never stops the gradient.
        variance: sigma^2, the same for every output; learned if None.
        variance_of: what a learned sigma^2 is of: "point", a function of the input as in Eq. 12;
            "column", one for each output; "all", one for all.
        options: ``activation`` of the hidden layers and options of ``Linear``.
    """

    mean: Linear
    log_var: Linear | Parameter | float
    domain = REAL

    def __init__(
        self,
        inputs: int,
        hidden: Sequence[int],
        outputs: int,
        generator: Generator,
        *,
        sigmoid_mean: bool = False,
        log_var_floor: float | None = None,
        variance: float | None = None,
        variance_of: str = "point",
        **options: Any,
    ) -> None:
        of_point = variance is None and one_of("variance_of", variance_of, VARIANCE_OF) == "point"
        heads = {"mean": outputs, "log_var": outputs} if of_point else {"mean": outputs}
        super().__init__(inputs, hidden, heads, generator, **options)
        if variance is not None:
            self.log_var = math.log(positive_number("variance", variance))
        elif not of_point:
            self.log_var = Parameter(self.mean.bias._data[: outputs if variance_of == "column" else 1] * 0)
        self.sigmoid_mean, self.log_var_floor = sigmoid_mean, log_var_floor

    def __call__(self, x: Any) -> Normal:
        """``(..., inputs)`` -> a Gaussian over ``(..., outputs)``."""
        h = self.hidden(x)
        mu = sigmoid(self.mean(h)) if self.sigmoid_mean else self.mean(h)
        if isinstance(self.log_var, int | float):
            return Normal(mu, self.log_var)
        log_var = self.log_var(h) if isinstance(self.log_var, Linear) else self.log_var
        if self.log_var_floor is not None:
            log_var = softplus(log_var - self.log_var_floor) + self.log_var_floor
        return Normal(mu, log_var)


class BernoulliMLP(Module):
    """Eq. 11: y = sigmoid(W2 tanh(W1 z + b1) + b2). Arguments as of :class:`GaussianMLP`."""

    domain = UNIT

    def __init__(self, inputs: int, hidden: Sequence[int], outputs: int, generator: Generator, **options: Any) -> None:
        self.logits = MLP((inputs, *hidden, outputs), generator, **options)

    def __call__(self, z: Any) -> Bernoulli:
        """``(..., inputs)`` -> bits over ``(..., outputs)``."""
        return Bernoulli(self.logits(z))


DECODERS: dict[str, type[Module]] = {"bernoulli": BernoulliMLP, "gaussian": GaussianMLP, **LIKELIHOODS}


class VAE(Model):
    """The paper's model, with its two likelihoods and its two estimators.

    A variant overrides one of the methods: ``build`` for other networks, ``posterior``,
    ``prior`` or ``likelihood`` for other distributions, ``estimate`` for another bound, or
    ``phases`` for what is added to it.

    Args:
        data_dim: the length of x.
        latent_dim: the length of z (the paper's N_z).
        hidden: the encoder's hidden layers; the decoder has them in reverse.
        likelihood: p(x|z): bernoulli (Eq. 11) for data in [0, 1], gaussian (Eq. 12), laplace, log-cosh or student-t for
            real data, poisson, negative-binomial or zero-inflated (that with more zeros) for counts, categorical for
            numbers of categories, discretized-logistic for pixels of 8 bits; or a class of your own, derived from
            minivae.models.likelihoods.Likelihood.
        sigmoid_mean: Gaussian means in (0, 1), as for Frey Face.
        variance: of the Gaussian likelihood, fixed; learned if None.
        variance_of: what a learned Gaussian variance is of: point, for each x_i by z; column; all.
        log_var_floor: what the log-variance of a density over x is kept above, in model values.
        categories: K, of the categorical likelihood.
        estimator: B (Eq. 7, gradients of less variance) or A (Eq. 6).
        samples: L, draws of z for each data point.
        activation: of the hidden layers.
        init: of the weights; "paper" draws them from N(0, 0.01^2).
        seed: of the initial weights; the same on every backend.
        dtype, backend: of the parameters.

    Raises:
        InputError: an argument is out of its range, named with what came.
    """

    minimises = "D + R"
    source = "Kingma & Welling 2014, arXiv 1312.6114"
    no_kl = ""

    def __init__(
        self,
        data_dim: int,
        latent_dim: int = 20,
        hidden: Sequence[int] = (500,),
        *,
        likelihood: Literal[
            "bernoulli",
            "gaussian",
            "laplace",
            "log-cosh",
            "student-t",
            "poisson",
            "negative-binomial",
            "zero-inflated",
            "categorical",
            "discretized-logistic",
        ]
        | type[Likelihood] = "bernoulli",
        sigmoid_mean: bool = False,
        variance: float | None = None,
        variance_of: Literal["point", "column", "all"] = "point",
        log_var_floor: float = LOG_VAR_FLOOR,
        categories: int | None = None,
        estimator: Literal["A", "B"] = "B",
        samples: int = 1,
        activation: str = "tanh",
        init: str = "glorot",
        seed: int = 0,
        dtype: Any = None,
        backend: str | None = None,
    ) -> None:
        self.data_dim = positive_integer("data_dim", data_dim)
        self.latent_dim = positive_integer("latent_dim", latent_dim)
        self.hidden = layer_sizes("hidden", hidden)
        self.samples = self.draws = positive_integer("samples", samples)
        self.estimator = one_of("estimator", estimator, ("A", "B"))
        switch("sigmoid_mean", sigmoid_mean)
        name, self._decoder = decoder_of(likelihood)
        own = {"sigmoid_mean": sigmoid_mean, "variance": variance, "variance_of": variance_of, "categories": categories}
        self._decoder_options = options_of(name, log_var_floor, **own)
        self.remember(data_dim=self.data_dim, latent_dim=self.latent_dim, hidden=self.hidden)
        self.remember(likelihood=name, log_var_floor=log_var_floor, **own)
        self.remember(estimator=estimator, samples=self.samples, activation=activation, init=init)
        options = {"activation": activation, "init": init, "dtype": dtype, "backend": backend}
        self.build(generator(seed, "numpy"), options)
        self.domain = UNIT if sigmoid_mean else self.decoder.domain

    def build(self, noise: Generator, options: dict[str, Any]) -> None:
        """Make the networks: the encoder, then the decoder. ``noise`` draws their weights."""
        self.encoder = GaussianMLP(self.data_dim, self.hidden, self.latent_dim, noise, **options)
        self.decoder = self.make_decoder(self.latent_dim, noise, options)

    def make_decoder(self, inputs: int, noise: Generator, options: dict[str, Any], outputs: int | None = None) -> Any:
        """The network of p(x|z) for so many inputs; of a part of x, for so many outputs."""
        layers = (inputs, self.hidden[::-1], outputs or self.data_dim, noise)
        return self._decoder(*layers, **self._decoder_options, **options)  # pyright: ignore[reportCallIssue]

    def posterior(self, x: Any, context: Any = None) -> Distribution:
        """q(z|x), Eq. 9: ``(..., data_dim)`` -> a Gaussian over ``(..., latent_dim)``."""
        return self.encoder(self.features(x))

    def likelihood(self, z: Any, context: Any = None) -> Distribution:
        """p(x|z), Eq. 11 or 12: ``(..., latent_dim)`` -> a distribution over ``(..., data_dim)``."""
        return self.decoder(self._vectors("z", z, "latent_dim"))

    def prior(self, context: Any = None) -> Distribution:
        """p(z) = N(0, I)."""
        return StandardNormal(self.latent_dim, self.encoder.first_parameter())

    def bound(self, x: Any, noise: Any, context: Any = None, samples: int | None = None) -> bounds.Bound:
        """The estimated lower bound on log p(x) of each data point, and its terms, in nats.

        Args:
            x: ``(M, data_dim)``, in the data's own units.
            noise: a generator, or epsilon itself, ``(L, M, latent_dim)``.
            context: ``(M, context_dim)``, for a model that is told one.
            samples: L; the model's own by default. With explicit noise its first axis says.

        Raises:
            InputError: ``x`` or the noise has another shape, or ``x`` values that the likelihood has not; or the
                posterior is a point.
        """
        return self.bound_and_draws(self.prepared(x), noise, context, samples)[0]

    def bound_and_draws(
        self, x: Any, noise: Any, context: Any = None, samples: int | None = None
    ) -> tuple[bounds.Bound, Tensor]:
        """The bound of model values ``x``, and the draws z that estimate it, ``(L, M, latent_dim)``."""
        x = self._vectors("x", x, "data_dim")
        q, p = self.posterior(x, context), self.prior(context)
        if isinstance(q, Delta):  # neither estimator has a log q(z|x) then
            raise InputError(f"{type(self).__name__} has no bound by draws, as its z is a point; phases has its terms")
        epsilon = self.noise(q, noise, samples)
        if self.estimator == "B":
            z = q.sample(epsilon)
            return bounds.sgvb_b(self.likelihood(z, context).log_prob(x), kl(q, p)), z
        z, log_q = q.sample_with_log_prob(epsilon)
        return self.estimate(self.likelihood(z, context).log_prob(x), p.log_prob(z), log_q), z

    def estimate(self, log_likelihood: Tensor, log_prior: Tensor, log_posterior: Tensor) -> bounds.Bound:
        """The bound from log p(x|z), log p(z) and log q(z|x) at draws of z, each ``(L, M)``: estimator A."""
        return bounds.sgvb_a(log_likelihood, log_prior, log_posterior)

    def noise(self, q: Distribution, noise: Any, samples: int | None = None) -> Tensor:
        """The noise of L draws from ``q``: drawn with a generator, or as it is given, of the right shape."""
        if isinstance(noise, Generator):
            return q.draw_noise(noise, (self.samples if samples is None else positive_integer("samples", samples),))
        return _checked_noise(noise, q)

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """One phase: minus the bound, averaged over the minibatch (Eq. 8 divided by N)."""
        terms = self.bound_and_draws(self._points(batch), noise, batch.context)[0].terms()
        return [Phase(-terms["bound"], self.parameters(), terms)]


def decoder_of(likelihood: Any) -> tuple[str, type[Module]]:
    """A likelihood's name, as a run stores it, and its class, from either.

    The name of a user's own is not looked up here, as that would run its code (:mod:`minivae.models.own`).

    Raises:
        InputError: there is none of that name, or a class is no likelihood.
    """
    if is_own(likelihood):
        wanted = likelihood.rpartition(":")[2]
        raise InputError(
            f"likelihood is {shown(likelihood)}, code of your own, which only you can start; expected its class, "
            f"likelihood={wanted} in Python, or that it is said again: --likelihood {likelihood}"
        )
    if isinstance(likelihood, type):
        if likelihood not in DECODERS.values():
            require_likelihood(likelihood)
        return name_in(DECODERS, likelihood), likelihood
    return likelihood, DECODERS[one_of("likelihood", likelihood, DECODERS)]


def _checked_noise(noise: Any, q: Distribution) -> Tensor:
    # Noise of any shape that broadcasts would be shared between data points or samples.
    noise = as_tensor(noise, q.like, "noise")
    if noise.shape[1:] != q.noise_shape:
        expected = ", ".join(map(str, ("L", *q.noise_shape)))
        raise InputError(f"noise has shape {noise.shape}; expected (L, M, latent_dim), here ({expected})")
    return noise
