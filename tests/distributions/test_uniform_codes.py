"""Rows of vectors from a list: each as likely, at each place."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import tensor
from minivae.distributions import UniformCodes
from minivae.errors import InputError

from ..chance import assert_mean


def test_every_entry_is_as_likely_at_each_place(rng):
    codebook = rng.normal(size=(5, 2))
    prior = UniformCodes(tensor(codebook), 3)
    assert prior.code_entropy == pytest.approx(3 * np.log(5))
    draws = prior.sample(backend.generator(0), 20_000).numpy().reshape(-1, 3, 1, 2)
    which = (draws == codebook).all(-1)
    assert (which.sum(-1) == 1).all()
    assert_mean(which, 1 / 5)
    np.testing.assert_allclose(prior.mean.numpy(), np.tile(codebook.mean(0), 3))
    assert prior.sample(backend.generator(0)).shape == (6,)


def test_a_sample_has_a_vector_of_the_list_for_each_place(rng):
    prior = UniformCodes(tensor(rng.normal(size=(5, 2))), 3)
    assert prior.shape == prior.sample(backend.generator(0)).shape == (6,)
    assert prior.noise_shape == prior.draw_noise(backend.generator(0)).shape == (15,)


@pytest.mark.parametrize("what", ["log_prob", "entropy"])
def test_what_it_cannot_tell_is_refused(what, rng):
    prior = UniformCodes(tensor(rng.normal(size=(5, 2))), 3)
    with pytest.raises(InputError, match=f"a UniformCodes, which has no {what}"):
        getattr(prior, what)(*[prior.sample(backend.generator(0))] * (what == "log_prob"))
