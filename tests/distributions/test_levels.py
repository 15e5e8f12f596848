"""Grey levels and numbers of categories: sums to one, quantiles, gradients, and what is none of them."""

import numpy as np
import pytest
from scipy import stats

from minivae import backend
from minivae.autodiff import backward, tensor
from minivae.distributions import Categories, DiscretizedLogistic
from minivae.distributions.levels import OFF_LEVEL
from minivae.errors import InputError
from minivae.gradcheck import check_gradients

from ..chance import assert_mean

SHAPE = (3, 4)
LEVELS = np.arange(256) / 255


def logistic(rng, dtype="float64"):
    loc, log_scale = rng.uniform(-0.1, 1.1, SHAPE), rng.normal(-3, 1, SHAPE)
    return DiscretizedLogistic(tensor(loc, dtype), tensor(log_scale, dtype)), loc, log_scale


def probabilities(loc, log_scale):
    """SciPy's, of each level: the differences of the distribution function between them."""
    edges = np.array([-np.inf, *(np.arange(1, 256) - 0.5) / 255, np.inf])
    cdf = stats.logistic.cdf(edges[:, None, None], loc, np.exp(log_scale))
    return np.diff(cdf, axis=0)


def test_a_level_has_the_probability_of_what_is_rounded_to_it(rng):
    ours, loc, log_scale = logistic(rng)
    found = np.stack([np.exp(ours.log_density(tensor(np.full(SHAPE, x))).numpy()) for x in LEVELS])
    np.testing.assert_allclose(found, probabilities(loc, log_scale), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(found.sum(axis=0), 1, rtol=1e-12)
    np.testing.assert_allclose(ours.mean.numpy(), np.tensordot(LEVELS, found, 1), rtol=1e-12)


def test_far_from_the_mean_a_level_still_has_a_logarithm():
    ours = DiscretizedLogistic(tensor(np.zeros(3, "float32")), tensor(np.full(3, -7.0, "float32")))
    x = np.array([100, 200, 255], "float32") / 255
    found = ours.log_density(tensor(x)).numpy()
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, -(np.array([99.5, 199.5, 254.5]) / 255) * np.exp(7) + [0, 0, 0], rtol=0.02)


def test_a_sample_is_the_logistic_one_at_the_nearest_level(rng):
    ours, loc, log_scale = logistic(rng)
    u = rng.uniform(size=(100, *SHAPE))
    wanted = np.clip(np.ceil(stats.logistic.ppf(u, loc, np.exp(log_scale)) * 255 - 0.5), 0, 255) / 255
    np.testing.assert_array_equal(ours.sample(tensor(u)).numpy(), wanted)
    draws = ours.sample(backend.generator(0), 20_000)
    assert not draws.requires_grad
    assert_mean(draws.numpy(), ours.mean.numpy())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_levels_are_those_of_bytes_however_they_are_rounded_and_nothing_else(dtype, rng):
    ours, _, _ = logistic(rng, dtype)
    near = 0.4 * OFF_LEVEL / 255
    for byte in (*range(0, 250, 7), 254, 255):
        exact, *rounded = (ours.log_prob(np.full(SHAPE, byte / 255 + off, dtype)).numpy() for off in (0, near, -near))
        assert np.isfinite(exact).all()
        np.testing.assert_array_equal(rounded, [exact] * 2)
    for x in (-1 / 255, 0.5 / 255, 0.9995, 256 / 255):
        assert (ours.log_prob(np.full(SHAPE, x)).numpy() == -np.inf).all()


@pytest.mark.parametrize("order", [1, 2])
def test_gradients_of_levels(order, rng):
    _, loc, log_scale = logistic(rng)
    x = rng.integers(0, 256, (2, *SHAPE)) / 255.0
    x[0, 0], x[1, 0] = 0.0, 1.0  # the ends
    check_gradients(lambda *p: DiscretizedLogistic(*p).log_prob(x), [loc, log_scale], order=order, mode="jacobian")


def test_categories_are_counted_by_their_logits(rng):
    logits = rng.normal(size=(5, 6))
    ours = Categories(tensor(logits), 3)
    p = np.exp(logits.reshape(5, 2, 3))
    p /= p.sum(-1, keepdims=True)
    x = rng.integers(0, 3, (4, 5, 2))
    wanted = np.log(np.take_along_axis(np.broadcast_to(p, (4, 5, 2, 3)), x[..., None], -1)).sum((-1, -2))
    np.testing.assert_allclose(ours.log_prob(x).numpy(), wanted, rtol=1e-12)
    np.testing.assert_array_equal(ours.mean.numpy(), p.argmax(-1))
    draws = ours.sample(backend.generator(0), 20_000).numpy()
    assert set(np.unique(draws)) == {0, 1, 2}
    for k in range(3):
        assert_mean((draws == k).astype(float), p[..., k])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_largest_noise_falls_into_the_last_category_though_probabilities_sum_to_less_than_one(dtype, rng):
    logits = tensor(rng.normal(size=(5000, 6)), dtype)
    found = Categories(logits, 3).sample(np.ones((5000, 2)))
    assert found.dtype == dtype
    assert (found.numpy() == 2).mean() > 0.5
    assert found.numpy().max() == 2


def test_no_number_of_a_category_has_no_probability(rng):
    logits = tensor(rng.normal(size=6), requires_grad=True)
    for wrong in (-1.0, 0.5, 3.0):
        log_p = Categories(logits, 3).log_prob(np.array([0.0, wrong]))
        assert log_p.item() == -np.inf
        assert (backward(log_p, [logits])[0].numpy()[3:] == 0).all()
    check_gradients(lambda logits: Categories(logits, 3).log_prob(np.array([0.0, 2.0])), [rng.normal(size=6)], order=2)
    with pytest.raises(InputError, match=r"logits has shape \(7,\) and num_categories is 3; expected a multiple"):
        Categories(np.zeros(7), 3)


def test_they_have_no_entropy_and_say_so():
    for made in (Categories(np.zeros(4), 2), DiscretizedLogistic(np.zeros(2), np.zeros(2))):
        with pytest.raises(InputError, match="which has no entropy"):
            made.entropy()
