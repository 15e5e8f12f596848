"""What the families with independent elements share: quantiles, noise at the ends, supports, shapes."""

import inspect

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import backward, tensor
from minivae.distributions import (
    Chi2,
    Elementwise,
    FisherF,
    Gamma,
    InverseCDF,
    Laplace,
    LocationScale,
    LogCosh,
    Normal,
    StudentT,
    SumOfExponentials,
    Uniform,
)
from minivae.errors import InputError
from minivae.gradcheck import check_gradients

from .families import FAMILIES, as_tensors

EVENT, M = 4, 3
ELEMENTWISE = {family: row for family, row in FAMILIES.items() if issubclass(family, Elementwise)}
# These are drawn from more than one uniform number, so that there is no quantile.
SEVERAL = {LogCosh, StudentT, SumOfExponentials}


def every(wanted=lambda family: True):
    rows = [pytest.param(family, row, id=family.__name__) for family, row in ELEMENTWISE.items() if wanted(family)]
    return pytest.mark.parametrize(("name", "family"), rows)


HAS_QUANTILE = every(lambda family: issubclass(family, InverseCDF) and family not in SEVERAL)


# ----------------------------------------------------------------- quantiles


@HAS_QUANTILE
def test_quantiles_against_scipy(name, family, rng, backend_name):
    distribution, oracle = family.random(rng, (M, EVENT), backend=backend_name)
    u = np.array([1e-12, 1e-6, 1e-3, 0.1, 0.3, 0.499999, 0.5, 0.7, 0.9, 0.999, 1 - 1e-9])[:, None, None]
    noise = tensor(np.broadcast_to(u, (len(u), M, EVENT)), backend=backend_name)
    np.testing.assert_allclose(distribution.sample(noise).numpy(), oracle.ppf(u), rtol=2e-9, atol=1e-12)
    inner = slice(2, 9)  # (SciPy's own error is what the ends show)
    np.testing.assert_allclose(distribution.sample(noise).numpy()[inner], oracle.ppf(u)[inner], rtol=1e-11, atol=1e-13)


@HAS_QUANTILE
def test_the_derivative_of_a_quantile_is_one_over_the_density(name, family, rng):
    distribution, _ = family.random(rng, (EVENT,))
    u = tensor(rng.uniform(0.01, 0.99, (50, EVENT)), requires_grad=True)
    x = distribution.quantile(u)
    (slope,) = backward(x.sum(), [u])
    density = np.exp(distribution.log_density(x.detach()).numpy())
    np.testing.assert_allclose(slope.numpy() * density, 1, rtol=1e-9)


@every()
def test_gradients_by_the_noise(name, family, rng):
    distribution, _ = family.random(rng, (EVENT,))
    shape = distribution.draw_noise(backend.generator(0)).shape
    check_gradients(distribution.sample, [rng.uniform(0.05, 0.95, shape)], order=2, mode="jacobian")


@every(lambda family: family is not SumOfExponentials)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_noise_of_zero_and_of_one_gives_finite_samples_and_gradients(name, family, dtype, value, rng):
    parameters = [tensor(array, dtype, requires_grad=True) for array in family.parameters(rng, (EVENT,))]
    distribution = family.make(*parameters)
    noise = np.full(distribution.draw_noise(backend.generator(0)).shape, value)
    x = distribution.sample(noise)
    assert np.isfinite(x.numpy()).all()
    for gradient in backward(x.sum(), parameters):
        assert np.isfinite(gradient.numpy()).all()
    assert not np.isnan(distribution.log_prob(x.detach()).numpy()).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_noise_is_held_half_a_rounding_unit_from_its_ends(dtype):
    """The generator draws multiples of a unit: its 0 stands for half of one, its 1 - unit for itself."""
    unit = np.finfo(dtype).eps / 2
    u = Uniform(tensor(np.zeros(4), dtype), 0.0).sample(np.array([0.0, unit, 1 - unit, 1.0])).numpy()
    np.testing.assert_array_equal(u, np.array([unit / 2, unit, 1 - unit, 1 - unit], dtype))


# ------------------------------------------------------------------- supports


def ends(family, rng):
    arrays = family.parameters(rng, (EVENT,))
    low, high = (np.broadcast_to(end, (EVENT,)) for end in family.oracle(*arrays).support())
    return arrays, low, high


@every()
def test_the_density_is_zero_outside_the_support(name, family, rng):
    arrays, low, high = ends(family, rng)
    distribution = family.make(*as_tensors(arrays))
    inside = family.data(rng, (EVENT,))
    for i in range(EVENT):
        for beyond in (low[i] - 0.01, low[i] - 100, high[i] + 0.01, high[i] + 100):
            if np.isfinite(beyond):
                x = inside.copy()
                x[i] = beyond
                assert distribution.log_prob(x).item() == -np.inf


