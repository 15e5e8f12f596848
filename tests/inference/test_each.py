"""The terms of each data point: their average is what the model's own phase says of a minibatch."""

import numpy as np
import pytest

from minivae.errors import InputError
from minivae.inference.each import bound_of_each
from minivae.models import MODELS

from ..models.members import Repeated, batch_for, member, shaken

WITH_CODES = pytest.mark.parametrize("name", [name for name in MODELS if name != "gan"])


def test_a_model_without_codes_and_without_log_p_has_no_term_of_a_point(rng):
    with pytest.raises(InputError, match="GAN has no encoder"):
        bound_of_each(member("gan"), rng.uniform(size=(4, 6)), Repeated()())


@WITH_CODES
def test_the_average_is_that_of_the_models_phase(name, rng):
    model, noise = shaken(member(name, dtype="float64")), Repeated()
    batch = batch_for(model, rng)
    found = bound_of_each(model, batch.x, noise(), batch.context)
    of_phase = name != "td-vae"  # whose phase is of two steps, and its bound of whole sequences
    expected = model.phases(batch, noise())[0].terms if of_phase else model.bound(batch.x, noise()).terms()
    whole = {"bound", "reconstruction", "kl"} if not model.no_log_likelihood else {"reconstruction"}
    assert found.keys() == ({"bound"} if name == "made" else whole)
    for term, values in found.items():
        assert values.shape == (len(batch.x),)
        assert values.numpy().mean() == pytest.approx(float(expected[term]), rel=1e-9), term


@WITH_CODES
def test_a_point_s_terms_are_its_own(name, rng):
    """A row that is changed changes no other row's."""
    model, noise = shaken(member(name, dtype="float64")), Repeated()
    batch = batch_for(model, rng)
    x = batch.x.numpy().copy()
    before = bound_of_each(model, x, noise(), batch.context)
    x[0] = 1 - x[0]
    after = bound_of_each(model, x, noise(), batch.context)
    for term in before:
        np.testing.assert_allclose(after[term].numpy()[1:], before[term].numpy()[1:], rtol=1e-12)
    first = next(iter(before))
    assert after[first].numpy()[0] != before[first].numpy()[0]
