"""What is timed: one training step of the paper's model, in several sizes.

Every contender does the same work in a step, in float32:

1. gather a minibatch of M rows of the data set, which is resident as uint8, and scale it to [0, 1];
2. h = tanh(... tanh(x W + b)) (one or more hidden layers), mu = h W + b, log_var = h W + b;
3. z = mu + exp(log_var / 2) * epsilon, with epsilon ~ N(0, I) drawn inside the step;
4. the decoder's hidden layers, the same in reverse, and its likelihood:
   "bernoulli": log p(x|z) = sum x logits - softplus(logits), with logits = h W + b;
   "gaussian": log N(x; sigmoid(h W + b), exp(s)), with s = floor + softplus(h W + b - floor);
5. loss = mean over the minibatch of KL(q(z|x) || N(0, I)) - log p(x|z), with the KL in closed form;
6. its gradients with respect to all weights and biases;
7. Adam (step size 0.001, betas 0.9 and 0.999, eps 1e-8 outside the bias-corrected root);
8. the loss, which is read at the end of each timed sample of at least five steps, as training
   loops report it now and then: what computes it only when it is asked for may.

The pixels are random bytes of the right shape, so that nothing needs to be downloaded: a
step takes as long with them as with pictures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # the harness stays small, as its children's peak memory starts from its own
    import numpy as np

LR = 1e-3
# The least log-variance of a Gaussian decoder, as minivae has it: see minivae/models/vae.py.
LOG_VAR_FLOOR = -2 * math.log(256) - math.log(12)


class Layer(NamedTuple):
    """An affine layer, ``(inputs, outputs)``, and whether z or its distribution is at one end of it."""

    inputs: int
    outputs: int
    latent: bool


@dataclass(frozen=True)
class Case:
    """A model, a minibatch and a data set by their sizes.

    Attributes:
        name: as on the command line.
        data_dim, hidden, latent_dim: lengths of x, of the encoder's hidden layers, and of z.
        batch_size: M.
        likelihood: "bernoulli" or "gaussian".
        rows: of the data set.
        scale: pixels are divided by it.
    """

    name: str
    data_dim: int
    hidden: tuple[int, ...]
    latent_dim: int
    batch_size: int
    likelihood: str = "bernoulli"
    rows: int = 60_000
    scale: float = 255.0

    def __str__(self) -> str:
        sizes = "-".join(map(str, (self.data_dim, *self.hidden, self.latent_dim)))
        return f"{sizes} {self.likelihood.capitalize()}, batch {self.batch_size}"

    @property
    def encoder(self) -> list[Layer]:
        """The hidden layers, then mu, then log_var."""
        return [*_chain((self.data_dim, *self.hidden), False), *[Layer(self.hidden[-1], self.latent_dim, True)] * 2]

    @property
    def decoder(self) -> list[Layer]:
        """The hidden layers, then the logits, or the mean and then the log-variance."""
        first, *others = self.hidden[::-1]
        outputs = 2 if self.likelihood == "gaussian" else 1
        hidden = [Layer(self.latent_dim, first, True), *_chain((first, *others), False)]
        return [*hidden, *[Layer(self.hidden[0], self.data_dim, False)] * outputs]

    def images(self) -> np.ndarray:
        """The data set, ``(rows, data_dim)`` uint8."""
        return _random(0).integers(0, 256, (self.rows, self.data_dim), "uint8")

    def weights(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Weight ``(inputs, outputs)`` and bias of each layer, encoder first, from Glorot's distribution."""
        random = _random(1)
        pairs = []
        for layer in (*self.encoder, *self.decoder):
            limit = math.sqrt(6 / (layer.inputs + layer.outputs))
            weight = (random.random((layer.inputs, layer.outputs), "float32") * 2 - 1) * limit
            pairs.append((weight.astype("float32"), random.random(layer.outputs, "float32") * 0))
        return pairs

    def minibatches(self) -> np.ndarray:
        """The rows of each minibatch of an epoch, ``(rows // batch_size, batch_size)``."""
        count = self.rows // self.batch_size
        return _random(2).permutation(self.rows)[: count * self.batch_size].reshape(count, self.batch_size)

    def noise(self, steps: int) -> np.ndarray:
        """Noise for so many steps, ``(steps, batch_size, latent_dim)``, to compare contenders exactly."""
        return _random(3).standard_normal((steps, self.batch_size, self.latent_dim), "float32")


CASES = {
    case.name: case
    for case in (
        Case("digits", 64, (64,), 8, 100, rows=1_437),
        Case("frey", 560, (200,), 10, 100, "gaussian", rows=1_768, scale=256.0),
        Case("mnist-100", 784, (500,), 20, 100),
        Case("mnist-1000", 784, (500,), 20, 1000),
        Case("wide", 784, (2000,), 50, 1000),
    )
}


def _chain(sizes: tuple[int, ...], latent: bool) -> list[Layer]:
    return [Layer(inputs, outputs, latent) for inputs, outputs in pairwise(sizes)]


def _random(seed: int) -> np.random.Generator:
    import numpy as np

    return np.random.default_rng(seed)
