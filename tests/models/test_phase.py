"""What a step draws with."""

import numpy as np
import pytest

from minivae.errors import InputError
from minivae.models.phase import prior_draws

from .members import M, Repeated, member


def test_draws_of_a_prior_are_as_many_as_data_points(rng):
    p, noise = member("vae", dtype="float64").prior(), rng.normal(size=(M, 3))
    np.testing.assert_array_equal(prior_draws(p, M, noise).numpy(), noise)
    assert prior_draws(p, M, Repeated()()).shape == (M, 3)
    with pytest.raises(InputError, match=r"noise has shape \(4, 3\); expected \(1, 3\)"):
        prior_draws(p, 1, noise)
