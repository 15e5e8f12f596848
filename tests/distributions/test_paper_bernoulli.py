"""The Bernoulli: Eq. 11 written out, saturated logits, grey levels, the step of its samples."""

import math

import numpy as np
import pytest
from scipy import special

from minivae.autodiff import backward, tensor
from minivae.distributions import Bernoulli

from .extremes import float32

SATURATED = [-1e4, -90.0, -20.0, 1e-40, 0.0, 20.0, 90.0, 1e4]


def test_equation_11_written_out(rng):
    logits, x = rng.normal(size=(3, 4)), rng.integers(0, 2, (3, 4))
    y = 1 / (1 + np.exp(-logits))
    expected = [
        sum(x[m, i] * math.log(y[m, i]) + (1 - x[m, i]) * math.log(1 - y[m, i]) for i in range(4)) for m in range(3)
    ]
    np.testing.assert_allclose(Bernoulli(logits).log_prob(x).numpy(), expected, rtol=1e-12)


def test_the_probabilities_of_all_events_sum_to_one(rng):
    every = np.array(list(np.ndindex(2, 2, 2, 2, 2)), float)
    log_prob = Bernoulli(3 * rng.normal(size=5)).log_prob(every).numpy()
    np.testing.assert_allclose(np.exp(log_prob).sum(), 1, rtol=1e-13)


def test_grey_levels_give_the_expected_log_probability(rng):
    logits, grey = rng.normal(size=4), rng.uniform(size=4)
    bits = np.array(list(np.ndindex(2, 2, 2, 2)), float)
    weight = np.prod(np.where(bits == 1, grey, 1 - grey), axis=-1)
    bernoulli = Bernoulli(logits)
    expected = weight @ bernoulli.log_prob(bits).numpy()
    np.testing.assert_allclose(bernoulli.log_prob(grey).item(), expected, rtol=1e-13)


# ------------------------------------------------------------ saturated logits


@pytest.mark.parametrize("x", [0.0, 1.0, 0.5])
@pytest.mark.parametrize("logit", SATURATED)
def test_saturated_log_prob_in_float32(logit, x):
    (variable,) = float32(logit)
    log_prob = Bernoulli(variable).log_prob(np.array([x]))
    expected = x * special.log_expit(logit) + (1 - x) * special.log_expit(-logit)
    # The log of a probability near 1 is a difference of numbers as large as the logit.
    np.testing.assert_allclose(log_prob.item(), expected, rtol=1e-6, atol=1e-7 * abs(logit))
    (gradient,) = backward(log_prob, [variable])
    np.testing.assert_allclose(gradient.numpy(), [x - special.expit(logit)], rtol=1e-6, atol=1e-7)


def test_a_logit_of_minus_90_and_a_zero_is_certain():
    """Clipped probabilities give -16 or -34 here, or -inf."""
    for dtype in ("float32", "float64"):
        bernoulli = Bernoulli(tensor([-90.0], dtype))
        assert abs(bernoulli.log_prob(np.array([0.0])).item()) < 1e-38
        assert bernoulli.log_prob(np.array([1.0])).item() == -90


@pytest.mark.parametrize("logit", SATURATED)
def test_saturated_entropy_and_mean_in_float32(logit):
    (variable,) = float32(logit)
    bernoulli = Bernoulli(variable)
    size = abs(logit)
    expected = -special.log_expit(size) + size * special.expit(-size)
    np.testing.assert_allclose(bernoulli.entropy().item(), expected, rtol=1e-6, atol=1e-7 * size)
    np.testing.assert_allclose(bernoulli.mean.item(), special.expit(logit), rtol=1e-6, atol=1e-37)
    (gradient,) = backward(bernoulli.entropy(), [variable])
    expected_gradient = -logit * special.expit(logit) * special.expit(-logit)
    np.testing.assert_allclose(gradient.numpy(), [expected_gradient], rtol=1e-5, atol=1e-7 * size + 1e-37)


# ------------------------------------------------------------------- samples


def test_a_sample_is_one_where_the_noise_is_below_the_probability():
    bernoulli = Bernoulli(special.logit(np.array([0.25, 0.25, 0.75, 0.75])))
    np.testing.assert_array_equal(bernoulli.sample(np.array([0.2, 0.3, 0.7, 0.8])).numpy(), [1, 0, 1, 0])


def test_certain_bits_are_certain():
    bernoulli = Bernoulli(np.array([-1e4, 1e4], np.float32))
    noise = np.array([[0.0, 0.0], [0.5, 0.5], [1 - 2**-24] * 2], np.float32)  # all that uniform noise can be
    np.testing.assert_array_equal(bernoulli.sample(noise[1:]).numpy(), [[0, 1], [0, 1]])
    assert (bernoulli.sample(noise).numpy()[:, 1] == 1).all()