@every()
def test_just_inside_the_support_the_density_is_that_of_scipy(name, family, rng):
    arrays, low, high = ends(family, rng)
    distribution = family.make(*as_tensors(arrays))
    for end, inwards in ((low, 1e-6), (high, -1e-6)):
        if np.isfinite(end).all():
            x = end + inwards
            expected = family.log_prob(family.oracle(*arrays), x)
            np.testing.assert_allclose(distribution.log_prob(x).numpy(), expected, rtol=1e-8)


@every()
def test_outside_the_support_no_gradient_is_nan(name, family, rng):
    arrays, low, high = ends(family, rng)
    for beyond in (low - 1, high + 1):
        if np.isfinite(beyond).all():
            x, *parameters = (tensor(array, requires_grad=True) for array in (beyond, *arrays))
            log_prob = family.make(*parameters).log_prob(x)
            for gradient in backward(log_prob, [x, *parameters]):
                np.testing.assert_array_equal(gradient.numpy(), 0)


@every()
def test_nan_stays_nan(name, family, rng):
    distribution, _ = family.random(rng, (EVENT,))
    x = family.data(rng, (EVENT,))
    x[1] = np.nan
    assert np.isnan(distribution.log_prob(x).item())


@every()
def test_float32_samples_lie_in_the_support(name, family, rng):
    """Rounding may take a sample to the end of its support, but not beyond it."""
    distribution, _ = family.random(rng, (EVENT,), "float32")
    x = distribution.sample(backend.generator(7), 50_000)
    assert np.isfinite(distribution.log_prob(x).numpy()).all()


# --------------------------------------------------------------------- shapes


def test_parameters_broadcast_against_each_other():
    laplace = Laplace(np.zeros((M, 1)), np.zeros(EVENT))
    assert laplace.mean.shape == (M, EVENT)
    assert laplace.entropy().shape == (M,)
    assert laplace.sample(backend.generator(0), 5).shape == (5, M, EVENT)
    assert laplace.log_prob(0.0).shape == (M,)
    np.testing.assert_allclose(laplace.entropy().numpy(), EVENT * (1 + np.log(2)), rtol=1e-6)


def test_a_mean_of_one_parameter_has_the_shape_of_all():
    f = FisherF(np.zeros((M, 1)), np.full(EVENT, 2.0))  # whose mean is that of the second
    assert f.mean.shape == (M, EVENT)
    assert f.sample(backend.generator(0)).shape == (M, EVENT)


def test_numbers_and_arrays_take_the_dtype_of_what_is_beside_them():
    assert Gamma(1.0, np.zeros(EVENT)).mean.dtype == np.float64
    assert Gamma(0, 0).mean.dtype == Chi2(1).mean.dtype == Chi2([1.0]).mean.dtype == np.float32
    log_scale = tensor(np.zeros(EVENT), "float32")
    for laplace in (Laplace(0.5, log_scale), Laplace(np.full(EVENT, 0.5), log_scale)):
        assert laplace.loc.dtype == laplace.mean.dtype == laplace.entropy().dtype == np.float32


def test_shapes_that_do_not_fit_are_named():
    message = r"loc has shape \(3,\), log_scale has shape \(4,\); expected shapes that broadcast against each other"
    with pytest.raises(InputError, match=message):
        Laplace(np.zeros(3), np.zeros(4))


def test_a_family_has_to_say_what_it_is():
    for way in (object, InverseCDF, LocationScale):
        family = type("Family", (Elementwise,) if way is object else (way, Elementwise), {})
        with pytest.raises(TypeError, match="abstract"):
            family(loc=0.0, log_scale=0.0)


@pytest.mark.parametrize("row", [FAMILIES[f] for f in ELEMENTWISE if issubclass(f, LocationScale)])
def test_location_and_scale_move_the_standard_member(row, rng):
    arrays = row.parameters(rng, (EVENT,))
    at = list(inspect.signature(row.make).parameters).index("loc")
    standard = [np.zeros(EVENT) if i in (at, at + 1) else array for i, array in enumerate(arrays)]
    noise = row.make(*arrays).draw_noise(backend.generator(1), (20,))
    z = row.make(*standard).sample(noise).numpy()
    np.testing.assert_allclose(row.make(*arrays).sample(noise).numpy(), arrays[at] + np.exp(arrays[at + 1]) * z)
    moved = row.make(*arrays).entropy().item() - row.make(*standard).entropy().item()
    np.testing.assert_allclose(moved, arrays[at + 1].sum(), rtol=1e-12)


def test_a_normal_is_no_family_of_this_kind():
    assert not issubclass(Normal, Elementwise)
