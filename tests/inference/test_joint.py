"""log p(x, z) and its slope, on a model whose log p(x) and posterior are known; and what it refuses."""

import numpy as np
import pytest
from scipy import stats

from minivae.autodiff import grad, tensor
from minivae.errors import InputError
from minivae.inference import log_joint
from minivae.inference.joint import data_for, explained
from minivae.models import MODELS, VAE

from .test_importance import LATENT, LinearGaussian, drawn


def of_a_linear_gaussian(rng):
    """The model, its data, the posterior's mean and standard deviations, and some z."""
    model = LinearGaussian()
    x = drawn(model, 4)
    mean = model.posterior(x).mean.numpy()
    return model, x, mean, np.sqrt(model.posterior_variance), rng.normal(size=(5, 4, LATENT))


def test_it_is_log_p_of_x_plus_that_of_the_posterior(rng):
    model, x, mean, stddev, z = of_a_linear_gaussian(rng)
    expected = model.exact.logpdf(x) + stats.norm(mean, stddev).logpdf(z).sum(-1)
    np.testing.assert_allclose(log_joint(model, x)(tensor(z)).numpy(), expected, rtol=1e-12)


def test_its_slope_is_that_of_the_posterior(rng):
    """Bayes: log p(x) does not depend on z."""
    model, x, mean, stddev, z = of_a_linear_gaussian(rng)
    density = log_joint(model, x)
    found = grad(lambda z: density(z).sum())(z)
    np.testing.assert_allclose(found.numpy(), (mean - z) / stddev**2, rtol=1e-10, atol=1e-12)


def test_the_data_to_explain_are_a_tensor_of_the_models_own_dtype():
    x = explained(VAE(6, 2, (4,)), np.linspace(0, 1, 18).reshape(3, 6))
    assert (x.shape, x.dtype) == ((3, 6), np.float32)


@pytest.mark.parametrize(("place", "value"), [((0, 0), -0.5), ((2, 5), 1.5)])
def test_one_value_outside_the_unit_interval_is_enough(place, value):
    x = np.full((3, 6), 0.5)
    x[place] = value
    with pytest.raises(InputError, match=rf"x has values from {min(value, 0.5):g} to {max(value, 0.5):g}; expected"):
        data_for(VAE(6, 2, (4,)), x)


@pytest.mark.parametrize(("context", "message"), [(np.eye(3)[:2], "2 rows; expected 3"), (np.eye(4)[:3], "shape")])
def test_a_context_of_other_rows_or_columns_is_refused(context, message):
    with pytest.raises(InputError, match=f"context has {message}"):
        log_joint(MODELS["cvae"](6, 2, (4,), context_dim=3), np.ones((3, 6)), context)
