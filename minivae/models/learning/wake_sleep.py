"""Wake-sleep (Hinton, Dayan, Frey & Neal 1995), which section 5 of the paper compares with AEVB.

Two phases for each minibatch, with the encoder, decoder and prior of the VAE:

    wake:   z ~ q(z|x) for the data x;      the decoder raises log p(x|z) + log p(z)
    sleep:  z ~ p(z), x ~ p(x|z), a dream;  the encoder raises log q(z|x)

The sleep phase minimises KL(p(z|x) || q(z|x)) on dreams, not KL(q(z|x) || p(z|x)) on the
data: together the phases follow no single objective, the drawback that section 4 names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ...autodiff import mean, no_grad
from ...backend import Generator
from ...checks import positive_integer
from ..phase import Batch, Phase, noise_for
from ..vae import VAE


class WakeSleep(VAE):
    """The paper's model, trained by wake-sleep.

    Args:
        estimator: of the bound that is reported, "A" (Eq. 6) as in the authors' code, or
            "B"; what is learnt is the same.
        data_dim, latent_dim, hidden, options: see :class:`VAE`.
    """

    minimises = "D - log p(z) by theta; -log q(z|x) on dreams by phi"
    source = "Hinton et al. 1995, Science 268"
    no_kl = "neither of its phases is trained by the KL"

    def __init__(
        self,
        data_dim: int,
        latent_dim: int = 20,
        hidden: Sequence[int] = (500,),
        *,
        estimator: Literal["A", "B"] = "A",
        **options: Any,
    ) -> None:
        super().__init__(data_dim, latent_dim, hidden, estimator=estimator, **options)

    def phases(self, batch: Batch, noise: Any) -> list[Phase]:
        """The wake phase, which trains the decoder, and the sleep phase, which trains the encoder.

        Both take the weights as they are before the step.

        Args:
            batch: the data.
            noise: a generator, or a dict of "z", epsilon of the codes of the data, ``(L, M, latent_dim)``; "dream_z",
                the dreamt codes, N(0, I), ``(M, latent_dim)``; and "dream_x", noise of p(x|z), ``(M, data_dim)``:
                uniform for bits, N(0, I) for a Gaussian.
        """
        epsilon, dream_z, dream_x = noise_for(("z", "dream_z", "dream_x"), noise)
        dreams = {"dream_z": dream_z, "dream_x": dream_x}
        return [self.wake(batch, epsilon), self.sleep(batch.x.shape[0], dreams)]

    def wake(self, batch: Batch, noise: Any) -> Phase:
        """Minus the bound: by the decoder's weights its gradient is that of -log p(x|z) - log p(z).

        The rest of the bound, log q(z|x) or the KL, holds none of them.
        """
        (whole,) = super().phases(batch, noise)
        return whole._replace(parameters=self.decoder.parameters())

    def sleep(self, dreams: int, noise: Any) -> Phase:
        """Minus log q(z|x), averaged over so many dreams: x is drawn from p(x|z), never its mean.

        ``noise`` is a generator, or a dict of "dream_z" and "dream_x".
        """
        positive_integer("dreams", dreams)
        noise_z, noise_x = noise_for(("dream_z", "dream_x"), noise)
        with no_grad():
            z = self.prior().sample(noise_z, dreams if isinstance(noise_z, Generator) else None)
            x = self.likelihood(z).sample(noise_x)
        loss = -mean(self.posterior(x).log_prob(z))
        return Phase(loss, self.encoder.parameters(), {"sleep": loss})
