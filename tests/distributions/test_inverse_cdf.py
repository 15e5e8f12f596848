"""The families by inverse distribution function, beyond what every family is tested for."""

import numpy as np
import pytest
from scipy import stats

from minivae import backend
from minivae.distributions import Cauchy, Exponential, Gompertz, Gumbel, Pareto, Rayleigh, Reciprocal, Weibull

from ..chance import assert_cdf
from .extremes import assert_finite_gradients, float32
from .formulas import assert_formulas, families_of


@families_of("inverse_cdf")
def test_formulas_against_scipy(row, rng):
    assert_formulas(row, rng)


def test_means_that_do_not_exist():
    assert np.isnan(Cauchy(np.zeros(3), np.zeros(3)).mean.numpy()).all()
    mean = Pareto(np.log([0.5, 1.0, 2.0]), np.log([3.0, 3.0, 3.0])).mean.numpy()
    np.testing.assert_allclose(mean, [np.inf, np.inf, 6], rtol=1e-14)


def test_special_cases_are_each_other():
    u = np.array([0.01, 0.3, 0.99])
    exponential = Exponential(np.full(3, np.log(2.0))).sample(u).numpy()
    np.testing.assert_allclose(Weibull(np.zeros(3), -np.log(2.0)).sample(u).numpy(), exponential, rtol=1e-13)
    squared = Rayleigh(np.full(3, -np.log(2.0))).sample(u).numpy() ** 2  # scale 1/2
    np.testing.assert_allclose(squared, exponential, rtol=1e-13)
    pareto = Pareto(np.full(3, np.log(2.0)), 0.0).sample(u).numpy()
    np.testing.assert_allclose(np.log(pareto), exponential, rtol=1e-13)
    gumbel = Gumbel(np.zeros(3), 0.0).sample(1 - u).numpy()
    np.testing.assert_allclose(np.exp(-gumbel) / 2, exponential, rtol=1e-12)
    # As mortality stops growing, Gompertz becomes exponential with rate concentration * rate.
    gompertz = Gompertz(np.full(3, np.log(2e6)), -np.log(1e6)).sample(u).numpy()
    np.testing.assert_allclose(gompertz, exponential, rtol=1e-5)


def test_the_tails_of_cauchy_are_exact_in_float32():
    """tan(pi (u - 1/2)) near u = 1 would have the wrong sign."""
    u = np.array([2.0**-25, 2.0**-24, 0.25, 0.5, 0.75, 1 - 2.0**-24], np.float32)
    x = Cauchy(np.zeros(6, np.float32), 0.0).sample(u).numpy()
    np.testing.assert_allclose(x, stats.cauchy.ppf(u.astype(np.float64)), rtol=1e-6, atol=1e-7)
    assert_cdf(Cauchy(np.zeros(1), 0.0).sample(backend.generator(0), 50_000).numpy()[:, 0], stats.cauchy.cdf)


CASES = {
    "Exponential": (Exponential, [(-10.0,), (10.0,)]),
    "Rayleigh": (Rayleigh, [(-10.0,), (10.0,)]),
    "Pareto": (Pareto, [(7.0, -10.0), (7.0, 10.0), (-0.9, 0.0)]),
    "Weibull": (Weibull, [(5.0, -10.0), (-0.9, 10.0)]),
    "Reciprocal": (Reciprocal, [(-10.0, 1.0), (10.0, 2.0), (0.0, -7.0)]),
    "Gompertz": (Gompertz, [(-7.0, -5.0), (7.0, 5.0), (7.0, -5.0), (-7.0, 5.0)]),
    "Gumbel": (Gumbel, [(1e4, -7.0), (0.0, 10.0)]),
    "Cauchy": (Cauchy, [(1e4, -7.0), (0.0, 10.0)]),
}


@pytest.mark.parametrize(("make", "values"), [(make, v) for make, rows in CASES.values() for v in rows])
def test_extreme_parameters_in_float32(make, values):
    variables = float32(*values)
    distribution = make(*variables)
    x = distribution.sample(backend.generator(0), 1000)
    assert np.isfinite(x.numpy()).all()
    log_prob = distribution.log_prob(x.detach())
    assert np.isfinite(log_prob.numpy()).all()
    for output in (x.sum(), log_prob.sum(), distribution.entropy()):
        assert_finite_gradients(output, variables)


def test_extreme_shapes_against_scipy():
    c = np.array([1e-3, 1.0, 1e3])
    weibull, oracle = Weibull(np.log([0.1, 1.0, 1e3]), np.zeros(3)), stats.weibull_min([0.1, 1.0, 1e3])
    np.testing.assert_allclose(weibull.mean.numpy(), oracle.mean(), rtol=1e-12)
    np.testing.assert_allclose(weibull.element_entropy().numpy(), oracle.entropy(), rtol=1e-12)
    gompertz, oracle = Gompertz(np.log(c), np.zeros(3)), stats.gompertz(c)
    np.testing.assert_allclose(gompertz.element_entropy().numpy(), oracle.entropy(), rtol=1e-12)
    np.testing.assert_allclose(gompertz.mean.numpy(), oracle.mean(), rtol=1e-9)
    pareto, oracle = Pareto(np.log(c), np.zeros(3)), stats.pareto(c)
    np.testing.assert_allclose(pareto.mean.numpy(), oracle.mean(), rtol=1e-12)
    np.testing.assert_allclose(pareto.element_entropy().numpy(), oracle.entropy(), rtol=1e-12)
