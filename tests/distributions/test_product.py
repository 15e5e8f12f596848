"""Parts side by side: each is drawn with its own noise, whatever its shape, and their densities are added."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import tensor
from minivae.distributions import LogCosh, Normal, Product, StudentT, SumOfExponentials
from minivae.errors import InputError

L, M = 3, 4


@pytest.fixture
def parts(rng):
    a, b, c, d = (rng.normal(size=(M, n)) for n in (2, 3, 1, 2))
    return [Normal(a, a * 0.3), SumOfExponentials(5, b), LogCosh(c, c), StudentT(d, d, np.ones_like(d))]


def test_each_part_is_drawn_with_its_own_noise(parts):
    both = Product(parts)
    generator = backend.generator(0)
    start = generator.state
    noise = both.draw_noise(generator, (L,))
    assert noise.shape == (L, *both.noise_shape)
    generator.state = start
    own = [part.draw_noise(generator, (L,)) for part in parts]
    expected = np.concatenate([part.transform(e).numpy() for part, e in zip(parts, own, strict=True)], -1)
    np.testing.assert_array_equal(both.transform(noise).numpy(), expected)
    assert both.shape == (M, 8)


def test_log_p_and_entropy_are_sums_and_the_mean_is_end_to_end(parts):
    parts = parts[:2]
    both = Product(parts)
    x = np.abs(np.random.default_rng(1).normal(size=(L, M, 5)))
    expected = parts[0].log_prob(x[..., :2]).numpy() + parts[1].log_prob(x[..., 2:]).numpy()
    np.testing.assert_allclose(both.log_prob(x).numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(both.entropy().numpy(), sum(part.entropy().numpy() for part in parts), rtol=1e-12)
    np.testing.assert_array_equal(both.mean.numpy(), np.concatenate([part.mean.numpy() for part in parts], -1))


def test_parts_of_other_batches_are_refused():
    with pytest.raises(InputError, match="parts have batches of shapes"):
        Product([Normal(tensor(np.zeros((2, 3))), 0.0), Normal(tensor(np.zeros((4, 3))), 0.0)])
