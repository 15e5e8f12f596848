"""The Gaussian: its formulas written out, its sampling, extreme variances, shapes that are refused."""

import math

import numpy as np
import pytest
from scipy import stats

from minivae import backend
from minivae.autodiff import Parameter, backward, tensor
from minivae.distributions import Normal, StandardNormal
from minivae.errors import InputError

from .extremes import assert_finite_gradients, float32

EXTREMES = [-30.0, 30.0]


# ---------------------------------------------------- the variance is a variance


def test_the_sample_moves_by_the_standard_deviation_not_the_variance():
    """DeZero's trap: exp(log_var) as the standard deviation, beside a KL that takes it as the variance."""
    log_var = np.array([-3.0, 0.5, 2.0])
    normal = Normal(np.zeros(3), log_var)
    np.testing.assert_allclose(normal.sample(np.ones(3)).numpy(), np.sqrt(np.exp(log_var)), rtol=1e-14)
    np.testing.assert_allclose(normal.stddev.numpy() ** 2, np.exp(log_var), rtol=1e-14)


def test_sample_is_section_2_4(rng):
    mean, log_var, noise = rng.normal(size=(3, 2)), rng.normal(size=(3, 2)), rng.normal(size=(5, 3, 2))
    z = Normal(mean, log_var).sample(noise)
    np.testing.assert_allclose(z.numpy(), mean + np.exp(log_var / 2) * noise, rtol=1e-14)


def test_gradients_of_the_entropy_and_of_a_sample_written_out():
    """d H / d log sigma^2 = 1/2; d z / d mu = 1; d z / d log sigma^2 = sigma eps / 2."""
    mean, log_var = (tensor(values, requires_grad=True) for values in (np.array([1.0, 2.0]), np.array([0.5, -1.0])))
    noise = np.array([0.3, -0.7])
    by_mean, by_log_var = backward(Normal(mean, log_var).entropy(), [mean, log_var])
    np.testing.assert_array_equal(by_mean.numpy(), 0)
    np.testing.assert_array_equal(by_log_var.numpy(), 0.5)
    by_mean, by_log_var = backward(Normal(mean, log_var).sample(noise), [mean, log_var], np.ones(2))
    np.testing.assert_array_equal(by_mean.numpy(), 1)
    np.testing.assert_allclose(by_log_var.numpy(), np.exp(log_var.numpy() / 2) * noise / 2, rtol=1e-14)


# ------------------------------------------------------- extreme variances


@pytest.mark.parametrize("log_var", EXTREMES)
@pytest.mark.parametrize("distance", [0.0, 1.5])
def test_log_prob_at_extreme_variances_in_float32(log_var, distance):
    variables = float32(0.25, log_var, 0.25 + distance)
    mean, log_variance, x = variables
    log_prob = Normal(mean, log_variance).log_prob(x)
    expected = stats.norm.logpdf(0.25 + distance, 0.25, math.exp(log_var / 2))
    np.testing.assert_allclose(log_prob.item(), expected, rtol=1e-5)
    assert_finite_gradients(log_prob, variables)


@pytest.mark.parametrize("log_var", EXTREMES)
def test_entropy_and_samples_at_extreme_variances_in_float32(log_var):
    mean, log_variance = variables = float32(0.0, log_var)
    normal = Normal(mean, log_variance)
    np.testing.assert_allclose(normal.entropy().item(), stats.norm(0, math.exp(log_var / 2)).entropy(), rtol=1e-6)
    z = normal.sample(np.array([-1.25]))
    np.testing.assert_allclose(z.item(), -1.25 * math.exp(log_var / 2), rtol=1e-5)
    assert_finite_gradients(z, variables)


@pytest.mark.parametrize("noise", [0.0, -5.0, 5.0])
@pytest.mark.parametrize("log_var", EXTREMES)
def test_a_sample_is_as_likely_as_its_noise(noise, log_var):
    """log q(z) = log N(eps; 0, 1) - log sigma, without loss in float32."""
    mean, log_variance = float32(0.0, log_var)
    normal = Normal(mean, log_variance)
    log_prob = normal.log_prob(normal.sample(np.array([noise]))).item()
    np.testing.assert_allclose(log_prob, stats.norm.logpdf(noise) - log_var / 2, rtol=1e-5)


# ----------------------------------------------------------------- shapes


