"""The log-cosh density beyond what every family is tested for: its limits, its integral, and numbers far out."""

import numpy as np
import pytest
from scipy import integrate

from minivae import backend
from minivae.autodiff import backward, tensor
from minivae.distributions import Laplace, LogCosh, Normal

from ..chance import assert_cdf
from .extremes import assert_finite_gradients, float32
from .families import LOG_COSH
from .formulas import assert_formulas, families_of


@families_of("log_cosh")
def test_formulas_against_scipy(row, rng):
    assert_formulas(row, rng)


@pytest.mark.parametrize("a", [0.05, 1.0, 10.0, 30.0])
def test_of_any_sharpness_it_integrates_to_1_and_is_drawn(a):
    ours = LogCosh(np.zeros(1), 0.0, np.log(a))

    def density(x):
        return np.exp(ours.log_prob(np.array([x])).item())

    half, _ = integrate.quad(density, 0, np.inf, epsabs=1e-12)
    assert 2 * half == pytest.approx(1, abs=1e-8)
    assert_cdf(ours.sample(backend.generator(8), 20_000).numpy()[:, 0], LOG_COSH(a).cdf)


@pytest.mark.parametrize("a", [0.3, 10.0])
def test_minus_log_p_is_the_loss_whose_gradient_is_tanh(a, rng):
    x, loc = rng.normal(size=7), tensor(rng.normal(size=7), requires_grad=True)
    log_p = LogCosh(loc, 0.0, np.log(a)).log_density(tensor(x))
    t = a * (loc.numpy() - x)
    loss = np.log(np.cosh(t)) / a
    np.testing.assert_allclose(np.diff(-log_p.numpy()), np.diff(loss), rtol=1e-11)
    (gradient,) = backward(-log_p.sum(), [loc])
    np.testing.assert_allclose(gradient.numpy(), np.tanh(t), rtol=1e-12)


def test_its_limits_are_gaussian_and_laplace(rng):
    """For small a it is N(0, 1 / a), to terms of order a and of x^4 a^3; for large a Laplace, to (log 2) / a."""
    x = rng.normal(size=(5, 1))
    small, large = 1e-4, 1e6
    found = LogCosh(np.zeros(1), 0.0, np.log(small)).log_prob(x).numpy()
    np.testing.assert_allclose(found, Normal(np.zeros(1), -np.log(small)).log_prob(x).numpy(), rtol=small)
    loss = found.max() - found
    np.testing.assert_allclose(loss, small * (x[:, 0] ** 2 - (x**2).min()) / 2, atol=1e-11)
    found = LogCosh(np.zeros(1), 0.0, np.log(large)).log_prob(x).numpy()
    np.testing.assert_allclose(found, Laplace(np.zeros(1), 0.0).log_prob(x).numpy(), atol=2 / large)


@pytest.mark.parametrize("values", [(1e4, -7.0, 2.3), (0.0, 30.0, 2.3), (0.0, 0.0, -5.0), (0.0, 0.0, 6.0)])
def test_extreme_parameters_in_float32(values):
    variables = float32(*values)
    distribution = LogCosh(*variables)
    x = distribution.sample(backend.generator(0), 1000)
    assert np.isfinite(x.numpy()).all()
    for output in (x.sum(), distribution.log_prob(x.detach()).sum(), distribution.entropy()):
        assert_finite_gradients(output, variables)


@pytest.mark.parametrize("t", [1e4, -1e4, 1e20])
def test_far_out_in_float32(t):
    """|t| = a |z|: -log p is |z|, and a constant."""
    x, *variables = float32(t / 10, 0.0, 0.0)
    log_p = LogCosh(*variables).log_prob(x)
    np.testing.assert_allclose(log_p.item(), -abs(t) / 10, rtol=2e-3)
    assert_finite_gradients(log_p, [x, *variables])
