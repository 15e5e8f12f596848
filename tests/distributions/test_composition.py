"""The families by composition, beyond what every family is tested for."""

import numpy as np
import pytest
from scipy import stats

from minivae import backend
from minivae.autodiff import backward, tensor
from minivae.distributions import Beta, Dirichlet, FisherF, LogNormal, Normal, StudentT
from minivae.gradcheck import check_gradients

from ..chance import assert_cdf, assert_mean
from .extremes import assert_finite_gradients, float32
from .formulas import assert_formulas, families_of


@families_of("composition")
def test_formulas_against_scipy(row, rng):
    assert_formulas(row, rng)


def test_a_log_normal_is_exp_of_a_normal(rng):
    loc, log_var, epsilon = rng.normal(size=(3, 4))
    normal, log_normal = Normal(loc, log_var), LogNormal(loc, log_var)
    np.testing.assert_allclose(np.log(log_normal.sample(epsilon).numpy()), normal.sample(epsilon).numpy(), rtol=1e-12)


@pytest.mark.parametrize(("a", "b"), [(1e-3, 1e-3), (1e-3, 1e3), (0.1, 2.0), (1e3, 1e3)])
def test_beta_of_extreme_shapes(a, b):
    variables = [tensor([np.log(v)], "float64", requires_grad=True) for v in (a, b)]
    beta, oracle = Beta(*variables), stats.beta(a, b)
    np.testing.assert_allclose(beta.mean.item(), oracle.mean(), rtol=1e-13)
    np.testing.assert_allclose(beta.entropy().item(), oracle.entropy(), rtol=1e-10)
    x = oracle.mean()
    np.testing.assert_allclose(beta.log_prob(np.array([x])).item(), oracle.logpdf(x), rtol=1e-9)
    draws = beta.sample(backend.generator(0), 20_000)
    assert_mean(draws.numpy()[:, 0], oracle.mean())
    for gradient in backward(draws.sum(), variables):
        assert np.isfinite(gradient.numpy()).all()


def test_f_is_the_square_of_students_t():
    draws = FisherF(np.zeros(1), np.log([7.0])).sample(backend.generator(1), 20_000).numpy()[:, 0]
    assert_cdf(np.sqrt(draws), lambda x: 2 * stats.t(7).cdf(x) - 1)
    student = StudentT(np.log([7.0]), np.zeros(1), 0.0)
    log_p = FisherF(np.zeros(1), np.log([7.0])).log_prob(np.array([2.25])).item()
    np.testing.assert_allclose(log_p, student.log_prob(np.array([1.5])).item() - np.log(1.5), rtol=1e-13)


def test_a_mean_of_f_that_does_not_exist():
    np.testing.assert_allclose(
        FisherF(np.zeros(3), np.log([1.0, 2.0, 4.0])).mean.numpy(), [np.inf, np.inf, 2], rtol=1e-13
    )


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (Beta, (-7.0, -7.0)),
        (Beta, (7.0, 7.0)),
        (Beta, (-7.0, 7.0)),
        (FisherF, (7.0, 7.0)),
        (FisherF, (-1.0, 7.0)),
        (LogNormal, (0.0, -30.0)),
        (LogNormal, (-30.0, 3.0)),
    ],
)
def test_extreme_parameters_in_float32(make, values):
    variables = float32(*values)
    distribution = make(*variables)
    x = distribution.sample(backend.generator(0), 1000)
    assert np.isfinite(x.numpy()).all()
    assert not np.isnan(distribution.log_prob(x.detach()).numpy()).any()
    for output in (x.sum(), distribution.entropy()):
        assert_finite_gradients(output, variables)


# ------------------------------------------------------------------ Dirichlet


def test_of_two_elements_it_is_a_beta(rng):
    log_a = rng.normal(size=(3, 2))
    dirichlet, beta = Dirichlet(log_a), Beta(log_a[:, :1], log_a[:, 1:])
    x = rng.uniform(0.1, 0.9, (3, 1))
    both = np.concatenate([x, 1 - x], -1)
    np.testing.assert_allclose(dirichlet.log_prob(both).numpy(), beta.log_prob(x).numpy(), rtol=1e-12)
    np.testing.assert_allclose(dirichlet.entropy().numpy(), beta.entropy().numpy(), rtol=1e-12)
    noise = rng.uniform(size=(3, 2))
    np.testing.assert_allclose(dirichlet.sample(noise).numpy()[:, :1], beta.sample(noise[:, None]).numpy(), rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("a", [1e-3, 1.0, 1e3])
def test_samples_lie_on_the_simplex(a, dtype):
    log_a = tensor(np.full((3, 5), np.log(a)), dtype, requires_grad=True)
    x = Dirichlet(log_a).sample(backend.generator(0), 4000)
    assert (x.numpy() >= 0).all()
    np.testing.assert_allclose(x.numpy().sum(-1), 1, rtol=1e-6)
    assert_mean(x.numpy(), 0.2)
    (g,) = backward((x * x).sum(), [log_a])
    assert np.isfinite(g.numpy()).all()


def test_pathwise_gradients_against_a_closed_form():
    """E[x_0^2] = a_0 (a_0 + 1) / (s (s + 1)), where s is the sum of a: by every a_j."""
    n, a = 100_000, np.array([0.7, 2.0, 1.3])
    log_a = tensor(np.broadcast_to(np.log(a), (n, 3)).copy(), requires_grad=True)
    x = Dirichlet(log_a).sample(backend.generator(3))[:, 0]
    (slopes,) = backward((x * x).sum(), [log_a])
    s = a.sum()
    second = a[0] * (a[0] + 1) / (s * (s + 1))
    by_a = -second * (1 / s + 1 / (s + 1)) + np.array([(2 * a[0] + 1) / (s * (s + 1)), 0, 0])
    assert_mean(slopes.numpy(), a * by_a)


def test_outside_the_simplex_the_density_is_zero_and_its_gradient_too(rng):
    log_a, x = tensor(rng.normal(size=4), requires_grad=True), tensor([0.5, 0.6, -0.1, 0.0], requires_grad=True)
    log_p = Dirichlet(log_a).log_prob(x)
    assert log_p.item() == -np.inf
    for gradient in backward(log_p, [log_a, x]):
        assert np.isfinite(gradient.numpy()).all()


def test_gradients_by_the_noise(rng):
    check_gradients(Dirichlet(rng.normal(size=4)).sample, [rng.uniform(0.1, 0.9, (2, 4))], order=2, mode="jacobian")
