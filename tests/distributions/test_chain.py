"""Two variables as one vector: densities against SciPy, moments of samples, gradients."""

import numpy as np
import pytest
from scipy import stats

from minivae import backend
from minivae.autodiff import Parameter, tensor
from minivae.distributions import Normal, StandardNormal
from minivae.distributions.chain import Chain
from minivae.errors import InputError
from minivae.gradcheck import check_gradients

from ..chance import assert_moments

M, A, B, L = 4, 2, 3, 5


def chain(rng, last_first=False, batch=True):
    """b given a is N(a W + c, s^2)."""
    weight, mean = rng.normal(size=(A, B)), rng.normal(size=(M, A))
    first = Normal(mean, np.full((M, A), 0.4)) if batch else StandardNormal(A, tensor(np.zeros(1)))
    return Chain(first, lambda a: Normal(a @ weight + 0.3, -0.7), B, (M,), last_first=last_first), weight, mean


@pytest.mark.parametrize("last_first", [False, True])
@pytest.mark.parametrize("batch", [False, True])
def test_its_density_is_the_product(rng, last_first, batch):
    p, weight, mean = chain(rng, last_first, batch)
    a, b = rng.normal(size=(L, M, A)), rng.normal(size=(L, M, B))
    of_a = (mean, np.exp(0.2)) if batch else (0, 1)
    expected = stats.norm.logpdf(a, *of_a).sum(-1) + stats.norm.logpdf(b, a @ weight + 0.3, np.exp(-0.35)).sum(-1)
    x = np.concatenate([b, a] if last_first else [a, b], axis=-1)
    np.testing.assert_allclose(p.log_prob(x).numpy(), expected, rtol=1e-12)
    assert p.shape == (M, A + B)


@pytest.mark.parametrize("last_first", [False, True])
def test_samples_have_its_density_and_repeat_with_their_noise(rng, last_first):
    p, _, _ = chain(rng, last_first)
    noise = p.draw_noise(backend.generator(0), (L,))
    x, log_p = p.sample_with_log_prob(noise)
    assert noise.shape == x.shape == (L, M, A + B)
    np.testing.assert_allclose(log_p.numpy(), p.log_prob(x).numpy(), rtol=1e-10)
    np.testing.assert_array_equal(p.sample(noise).numpy(), x.numpy())
    with pytest.raises(InputError, match="noise has shape"):
        p.sample(np.zeros((M, A)))


def test_moments(rng):
    p, weight, mean = chain(rng)
    x = p.sample(backend.generator(1), 4000).numpy()[:, 0]
    variance = np.exp(0.4)
    expected = np.concatenate([mean[0], mean[0] @ weight + 0.3])
    spread = np.concatenate([np.full(A, variance), variance * (weight**2).sum(0) + np.exp(-0.7)])
    for i in range(A + B):
        assert_moments(x[:, i], expected[i], spread[i])
    np.testing.assert_allclose(p.mean.numpy()[0], expected, rtol=1e-12)  # of a linear one it is the mean


@pytest.mark.parametrize("last_first", [False, True])
def test_a_first_of_a_smaller_batch_is_repeated(rng, last_first):
    """In the mean, and in the sample that one number of noise stands for."""
    p, weight, _ = chain(rng, last_first, batch=False)
    for x, number in ((p.mean, 0.0), (p.sample(0.7), 0.7)):
        a = np.full((M, A), number)
        b = a @ weight + 0.3 + number * np.exp(-0.35)
        np.testing.assert_allclose(x.numpy(), np.concatenate([b, a] if last_first else [a, b], axis=-1), rtol=1e-12)


def test_gradients(rng):
    weight, x = Parameter(rng.normal(size=(A, B))), rng.normal(size=(M, A + B))

    def f(weight, mean, x):
        return Chain(Normal(mean, np.zeros((M, A))), lambda a: Normal(a @ weight, a @ weight * 0.1), B).log_prob(x)

    check_gradients(f, [weight, Parameter(rng.normal(size=(M, A))), Parameter(x)], order=2)
