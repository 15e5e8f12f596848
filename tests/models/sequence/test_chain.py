"""A chain of Gaussians, forwards and backwards, against SciPy's densities and the moments of what it draws."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from minivae import backend
from minivae.autodiff import tensor
from minivae.distributions import Normal
from minivae.models.sequence.chain import Chain

from ...chance import assert_moments

LAST, B, D = 3, 5, 2


def chain(backwards=False):
    """z_i = 0.5 z_j + i + 1 + N(0, (i + 1) / 4), from N(2, 1)."""
    first = Normal(np.full((B, D), 2.0), 0.0)
    step = lambda z, i: Normal(z * 0.5 + (i + 1.0), np.log((i + 1) / 4))  # noqa: E731
    return Chain(first, step, LAST, backwards=backwards)


@pytest.mark.parametrize("backwards", [False, True])
def test_the_density_is_that_of_each_state_given_the_one_before(backwards, rng):
    z = rng.normal(size=(5, B, (LAST + 1) * D))
    states = z.reshape(5, B, LAST + 1, D)
    order = [3, 2, 1, 0] if backwards else [0, 1, 2, 3]
    expected = stats.norm.logpdf(states[:, :, order[0]], 2.0, 1.0)
    for before, i in pairwise(order):
        expected = expected + stats.norm.logpdf(states[:, :, i], states[:, :, before] / 2 + i + 1, np.sqrt((i + 1) / 4))
    np.testing.assert_allclose(chain(backwards).log_prob(tensor(z)).numpy(), expected.sum(-1), rtol=1e-12)


@pytest.mark.parametrize("backwards", [False, True])
def test_draws_have_their_moments_and_their_own_density(backwards):
    p = chain(backwards)
    assert p.shape == p.noise_shape == (B, (LAST + 1) * D)
    z, log_p = p.sample_with_log_prob(backend.generator(0), 4000)
    np.testing.assert_allclose(p.log_prob(z).numpy(), log_p.numpy(), rtol=1e-10)
    order = [3, 2, 1, 0] if backwards else [0, 1, 2, 3]
    mean, variance = {order[0]: 2.0}, {order[0]: 1.0}
    for before, i in pairwise(order):
        mean[i], variance[i] = mean[before] / 2 + i + 1, variance[before] / 4 + (i + 1) / 4
    for i in order:
        draws = z.numpy()[..., D * i : D * (i + 1)]
        assert_moments(draws.reshape(4000, -1), mean[i], variance[i])
        np.testing.assert_allclose(p.mean.numpy()[:, D * i : D * (i + 1)], mean[i], rtol=1e-12)
