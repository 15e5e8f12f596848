"""Every family of the table: densities and moments against SciPy, samples, gradients, dtypes."""

import inspect

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import Parameter, backward, tensor
from minivae.distributions import (
    Categorical,
    Distribution,
    MultivariateStudentT,
    Normal,
    StandardNormal,
    StudentT,
    Uniform,
)
from minivae.errors import InputError
from minivae.gradcheck import check_gradients

from ..chance import assert_cdf, assert_mean, assert_moments, assert_uncorrelated
from ..doubles.strict_device import strict
from .families import FAMILIES, as_tensors, discovered

EVENT, M, L = 4, 3, 2


def families(wanted=lambda family: True):
    return pytest.mark.parametrize(
        "family", [pytest.param(row, id=name.__name__) for name, row in FAMILIES.items() if wanted(row)]
    )


EVERY_FAMILY = families()
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])
# Shapes of the parameters, and of the data beside them.
SHAPES = pytest.mark.parametrize(
    ("shape", "data_shape"),
    [
        ((EVENT,), (EVENT,)),
        ((EVENT,), (M, EVENT)),
        ((M, EVENT), (EVENT,)),
        ((M, EVENT), (M, EVENT)),
        ((M, EVENT), (L, M, EVENT)),
        ((L, M, EVENT), (M, EVENT)),
        ((L, M, EVENT), (L, 1, EVENT)),
        ((M, 1), (L, M, 1)),
        ((0, EVENT), (L, 0, EVENT)),
    ],
)


