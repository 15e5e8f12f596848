"""The elliptical families, beyond what every family is tested for."""

from functools import partial

import numpy as np
import pytest
from scipy import stats

from minivae import backend
from minivae.autodiff import backward, tensor
from minivae.distributions import MultivariateNormal, MultivariateStudentT, Normal, StandardNormal, StudentT, kl
from minivae.distributions.elliptical import Elliptical
from minivae.errors import InputError
from minivae.gradcheck import check_gradients

from ..chance import assert_mean
from .families import factors, lower_triangular
from .formulas import assert_formulas, families_of

EVENT, M = 4, 3


@families_of("elliptical")
def test_formulas_against_scipy(row, rng):
    assert_formulas(row, rng)


def test_the_factor_makes_a_lower_triangular_matrix(rng):
    factor = factors(rng, (M, EVENT))
    normal = MultivariateNormal(np.zeros((M, EVENT)), factor)
    np.testing.assert_allclose(normal.scale_tril.numpy(), lower_triangular(factor), rtol=1e-14)
    np.testing.assert_allclose(normal.log_diagonal.numpy(), np.diagonal(factor, 0, -2, -1), rtol=1e-14)


def test_what_is_above_the_diagonal_is_not_used(rng):
    factor = factors(rng, (EVENT,))
    wild = tensor(factor + np.triu(np.full((EVENT, EVENT), 1e30), 1), requires_grad=True)
    noise, x = rng.normal(size=(2, EVENT))
    plain, same = MultivariateNormal(np.zeros(EVENT), factor), MultivariateNormal(np.zeros(EVENT), wild)
    np.testing.assert_array_equal(plain.sample(noise).numpy(), same.sample(noise).numpy())
    assert plain.log_prob(x).item() == same.log_prob(x).item()
    (g,) = backward(same.log_prob(x), [wild])
    np.testing.assert_array_equal(np.triu(g.numpy(), 1), 0)


def test_whitening_undoes_the_matrix(rng):
    normal = MultivariateNormal(np.zeros((M, EVENT)), factors(rng, (M, EVENT)))
    columns = rng.normal(size=(M, EVENT, 2))
    np.testing.assert_allclose(normal.whiten(normal.scale_tril @ columns).numpy(), columns, rtol=1e-11)


def test_with_a_diagonal_matrix_it_is_the_diagonal_gaussian(rng):
    mean, log_var, noise, x = rng.normal(size=(4, M, EVENT))
    factor = 0.5 * log_var[..., None] * np.eye(EVENT)
    full, diagonal = MultivariateNormal(mean, factor), Normal(mean, log_var)
    np.testing.assert_allclose(full.sample(noise).numpy(), diagonal.sample(noise).numpy(), rtol=1e-13)
    np.testing.assert_allclose(full.log_prob(x).numpy(), diagonal.log_prob(x).numpy(), rtol=1e-12)
    np.testing.assert_allclose(full.entropy().numpy(), diagonal.entropy().numpy(), rtol=1e-12)
    prior = StandardNormal(EVENT, diagonal.mean)
    np.testing.assert_allclose(kl(full, prior).numpy(), kl(diagonal, prior).numpy(), rtol=1e-12)
    other = rng.normal(size=(2, M, EVENT))
    p = MultivariateNormal(other[0], 0.5 * other[1][..., None] * np.eye(EVENT)), Normal(*other)
    np.testing.assert_allclose(kl(full, p[0]).numpy(), kl(diagonal, p[1]).numpy(), rtol=1e-11)


@pytest.mark.parametrize("df", [None, 9.0])
def test_samples_have_the_covariance(df, rng):
    factor = factors(rng, (EVENT,))
    arguments = (np.zeros(EVENT), factor)
    normal = MultivariateNormal(*arguments) if df is None else MultivariateStudentT(np.log(df), *arguments)
    x = normal.sample(backend.generator(5), 50_000).numpy()
    matrix = lower_triangular(factor)
    assert_mean(x[:, :, None] * x[:, None, :], matrix @ matrix.T * (1 if df is None else df / (df - 2)))


def test_students_t_of_one_element_is_that_over_numbers(rng):
    for df in (0.5, 1.0, 4.0, 1e3):
        vector = MultivariateStudentT(np.log(df), np.zeros(1), np.full((1, 1), 0.3))
        number = StudentT(np.log([df]), np.zeros(1), 0.3)
        x = rng.normal(size=(5, 1))
        np.testing.assert_allclose(vector.log_prob(x).numpy(), number.log_prob(x).numpy(), rtol=1e-12)
        np.testing.assert_allclose(vector.entropy().item(), number.entropy().item(), rtol=1e-12)
        np.testing.assert_array_equal(vector.mean.numpy(), number.mean.numpy())


@pytest.mark.parametrize("student", [False, True])
def test_a_sample_with_its_density_is_the_sample_and_its_density(student, rng):
    arguments = rng.normal(size=(M, EVENT)), factors(rng, (M, EVENT))
    family = MultivariateStudentT(np.log([3.0, 5.0, 9.0]), *arguments) if student else MultivariateNormal(*arguments)
    z, log_prob = family.sample_with_log_prob(backend.generator(3), 7)
    np.testing.assert_array_equal(z.numpy(), family.sample(backend.generator(3), 7).numpy())
    np.testing.assert_allclose(log_prob.numpy(), family.log_prob(z).numpy(), rtol=1e-10)