def test_a_number_or_a_smaller_log_var_counts_for_every_element(rng, backend_name):
    mean, x, noise = (rng.normal(size=(3, 2)) for _ in range(3))
    full = Normal(mean, np.full((3, 2), 0.7))
    mean_there, x_there, noise_there = (tensor(a, backend=backend_name) for a in (mean, x, noise))
    for log_var in (0.7, *(tensor(np.full(shape, 0.7), backend=backend_name) for shape in [(), (2,), (3, 1), (1, 1)])):
        normal = Normal(mean_there, log_var)
        for method, here, there in (("log_prob", x, x_there), ("sample", noise, noise_there)):
            expected, found = getattr(full, method)(here), getattr(normal, method)(there)
            np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-13)
        np.testing.assert_allclose(normal.entropy().numpy(), full.entropy().numpy(), rtol=1e-13)
        assert normal.draw_noise(backend.generator(0, backend_name)).shape == (3, 2)


@pytest.mark.parametrize("shape", [(3,), (2, 2), (4, 3, 2), (3, 2, 1), (1, 3, 2)])
def test_a_log_var_that_would_share_noise_among_elements_is_refused(shape):
    with pytest.raises(InputError) as error:
        Normal(np.zeros((3, 2)), np.zeros(shape))
    assert str(error.value) == f"log_var has shape {shape}; expected one that broadcasts to that of mean, (3, 2)"


def test_log_var_takes_the_dtype_of_the_mean():
    mean = np.zeros((3, 2), np.float32)
    for log_var in (0, 0.5, np.zeros(2), np.float64(0.5), [0.0, 1.0]):
        assert Normal(mean, log_var).log_prob(mean).dtype == np.float32


def test_gradients_reach_a_shared_log_var():
    log_var = Parameter(np.zeros(1))
    normal = Normal(np.zeros((3, 2)), log_var)
    (gradient,) = backward(normal.log_prob(np.zeros((3, 2))), [log_var], np.ones(3))
    np.testing.assert_array_equal(gradient.numpy(), [-3.0])  # -1/2 for each of six elements


# -------------------------------------------------------- the standard normal


def test_the_standard_normal_is_the_normal_with_zeros(rng):
    x = rng.normal(size=(5, 3))
    standard, normal = StandardNormal(3, tensor(x)), Normal(np.zeros(3), 0.0)
    np.testing.assert_allclose(standard.log_prob(x).numpy(), normal.log_prob(x).numpy(), rtol=1e-14)
    assert standard.entropy().item() == normal.entropy().item()
    np.testing.assert_array_equal(standard.sample(x).numpy(), x)


def test_a_draw_comes_with_its_log_prob_where_sigma_has_no_digits_beside_the_mean(rng):
    mean, log_var, noise = np.full((4, 3), 100.0), np.full((4, 3), -30.0), rng.standard_normal((2, 4, 3))
    parameters = [tensor(x.astype(np.float32), requires_grad=True) for x in (mean, log_var)]
    _, log_q = Normal(*parameters).sample_with_log_prob(noise.astype(np.float32))
    expected = stats.norm.logpdf(noise).sum(axis=-1) - 0.5 * log_var.sum(axis=-1)
    np.testing.assert_allclose(log_q.numpy(), expected, rtol=1e-6)
    of_mean, of_log_var = backward(log_q, parameters, np.ones((2, 4)).tolist())
    np.testing.assert_array_equal(of_mean.numpy(), 0.0)  # the draw moves with the mean
    np.testing.assert_array_equal(of_log_var.numpy(), -1.0)


def test_the_log_prob_of_a_draw_is_that_at_the_draw(rng):
    q = Normal(rng.standard_normal((4, 3)), rng.standard_normal(3))
    x, log_q = q.sample_with_log_prob(backend.generator(0), 5)
    assert x.shape == (5, 4, 3)
    np.testing.assert_allclose(log_q.numpy(), q.log_prob(x).numpy(), rtol=1e-5, atol=1e-5)


def test_one_number_of_noise_is_that_of_all_elements():
    normal = Normal(np.arange(6.0).reshape(3, 2), 0.7)
    x, log_q = normal.sample_with_log_prob(0.5)
    np.testing.assert_allclose(x.numpy(), normal.mean.numpy() + math.exp(0.35) * 0.5, rtol=1e-14)
    np.testing.assert_allclose(log_q.numpy(), normal.log_prob(x).numpy(), rtol=1e-14)