def test_every_family_has_a_row():
    assert set(discovered()) == set(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_between_a_family_and_what_every_distribution_can_is_one_base_at_most(family):
    """Or the family that it is a special case of; the way it is drawn is mixed in beside."""
    chain = [c for c in family.__mro__ if issubclass(c, Distribution)]
    assert sum(inspect.isabstract(c) for c in chain) <= 1
    assert len(chain) <= 3 + (chain[1] in FAMILIES)


# ----------------------------------------------------------- against SciPy


@EVERY_FAMILY
@SHAPES
def test_log_prob_against_scipy(family, shape, data_shape, rng, backend_name):
    distribution, oracle = family.random(rng, shape, backend=backend_name)
    x = family.data(rng, data_shape)
    log_prob = distribution.log_prob(tensor(x, backend=backend_name))
    np.testing.assert_allclose(log_prob.numpy(), family.log_prob(oracle, x), rtol=1e-11, atol=1e-13)
    assert log_prob.shape == np.broadcast_shapes(distribution.mean.shape, data_shape)[:-1]


@EVERY_FAMILY
@pytest.mark.parametrize("shape", [(EVENT,), (M, EVENT), (L, M, EVENT), (M, 1)])
def test_entropy_and_mean_against_scipy(family, shape, rng, backend_name):
    distribution, oracle = family.random(rng, shape, backend=backend_name)
    # (SciPy integrates Gompertz's mean, to 1.2e-11)
    np.testing.assert_allclose(distribution.mean.numpy(), oracle.mean(), rtol=2e-11)
    np.testing.assert_allclose(distribution.entropy().numpy(), oracle.entropy().sum(-1), rtol=1e-11, atol=1e-13)


@EVERY_FAMILY
def test_what_stands_for_a_distribution_is_its_mean_or_where_there_is_none_its_location(family, rng):
    distribution, _ = family.random(rng, (M, EVENT))
    expected = distribution.mean if family.moments else distribution.loc
    np.testing.assert_array_equal(distribution.centre.numpy(), expected.numpy())


@pytest.mark.parametrize("family", [StudentT, MultivariateStudentT])
def test_the_location_stands_for_students_t_of_any_tails(family, rng):
    loc, log_df = rng.normal(size=(3, 2)), np.log([[0.1], [1.0], [1.5]])
    scale = np.zeros((3, 2)) if family is StudentT else np.zeros((3, 2, 2))
    distribution = family(log_df if family is StudentT else log_df[:, 0], loc, scale)
    assert np.isnan(distribution.mean.numpy()).any(axis=-1).tolist() == [True, True, False]
    np.testing.assert_array_equal(distribution.centre.numpy(), loc)


@EVERY_FAMILY
def test_an_empty_batch_has_empty_entropy_and_mean(family, rng):
    distribution, _ = family.random(rng, (0, EVENT))
    batch = distribution.mean.shape[:-1]
    assert distribution.entropy().shape == batch == ((0,) if family.trained else ())


# --------------------------------------------------------------- sampling


@EVERY_FAMILY
@DTYPES
def test_samples_have_their_distribution(family, dtype, rng, backend_name):
    n = 20_000
    distribution, oracle = family.random(rng, (M, EVENT), dtype, backend_name)
    draws = distribution.sample(backend.generator(11, backend_name), n).numpy()
    assert draws.shape == (n, *distribution.mean.shape)
    if family.moments:
        assert_moments(draws, oracle.mean(), oracle.var())  # which is all there is to a bit
    if family.continuous:
        uniform = oracle.cdf(draws).reshape(n, -1)
        for column in uniform.T:
            assert_cdf(column, "uniform")
    else:
        assert set(np.unique(draws)) == {0, 1}


@families(lambda row: row.independent and row.moments)
def test_elements_and_samples_are_independent(family, rng):
    distribution, _ = family.random(rng, (M, EVENT))
    draws = distribution.sample(backend.generator(12), 20_000).numpy()
    flat = draws.reshape(len(draws), -1)
    for j in range(1, flat.shape[1]):
        assert_uncorrelated(flat[:, 0], flat[:, j])
    assert_uncorrelated(flat[:-1, 0], flat[1:, 0])


@EVERY_FAMILY
@DTYPES
@pytest.mark.parametrize("shape", [(EVENT,), (M, EVENT), (0, EVENT)])
def test_shapes_of_samples(family, dtype, shape, rng, backend_name):
    distribution, _ = family.random(rng, shape, dtype, backend_name)
    batch = distribution.mean.shape
    generator = backend.generator(0, backend_name)
    for n, expected in ((None, batch), (1, (1, *batch)), (5, (5, *batch))):
        z = distribution.sample(generator, n)
        assert (z.shape, z.dtype) == (expected, dtype)
        assert backend.backend_of(z.data).name == backend_name


@EVERY_FAMILY
def test_noise_makes_samples_repeatable(family, rng, backend_name):
    distribution, _ = family.random(rng, (M, EVENT), backend=backend_name)
    noise = distribution.draw_noise(backend.generator(3, backend_name), (50,))
    first, again = distribution.sample(noise), distribution.sample(noise)
    np.testing.assert_array_equal(first.numpy(), again.numpy())
    drawn = distribution.sample(backend.generator(3, backend_name), 50)
    np.testing.assert_array_equal(first.numpy(), drawn.numpy())
    other = distribution.sample(backend.generator(4, backend_name), 50)
    assert not np.array_equal(first.numpy(), other.numpy())


@EVERY_FAMILY
def test_a_sample_with_its_log_prob(family, rng):
    distribution, _ = family.random(rng, (M, EVENT))
    noise = distribution.draw_noise(backend.generator(3), (5,))
    for source, n in ((noise, None), (backend.generator(3), 5)):
        x, log_prob = distribution.sample_with_log_prob(source, n)
        np.testing.assert_array_equal(x.numpy(), distribution.sample(noise).numpy())
        np.testing.assert_allclose(log_prob.numpy(), distribution.log_prob(x).numpy(), rtol=1e-9, atol=1e-12)


@EVERY_FAMILY
def test_successive_samples_differ(family, rng):
    distribution, _ = family.random(rng, (M, 50))
    generator = backend.generator(3)
    assert not np.array_equal(distribution.sample(generator).numpy(), distribution.sample(generator).numpy())


@families(lambda row: row.make is not Uniform)  # whose log_prob is the same everywhere
def test_samples_and_log_prob_belong_together(family, rng):
    """-E[log p(x)] over our samples is our entropy: a z-test that joins the three."""
    distribution, _ = family.random(rng, (M, EVENT))
    draws = distribution.sample(backend.generator(13), 20_000)
    assert_mean(-distribution.log_prob(draws).numpy(), distribution.entropy().numpy())


@EVERY_FAMILY
def test_a_number_of_samples_beside_noise(family, rng):
    with pytest.raises(InputError, match=r"source is array.* beside n=2; expected a Generator"):
        family.random(rng, (EVENT,))[0].sample(np.zeros((2, EVENT)), 2)


# -------------------------------------------------------------- gradients


def gradient_inputs(family, rng, shape):
    return family.parameters(rng, shape) if family.trained else ()


def remake(family, rng, shape, values):
    """The distribution with given parameter tensors, or a constant one if it has no trained parameters."""
    return family.make(*values) if family.trained else family.make(*as_tensors(family.parameters(rng, shape)))


@EVERY_FAMILY
@pytest.mark.parametrize("order", [1, 2])
def test_gradients_of_log_prob(family, order, rng):
    data, parameters = family.data(rng, (L, M, EVENT)), gradient_inputs(family, rng, (M, EVENT))

    def log_prob(x, *values):
        return remake(family, rng, (M, EVENT), values).log_prob(x)

    if family.make is Categorical:  # beside a one-hot x there is no other to go to
        check_gradients(lambda *values: log_prob(data, *values), parameters, order=order, mode="jacobian")
        return
    check_gradients(log_prob, [data, *parameters], order=order, mode="jacobian", allow_zero=family.flat)


@EVERY_FAMILY
def test_a_family_says_whether_it_is_discrete(family, rng):
    assert family.random(rng, (M, EVENT))[0].discrete is not family.continuous


@pytest.mark.parametrize("order", [1, 2])
@families(lambda row: row.trained)
def test_gradients_of_entropy(family, order, rng):
    """A parameter of location has the gradient zero, which is compared, too."""
    arrays = family.parameters(rng, (M, EVENT))
    report = check_gradients(
        lambda *values: family.make(*values).entropy(), arrays, order=order, mode="jacobian", allow_zero=True
    )
    assert report.comparisons >= M * sum(array.size for array in arrays)


@families(lambda row: row.trained and row.continuous)
def test_gradients_of_reparameterized_samples(family, rng):
    arrays = family.parameters(rng, (M, EVENT))
    noise = family.make(*as_tensors(arrays)).draw_noise(backend.generator(5), (L,))
    check_gradients(lambda *values: family.make(*values).sample(noise), arrays, order=2, mode="jacobian")


@families(lambda row: not row.continuous)
def test_discrete_samples_carry_no_gradient(family, rng):
    parameters = [tensor(array, requires_grad=True) for array in family.parameters(rng, (M, EVENT))]
    assert not family.make(*parameters).sample(backend.generator(5), L).requires_grad


# ------------------------------------------------------- dtypes and devices


@EVERY_FAMILY
@DTYPES
def test_dtype_stays_whatever_the_data_are(family, dtype, rng):
    distribution, _ = family.random(rng, (M, EVENT), dtype)
    x = family.data(rng, (L, M, EVENT))
    for data in (x, x.astype(np.float32), np.rint(x).astype(np.int64), x.tolist()):
        assert distribution.log_prob(data).dtype == dtype
    noise = distribution.draw_noise(backend.generator(0), (L,))
    for result in (distribution.sample(noise), distribution.sample(noise.numpy().astype(np.float64))):
        assert result.dtype == dtype
    for result in (noise, distribution.mean, distribution.entropy()):
        assert result.dtype == dtype


@EVERY_FAMILY
def test_float32_is_accurate(family, rng):
    distribution, oracle = family.random(rng, (M, EVENT), "float32")
    x = family.data(rng, (L, M, EVENT))
    np.testing.assert_allclose(distribution.log_prob(x).numpy(), family.log_prob(oracle, x), rtol=2e-6, atol=2e-6)


@EVERY_FAMILY
def test_nothing_waits_moves_or_widens_on_a_device(family, rng):
    arrays = [Parameter(x.data) for x in as_tensors(family.parameters(rng, (M, EVENT)), "float32", "strict")]
    x = tensor(family.data(rng, (L, M, EVENT)), "float32", "strict")
    generator = backend.generator(0, "strict")
    counter = strict.counter
    with counter.forbid_synchronization(), counter.forbid_transfers(), counter.forbid_dtype("float64"):
        distribution = family.make(*arrays)
        log_prob, z = distribution.log_prob(x), distribution.sample(generator, L)
        total = log_prob.sum() + (z * z).sum() + distribution.entropy().sum() + distribution.mean.sum()
        if family.trained:
            backward(total, arrays)


@families(lambda row: row.trained)
def test_denormal_parameters_are_as_good_as_zero(family, rng):
    """In float32: the same values and the same gradients, all of them numbers."""
    shapes = [array.shape for array in family.parameters(rng, (M, EVENT))]
    signs = [rng.choice([-1, 1], shape) for shape in shapes]
    tiny, zero = (float32_results(family, [scale * sign for sign in signs]) for scale in (1e-40, 0.0))
    for a, b in zip(tiny, zero, strict=True):
        assert not np.isnan(a).any()
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def float32_results(family, arrays):
    """Densities on both sides of 1, entropies and samples, and the gradient of each by each parameter."""
    parameters = [tensor(array, "float32", requires_grad=True) for array in arrays]
    distribution = family.make(*parameters)
    points = np.eye(EVENT)[:2] if family.make is Categorical else (np.full(EVENT, x) for x in (0.25, 1.5))
    outputs = [distribution.log_prob(x) for x in points]
    outputs += [distribution.entropy(), distribution.sample(backend.generator(5), L)]
    yield from (output.numpy() for output in outputs)
    for output in outputs:
        if output.requires_grad:  # a discrete sample has none
            yield from (g.numpy() for g in backward(output.sum(), parameters, retain_graph=True))


def test_the_base_class_leaves_the_mathematics_to_the_families():
    base = Distribution()
    with pytest.raises(NotImplementedError):
        base.sample(backend.generator(0))
    # These some families have not: a user may come upon it.
    for what, call in (("entropy", base.entropy), ("log_prob", lambda: base.log_prob(0.0))):
        with pytest.raises(InputError, match=f"a Distribution, which has no {what}"):
            call()


def test_noise_of_another_backend_is_refused(rng):
    normal, _ = FAMILIES[Normal].random(rng, (M, EVENT), backend="strict")
    with pytest.raises(InputError, match="noise is on numpy; expected strict"):
        normal.sample(np.zeros((M, EVENT)))


def test_a_number_stands_for_a_point_that_has_it_everywhere(rng):
    standard = StandardNormal(EVENT, like=tensor(np.zeros(EVENT)))
    assert standard.log_prob(0.5).numpy() == pytest.approx(standard.log_prob(np.full(EVENT, 0.5)).numpy())
    normal, _ = FAMILIES[Normal].random(rng, (M, EVENT))
    np.testing.assert_allclose(normal.log_prob(0.5).numpy(), normal.log_prob(np.full((M, EVENT), 0.5)).numpy())
