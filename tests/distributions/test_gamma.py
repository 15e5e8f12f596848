"""The Gamma distribution beyond what every family is tested for: extreme shapes, integer shapes, Chi-squared."""

import numpy as np
import pytest
from scipy import special, stats

from minivae import backend
from minivae.autodiff import backward, exp, tensor
from minivae.distributions import Chi2, Erlang, Gamma, SumOfExponentials

from ..chance import assert_cdf, assert_mean
from .extremes import assert_finite_gradients, float32
from .formulas import assert_formulas, families_of

SHAPES = np.array([1e-3, 0.1, 1.0, 30.0, 1e3])


@families_of("gamma")
def test_formulas_against_scipy(row, rng):
    assert_formulas(row, rng)


def test_extreme_shapes_against_scipy():
    gamma, oracle = Gamma(np.log(SHAPES), np.zeros(5)), stats.gamma(SHAPES)
    np.testing.assert_allclose(gamma.mean.numpy(), oracle.mean(), rtol=1e-13)
    np.testing.assert_allclose(gamma.element_entropy().numpy(), oracle.entropy(), rtol=1e-11)
    x = tensor(np.array([1e-300, 1e-5, 0.7, 20.0, 1100.0]))
    np.testing.assert_allclose(gamma.log_density(x).numpy(), oracle.logpdf(x.numpy()), rtol=1e-11)


@pytest.mark.parametrize("shape", [1e-3, 0.1, 30.0, 1e3])
def test_samples_of_extreme_shapes(shape):
    gamma = Gamma(np.log([shape]), np.zeros(1))
    u = gamma.draw_noise(backend.generator(4), (20_000,))
    logs = gamma.log_quantile(u).numpy()[:, 0]
    # E[log x] = psi(a); and P(x) is uniform, where the sample is a number.
    assert_mean(logs, special.digamma(shape))
    x = gamma.sample(u).numpy()[:, 0]
    assert_cdf(stats.gamma(shape).cdf(x[x > 0]), stats.uniform(left := (x == 0).mean(), 1 - left).cdf)
    assert left < (0.5 if shape < 0.01 else 0.001)


@pytest.mark.parametrize("log_concentration", [-7.0, 0.0, 7.0])
@pytest.mark.parametrize("log_rate", [-10.0, 10.0])
def test_extreme_parameters_in_float32(log_concentration, log_rate):
    variables = float32(log_concentration, log_rate)
    gamma = Gamma(*variables)
    x = gamma.sample(backend.generator(1), 200)
    assert np.isfinite(x.numpy()).all()
    for output in (x.sum(), gamma.log_prob(exp(gamma.log_quantile(np.full((1,), 0.9)))).sum(), gamma.entropy()):
        assert_finite_gradients(output, variables)


def test_the_gradient_of_a_sample_that_underflows_is_zero_and_that_of_its_logarithm_is_not():
    log_concentration = tensor([np.log(1e-3)], "float64", requires_grad=True)
    gamma = Gamma(log_concentration, 0.0)
    u = tensor([0.3])
    (g,) = backward(gamma.sample(u).sum(), [log_concentration])
    assert g.item() == 0
    (g,) = backward(gamma.log_quantile(u).sum(), [log_concentration])
    # log x = log(u Gamma(a + 1)) / a there, by a hand's derivative times a
    expected = special.digamma(1.001) - (np.log(np.float32(0.3)) + special.gammaln(1.001)) / 1e-3
    np.testing.assert_allclose(g.item(), expected, rtol=1e-10)


def test_the_implicit_gradient_is_that_of_the_sum_of_exponentials_in_expectation():
    """E[x^2] = a (a + 1) / rate^2: the same derivative by the rate, by both constructions."""
    n, log_rate = 50_000, tensor(np.full((50_000, 1), 0.4), requires_grad=True)
    for family in (Erlang, SumOfExponentials):
        x = family(4, log_rate).sample(backend.generator(2))
        (slope,) = backward((x * x).sum(), [log_rate])
        assert slope.shape == (n, 1)
        assert_mean(slope.numpy(), -2 * 4 * 5 * np.exp(-0.8))


def test_integer_shapes():
    erlang = Erlang(3, np.zeros(2))
    gamma = Gamma(np.full(2, np.log(3)), np.zeros(2))
    u = np.array([0.2, 0.9])
    np.testing.assert_allclose(erlang.sample(u).numpy(), gamma.sample(u).numpy(), rtol=1e-14)
    assert SumOfExponentials(3, np.zeros(2)).draw_noise(backend.generator(0), (5,)).shape == (5, 2, 3)
    noise = np.array([[0.1, 0.5, 0.7]])
    drawn = SumOfExponentials(3, np.full(1, np.log(2.0))).sample(noise)
    np.testing.assert_allclose(drawn.numpy(), [-np.log1p(-noise).sum() / 2], rtol=1e-14)


def test_chi_squared_is_the_square_of_a_gaussian():
    np.testing.assert_allclose(Chi2(np.log([1.0, 7.5])).mean.numpy(), [1, 7.5], rtol=1e-14)
    draws = Chi2(np.zeros(1)).sample(backend.generator(3), 20_000).numpy()[:, 0]
    assert_cdf(np.sqrt(draws), stats.halfnorm.cdf)
