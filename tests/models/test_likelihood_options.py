"""What the options of a likelihood do to its decoder, and that those of another one are refused."""

import numpy as np
import pytest

from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.models import VAE


@pytest.mark.parametrize("name", ["laplace", "log-cosh", "student-t"])
def test_a_scale_does_not_fall_below_the_floor(name):
    model = VAE(5, 2, (4,), likelihood=name, log_var_floor=-4.0, dtype="float64")
    model.decoder.log_scale.weight.data[...] = 0
    for raw, kept in ((-50.0, -2.0), (-2.0, np.log(2) - 2), (20.0, 20.0)):
        model.decoder.log_scale.bias.data[...] = raw
        np.testing.assert_allclose(model.likelihood(np.zeros((1, 2))).log_scale.numpy(), kept, rtol=1e-9)


@pytest.mark.parametrize(("of", "shape"), [("column", (5,)), ("all", (1,))])
def test_a_variance_of_a_column_or_of_all_is_learned(of, shape, rng):
    model = VAE(5, 2, (4,), likelihood="gaussian", variance_of=of, dtype="float64")
    assert model.decoder.log_var.shape == shape
    x = rng.normal(size=(3, 5)) * 3
    report = check_gradients(lambda *_: model.bound(x, np.zeros((1, 3, 2))).value.sum(), model.parameters())
    assert report.comparisons
    p = model.likelihood(np.zeros((4, 2)))
    assert np.ptp(np.broadcast_to(p.log_var.numpy(), (4, 5)), axis=0).max() == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"likelihood": "poisson", "variance": 1.0},
            "variance is 1.0 with the poisson likelihood; it belongs to the gaussian one",
        ),
        (
            {"likelihood": "bernoulli", "categories": 3},
            "categories is 3 with the bernoulli.*belongs to the categorical",
        ),
        (
            {"likelihood": "gaussian", "variance": 0.1, "variance_of": "all"},
            "variance_of is 'all' and variance is 0.1; expected one that is learned",
        ),
        ({"likelihood": "bernoulli", "variance_of": "row"}, "variance_of is 'row'; expected one of"),
        ({"likelihood": "laplace", "variance_of": "all"}, "variance_of is 'all' with the laplace likelihood"),
        ({"likelihood": "categorical"}, "categories is None; expected an integer of at least 1"),
        ({"likelihood": "negative-binomal"}, "did you mean 'negative-binomial'"),
        ({"likelihood": "gaussian", "variance_of": "row"}, "variance_of is 'row'; expected one of"),
        ({"log_var_floor": np.nan}, "log_var_floor is nan; expected a finite number"),
    ],
)
def test_options_of_another_likelihood_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        VAE(4, 2, (3,), **options)
