"""The Gaussian likelihood with a fixed variance."""

import math

import numpy as np
import pytest

from minivae import backend
from minivae.errors import InputError
from minivae.models import VAE
from minivae.models.vae import GaussianMLP

from .kinds import DATA_DIM, HIDDEN, LATENT_DIM, M, data


def test_a_fixed_variance_is_that_of_every_pixel_and_has_no_weights(rng):
    model = VAE(DATA_DIM, LATENT_DIM, HIDDEN, likelihood="gaussian", variance=0.3, dtype="float64")
    p = model.likelihood(rng.normal(size=(M, LATENT_DIM)))
    assert float(p.log_var) == pytest.approx(math.log(0.3))
    assert not [name for name in model.state_dict() if name.startswith("decoder.log_var")]
    x = data(rng)
    expected = -0.5 * (((x - p.mean.numpy()) ** 2 / 0.3).sum(-1) + DATA_DIM * math.log(2 * math.pi * 0.3))
    np.testing.assert_allclose(p.log_prob(x).numpy(), expected, rtol=1e-12)
    assert model.config["variance"] == 0.3


def test_a_variance_of_bits_or_not_above_zero_is_refused():
    with pytest.raises(InputError, match=r"variance is 0\.3 with the bernoulli likelihood"):
        VAE(DATA_DIM, variance=0.3)
    for none in (0, 0.0, -1):
        with pytest.raises(InputError, match=f"variance is {none}; expected a finite number above 0"):
            VAE(DATA_DIM, likelihood="gaussian", variance=none)
        with pytest.raises(InputError, match=f"variance is {none}; expected a finite number above 0"):
            GaussianMLP(2, (3,), 4, backend.generator(0), variance=none)
        with pytest.raises(InputError, match=f"variance is {none} with the bernoulli likelihood"):
            VAE(DATA_DIM, variance=none)


@pytest.mark.parametrize(("of", "count"), [("column", DATA_DIM), ("all", 1)])
def test_a_learned_variance_of_columns_or_of_all_begins_at_1(of, count):
    """However the weights begin."""
    decoder = VAE(DATA_DIM, LATENT_DIM, HIDDEN, likelihood="gaussian", variance_of=of, init="paper").decoder
    assert decoder.mean.bias.numpy().any()
    np.testing.assert_array_equal(decoder.log_var.numpy(), np.zeros(count))
