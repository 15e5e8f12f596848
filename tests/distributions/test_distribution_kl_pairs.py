"""Divergences of section 2.4's families, beyond what every pair is tested for in ``test_distribution_kl.py``."""

import numpy as np
import pytest

from minivae import backend
from minivae.distributions import (
    Beta,
    Chi2,
    Dirichlet,
    Erlang,
    Exponential,
    Gamma,
    Gumbel,
    Laplace,
    LogNormal,
    MultivariateNormal,
    Normal,
    StandardNormal,
    kl,
)
from minivae.errors import InputError

from ..chance import assert_mean
from .extremes import assert_finite_gradients, float32
from .families import factors


def test_special_cases_use_the_rule_of_the_gamma(rng):
    log_rates = rng.normal(size=(2, 4))
    one = [Gamma(np.zeros(4), r) for r in log_rates]
    exponential = kl(*(Exponential(r) for r in log_rates)).item()
    np.testing.assert_allclose(kl(*one).item(), exponential, rtol=1e-12)
    np.testing.assert_allclose(kl(*(Erlang(1, r) for r in log_rates)).item(), exponential, rtol=1e-12)
    gamma = Gamma(np.log([1.5, 2.5]), np.full(2, -np.log(2)))
    np.testing.assert_allclose(kl(Chi2(np.log([3.0, 5.0])), gamma).item(), 0, atol=1e-13)


def test_a_dirichlet_of_two_elements_has_the_divergence_of_betas(rng):
    q, p = rng.normal(size=(2, 3, 2))
    expected = kl(*(Beta(a[:, :1], a[:, 1:]) for a in (q, p))).numpy()
    np.testing.assert_allclose(kl(Dirichlet(q), Dirichlet(p)).numpy(), expected, rtol=1e-11)


def test_a_map_of_x_changes_no_divergence(rng):
    q, p = rng.normal(size=(2, 2, 4))
    assert kl(LogNormal(*q), LogNormal(*p)).item() == kl(Normal(*q), Normal(*p)).item()
    # A log variance for the whole event, and a mean for each element.
    assert kl(LogNormal(0.0, q[1]), LogNormal(*p)).shape == ()


def test_a_full_gaussian_against_our_own_samples(rng):
    q = MultivariateNormal(rng.normal(size=5), factors(rng, (5,)))
    x = q.sample(backend.generator(0), 20_000)
    for p in (StandardNormal(5, q.mean), MultivariateNormal(rng.normal(size=5), factors(rng, (5,)))):
        assert_mean((q.log_prob(x) - p.log_prob(x)).numpy(), kl(q, p).numpy())


def test_a_prior_of_another_size_is_refused():
    with pytest.raises(InputError, match=r"q is over \(3,\) and p over \(2,\); expected events of one length"):
        kl(MultivariateNormal(np.zeros(3), np.zeros((3, 3))), StandardNormal(2, Normal(np.zeros(3), 0.0).mean))


@pytest.mark.parametrize(
    ("family", "q", "p"),
    [
        (Exponential, (-10.0,), (10.0,)),
        (Exponential, (10.0,), (-10.0,)),
        (Gamma, (-7.0, 10.0), (7.0, -10.0)),
        (Gamma, (7.0, -10.0), (-7.0, 10.0)),
        (Laplace, (0.0, -10.0), (1e4, 10.0)),
        (Laplace, (0.0, 10.0), (0.0, -10.0)),
        (Gumbel, (0.0, -10.0), (0.0, 10.0)),
        (Beta, (-7.0, 7.0), (7.0, -7.0)),
        (LogNormal, (0.0, -10.0), (5.0, 10.0)),
    ],
)
def test_extreme_parameters_in_float32(family, q, p):
    variables = float32(*q, *p)
    divergence = kl(family(*variables[: len(q)]), family(*variables[len(q) :]))
    exact = kl(*(family(*(np.array([v]) for v in values)) for values in (q, p)))
    np.testing.assert_allclose(divergence.item(), exact.item(), rtol=1e-3)
    assert_finite_gradients(divergence, variables)
