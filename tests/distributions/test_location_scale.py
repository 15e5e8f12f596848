"""The families by location and scale, beyond what every family is tested for."""

import numpy as np
import pytest
from scipy import stats

from minivae import backend
from minivae.autodiff import tensor
from minivae.distributions import Laplace, Logistic, StudentT, Triangular, Uniform

from ..chance import assert_cdf
from ..doubles.strict_device import strict
from .extremes import assert_finite_gradients, float32
from .formulas import assert_formulas, families_of


@families_of("location_scale")
def test_formulas_against_scipy(row, rng):
    assert_formulas(row, rng)


@pytest.mark.parametrize("family", [Laplace, Logistic])
def test_the_two_tails_are_mirror_images(family):
    u = np.array([2.0**-20, 0.125, 0.25, 0.5])
    distribution = family(np.zeros(4), 0.0)
    np.testing.assert_array_equal(distribution.sample(u).numpy(), -distribution.sample(1 - u).numpy())


@pytest.mark.parametrize("df", [0.06, 0.5, 1.0, 3.0, 1e3, 1e6])
def test_students_t_of_any_degrees_of_freedom(df):
    student, oracle = StudentT(np.log([df]), np.zeros(1), np.zeros(1)), stats.t(df)
    draws = student.sample(backend.generator(8), 20_000).numpy()[:, 0]
    assert_cdf(draws, oracle.cdf)
    x = np.array([-1e3, -2.0, 0.0, 0.5, 30.0])
    np.testing.assert_allclose(student.log_prob(x[:, None]).numpy(), oracle.logpdf(x), rtol=1e-8)
    np.testing.assert_allclose(student.entropy().item(), oracle.entropy(), rtol=1e-8)
    np.testing.assert_allclose(student.mean.numpy(), [0.0] if df > 1 else [np.nan])


def test_the_mean_of_students_t_is_made_on_the_device():
    """From numbers alone it would have to be moved there."""
    student = StudentT(*(tensor(np.ones(2), "float32", "strict") for _ in range(3)))
    with strict.counter.forbid_synchronization(), strict.counter.forbid_transfers():
        assert student.mean.dtype == "float32"


def test_students_t_becomes_the_box_muller_gaussian():
    noise = np.random.default_rng(0).uniform(size=(50, 1, 2))
    z = StudentT(np.log([1e12]), np.zeros(1), 0.0).sample(noise).numpy()[:, 0]
    u, v = noise[:, 0].T
    np.testing.assert_allclose(z, np.sqrt(-2 * np.log(u)) * np.cos(2 * np.pi * v), rtol=1e-9)


def test_a_triangle_with_its_peak_at_an_end():
    """In the limits of the mode, the larger and the smaller of two uniform variables."""
    draws = Triangular(np.zeros(2), np.zeros(2), np.array([50.0, -50.0])).sample(backend.generator(0), 20_000).numpy()
    assert_cdf(draws[:, 0], lambda x: x**2)
    assert_cdf(draws[:, 1], lambda x: 1 - (1 - x) ** 2)
    assert Triangular(np.zeros(2), np.zeros(2)).mean.numpy().tolist() == [0.5, 0.5]


@pytest.mark.parametrize("log_scale", [-3.0, 3.0])
@pytest.mark.parametrize("loc", [-50.0, 0.0, 50.0])
def test_outside_a_triangle_anywhere_no_gradient_is_lost(loc, log_scale):
    *_, x = variables = float32(loc, log_scale, 0.3, loc - 1)
    log_prob = Triangular(*variables[:3]).log_prob(x)
    assert log_prob.item() == -np.inf
    assert_finite_gradients(log_prob, variables)


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (Laplace, (1e4, -7.0)),
        (Laplace, (0.0, 30.0)),
        (Logistic, (1e4, -7.0)),
        (Logistic, (0.0, 30.0)),
        (Uniform, (1e4, -4.0)),
        (Uniform, (0.0, 30.0)),
        (Triangular, (0.0, 30.0, 0.0)),
        (Triangular, (0.0, 0.0, 80.0)),
        (Triangular, (0.0, 0.0, -80.0)),
        (StudentT, (-1.6, 0.0, 0.0)),
        (StudentT, (7.0, 1e4, -7.0)),
        (StudentT, (15.0, 0.0, 10.0)),
    ],
)
def test_extreme_parameters_in_float32(make, values):
    variables = float32(*values)
    distribution = make(*variables)
    x = distribution.sample(backend.generator(0), 1000)
    assert np.isfinite(x.numpy()).all()
    log_prob = distribution.log_prob(x.detach())
    for output in (x.sum(), log_prob.sum(), distribution.entropy()):
        assert_finite_gradients(output, variables)


@pytest.mark.parametrize("value", [1e4, -1e4])
def test_the_logistic_density_far_out_in_float32(value):
    logistic = Logistic(np.zeros(1, np.float32), 0.0)
    np.testing.assert_allclose(logistic.log_prob(np.array([value])).item(), -1e4, rtol=1e-6)