def test_students_t_becomes_the_gaussian(rng):
    loc, factor = rng.normal(size=EVENT), factors(rng, (EVENT,))
    student, normal = MultivariateStudentT(np.log(1e12), loc, factor), MultivariateNormal(loc, factor)
    noise = rng.normal(size=(5, EVENT))
    with_uniform = np.concatenate([noise, rng.uniform(size=(5, 1))], -1)
    np.testing.assert_allclose(student.sample(with_uniform).numpy(), normal.sample(noise).numpy(), rtol=1e-4)


def test_the_elements_of_students_t_share_their_radius():
    """Uncorrelated, but not independent: the squares go together."""
    z = MultivariateStudentT(np.log(9.0), np.zeros(2), np.zeros((2, 2))).sample(backend.generator(6), 50_000).numpy()
    squares = z**2 - 9 / 7
    # E[z1^2 z2^2] = df^2 / ((df - 2) (df - 4)), less the product of the variances
    assert_mean(squares[:, 0] * squares[:, 1], 81 / 35 - (9 / 7) ** 2)
    assert_mean(z[:, 0] * z[:, 1], 0)


def test_a_pathwise_gradient_by_the_degrees_of_freedom():
    """E[|z|^2] = event df / (df - 2): its derivative by log df is -2 event df / (df - 2)^2."""
    n, df = 100_000, 12.0
    log_df = tensor(np.full(n, np.log(df)), requires_grad=True)
    z = MultivariateStudentT(log_df, np.zeros((n, 2)), np.zeros((2, 2))).sample(backend.generator(7))
    (slopes,) = backward((z * z).sum(), [log_df])
    assert_mean(slopes.numpy(), -2 * 2 * df / (df - 2) ** 2)


def test_gradients_by_the_noise(rng):
    student = MultivariateStudentT(np.log(5.0), rng.normal(size=EVENT), factors(rng, (EVENT,)))
    noise = np.concatenate([rng.normal(size=(2, EVENT)), rng.uniform(0.1, 0.9, (2, 1))], -1)
    check_gradients(student.sample, [noise], order=2, mode="jacobian")


@pytest.mark.parametrize("log_df", [-5.0, 0.0, 10.0])
def test_extreme_degrees_of_freedom_against_scipy(log_df):
    student = MultivariateStudentT(log_df, tensor(np.zeros(3), "float64"), np.zeros((3, 3)))
    x = np.array([[0.0, 0.0, 0.0], [1.0, -2.0, 1e3]])
    oracle = stats.multivariate_t(np.zeros(3), np.eye(3), np.exp(log_df))
    np.testing.assert_allclose(student.log_prob(x).numpy(), oracle.logpdf(x), rtol=1e-10)
    assert np.isnan(student.mean.numpy()).all() == (log_df <= 0)


@pytest.mark.parametrize("log_var", [-30.0, 30.0])
@pytest.mark.parametrize("make", [MultivariateNormal, partial(MultivariateStudentT, 2.0)])
def test_extreme_variances_in_float32(make, log_var):
    """As in float64: densities, entropies, samples; and the gradients are finite."""
    noise, results = np.array([0.3, -1.2, 0.7]), {}
    for dtype in ("float64", "float32"):
        loc, factor = tensor([0.0, 0.0], dtype, requires_grad=True), tensor(0.5 * log_var * np.eye(2) + 0.1, dtype)
        variables = [loc, factor := tensor(factor.data, requires_grad=True)]
        distribution = make(loc, factor)
        z = distribution.transform(noise[: 2 if make is MultivariateNormal else 3]) - loc
        outputs = [distribution.log_prob(loc + 1e-3), distribution.entropy(), z.sum()]
        results[dtype] = [output.item() for output in outputs]
        for output in outputs:
            for gradient in backward(output, variables, retain_graph=True):
                assert np.isfinite(gradient.numpy()).all()
    np.testing.assert_allclose(results["float32"], results["float64"], rtol=1e-4, atol=1e-6)


def test_shapes_broadcast(rng):
    loc, factor = rng.normal(size=EVENT), factors(rng, (M, EVENT))
    student = MultivariateStudentT(rng.normal(size=(2, 1)), loc, factor)
    assert student.mean.shape == (2, M, EVENT)
    assert student.entropy().shape == student.log_prob(loc).shape == (2, M)
    assert student.sample(backend.generator(0), 5).shape == (5, 2, M, EVENT)
    assert MultivariateNormal(np.zeros((M, EVENT)), factor[0]).entropy().shape == (M,)


def test_batches_that_do_not_fit_are_named():
    with pytest.raises(InputError, match=r"loc has shape \(3,\), factor has shape \(\), log_df has shape \(2,\)"):
        MultivariateStudentT(np.zeros(2), np.zeros((M, EVENT)), np.zeros((EVENT, EVENT)))


def test_a_family_has_to_say_what_it_is():
    with pytest.raises(TypeError, match="abstract"):
        Elliptical(np.zeros(2), np.zeros((2, 2)))
