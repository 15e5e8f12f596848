"""What every model has of its base: units, missing labels, a weight on the KL, the arguments that it takes."""

import numpy as np
import pytest

from minivae.autodiff import tensor
from minivae.datasets import preparation
from minivae.errors import InputError
from minivae.models import IWAE, M2, VAE, Batch, BetaVAE
from minivae.models.model import taken

from .members import M, Repeated, batch_for, member, shaken


def test_arguments_that_a_variant_has_decided_on_are_none_of_its_own():
    assert {"estimator", "latent_dim"} <= taken(VAE)
    assert taken(IWAE) & {"estimator", "gradient"} == {"gradient"}


@pytest.mark.parametrize("weight", [0.0, 0.25, 1.0])
def test_a_weight_on_the_kl_multiplies_its_part_of_the_loss(weight, rng):
    """Of the beta-VAE beta R, whose beta it does not replace."""
    model, noise = shaken(member("beta-vae", beta=3.0, dtype="float64")), Repeated()
    batch = batch_for(model, rng)
    assert isinstance(model, BetaVAE)
    (own,), (found,) = model.phases(batch, noise()), model.phases_at(batch, noise(), model.scalar(weight))
    expected = 3.0 * weight * float(own.terms["kl"]) - float(own.terms["reconstruction"])
    assert float(found.loss) == pytest.approx(expected, rel=1e-12)
    assert float(found.terms["objective"]) == -float(found.loss)
    assert float(found.terms["bound"]) == float(own.terms["bound"])


def test_encoders_see_logarithms_of_counts_and_other_data_as_they_are(rng):
    x = rng.poisson(3.0, (M, 6)).astype(float)
    for likelihood, expected in (("poisson", np.log1p(x)), ("gaussian", x)):
        found = member("vae", likelihood=likelihood, dtype="float64").features(x)
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("kind", ["standardize", "unit", "log1p"])
def test_tensors_and_arrays_are_prepared_alike(kind, rng):
    model = member("vae", likelihood="gaussian", dtype="float64")
    x = rng.gamma(2.0, 3.0, (50, 6))
    model.preparation = preparation.fitted(kind, [x])
    expected = model.preparation.apply(x)
    for given in (x, tensor(x)):
        np.testing.assert_allclose(model.prepared(given).numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(model.raw(model.prepared(x)).numpy(), x, rtol=1e-10)


def test_a_missing_label_is_completed_by_the_likeliest(rng):
    model = shaken(member("m2", dtype="float64"))
    assert isinstance(model, M2)
    x, _ = batch_for(model, rng, 5)
    likeliest = np.eye(3)[model.classify(x).numpy().argmax(-1)]
    given = np.eye(3)[[0, 1, 2, 0, 1]] * [[1.0], [0.0], [1.0], [0.0], [1.0]]
    expected = np.where(given.sum(-1, keepdims=True) > 0, given, likeliest)
    np.testing.assert_array_equal(model.completed(x, given).numpy(), expected)
    assert member("vae").completed(x, None) is None


def test_a_model_knows_how_many_samples_it_takes(rng):
    model = VAE(6, 3, (5,), samples=4)
    assert model.config["samples"] == model.samples == model.draws == 4
    assert model.noise(model.posterior(np.zeros((M, 6))), Repeated()()).shape == (4, M, 3)
    with pytest.raises(InputError, match="expected at least 2"):
        member("beta-tcvae").phases(Batch(np.zeros((1, 6))), Repeated()())
