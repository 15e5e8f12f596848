"""The generative adversarial network: a decoder that learns from a critic, without an encoder.

    generator:  minimises  -log D(G(z)),    z from N(0, I),    D(x) = P(x is data)
    critic:     1/2 CE(data -> 0) + 1/2 CE(G(z) -> 1)

Goodfellow et al. 2014, "Generative adversarial nets", arXiv 1406.2661, Algorithm 1 with one step of the critic, and the
generator's "non-saturating" loss of their section 3. The critic's loss is half of their Eq. 1, so that it is log 2
where data and G(z) cannot be told apart; then -log D is log 2 as well. The run's optimizer trains the generator, an
Adam of its own the critic; both take their gradients from the same draws of z. Radford et al. 2016 train both by Adam
with a step size of 2e-4 and a first decay rate of 0.5.

Neither loss says how good the samples are, and x = G(z) is a point: there is no p(x|z), no bound and no log p(x); and
no q(z|x), so that x has no code and no reconstruction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from ...autodiff import sigmoid
from ...backend import generator
from ...checks import layer_sizes, positive_integer, positive_number, switch
from ...datasets.domain import REAL, UNIT
from ...distributions import Delta, StandardNormal
from ...errors import InputError
from ...nn import MLP
from ..model import Model
from ..phase import Batch, Phase, prior_draws
from .critic import Critic


class GAN(Model):
    """A network that makes draws of N(0, I) into data that a critic cannot tell from the given ones.

    Args:
        data_dim: the length of x.
        latent_dim: the length of z.
        hidden: the generator's hidden layers.
        sigmoid_output: whether G(z) is in (0, 1), for data in [0, 1]; else it is any number, for real data.
        critic_hidden: the critic's hidden layers, with leaky ReLUs.
        critic_lr: the step size of the critic's Adam, whose first decay rate is 0.5.
        activation: of the generator's hidden layers.
        init: of its weights.
        seed: of the initial weights; the same on every backend.
        dtype, backend: of the parameters.
    """

    minimises = "-log D(G(z)) by a critic of x"
    source = "Goodfellow et al. 2014, arXiv 1406.2661"
    no_kl = "its objective has no KL"
    no_codes = "it has no encoder"
    no_density = "whose x is a point where z is known"
    no_log_likelihood = "a GAN has no encoder, and its x is a point where z is known"

    def __init__(
        self,
        data_dim: int,
        latent_dim: int = 20,
        hidden: Sequence[int] = (500,),
        *,
        sigmoid_output: bool = True,
        critic_hidden: Sequence[int] = (500, 500),
        critic_lr: float = 2e-4,
        activation: str = "relu",
        init: str = "glorot",
        seed: int = 0,
        dtype: Any = None,
        backend: str | None = None,
    ) -> None:
        self.data_dim = positive_integer("data_dim", data_dim)
        self.latent_dim = positive_integer("latent_dim", latent_dim)
        self.hidden, critic_hidden = layer_sizes("hidden", hidden), layer_sizes("critic_hidden", critic_hidden)
        self.sigmoid_output = switch("sigmoid_output", sigmoid_output)
        critic_lr = positive_number("critic_lr", critic_lr)
        self.remember(data_dim=self.data_dim, latent_dim=self.latent_dim, hidden=self.hidden)
        self.remember(sigmoid_output=sigmoid_output)
        self.remember(critic_hidden=critic_hidden, critic_lr=critic_lr, activation=activation, init=init)
        noise, options = generator(seed, "numpy"), {"dtype": dtype, "backend": backend}
        layers = (self.latent_dim, *self.hidden, self.data_dim)
        self.generator = MLP(layers, noise, activation=activation, init=init, **options)
        self.critic = Critic(self.data_dim, critic_hidden, noise, lr=critic_lr, **options)
        self.domain = UNIT if sigmoid_output else REAL

    def likelihood(self, z: Any, context: Any = None) -> Delta:
        """The point G(z): ``(..., latent_dim)`` -> ``(..., data_dim)``."""
        x = self.generator(self._vectors("z", z, "latent_dim"))
        return Delta(sigmoid(x) if self.sigmoid_output else x)

    def prior(self, context: Any = None) -> StandardNormal:
        """p(z) = N(0, I)."""
        return StandardNormal(self.latent_dim, self.generator.first_parameter())

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """Two phases: the generator, then the critic. ``noise``: a generator, or draws of z, ``(M, latent_dim)``."""
        x = self._points(batch)
        made = self.likelihood(prior_draws(self.prior(), len(x), noise)).mean
        fooled = self.critic.fooled(made)
        terms = {"objective": -fooled, "adversarial": fooled}
        return [Phase(fooled, self.generator.parameters(), terms), self.critic.phase(x, made)]

    def posterior(*_: Any, **__: Any) -> NoReturn:
        """Refused: there is no encoder."""
        raise InputError("GAN has no encoder: no posterior, codes, reconstruction or bound, but sample(generator, n)")

    bound = bound_and_draws = posterior
